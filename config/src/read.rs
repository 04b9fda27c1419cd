//! From the tree of values to typed structs: a serde deserializer whose errors keep the place, the key and what was
//! expected, so that the message can tell somebody what to change.

use crate::error::ConfigError;
use crate::nearest::nearest;
use crate::tree::{Node, Origin, Table, Value, parse_value};
use serde::Deserializer;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt::{self, Display};

/// Reads a table as a typed value. `known_paths` are keys of the whole configuration, for advice on a key that stands
/// in the wrong table; `top` is where a key missing at the top is reported.
///
/// # Errors
/// [`ConfigError::UnknownKey`], [`ConfigError::BadValue`], [`ConfigError::MissingKey`].
pub(crate) fn read<T: serde::de::DeserializeOwned>(
    table: &Table,
    top: &Origin,
    known_paths: &[String],
) -> Result<T, ConfigError> {
    T::deserialize(TableReader(table)).map_err(|fault| fault.explain(top, known_paths))
}

/// An error on its way up: the path and the place are added as it passes.
#[derive(Debug)]
pub(crate) struct Fault {
    kind: FaultKind,
    path: Vec<String>,
    origin: Option<Origin>,
    found: Option<String>,
}

#[derive(Debug)]
enum FaultKind {
    Expected(String),
    Unknown { key: String, known: &'static [&'static str] },
    Missing(&'static str),
}

impl Fault {
    fn of(kind: FaultKind) -> Self {
        Self { kind, path: Vec::new(), origin: None, found: None }
    }

    fn at(mut self, node: &Node) -> Self {
        self.origin.get_or_insert_with(|| node.origin.clone());
        self.found.get_or_insert_with(|| node.to_string());
        self
    }

    fn under(mut self, key: &str) -> Self {
        self.path.push(key.to_owned());
        self
    }

    fn explain(self, top: &Origin, known_paths: &[String]) -> ConfigError {
        let origin = self.origin.unwrap_or_else(|| top.clone());
        let path = self.path.iter().rev().map(String::as_str);
        let key = |last: &str| path.clone().chain((!last.is_empty()).then_some(last)).collect::<Vec<_>>().join(".");
        match self.kind {
            FaultKind::Expected(expected) => {
                ConfigError::BadValue { origin, key: key(""), found: self.found.unwrap_or_default(), expected }
            }
            FaultKind::Unknown { key: last, known } => {
                let key = key(&last);
                let advice = advice(&key, &last, known, known_paths);
                ConfigError::UnknownKey { origin, key, advice }
            }
            FaultKind::Missing(last) => ConfigError::MissingKey { origin, key: key(last) },
        }
    }
}

/// What somebody who wrote the unknown `key` may have meant.
pub(crate) fn advice(key: &str, last: &str, known: &[&str], known_paths: &[String]) -> String {
    if let Some(near) = nearest(last, known.iter().copied()) {
        let table = key.strip_suffix(last).unwrap_or("");
        return format!("did you mean `{table}{near}`?");
    }
    let elsewhere = known_paths.iter().find(|path| path.rsplit('.').next() == Some(last));
    match elsewhere {
        Some(path) => format!("it is called `{path}`"),
        None => format!("the keys there are {}", listed(known)),
    }
}

/// `a, b and c`.
pub(crate) fn listed<T: Display>(words: &[T]) -> String {
    match words {
        [] => "none".to_owned(),
        [one] => one.to_string(),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(ToString::to_string).collect();
            format!("{} and {last}", first.join(", "))
        }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self::of(FaultKind::Expected(message.to_string()))
    }
    fn invalid_type(_: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::custom(expected.to_string())
    }
    fn invalid_value(_: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::custom(expected.to_string())
    }
    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        let meant = nearest(word, known.iter().copied()).map(|near| format!("; did you mean \"{near}\"?"));
        let known: Vec<String> = known.iter().map(|word| format!("{word:?}")).collect();
        Self::custom(format!("one of {}{}", known.join(", "), meant.unwrap_or_default()))
    }
    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::of(FaultKind::Unknown { key: key.to_owned(), known })
    }
    fn missing_field(key: &'static str) -> Self {
        Self::of(FaultKind::Missing(key))
    }
}

struct TableReader<'a>(&'a Table);

impl<'de> Deserializer<'de> for TableReader<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(Entries { rest: self.0.iter(), value: None })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Entries<'a> {
    rest: std::collections::btree_map::Iter<'a, String, Node>,
    value: Option<(&'a str, &'a Node)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((key, node)) = self.rest.next() else { return Ok(None) };
        self.value = Some((key, node));
        let key: StrDeserializer<'_, Fault> = key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|fault| fault.at(node))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        match self.value.take() {
            Some((key, node)) => seed.deserialize(node).map_err(|fault| fault.at(node).under(key)),
            None => Err(serde::de::Error::custom("a value")),
        }
    }
}

struct Items<'a>(std::slice::Iter<'a, Node>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        self.0.next().map(|node| seed.deserialize(node).map_err(|fault| fault.at(node))).transpose()
    }
}

impl<'de> Deserializer<'de> for &Node {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Flag(flag) => visitor.visit_bool(*flag),
            Value::Integer(number) => visitor.visit_i64(*number),
            Value::Decimal(text) | Value::Text(text) => visitor.visit_str(text),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Table(table) => TableReader(table).deserialize_any(visitor),
            Value::Bare(text) => match parse_value(&self.origin, text) {
                Some(node) => node.deserialize_any(visitor),
                None => visitor.visit_str(text),
            },
        }
    }

    /// Text only: a number without quotes is no text, except where there are no quotes to give.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Text(text) => visitor.visit_str(text),
            Value::Bare(text) => match parse_value(&self.origin, text) {
                Some(Node { value: Value::Text(quoted), .. }) => visitor.visit_str(&quoted),
                _ => visitor.visit_str(text),
            },
            _ => Err(serde::de::Error::custom("text in quotes")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Flag(flag) => visitor.visit_bool(*flag),
            Value::Bare(text) if text == "true" || text == "false" => visitor.visit_bool(text == "true"),
            _ => Err(serde::de::Error::custom("true or false")),
        }
    }

    /// Lists; outside files also words between commas.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            Value::Bare(text) if text.trim_start().starts_with('[') => match parse_value(&self.origin, text) {
                Some(Node { value: Value::List(items), .. }) => visitor.visit_seq(Items(items.iter())),
                _ => Err(serde::de::Error::custom("a list such as [\"a\", \"b\"], or a,b")),
            },
            Value::Bare(text) => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                let node = |word: &str| Node { value: Value::Bare(word.to_owned()), origin: self.origin.clone() };
                let items: Vec<Node> = words.map(node).collect();
                visitor.visit_seq(Items(items.iter()))
            }
            _ => Err(serde::de::Error::custom("a list in square brackets")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Text(text) | Value::Bare(text) => {
                let word: StrDeserializer<'_, Fault> = text.as_str().into_deserializer();
                visitor.visit_enum(word)
            }
            _ => Err(serde::de::Error::unknown_variant("", words)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.value {
            Value::Table(table) => TableReader(table).deserialize_any(visitor),
            _ => Err(serde::de::Error::custom("a table of keys")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}
