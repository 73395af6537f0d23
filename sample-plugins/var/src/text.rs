//! Invariant: a name that is used is not empty, and what is read as text loses nothing.

use std::borrow::Cow;
use std::fmt;

use plugin_api::prelude::*;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::value::Kind;

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

/// A parameter that is wanted as text: a number or boolean is written as one, null is the empty text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format_args!("expected a text, found {}", kind_name(value)));
        text_of(value).map(Text).ok_or_else(wrong)
    }
}

impl JsonSchema for Text<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean", "null"] })
    }
}

/// The value as text, if that loses nothing.
pub(crate) fn text_of(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value.kind() {
        Kind::Str => value.as_str().map(Cow::Borrowed),
        Kind::Null => Some(Cow::Borrowed("")),
        Kind::Bool => value
            .as_bool()
            .map(|flag| Cow::Borrowed(if flag { "true" } else { "false" })),
        Kind::I64 => value.as_i64().map(|number| Cow::Owned(number.to_string())),
        Kind::F64 => value.as_f64().map(|number| Cow::Owned(float_text(number))),
        Kind::Bytes | Kind::List | Kind::Map => None,
    }
}

/// As JavaScript writes it, whose output workflows were written against: `3`, `0.1`, `1e+21`, `1e-7`.
fn float_text(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if (1e-6..1e21).contains(&size) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    if size < 1.0 { text } else { text.replace('e', "e+") }
}

/// What a value is, for a message.
pub(crate) fn kind_name(value: ValueRef<'_>) -> &'static str {
    match value.kind() {
        Kind::Null => "null",
        Kind::Bool => "a boolean",
        Kind::I64 | Kind::F64 => "a number",
        Kind::Str => "a text",
        Kind::Bytes => "bytes",
        Kind::List => "a list",
        Kind::Map => "a map",
    }
}

/// The variable that `name` leads to holds something that the node cannot work on.
pub(crate) fn wrong_kind(name: Name<'_>, wanted: impl fmt::Display, found: ValueRef<'_>) -> NodeError {
    let why = format_args!("the variable `{}` is {}, not {wanted}", name.0, kind_name(found));
    NodeError::new(format!("parameter `name`: {why}"))
}
