//! A configuration before it has types: a tree of values, each with the place it was written. Layers are merged here.
//! Decimals stay the literal text of the file, so that no amount ever passes through a binary fraction.

use crate::error::ConfigError;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where a value was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    source: Arc<str>,
    line: Option<usize>,
}

impl Origin {
    /// A place without lines: a variable of the environment, an override of the command line.
    pub(crate) fn of(source: &str) -> Self {
        Self { source: source.into(), line: None }
    }

    /// The file's path, `built-in profile NAME`, `environment SHRIKE_...` or `command line`.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The line, from one; `None` outside files.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.source),
            None => f.write_str(&self.source),
        }
    }
}

/// Named nodes, in the order of their names.
pub(crate) type Table = BTreeMap<String, Node>;

/// A value and where it was written.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Node {
    pub value: Value,
    pub origin: Origin,
}

/// What can stand in a configuration.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Flag(bool),
    Integer(i64),
    /// A number with a point, as it was written.
    Decimal(String),
    Text(String),
    /// From the environment or the command line: what it means depends on the type that is wanted.
    Bare(String),
    List(Vec<Node>),
    Table(Table),
}

impl fmt::Display for Node {
    /// As TOML would write it; tables only as `{...}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Flag(flag) => write!(f, "{flag}"),
            Value::Integer(number) => write!(f, "{number}"),
            Value::Decimal(text) | Value::Bare(text) => f.write_str(text),
            Value::Text(text) => write!(f, "{text:?}"),
            Value::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Value::Table(_) => f.write_str("{...}"),
        }
    }
}

/// Reads TOML text. `source` names it in errors.
///
/// # Errors
/// [`ConfigError::Syntax`], [`ConfigError::BadValue`] for an integer beyond 64 bits.
pub(crate) fn parse(source: &str, text: &str) -> Result<Table, ConfigError> {
    let place = Place { source: source.into(), text };
    match DeTable::parse(text) {
        Ok(table) => place.table(table.get_ref(), ""),
        Err(error) => Err(ConfigError::Syntax {
            origin: place.origin(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        }),
    }
}

/// Reads one value as the right side of a TOML assignment; `None` when it is none, and so is plain text.
pub(crate) fn parse_value(origin: &Origin, text: &str) -> Option<Node> {
    let place = Place { source: origin.source.clone(), text: "" };
    let mut node = place.node(&DeValue::parse(text).ok()?, "").ok()?;
    node.place_at(origin);
    Some(node)
}

struct Place<'a> {
    source: Arc<str>,
    text: &'a str,
}

impl Place<'_> {
    fn origin(&self, offset: usize) -> Origin {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        Origin { source: self.source.clone(), line: Some(line) }
    }

    fn table(&self, table: &DeTable<'_>, path: &str) -> Result<Table, ConfigError> {
        let mut nodes = Table::new();
        for (key, value) in table {
            let mut node = self.node(value, &join(path, key.get_ref()))?;
            // A value that spans lines is found by its key.
            node.origin = self.origin(key.span().start);
            nodes.insert(key.get_ref().clone().into_owned(), node);
        }
        Ok(nodes)
    }

    fn node(&self, value: &Spanned<DeValue<'_>>, path: &str) -> Result<Node, ConfigError> {
        let origin = self.origin(value.span().start);
        let value = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.clone().into_owned()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::Integer(number),
                Err(_) => {
                    return Err(ConfigError::BadValue {
                        origin,
                        key: path.to_owned(),
                        found: number.to_string(),
                        expected: "a whole number of at most 64 bits".to_owned(),
                    });
                }
            },
            DeValue::Float(number) => Value::Decimal(number.as_str().to_owned()),
            DeValue::Boolean(flag) => Value::Flag(*flag),
            DeValue::Datetime(time) => Value::Text(time.to_string()),
            DeValue::Array(items) => {
                Value::List(items.iter().map(|item| self.node(item, path)).collect::<Result<_, _>>()?)
            }
            DeValue::Table(table) => Value::Table(self.table(table, path)?),
        };
        Ok(Node { value, origin })
    }
}

impl Node {
    fn place_at(&mut self, origin: &Origin) {
        self.origin = origin.clone();
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.place_at(origin)),
            Value::Table(table) => table.values_mut().for_each(|item| item.place_at(origin)),
            _ => {}
        }
    }
}

/// `path.key`, or `key` at the top.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Lays `upper` over `lower`: tables merge key by key, anything else replaces what was there.
pub(crate) fn merge(lower: &mut Table, upper: Table) {
    for (key, mut node) in upper {
        match (lower.get_mut(&key), &mut node.value) {
            (Some(Node { value: Value::Table(below), origin }), Value::Table(above)) => {
                *origin = node.origin;
                merge(below, std::mem::take(above));
            }
            _ => {
                lower.insert(key, node);
            }
        }
    }
}

/// Sets one value by its path, making tables on the way. A part of the path takes the letter case of a key that is
/// there, since variables of the environment have none.
pub(crate) fn set(table: &mut Table, path: &[&str], node: Node) {
    let Some((first, rest)) = path.split_first() else { return };
    let known =
        table.keys().find(|key| *key == first).or_else(|| table.keys().find(|key| key.eq_ignore_ascii_case(first)));
    let key = known.map_or_else(|| (*first).to_owned(), Clone::clone);
    if rest.is_empty() {
        table.insert(key, node);
        return;
    }
    let origin = node.origin.clone();
    let entry = table.entry(key).or_insert_with(|| Node { value: Value::Table(Table::new()), origin: origin.clone() });
    if !matches!(entry.value, Value::Table(_)) {
        *entry = Node { value: Value::Table(Table::new()), origin };
    }
    if let Value::Table(below) = &mut entry.value {
        set(below, rest, node);
    }
}

/// Every value that is no table, by its path.
pub(crate) fn leaves<'a>(table: &'a Table, path: &str, found: &mut BTreeMap<String, &'a Node>) {
    for (key, node) in table {
        let path = join(path, key);
        match &node.value {
            Value::Table(below) => leaves(below, &path, found),
            _ => {
                found.insert(path, node);
            }
        }
    }
}
