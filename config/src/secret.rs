//! Secrets: passwords and tokens. They come from the environment or from a file that only its owner can read, live
//! beside the configuration and never in it, and nothing prints them.

use crate::error::ConfigError;
use crate::tree::{Node, Origin, Table, Value, join};
use serde::{Serialize, Serializer};
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What stands in place of a secret wherever it is printed.
const HIDDEN: &str = "(secret)";

/// Names of keys that hold secrets, wherever they stand.
const NAMES: [&str; 7] = ["password", "auth_code", "token", "secret", "api_key", "api_secret", "private_key"];

/// A secret text. Debug, Display and Serialize print a placeholder; [`Secret::reveal`] is the one way to the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for the call that logs in.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(HIDDEN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

/// The secrets of the account.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Secrets {
    /// The account's password: `SHRIKE_LOGIN__PASSWORD`, or the file `login.password_file`.
    pub password: Option<Secret>,
    /// The terminal's authentication code: `SHRIKE_LOGIN__AUTH_CODE`, or the file `login.auth_code_file`.
    pub auth_code: Option<Secret>,
}

impl Secrets {
    /// The slot of a key, if it is a secret that the engine knows.
    pub(crate) fn slot(&mut self, key: &str) -> Option<&mut Option<Secret>> {
        match key {
            "login.password" => Some(&mut self.password),
            "login.auth_code" => Some(&mut self.auth_code),
            _ => None,
        }
    }
}

/// Whether the last part of a key is a secret's name.
pub(crate) fn is_secret(key: &str) -> bool {
    let name = key.rsplit('.').next().unwrap_or(key);
    NAMES.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// The refusal of a secret in a file or on the command line.
pub(crate) fn refused(origin: Origin, key: &str) -> ConfigError {
    let variable = format!("SHRIKE_{}", key.to_uppercase().replace('.', "__"));
    let advice = match Secrets::default().slot(key) {
        Some(_) => format!("set {variable}, or name a file of mode 0600 with `{key}_file`; then change the secret"),
        None => "remove it; the engine knows login.password and login.auth_code only".to_owned(),
    };
    ConfigError::SecretInText { origin, key: key.to_owned(), advice }
}

/// Refuses a layer that holds a secret.
pub(crate) fn refuse_in(table: &Table, path: &str) -> Result<(), ConfigError> {
    for (key, Node { value, origin }) in table {
        let path = join(path, key);
        match value {
            Value::Table(below) => refuse_in(below, &path)?,
            _ if is_secret(&path) => return Err(refused(origin.clone(), &path)),
            _ => {}
        }
    }
    Ok(())
}

/// Reads a secret's file: mode 0600 or narrower, one line.
pub(crate) fn read(origin: &Origin, key: &str, file: &Path) -> Result<Secret, ConfigError> {
    let failed = |reason: String| ConfigError::SecretFile {
        origin: origin.clone(),
        key: key.to_owned(),
        file: file.to_owned(),
        reason,
    };
    // The mode is that of the opened file, not of what the path may name a moment later.
    let mut opened = std::fs::File::open(file).map_err(|error| failed(error.to_string()))?;
    let mode = opened.metadata().map_err(|error| failed(error.to_string()))?.permissions().mode() & 0o7777;
    if mode & 0o177 != 0 {
        let (origin, key, file) = (origin.clone(), key.to_owned(), file.to_owned());
        return Err(ConfigError::SecretFileMode { origin, key, file, mode });
    }
    let mut text = String::new();
    std::io::Read::read_to_string(&mut opened, &mut text).map_err(|error| failed(error.to_string()))?;
    let secret = text.trim_end_matches(['\n', '\r']);
    match secret {
        "" => Err(failed("the file is empty".to_owned())),
        _ if secret.contains('\n') => Err(failed("it has more than one line".to_owned())),
        _ => Ok(Secret(secret.to_owned())),
    }
}
