//! What can be wrong with a configuration. Every message says where (file and line, variable or command line), which
//! key, what was found, and what to do.

use crate::tree::Origin;
use std::path::PathBuf;

/// Why a configuration was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{}: cannot read the configuration: {reason}; check the path given with --config or `include`", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// The text is no TOML.
    #[error("{origin}: not valid TOML: {message}; mend this line (text needs quotes, a table is `[name]`)")]
    Syntax {
        /// Where.
        origin: Origin,
        /// What the parser says.
        message: String,
    },
    /// A key that does not exist.
    #[error("{origin}: unknown key `{key}`; {advice}")]
    UnknownKey {
        /// Where.
        origin: Origin,
        /// The key, from the top.
        key: String,
        /// The nearest known key, or the keys that may stand there.
        advice: String,
    },
    /// A value of the wrong type or out of range.
    #[error("{origin}: `{key}` is {found}; expected {expected}")]
    BadValue {
        /// Where.
        origin: Origin,
        /// The key, from the top.
        key: String,
        /// The value as written.
        found: String,
        /// What may stand there.
        expected: String,
    },
    /// A key that must be given and is not.
    #[error("{origin}: `{key}` is missing; add it there")]
    MissingKey {
        /// The table that needs it.
        origin: Origin,
        /// The key, from the top.
        key: String,
    },
    /// Values that are each possible and do not go together.
    #[error("{origin}: `{key}`: {problem}")]
    Conflict {
        /// Where one of them was set.
        origin: Origin,
        /// Its key.
        key: String,
        /// What does not go together and what to change.
        problem: String,
    },
    /// There is no such built-in profile.
    #[error("no profile `{name}`; the built-in profiles are {known}")]
    UnknownProfile {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// `run.product`, `run.timeframe` or `run.account` names a layer that no file has.
    #[error("{origin}: `run.{kind}` selects `{name}`, but there is no table `[{kind}.{name}]`; {advice}")]
    UnknownLayer {
        /// Where it was selected.
        origin: Origin,
        /// `product`, `timeframe` or `account`.
        kind: &'static str,
        /// The name selected.
        name: String,
        /// The layers there are.
        advice: String,
    },
    /// Files include each other.
    #[error("{origin}: including {} would go round in a circle; remove one `include`", file.display())]
    IncludeCircle {
        /// The line that closes the circle.
        origin: Origin,
        /// The file included.
        file: PathBuf,
    },
    /// An override of the command line has no `=`.
    #[error("command line: `{text}` is no override; write KEY.PATH=VALUE, for example risk.orders_per_second=5")]
    BadOverride {
        /// What was given.
        text: String,
    },
    /// A variable that looks like a key and is none.
    #[error("environment {variable}: no configuration key; did you mean {meant}? (two underscores between the parts)")]
    BadVariable {
        /// The variable.
        variable: String,
        /// What it should be called.
        meant: String,
    },
    /// A secret written where others can read it.
    #[error("{origin}: `{key}` is a secret and must not stand here; {advice}")]
    SecretInText {
        /// Where.
        origin: Origin,
        /// The key.
        key: String,
        /// Where to put it instead.
        advice: String,
    },
    /// A file of a secret that others may read.
    #[error("{origin}: `{key}`: {} has mode {mode:04o}, others can read the secret; run `chmod 600 {}`", file.display(), file.display())]
    SecretFileMode {
        /// Where the file was named.
        origin: Origin,
        /// The key.
        key: String,
        /// The file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file of a secret that cannot be read or holds nothing.
    #[error("{origin}: `{key}`: cannot take the secret from {}: {reason}; write it there, on one line, with mode 0600", file.display())]
    SecretFile {
        /// Where the file was named.
        origin: Origin,
        /// The key.
        key: String,
        /// The file.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
}
