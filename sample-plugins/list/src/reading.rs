//! Invariant: a parameter that is missing is told apart from one that is null, and a list is borrowed, not copied.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::value::{Kind, decode};

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

/// A list; null and missing are the empty one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<'a>(ValueRef<'a>);

schema!(List, { "type": ["array", "null"] });

impl<'a> List<'a> {
    /// A value that may be anything; what is no list has no items.
    pub(crate) const fn lenient(value: ValueRef<'a>) -> Self {
        Self(value)
    }

    pub(crate) fn len(self) -> usize {
        self.0.as_list().map_or(0, |list| list.len())
    }

    pub(crate) fn get(self, index: usize) -> Option<ValueRef<'a>> {
        self.0.at(index)
    }

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
        let value = ValueRef::deserialize(deserializer)?;
        match value.kind() {
            Kind::Null | Kind::List => Ok(Self(value)),
            _ => Err(D::Error::custom(format_args!(
                "expected a list, found {}",
                shown(value)
            ))),
        }
    }
}

/// A whole number; a text of one will do, since templates inside text produce those.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Whole(pub(crate) i64);

impl Whole {
    /// The position that this is in a list of `length` items, where negative numbers count from the end.
    pub(crate) fn index_in(self, length: usize) -> Option<usize> {
        let back = usize::try_from(self.0.unsigned_abs()).unwrap_or(usize::MAX);
        if self.0 < 0 {
            length.checked_sub(back)
        } else {
            Some(back)
        }
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let found = match value.as_str() {
            Some(text) => text.trim().parse().ok(),
            None => decode::<i64>(value).ok(),
        };
        let wrong = || D::Error::custom(format_args!("expected a whole number, found {}", shown(value)));
        found.map(Whole).ok_or_else(wrong)
    }
}

impl JsonSchema for Whole {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Whole".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["integer", "string"] })
    }
}

/// The name of a field of every item: a key, a dotted path, or a position where the items are lists.
#[derive(Clone, Debug)]
pub(crate) struct Field<'a>(Cow<'a, str>);

schema!(Field, { "type": ["string", "integer"] });

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let number = || value.as_i64().map(|number| Cow::Owned(number.to_string()));
        let name = value.as_str().map(Cow::Borrowed).or_else(number);
        let wrong = || {
            D::Error::custom(format_args!(
                "expected the name of a field, found {}",
                shown(value)
            ))
        };
        name.map(Self).ok_or_else(wrong)
    }
}

impl Field<'_> {
    /// The field of an item, if it has one. A key that has dots in it comes before a path.
    pub(crate) fn of<'v>(&self, item: ValueRef<'v>) -> Option<ValueRef<'v>> {
        let step = |value: ValueRef<'v>, key: &str| match value.as_map() {
            Some(map) => map.get(key),
            None => value.at(key.parse().ok()?),
        };
        step(item, &self.0).or_else(|| {
            let mut path = self.0.contains('.').then(|| self.0.split('.'))?;
            path.try_fold(item, step)
        })
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
