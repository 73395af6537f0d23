//! Invariant: a name that is used is not empty, and no longer than a name may be.

use std::borrow::Cow;
use std::fmt;

use plugin_api::prelude::*;
use plugin_api::reading::kind_name;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};

/// The longest name of a variable, in bytes.
const MAX_NAME: usize = 256;

/// The name of a variable; empty where none was given. No schema requires it, since none knows its other name, `key`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Name<'a>(&'a str);

impl<'a> Name<'a> {
    pub(crate) fn get(self) -> NodeResult<&'a str> {
        if self.0.is_empty() {
            return Err(NodeError::invalid("name", "is missing"));
        }
        Ok(self.0)
    }

    /// The name that was given, else another.
    pub(crate) fn or(self, other: &'a str) -> &'a str {
        if self.0.is_empty() { other } else { self.0 }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <&str>::deserialize(deserializer)?;
        if !is_name(name) {
            return Err(D::Error::custom(NOT_A_NAME));
        }
        Ok(Self(name))
    }
}

impl JsonSchema for Name<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Name".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MAX_NAME })
    }
}

pub(crate) const NOT_A_NAME: &str = "a variable's name has from 1 to 256 bytes";

pub(crate) fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
}

/// The variable that `name` leads to holds something that the node cannot work on.
pub(crate) fn wrong_kind(name: Name<'_>, wanted: impl fmt::Display, found: ValueRef<'_>) -> NodeError {
    let why = format_args!("the variable `{}` is {}, not {wanted}", name.0, kind_name(found));
    NodeError::new(format!("parameter `name`: {why}"))
}
