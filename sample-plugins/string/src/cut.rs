//! Invariant: every result is made of parts of the input, which are not copied while the input itself is text.

use std::borrow::Cow;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Text, Whole};

use crate::text::part_of;

/// More parts than this are an error, not a list.
const MAX_PARTS: usize = 1 << 20;

#[parameters]
pub(crate) struct Trim<'a> {
    /// The text to trim.
    #[serde(default, alias = "text", alias = "string")]
    value: Text<'a>,
    /// `start` or `end` for one side; anything else trims both.
    #[serde(default)]
    #[schemars(extend("default" = "both"))]
    mode: Option<&'a str>,
}

/// Removes white space from the ends of a text.
#[node(
    id = "string.trim",
    effect = "pure",
    tags = ["text", "whitespace"],
    example(title = "both ends", input = r#"{"value": "  x "}"#, output = r#"{"result": "x"}"#),
    example(title = "one end", input = r#"{"value": "  x ", "mode": "start"}"#, output = r#"{"result": "x "}"#)
)]
pub(crate) fn trim(input: Trim<'_>) -> Answer<Cow<'_, str>> {
    let mode = input.mode;
    answer(part_of(input.value, |text| match mode {
        Some("start") => text.trim_start_matches(is_blank),
        Some("end") => text.trim_end_matches(is_blank),
        _ => text.trim_matches(is_blank),
    }))
}

/// The byte order mark is no white space to Unicode, but to everybody who trims a file's first line.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

#[parameters]
pub(crate) struct Substring<'a> {
    /// The text to take from.
    #[serde(default, alias = "text", alias = "string")]
    value: Text<'a>,
    /// Position of the first character, from 0; a negative one counts as 0.
    #[serde(default)]
    #[schemars(extend("default" = 0))]
    start: Option<Whole>,
    /// Position after the last character; the end of the text when missing. When it lies before `start`, the two change places.
    #[serde(default)]
    end: Option<Whole>,
}

/// Takes the part of a text between two positions.
#[node(
    id = "string.substring",
    effect = "pure",
    tags = ["text", "slice"],
    example(title = "to the end", input = r#"{"value": "workflow", "start": 4}"#, output = r#"{"result": "flow"}"#),
    example(
        title = "code points count",
        input = r#"{"value": "a😀b", "start": 1, "end": 2}"#,
        output = r#"{"result": "😀"}"#
    )
)]
pub(crate) fn substring(input: Substring<'_>) -> Answer<Cow<'_, str>> {
    let start = input.start.map_or(0, at_least_zero);
    let end = input.end.map_or(usize::MAX, at_least_zero);
    answer(part_of(input.value, |text| {
        between(text, start.min(end), start.max(end))
    }))
}

fn at_least_zero(position: Whole) -> usize {
    usize::try_from(position.0.max(0)).unwrap_or(usize::MAX)
}

fn between(text: &str, start: usize, end: usize) -> &str {
    let rest = text.char_indices().nth(start).map_or("", |(at, _)| &text[at..]);
    rest.char_indices()
        .nth(end - start)
        .map_or(rest, |(at, _)| &rest[..at])
}

#[parameters]
pub(crate) struct Split<'a> {
    /// The text to split.
    #[serde(default, alias = "text", alias = "string")]
    value: Text<'a>,
    /// What stands between the parts; the empty text splits into characters.
    #[serde(default)]
    #[schemars(extend("default" = ","))]
    separator: Option<Text<'a>>,
    /// Keep this many parts and drop the rest.
    #[serde(default)]
    limit: Option<Whole>,
    /// Split this many times and keep the rest as the last part; -1 for as often as possible.
    #[serde(default, alias = "max_splits")]
    max_splits: Option<Whole>,
}

/// Splits a text into a list of its parts.
#[node(
    id = "string.split",
    effect = "pure",
    tags = ["text", "list"],
    example(title = "by comma", input = r#"{"value": "a,b,,c"}"#, output = r#"{"result": ["a", "b", "", "c"]}"#),
    example(
        title = "into characters",
        input = r#"{"value": "h😀i", "separator": "", "limit": 2}"#,
        output = r#"{"result": ["h", "😀"]}"#
    )
)]
pub(crate) fn split(input: Split<'_>) -> NodeResult<Answer<Vec<Cow<'_, str>>>> {
    let separator = input.separator.as_ref().map_or(",", Text::as_str);
    let limit = input.limit.map_or(Ok(usize::MAX), |limit| limit.count("limit"))?;
    let splits = match input.max_splits {
        None | Some(Whole(-1)) => usize::MAX,
        Some(splits) => splits.count("maxSplits")?,
    };
    let parts = match input.value.0 {
        Cow::Borrowed(text) => parts(text, separator, limit, splits)?
            .into_iter()
            .map(Cow::Borrowed)
            .collect(),
        Cow::Owned(text) => parts(&text, separator, limit, splits)?
            .into_iter()
            .map(|part| Cow::Owned(part.to_owned()))
            .collect(),
    };
    Ok(answer(parts))
}

fn parts<'t>(text: &'t str, separator: &str, limit: usize, splits: usize) -> NodeResult<Vec<&'t str>> {
    let mut parts = Vec::new();
    let mut rest = text;
    if text.is_empty() && separator.is_empty() {
        return Ok(parts);
    }
    while parts.len() < limit {
        if parts.len() == MAX_PARTS {
            let message = format!("parameter `value`: has more than {MAX_PARTS} parts; set `limit`");
            return Err(NodeError::with_code(code::LIMIT_EXCEEDED, message));
        }
        let next = if parts.len() < splits {
            cut(rest, separator)
        } else {
            None
        };
        let Some((part, after)) = next else {
            parts.push(rest);
            break;
        };
        parts.push(part);
        rest = after;
    }
    Ok(parts)
}

fn cut<'t>(text: &'t str, separator: &str) -> Option<(&'t str, &'t str)> {
    if !separator.is_empty() {
        return text.split_once(separator);
    }
    let width = text.chars().next()?.len_utf8();
    (width < text.len()).then(|| text.split_at(width))
}
