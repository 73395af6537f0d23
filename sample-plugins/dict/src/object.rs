//! Invariant: no key is there twice; a key that is set again keeps its place.

use std::borrow::Cow;

use indexmap::IndexMap;
use plugin_api::prelude::*;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::ser::{Serialize, Serializer};

/// A map under construction.
#[derive(Clone, Debug)]
pub(crate) struct Object<'a, V = ValueRef<'a>>(pub(crate) IndexMap<Cow<'a, str>, V>);

impl<'a, V> FromIterator<(&'a str, V)> for Object<'a, V> {
    fn from_iter<I: IntoIterator<Item = (&'a str, V)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        Self(entries.map(|(key, value)| (Cow::Borrowed(key), value)).collect())
    }
}

impl<V: Serialize> Serialize for Object<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

impl<V> JsonSchema for Object<'_, V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Object".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}
