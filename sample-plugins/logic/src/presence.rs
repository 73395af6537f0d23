//! What kind of value it is, if any.

use plugin_api::prelude::*;
use plugin_api::reading::Given;
use plugin_api::value::Kind;

#[parameters]
pub(crate) struct Candidate<'a> {
    /// The value to look at.
    #[serde(default)]
    value: Given<'a>,
}

/// Says whether a value is null or missing.
#[node(
    id = "logic.isNull",
    aliases = ["logic.is_null"],
    effect = "pure",
    tags = ["null"],
    example(title = "null", input = r#"{"value": null}"#, output = r#"{"result": true}"#),
    example(title = "zero is something", input = r#"{"value": 0}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn is_null(input: Candidate<'_>) -> Answer<bool> {
    answer(input.value.value().is_null())
}

/// Says whether a value is null, missing, or a text, list or map without content.
#[node(
    id = "logic.isEmpty",
    aliases = ["logic.is_empty"],
    effect = "pure",
    tags = ["null", "text", "list"],
    example(title = "no text", input = r#"{"value": ""}"#, output = r#"{"result": true}"#),
    example(title = "zero is something", input = r#"{"value": 0}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn is_empty(input: Candidate<'_>) -> Answer<bool> {
    let value = input.value.value();
    answer(match value.kind() {
        Kind::Null => true,
        Kind::Str => value.as_str() == Some(""),
        Kind::Bytes => value.as_bytes() == Some(&[]),
        Kind::List => value.as_list().is_some_and(|list| list.is_empty()),
        Kind::Map => value.as_map().is_some_and(|map| map.is_empty()),
        Kind::Bool | Kind::I64 | Kind::F64 => false,
    })
}

/// Names the type of a value: string, number, boolean, array, object, bytes, null, or undefined if it is missing.
#[node(
    id = "logic.typeOf",
    aliases = ["logic.type_of"],
    effect = "pure",
    tags = ["type"],
    example(title = "a list", input = r#"{"value": [1]}"#, output = r#"{"result": "array"}"#),
    example(title = "nothing", input = r#"{}"#, output = r#"{"result": "undefined"}"#)
)]
pub(crate) fn type_of(input: Candidate<'_>) -> Answer<&'static str> {
    let Some(value) = input.value.0 else {
        return answer("undefined");
    };
    answer(match value.kind() {
        Kind::Null => "null",
        Kind::Bool => "boolean",
        Kind::I64 | Kind::F64 => "number",
        Kind::Str => "string",
        Kind::Bytes => "bytes",
        Kind::List => "array",
        Kind::Map => "object",
    })
}
