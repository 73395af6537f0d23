//! Invariant: what is read as text loses nothing, and what is written as text has an upper size.

use std::borrow::Cow;
use std::fmt::Display;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::value::Kind;

/// A text that a node builds grows no longer than this many bytes.
pub(crate) const MAX_BYTES: usize = 64 << 20;

/// A parameter that is wanted as text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

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

/// The texts to put together: a list, or one text alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texts<'a>(ValueRef<'a>);

impl Default for Texts<'_> {
    fn default() -> Self {
        Self(ValueRef::NULL)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        match value.kind() {
            Kind::Map | Kind::Bytes => Err(D::Error::custom(format_args!(
                "expected a list of texts, found {}",
                kind_name(value)
            ))),
            _ => Ok(Self(value)),
        }
    }
}

impl JsonSchema for Texts<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Texts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["array", "string", "number", "boolean", "null"],
            "items": { "type": ["string", "number", "boolean", "null"] },
        })
    }
}

impl Texts<'_> {
    pub(crate) fn joined(&self, separator: &str) -> NodeResult<String> {
        let mut out = Growing::default();
        let Some(list) = self.0.as_list() else {
            return Ok(text_of(self.0).unwrap_or_default().into_owned());
        };
        for (index, item) in list.iter().enumerate() {
            let Some(text) = text_of(item) else {
                let why = format_args!("expected a text, found {}", kind_name(item));
                return Err(NodeError::invalid(&format!("values[{index}]"), why));
            };
            if index > 0 {
                out.push(separator, "values")?;
            }
            out.push(&text, "values")?;
        }
        Ok(out.finish())
    }
}

/// A whole number; a text of one will do, since templates inside text produce those.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Whole(pub(crate) i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        let found = match value.as_str() {
            Some(text) => text.trim().parse().ok(),
            None => plugin_api::value::decode::<i64>(value).ok(),
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

impl Whole {
    /// As a count, which has no sign.
    pub(crate) fn count(self, parameter: &str) -> NodeResult<usize> {
        usize::try_from(self.0).map_err(|_| {
            NodeError::invalid(parameter, format_args!("must not be negative, but is {}", self.0))
        })
    }
}

/// A text under construction.
#[derive(Default)]
pub(crate) struct Growing(String);

impl Growing {
    /// Adds `part`, which the caller got from `parameter`.
    pub(crate) fn push(&mut self, part: &str, parameter: &str) -> NodeResult<()> {
        if part.len() > MAX_BYTES - self.0.len() {
            return Err(too_long(parameter, format_args!("{} MiB", MAX_BYTES >> 20)));
        }
        self.0.push_str(part);
        Ok(())
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

pub(crate) fn too_long(parameter: &str, limit: impl Display) -> NodeError {
    let message = format!("parameter `{parameter}`: the result would be longer than {limit}");
    NodeError::with_code(code::LIMIT_EXCEEDED, message)
}

/// The value as text, if that loses nothing; null is the empty text.
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

/// Applies `cut`, which gives a part of what it gets, without copying borrowed text.
pub(crate) fn part_of(text: Text<'_>, cut: impl for<'t> FnOnce(&'t str) -> &'t str) -> Cow<'_, str> {
    match text.0 {
        Cow::Borrowed(text) => Cow::Borrowed(cut(text)),
        Cow::Owned(text) => Cow::Owned(cut(&text).to_owned()),
    }
}

fn kind_name(value: ValueRef<'_>) -> &'static str {
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

/// The value itself where it is short enough for a message.
fn shown(value: ValueRef<'_>) -> String {
    let text = text_of(value).filter(|text| text.len() <= 40);
    text.map_or_else(|| kind_name(value).to_owned(), |text| format!("`{text}`"))
}
