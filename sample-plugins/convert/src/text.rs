//! Invariant: what is written as text is what JavaScript writes, and loses nothing.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::value::Kind;

use crate::any::Any;

#[parameters]
pub(crate) struct Convert<'a> {
    /// The value to convert.
    #[serde(default)]
    pub(crate) value: Any<'a>,
}

impl<'a> Convert<'a> {
    pub(crate) const fn value(&self) -> ValueRef<'a> {
        self.value.0
    }
}

/// Writes a value as text: null as the empty one, a list or map as JSON, bytes as the UTF-8 text that they are.
#[node(
    id = "convert.toString",
    aliases = ["convert.to_string"],
    effect = "pure",
    tags = ["text"],
    example(title = "a number", input = r#"{"value": 1.5}"#, output = r#"{"result": "1.5"}"#),
    example(title = "a map", input = r#"{"value": {"a": [1]}}"#, output = r#"{"result": "{\"a\":[1]}"}"#)
)]
pub(crate) fn to_string(input: Convert<'_>) -> NodeResult<Answer<Cow<'_, str>>> {
    Ok(answer(text_of("value", input.value())?))
}

/// The value of a parameter as text.
pub(crate) fn text_of<'a>(parameter: &str, value: ValueRef<'a>) -> NodeResult<Cow<'a, str>> {
    if let Some(text) = scalar_text(value) {
        return Ok(text);
    }
    let Some(bytes) = value.as_bytes() else {
        return Ok(Cow::Owned(value.to_json()));
    };
    let text = std::str::from_utf8(bytes);
    text.map(Cow::Borrowed)
        .map_err(|_| NodeError::invalid(parameter, "the bytes are no UTF-8 text"))
}

/// The text of what is neither bytes nor a list or map.
pub(crate) fn scalar_text(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
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

/// As JavaScript writes it: `3`, `0.1`, `1e+21`, `1e-7`.
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
