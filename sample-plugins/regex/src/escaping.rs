//! Texts as patterns of themselves.

use plugin_api::prelude::*;
use plugin_api::reading::{Growing, Text};

#[parameters]
pub(crate) struct Escape<'a> {
    /// The text.
    #[serde(default, alias = "text", alias = "input", alias = "string")]
    value: Text<'a>,
}

/// Makes a pattern that matches a text and nothing else, to be put into another pattern.
#[node(
    id = "regex.escape",
    effect = "pure",
    tags = ["text", "pattern"],
    example(title = "a dot", input = r#"{"value": "1.5"}"#, output = r#"{"result": "1\\.5"}"#),
    example(title = "nothing to do", input = r#"{"value": "abc"}"#, output = r#"{"result": "abc"}"#)
)]
pub(crate) fn escape(input: Escape<'_>) -> NodeResult<Answer<String>> {
    let mut out = Growing::default();
    let mut rest = input.value.as_str();
    // Blanks count for nothing in a pattern with the flag `x`, unless they are written as numbers.
    while let Some(at) = rest.find(char::is_whitespace) {
        let (before, after) = rest.split_at_checked(at).unwrap_or_default();
        out.push(&regex::escape(before), "value")?;
        let mut characters = after.chars();
        if let Some(blank) = characters.next() {
            out.push(&written(blank), "value")?;
        }
        rest = characters.as_str();
    }
    out.push(&regex::escape(rest), "value")?;
    Ok(answer(out.finish()))
}

fn written(blank: char) -> String {
    match blank {
        ' ' => r"\ ".to_owned(),
        '\n' => r"\n".to_owned(),
        '\r' => r"\r".to_owned(),
        '\t' => r"\t".to_owned(),
        other => format!(r"\x{{{:x}}}", u32::from(other)),
    }
}
