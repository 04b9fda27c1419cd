//! What changed between two journaled configurations, for `verify` and for a restart's first page.

use crate::error::ConfigError;
use crate::tree;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One key whose value changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The key, from the top.
    pub key: String,
    /// Its value before, as TOML; `None` where there was none.
    pub old: Option<String>,
    /// Its value after, as TOML; `None` where there is none.
    pub new: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "(absent)".to_owned());
        write!(f, "{}: {} -> {}", self.key, word(&self.old), word(&self.new))
    }
}

/// The keys in which two journaled texts differ, in the order of their names. Works on the texts alone, so a text of
/// another version will do.
///
/// # Errors
/// [`ConfigError::Syntax`] when a text is no TOML.
pub fn diff(old_text: &str, new_text: &str) -> Result<Vec<Change>, ConfigError> {
    let old = values("old configuration", old_text)?;
    let new = values("new configuration", new_text)?;
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |key: &String| Change { key: key.clone(), old: old.get(key).cloned(), new: new.get(key).cloned() };
    Ok(keys.into_iter().map(change).filter(|change| change.old != change.new).collect())
}

fn values(source: &str, text: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    let table = tree::parse(source, text)?;
    let mut leaves = BTreeMap::new();
    tree::leaves(&table, "", &mut leaves);
    Ok(leaves.into_iter().map(|(key, node)| (key, node.to_string())).collect())
}
