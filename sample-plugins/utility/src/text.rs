//! Invariant: what is read as text loses nothing, and what is written as text has an upper size.

use std::borrow::Cow;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::value::Kind;

use crate::any::shown;

/// A text that a node builds grows no longer than this many bytes.
const MAX_BYTES: usize = 64 << 20;

/// A parameter that is wanted as text: a number or boolean is written as one, null is the empty text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format_args!("expected a text, found {}", shown(value)));
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

/// A scalar as text, anything else as JSON.
pub(crate) fn text_or_json(value: ValueRef<'_>) -> Cow<'_, str> {
    text_of(value).unwrap_or_else(|| Cow::Owned(value.to_json()))
}

/// A text under construction.
#[derive(Default)]
pub(crate) struct Growing {
    text: String,
    /// Bytes that count as well.
    before: usize,
}

impl Growing {
    /// One of several texts, the others of which have `before` bytes.
    pub(crate) fn after(before: usize) -> Self {
        Self {
            text: String::new(),
            before,
        }
    }

    /// Adds `part`, which the caller got from `parameter`.
    pub(crate) fn push(&mut self, part: &str, parameter: &str) -> NodeResult<()> {
        if part.len() > MAX_BYTES.saturating_sub(self.before + self.text.len()) {
            let limit = MAX_BYTES >> 20;
            let message = format!("parameter `{parameter}`: the result would be longer than {limit} MiB");
            return Err(NodeError::with_code(code::LIMIT_EXCEEDED, message));
        }
        self.text.push_str(part);
        Ok(())
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}
