//! The tables of the Chinese exchanges: holidays, sessions and products, as TOML with sources (`config/tables`). They are
//! built in; a directory of the user's may replace any of the three files whole. Read once at start, checked, and shared
//! read-only as the core's types.

mod error;
mod holidays;
mod products;
mod sessions;
mod text;

#[cfg(test)]
mod tests;

pub use error::TableError;

use shrike_core::calendar::{OrderRules, Sessions};
use shrike_core::product::Products;
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

const HOLIDAYS: &str = "holidays.toml";
const SESSIONS: &str = "sessions.toml";
const PRODUCTS: &str = "products.toml";

/// The three tables, checked against each other.
#[derive(Clone, Debug)]
pub struct Tables {
    /// Trading days, and the phases of each product's.
    pub sessions: Arc<Sessions>,
    /// What each phase allows.
    pub rules: OrderRules,
    /// The products.
    pub products: Products,
}

impl Tables {
    /// The built-in tables.
    pub fn builtin() -> Result<Self, TableError> {
        let text = |file| File { name: format!("built-in {file}"), text: Cow::Borrowed(builtin(file)) };
        Self::of(&text(HOLIDAYS), &text(SESSIONS), &text(PRODUCTS))
    }

    /// The built-in tables, with those files replaced that the directory has. A TOML file of another name is refused: it
    /// is most likely a misspelt one.
    pub fn with_directory(directory: &Path) -> Result<Self, TableError> {
        let entries = std::fs::read_dir(directory).map_err(|source| TableError::read(directory, source))?;
        for entry in entries {
            let path = entry.map_err(|source| TableError::read(directory, source))?.path();
            let known = [HOLIDAYS, SESSIONS, PRODUCTS].iter().any(|&name| path.ends_with(name));
            if path.extension().is_some_and(|extension| extension == "toml") && !known {
                return Err(TableError::UnknownFile { file: path.display().to_string() });
            }
        }
        let open = |file| {
            let path = directory.join(file);
            if !path.exists() {
                return Ok(File { name: format!("built-in {file}"), text: Cow::Borrowed(builtin(file)) });
            }
            let text = std::fs::read_to_string(&path).map_err(|source| TableError::read(&path, source))?;
            Ok(File { name: path.display().to_string(), text: Cow::Owned(text) })
        };
        Self::of(&open(HOLIDAYS)?, &open(SESSIONS)?, &open(PRODUCTS)?)
    }

    fn of(holidays: &File<'_>, sessions: &File<'_>, products: &File<'_>) -> Result<Self, TableError> {
        let calendar = holidays::read(holidays)?;
        let products = products::read(products)?;
        let (sessions, rules) = sessions::read(sessions, calendar, &products)?;
        Ok(Self { sessions: Arc::new(sessions), rules, products: products.table() })
    }
}

fn builtin(file: &str) -> &'static str {
    match file {
        HOLIDAYS => include_str!("../../tables/holidays.toml"),
        SESSIONS => include_str!("../../tables/sessions.toml"),
        _ => include_str!("../../tables/products.toml"),
    }
}

/// A table's name for messages, and its text.
struct File<'a> {
    name: String,
    text: Cow<'a, str>,
}

impl File<'_> {
    /// Parses the TOML; unknown keys and wrong types are refused with their line.
    fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, TableError> {
        let refuse = |error: toml::de::Error| TableError::Toml { file: self.name.clone(), error: Box::new(error) };
        toml::from_str(&self.text).map_err(refuse)
    }

    /// A value that parses, but cannot be.
    fn wrong(&self, key: &str, value: impl ToString, expected: impl Into<String>) -> TableError {
        TableError::Value {
            file: self.name.clone(),
            key: key.to_owned(),
            value: value.to_string(),
            expected: expected.into(),
        }
    }
}
