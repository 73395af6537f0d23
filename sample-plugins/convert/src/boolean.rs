//! Values as true or false.

use plugin_api::prelude::*;
use plugin_api::value::Kind;

use crate::text::Convert;

/// Takes a value for true or false: of the texts `true`, `1`, `yes` and `on` are true, of the numbers all but 0, and
/// every list and map is.
#[node(
    id = "convert.toBoolean",
    aliases = ["convert.to_boolean"],
    effect = "pure",
    tags = ["boolean"],
    example(title = "a word", input = r#"{"value": "YES"}"#, output = r#"{"result": true}"#),
    example(title = "another word", input = r#"{"value": "abc"}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn to_boolean(input: Convert<'_>) -> Answer<bool> {
    let value = input.value();
    answer(match value.kind() {
        Kind::Null => false,
        Kind::Bool => value.as_bool() == Some(true),
        Kind::I64 | Kind::F64 => value.as_f64() != Some(0.0),
        Kind::Str => {
            let text = value.as_str().unwrap_or_default().trim();
            let words = ["true", "1", "yes", "on"];
            words.iter().any(|word| text.eq_ignore_ascii_case(word))
        }
        Kind::Bytes | Kind::List | Kind::Map => true,
    })
}
