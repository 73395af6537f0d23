//! Invariant: a padded text is as long as was asked for, unless it was longer before; lengths are code points.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::reading::{Growing, Text, Whole};

/// No text is padded to more characters than this.
const MAX_CHARS: usize = 16 << 20;

#[parameters]
pub(crate) struct Measured<'a> {
    /// The text to measure.
    #[serde(default, alias = "text", alias = "string")]
    value: Text<'a>,
}

/// Counts the characters of a text, as Unicode code points.
#[node(
    id = "string.length",
    effect = "pure",
    tags = ["text", "count"],
    example(title = "a word", input = r#"{"value": "abc"}"#, output = r#"{"result": 3}"#),
    example(title = "beyond ASCII", input = r#"{"value": "héllo😀"}"#, output = r#"{"result": 6}"#)
)]
pub(crate) fn length(input: Measured<'_>) -> Answer<usize> {
    answer(input.value.as_str().chars().count())
}

#[parameters]
pub(crate) struct Pad<'a> {
    /// The text to fill up.
    #[serde(default, alias = "text", alias = "string")]
    value: Text<'a>,
    /// How many characters the result has; the length of `value` when missing.
    #[serde(default)]
    length: Option<Whole>,
    /// What to fill up with, repeated and cut as needed.
    #[serde(default, alias = "fill_string")]
    #[schemars(extend("default" = " "))]
    fill_string: Option<Text<'a>>,
}

/// Fills a text up at its start.
#[node(
    id = "string.padStart",
    aliases = ["string.pad_start"],
    effect = "pure",
    tags = ["text", "pad"],
    example(
        title = "a number",
        input = r#"{"value": 7, "length": 3, "fillString": "0"}"#,
        output = r#"{"result": "007"}"#
    ),
    example(title = "long enough", input = r#"{"value": "abc", "length": 2}"#, output = r#"{"result": "abc"}"#)
)]
pub(crate) fn pad_start(input: Pad<'_>) -> NodeResult<Answer<Cow<'_, str>>> {
    let padding = padding(&input)?;
    Ok(answer(if padding.is_empty() {
        input.value.0
    } else {
        Cow::Owned(padding + input.value.as_str())
    }))
}

/// Fills a text up at its end.
#[node(
    id = "string.padEnd",
    aliases = ["string.pad_end"],
    effect = "pure",
    tags = ["text", "pad"],
    example(
        title = "dots",
        input = r#"{"value": "abc", "length": 6, "fillString": ".-"}"#,
        output = r#"{"result": "abc.-."}"#
    ),
    example(title = "spaces", input = r#"{"value": "a", "length": 3}"#, output = r#"{"result": "a  "}"#)
)]
pub(crate) fn pad_end(input: Pad<'_>) -> NodeResult<Answer<Cow<'_, str>>> {
    let padding = padding(&input)?;
    Ok(answer(if padding.is_empty() {
        input.value.0
    } else {
        Cow::Owned(input.value.0.into_owned() + &padding)
    }))
}

fn padding(input: &Pad<'_>) -> NodeResult<String> {
    let Some(length) = input.length else {
        return Ok(String::new());
    };
    let length = length.count("length")?;
    if length > MAX_CHARS {
        return Err(Growing::too_long(
            "length",
            format_args!("{MAX_CHARS} characters"),
        ));
    }
    let missing = length.saturating_sub(input.value.as_str().chars().count());
    let fill = input.fill_string.as_ref().map_or(" ", Text::as_str);
    let width = fill.chars().count();
    if missing == 0 || width == 0 {
        return Ok(String::new());
    }
    let mut padding = fill.repeat(missing / width);
    padding.extend(fill.chars().take(missing % width));
    Ok(padding)
}
