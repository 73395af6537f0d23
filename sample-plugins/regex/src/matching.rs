//! Whether, where and how often a pattern is in a text.

use std::borrow::Cow;
use std::sync::Arc;

use plugin_api::prelude::*;
use plugin_api::reading::{Text, Whole};

use crate::compiled::Compiled;
use crate::dialect::Flags;
use crate::found::{Finder, Found};
use crate::kept::compiled;

/// The pattern, if it may be looked for in the text.
pub(crate) fn ready(
    text: &str,
    pattern: Option<&Text<'_>>,
    flags: Option<&str>,
) -> NodeResult<Arc<Compiled>> {
    let pattern = pattern.ok_or_else(|| NodeError::invalid("pattern", "is missing"))?;
    let compiled = compiled(pattern.as_str(), Flags::read(flags.unwrap_or_default())?)?;
    compiled.allow(text)?;
    Ok(compiled)
}

#[parameters]
pub(crate) struct Search<'a> {
    /// The text to look in.
    #[serde(default, alias = "text", alias = "input", alias = "string")]
    value: Text<'a>,
    /// The regular expression.
    #[serde(default, alias = "regex")]
    pattern: Option<Text<'a>>,
    /// Any of `i` (case does not count), `m` (`^` and `$` at every line), `s` (`.` is a line break, too), `x` (blanks in
    /// the pattern do not count), `u` (`\w`, `\d` and `\b` know all of Unicode).
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    flags: Option<Cow<'a, str>>,
}

impl Search<'_> {
    fn ready(&self) -> NodeResult<Arc<Compiled>> {
        ready(self.value.as_str(), self.pattern.as_ref(), self.flags.as_deref())
    }
}

/// Says whether a pattern is somewhere in a text.
#[node(
    id = "regex.test",
    aliases = ["regex.isMatch", "regex.is_match"],
    effect = "pure",
    tags = ["text", "pattern"],
    example(title = "a date", input = r#"{"value": "on 2026-03-01", "pattern": "\\d{4}-\\d\\d-\\d\\d"}"#, output = r#"{"result": true}"#),
    example(
        title = "the whole text, whatever the case",
        input = r#"{"value": "Yes", "pattern": "^(yes|y)$", "flags": "i"}"#,
        output = r#"{"result": true}"#
    )
)]
pub(crate) fn test(input: Search<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<bool>> {
    ctx.check()?;
    let compiled = input.ready()?;
    Ok(answer(compiled.regex.is_match(input.value.as_str())))
}

/// Finds the first match of a pattern, with what its groups matched; null where there is none. Positions count characters
/// from 0.
#[node(
    id = "regex.match",
    aliases = ["regex.find"],
    effect = "pure",
    tags = ["text", "pattern", "search"],
    example(
        title = "groups with names",
        input = r#"{"value": "é 2026-03", "pattern": "(?<year>\\d{4})-(?<month>\\d\\d)"}"#,
        output = r#"{"result": {"match": "2026-03", "start": 2, "end": 9, "groups": ["2026", "03"], "named": {"year": "2026", "month": "03"}}}"#
    ),
    example(title = "nothing", input = r#"{"value": "abc", "pattern": "\\d"}"#, output = r#"{"result": null}"#)
)]
pub(crate) fn first_match(input: Search<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Option<Found>>> {
    ctx.check()?;
    let compiled = input.ready()?;
    let text = input.value.as_str();
    let found = compiled.regex.captures(text);
    let found = found.map(|captures| Finder::new(text).found(&compiled, &captures));
    Ok(answer(found.transpose()?))
}

#[parameters]
pub(crate) struct SearchAll<'a> {
    /// The text to look in.
    #[serde(default, alias = "text", alias = "input", alias = "string")]
    value: Text<'a>,
    /// The regular expression.
    #[serde(default, alias = "regex")]
    pattern: Option<Text<'a>>,
    /// Any of `i` (case does not count), `m` (`^` and `$` at every line), `s` (`.` is a line break, too), `x` (blanks in
    /// the pattern do not count), `u` (`\w`, `\d` and `\b` know all of Unicode).
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    flags: Option<Cow<'a, str>>,
    /// Stop after this many matches.
    #[serde(default)]
    limit: Option<Whole>,
}

/// The matches of a pattern.
#[output]
pub(crate) struct AllFound {
    /// The matches, from left to right; none overlaps another.
    result: Vec<Found>,
    /// How many there are.
    count: usize,
}

/// Finds all matches of a pattern, with what its groups matched. Positions count characters from 0.
#[node(
    id = "regex.matchAll",
    aliases = ["regex.match_all", "regex.findAll", "regex.find_all"],
    effect = "pure",
    tags = ["text", "pattern", "search"],
    example(
        title = "words with a capital",
        input = r#"{"value": "Ada and Bob", "pattern": "\\b[A-Z]\\w*"}"#,
        output = r#"{"result": [{"match": "Ada", "start": 0, "end": 3, "groups": [], "named": {}}, {"match": "Bob", "start": 8, "end": 11, "groups": [], "named": {}}], "count": 2}"#
    ),
    example(
        title = "a group that took no part",
        input = r#"{"value": "ab", "pattern": "(a)|(b)", "limit": 1}"#,
        output = r#"{"result": [{"match": "a", "start": 0, "end": 1, "groups": ["a", null], "named": {}}], "count": 1}"#
    )
)]
pub(crate) fn match_all(input: SearchAll<'_>, ctx: &Ctx<'_>) -> NodeResult<AllFound> {
    let limit = input.limit.map_or(Ok(usize::MAX), |limit| limit.count("limit"))?;
    let text = input.value.as_str();
    let compiled = ready(text, input.pattern.as_ref(), input.flags.as_deref())?;
    let mut finder = Finder::new(text);
    let mut result = Vec::new();
    // The caller is asked before each search, the first one too.
    let mut matches = compiled.regex.captures_iter(text);
    while result.len() < limit {
        ctx.check()?;
        let Some(captures) = matches.next() else { break };
        result.push(finder.found(&compiled, &captures)?);
    }
    let count = result.len();
    Ok(AllFound { result, count })
}
