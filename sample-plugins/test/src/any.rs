//! Invariant: a parameter that may be anything says so in its schema, and what is missing is null.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer};
use plugin_api::serde::ser::{Serialize, Serializer};
use plugin_api::value::Kind;

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

/// Whether two values say the same: `1` equals `1.0`, and the order of a map's entries does not count.
pub(crate) fn same(a: ValueRef<'_>, b: ValueRef<'_>) -> bool {
    if a == b {
        return true;
    }
    match (a.kind(), b.kind()) {
        // A float that no integer equals, or an integer that no float equals, gives nothing here or differs.
        (Kind::I64, Kind::F64) | (Kind::F64, Kind::I64 | Kind::F64) => {
            a.as_f64().is_some_and(|a| b.as_f64() == Some(a))
        }
        (Kind::List, Kind::List) => a
            .as_list()
            .zip(b.as_list())
            .is_some_and(|(a, b)| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))),
        (Kind::Map, Kind::Map) => a.as_map().zip(b.as_map()).is_some_and(|(a, b)| {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }),
        _ => false,
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
