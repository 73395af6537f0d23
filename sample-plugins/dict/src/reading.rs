//! Invariant: a parameter that is missing is told apart from one that is null, and a map is borrowed, not copied.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::value::Kind;

/// Makes a type of parameter known to schemas.
macro_rules! schema {
    ($name:ident, $schema:tt) => {
        impl JsonSchema for $name<'_> {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

/// A parameter of any type.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Given<'a>(pub(crate) Option<ValueRef<'a>>);

schema!(Given, { "type": ["array", "boolean", "null", "number", "object", "string"] });

impl<'a> Given<'a> {
    /// The value; null if it is missing.
    pub(crate) fn value(self) -> ValueRef<'a> {
        self.0.unwrap_or(ValueRef::NULL)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Given<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueRef::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

/// A map; null and missing are the empty one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dict<'a>(pub(crate) ValueRef<'a>);

schema!(Dict, { "type": ["object", "null"] });

impl<'a> Dict<'a> {
    pub(crate) fn get(self, key: &str) -> Option<ValueRef<'a>> {
        self.0.get(key)
    }

    pub(crate) fn len(self) -> usize {
        self.0.as_map().map_or(0, |map| map.len())
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = (&'a str, ValueRef<'a>)> {
        self.0.as_map().map(|map| map.iter()).into_iter().flatten()
    }
}

impl Default for Dict<'_> {
    fn default() -> Self {
        Self(ValueRef::NULL)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Dict<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        of_kind(deserializer, Kind::Map, "a map").map(Self)
    }
}

/// A list; null and missing are the empty one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<'a>(ValueRef<'a>);

schema!(List, { "type": ["array", "null"] });

impl<'a> List<'a> {
    pub(crate) fn iter(self) -> impl Iterator<Item = ValueRef<'a>> {
        self.0.as_list().map(|list| list.iter()).into_iter().flatten()
    }
}

impl Default for List<'_> {
    fn default() -> Self {
        Self(ValueRef::NULL)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for List<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        of_kind(deserializer, Kind::List, "a list").map(Self)
    }
}

fn of_kind<'de, D: Deserializer<'de>>(
    deserializer: D,
    wanted: Kind,
    name: &str,
) -> Result<ValueRef<'de>, D::Error> {
    let value = ValueRef::deserialize(deserializer)?;
    if value.is_null() || value.kind() == wanted {
        return Ok(value);
    }
    Err(D::Error::custom(format_args!(
        "expected {name}, found {}",
        shown(value)
    )))
}

/// A key: a text, or what is written as one.
#[derive(Clone, Debug)]
pub(crate) struct Key<'a>(pub(crate) Cow<'a, str>);

schema!(Key, { "type": ["string", "number", "boolean"] });

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format_args!("expected a key, found {}", shown(value)));
        key_of(value).map(Self).ok_or_else(wrong)
    }
}

/// The key that a value is. `1.0` and `1` are the same.
pub(crate) fn key_of(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value.kind() {
        Kind::Str => value.as_str().map(Cow::Borrowed),
        Kind::Bool | Kind::I64 => Some(Cow::Owned(value.to_json())),
        Kind::F64 => value.as_f64().map(|number| Cow::Owned(number.to_string())),
        Kind::Null | Kind::Bytes | Kind::List | Kind::Map => None,
    }
}

/// Whether JavaScript takes the value for true.
pub(crate) fn truthy(value: ValueRef<'_>) -> bool {
    match value.kind() {
        Kind::Null => false,
        Kind::Bool => value.as_bool() == Some(true),
        Kind::I64 | Kind::F64 => value.as_f64() != Some(0.0),
        Kind::Str => value.as_str() != Some(""),
        Kind::Bytes | Kind::List | Kind::Map => true,
    }
}

/// The value itself where it is short enough for a message.
pub(crate) fn shown(value: ValueRef<'_>) -> String {
    match value.kind() {
        Kind::Bytes => "bytes".to_owned(),
        Kind::List => "a list".to_owned(),
        Kind::Map => "a map".to_owned(),
        Kind::Str if value.as_str().is_none_or(|text| text.len() > 40) => "a long text".to_owned(),
        _ => value.to_json(),
    }
}
