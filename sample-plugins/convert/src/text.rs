//! Values as text. Invariant: what is written is what JavaScript writes, and loses nothing.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::reading::{Any, text_or_json};

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
    Ok(answer(as_text("value", input.value())?))
}

/// The value of a parameter as text.
pub(crate) fn as_text<'a>(parameter: &str, value: ValueRef<'a>) -> NodeResult<Cow<'a, str>> {
    let Some(bytes) = value.as_bytes() else {
        return Ok(text_or_json(value));
    };
    let text = std::str::from_utf8(bytes);
    text.map(Cow::Borrowed)
        .map_err(|_| NodeError::invalid(parameter, "the bytes are no UTF-8 text"))
}
