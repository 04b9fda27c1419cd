//! What is wrong with a table: the file, the key, the value, and what was expected.

use std::path::Path;

/// Why the tables cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A file or directory cannot be read.
    #[error("{file}: {source}")]
    Read {
        /// Its path.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file in the directory is none of the tables.
    #[error("{file}: unknown table; expected holidays.toml, sessions.toml or products.toml")]
    UnknownFile {
        /// Its path.
        file: String,
    },
    /// The file is no TOML, or has an unknown key or a value of the wrong type. The message gives line and column.
    #[error("{file}: {error}")]
    Toml {
        /// The table.
        file: String,
        /// What the parser says.
        error: Box<toml::de::Error>,
    },
    /// A value makes no sense, by itself or beside the others.
    #[error("{file}: {key} = {value}: expected {expected}")]
    Value {
        /// The table.
        file: String,
        /// The key, with the path to it.
        key: String,
        /// The value.
        value: String,
        /// What would have been right.
        expected: String,
    },
}

impl TableError {
    pub(super) fn read(path: &Path, source: std::io::Error) -> Self {
        Self::Read { file: path.display().to_string(), source }
    }
}
