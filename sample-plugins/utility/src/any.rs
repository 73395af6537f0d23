//! Invariant: a parameter that may be anything says so in its schema; what is missing is told apart from null where a
//! node asks for it, and is null elsewhere.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::serde::ser::{Serialize, Serializer};
use plugin_api::value::{Kind, ListRef};

/// A value longer than this is cut in a message.
const SHOWN_CHARS: usize = 120;

/// Any value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Any<'a>(pub(crate) ValueRef<'a>);

impl Default for Any<'_> {
    fn default() -> Self {
        Self(ValueRef::NULL)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Any<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueRef::deserialize(deserializer).map(Self)
    }
}

impl Serialize for Any<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl JsonSchema for Any<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Any".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["null", "boolean", "number", "string", "array", "object"] })
    }
}

/// Any value that was given, null included.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Given<'a>(pub(crate) Option<ValueRef<'a>>);

impl<'a> Given<'a> {
    /// The value of a parameter that cannot be missing. No schema requires one that has another name as well, since it
    /// does not know that name.
    pub(crate) fn of(self, parameter: &str) -> NodeResult<ValueRef<'a>> {
        self.0.ok_or_else(|| NodeError::invalid(parameter, "is missing"))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Given<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueRef::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

impl JsonSchema for Given<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Given".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Any::json_schema(generator)
    }
}

/// A result of any kind: a part of the parameters, or something new.
#[derive(Clone, Debug)]
pub(crate) enum Outcome<'a> {
    /// As it was given.
    Lent(ValueRef<'a>),
    /// Made by the node.
    Made(Value),
}

impl Outcome<'_> {
    pub(crate) fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Lent(value) => *value,
            Self::Made(value) => value.as_ref(),
        }
    }
}

impl Serialize for Outcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().serialize(serializer)
    }
}

impl JsonSchema for Outcome<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Outcome".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Any::json_schema(generator)
    }
}

/// A list; null and missing are the empty one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Items<'a>(Option<ListRef<'a>>);

impl<'a> Items<'a> {
    pub(crate) fn iter(self) -> impl Iterator<Item = ValueRef<'a>> {
        self.0.into_iter().flatten()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let list = value.as_list();
        if list.is_none() && !value.is_null() {
            return Err(D::Error::custom(format_args!(
                "expected a list, found {}",
                shown(value)
            )));
        }
        Ok(Self(list))
    }
}

impl JsonSchema for Items<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Items".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["array", "null"] })
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

/// The value for a message.
pub(crate) fn shown(value: ValueRef<'_>) -> String {
    let text = value.to_json();
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
