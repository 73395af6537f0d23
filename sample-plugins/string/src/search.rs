//! Looking for one text in another.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Growing, Text, Whole};

#[parameters]
pub(crate) struct Includes<'a> {
    /// The text to look in.
    #[serde(default, alias = "text", alias = "string")]
    value: Text<'a>,
    /// The text to look for; the empty text is in every text.
    #[serde(default, alias = "substring")]
    search: Text<'a>,
}

/// Says whether a text has another one in it.
#[node(
    id = "string.includes",
    aliases = ["string.contains"],
    effect = "pure",
    tags = ["text", "search"],
    example(title = "found", input = r#"{"value": "workflow", "search": "flow"}"#, output = r#"{"result": true}"#),
    example(title = "case counts", input = r#"{"value": "abc", "search": "B"}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn includes(input: Includes<'_>) -> Answer<bool> {
    answer(input.value.as_str().contains(input.search.as_str()))
}

#[parameters]
pub(crate) struct StartsWith<'a> {
    /// The text to look at.
    #[serde(default, alias = "text", alias = "string")]
    value: Text<'a>,
    /// What it may start with.
    #[serde(default)]
    prefix: Text<'a>,
}

/// Says whether a text starts with another one.
#[node(
    id = "string.startsWith",
    aliases = ["string.starts_with"],
    effect = "pure",
    tags = ["text", "search"],
    example(title = "it does", input = r#"{"value": "workflow", "prefix": "work"}"#, output = r#"{"result": true}"#),
    example(title = "it does not", input = r#"{"value": "abc", "prefix": "b"}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn starts_with(input: StartsWith<'_>) -> Answer<bool> {
    answer(input.value.as_str().starts_with(input.prefix.as_str()))
}

#[parameters]
pub(crate) struct EndsWith<'a> {
    /// The text to look at.
    #[serde(default, alias = "text", alias = "string")]
    value: Text<'a>,
    /// What it may end with.
    #[serde(default)]
    suffix: Text<'a>,
}

/// Says whether a text ends with another one.
#[node(
    id = "string.endsWith",
    aliases = ["string.ends_with"],
    effect = "pure",
    tags = ["text", "search"],
    example(title = "it does", input = r#"{"value": "a.json", "suffix": ".json"}"#, output = r#"{"result": true}"#),
    example(title = "it does not", input = r#"{"value": "abc", "suffix": "b"}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn ends_with(input: EndsWith<'_>) -> Answer<bool> {
    answer(input.value.as_str().ends_with(input.suffix.as_str()))
}

#[parameters]
pub(crate) struct Replace<'a> {
    /// The text to change.
    #[serde(default, alias = "text", alias = "string")]
    value: Text<'a>,
    /// The text to look for.
    #[serde(default, alias = "old")]
    search: Text<'a>,
    /// What to put in its place, as it stands: `$` has no meaning.
    #[serde(default, alias = "new")]
    replacement: Text<'a>,
    /// Whether to replace every occurrence instead of the first.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    all: Option<Flag>,
    /// How many occurrences to replace, -1 for every one; instead of `all`.
    #[serde(default)]
    count: Option<Whole>,
}

/// Replaces the first or every occurrence of a text.
#[node(
    id = "string.replace",
    effect = "pure",
    tags = ["text", "search"],
    example(
        title = "the first",
        input = r#"{"value": "a-b-c", "search": "-", "replacement": "+"}"#,
        output = r#"{"result": "a+b-c"}"#
    ),
    example(
        title = "every one",
        input = r#"{"value": "a-b-c", "search": "-", "replacement": "+", "all": true}"#,
        output = r#"{"result": "a+b+c"}"#
    )
)]
pub(crate) fn replace(input: Replace<'_>) -> NodeResult<Answer<Cow<'_, str>>> {
    let times = match (input.count, input.all) {
        (Some(_), Some(_)) => return Err(NodeError::invalid("count", "give either `all` or `count`")),
        (Some(Whole(-1)), None) | (None, Some(Flag(true))) => usize::MAX,
        (Some(count), None) => count.count("count")?,
        (None, _) => 1,
    };
    let text = input.value.as_str();
    let mut out = Growing::default();
    let mut copied = 0;
    let mut found = false;
    for (at, match_) in text.match_indices(input.search.as_str()).take(times) {
        found = true;
        out.push(&text[copied..at], "value")?;
        out.push(input.replacement.as_str(), "replacement")?;
        copied = at + match_.len();
    }
    if !found {
        return Ok(answer(input.value.0));
    }
    out.push(&text[copied..], "value")?;
    Ok(answer(Cow::Owned(out.finish())))
}
