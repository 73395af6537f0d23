//! Invariant: a parameter that is missing is told apart from one that is null.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::value::Kind;

/// A parameter of any type.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Given<'a>(pub(crate) Option<ValueRef<'a>>);

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

impl JsonSchema for Given<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Given".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["array", "boolean", "null", "number", "object", "string"] })
    }
}

/// A list; null and missing are the empty one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List<'a>(ValueRef<'a>);

impl Default for List<'_> {
    fn default() -> Self {
        Self(ValueRef::NULL)
    }
}

impl<'a> List<'a> {
    pub(crate) fn iter(self) -> impl Iterator<Item = ValueRef<'a>> {
        self.0.as_list().map(|list| list.iter()).into_iter().flatten()
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

impl JsonSchema for List<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "List".into()
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
