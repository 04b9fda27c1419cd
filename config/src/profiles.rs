//! The layers that are built in: the base, which gives every key its default, and the profiles above it.

use crate::error::ConfigError;
use crate::read::listed;
use crate::tree::{self, Table};
use std::collections::BTreeMap;

/// The base layer's text: the reference of every key.
pub(crate) const BASE: &str = include_str!("../profiles/base.toml");

const PROFILES: [(&str, &str); 4] = [
    ("demo", include_str!("../profiles/demo.toml")),
    ("paper", include_str!("../profiles/paper.toml")),
    ("backtest", include_str!("../profiles/backtest.toml")),
    ("tuned", include_str!("../profiles/tuned.toml")),
];

/// The base layer.
pub(crate) fn base() -> Result<Table, ConfigError> {
    tree::parse("built-in base", BASE)
}

/// Every key of the base layer, for advice on unknown ones.
pub(crate) fn base_keys(base: &Table) -> Vec<String> {
    let mut leaves = BTreeMap::new();
    tree::leaves(base, "", &mut leaves);
    leaves.into_keys().collect()
}

/// A profile's layer.
///
/// # Errors
/// [`ConfigError::UnknownProfile`].
pub(crate) fn profile(name: &str) -> Result<Table, ConfigError> {
    match PROFILES.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => tree::parse(&format!("built-in profile {name}"), text),
        None => {
            let known: Vec<&str> = names().collect();
            Err(ConfigError::UnknownProfile { name: name.to_owned(), known: listed(&known) })
        }
    }
}

/// The names of the profiles.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PROFILES.iter().map(|(name, _)| *name)
}
