//! JSON texts.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Flag, Whole};

/// JavaScript indents by no more.
const MAX_INDENT: usize = 10;

#[parameters]
pub(crate) struct ParseJson<'a> {
    /// The text to read. What is no text is given back as it is.
    #[serde(default, alias = "text", alias = "string")]
    value: Any<'a>,
    /// The result where the text is no JSON.
    #[serde(default)]
    default: Any<'a>,
}

/// Reads a JSON text; one that is no JSON gives the default, null unless told otherwise.
#[node(
    id = "convert.parseJson",
    aliases = ["convert.parse_json"],
    effect = "pure",
    tags = ["json"],
    example(title = "a map", input = r#"{"value": "{\"a\": [1, 2]}"}"#, output = r#"{"result": {"a": [1, 2]}}"#),
    example(title = "no JSON", input = r#"{"value": "{a", "default": {}}"#, output = r#"{"result": {}}"#)
)]
pub(crate) fn parse_json(input: ParseJson<'_>) -> Answer<Value> {
    let value = input.value.0;
    let Some(text) = value.as_str() else {
        return answer(value.to_value());
    };
    answer(Value::from_json(text).unwrap_or_else(|_| input.default.0.to_value()))
}

#[parameters]
pub(crate) struct ToJson<'a> {
    /// The value to write.
    #[serde(default)]
    value: Any<'a>,
    /// Whether to use several lines; by default where `indent` is given.
    #[serde(default)]
    pretty: Option<Flag>,
    /// By how many spaces to indent, at most 10. 0 and less mean one line.
    #[serde(default)]
    #[schemars(extend("default" = 2))]
    indent: Option<Whole>,
}

/// Writes a value as JSON text, on one line unless told otherwise.
#[node(
    id = "convert.toJson",
    aliases = ["convert.to_json"],
    effect = "pure",
    tags = ["json"],
    example(title = "on one line", input = r#"{"value": {"a": [1]}}"#, output = r#"{"result": "{\"a\":[1]}"}"#),
    example(title = "indented", input = r#"{"value": [1], "pretty": true}"#, output = r#"{"result": "[\n  1\n]"}"#)
)]
pub(crate) fn to_json(input: ToJson<'_>) -> Answer<String> {
    let value = input.value.0;
    let indent = input
        .indent
        .map_or(2, |indent| usize::try_from(indent.0).unwrap_or_default());
    let pretty = input.pretty.map_or(input.indent.is_some(), |pretty| pretty.0) && indent > 0;
    answer(match indent.min(MAX_INDENT) {
        _ if !pretty => value.to_json(),
        2 => value.to_json_pretty(),
        indent => indented(&value.to_json_pretty(), indent),
    })
}

/// Changes an indentation by 2. JSON has no line break inside a text, so a line starts where it seems to.
fn indented(text: &str, indent: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let content = line.trim_start_matches(' ');
        out.extend(std::iter::repeat_n(
            ' ',
            (line.len() - content.len()) / 2 * indent,
        ));
        out.push_str(content);
    }
    out
}
