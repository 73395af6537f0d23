//! Upper and lower case, by the rules of Unicode and no particular language.

use plugin_api::prelude::*;
use plugin_api::reading::Text;

#[parameters]
pub(crate) struct Cased<'a> {
    /// The text to change.
    #[serde(default, alias = "text", alias = "string")]
    value: Text<'a>,
}

/// Turns a text into capitals. Some letters become two: `ß` gives `SS`.
#[node(
    id = "string.upper",
    effect = "pure",
    tags = ["text", "case"],
    example(title = "a word", input = r#"{"value": "hello"}"#, output = r#"{"result": "HELLO"}"#),
    example(title = "beyond ASCII", input = r#"{"value": "straße é"}"#, output = r#"{"result": "STRASSE É"}"#)
)]
pub(crate) fn upper(input: Cased<'_>) -> Answer<String> {
    answer(input.value.as_str().to_uppercase())
}

/// Turns a text into small letters.
#[node(
    id = "string.lower",
    effect = "pure",
    tags = ["text", "case"],
    example(title = "a word", input = r#"{"value": "HeLLo"}"#, output = r#"{"result": "hello"}"#),
    example(title = "beyond ASCII", input = r#"{"value": "ÀÉ"}"#, output = r#"{"result": "àé"}"#)
)]
pub(crate) fn lower(input: Cased<'_>) -> Answer<String> {
    answer(input.value.as_str().to_lowercase())
}
