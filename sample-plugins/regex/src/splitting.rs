//! Cutting a text where a pattern matches.

use std::borrow::Cow;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Text, Whole};

use crate::matching::ready;

/// More parts than this are an error, not a list.
const MAX_PARTS: usize = 1 << 20;

#[parameters]
pub(crate) struct Split<'a> {
    /// The text to split.
    #[serde(default, alias = "text", alias = "input", alias = "string")]
    value: Text<'a>,
    /// The regular expression that stands between the parts.
    #[serde(default, alias = "regex", alias = "separator")]
    pattern: Option<Text<'a>>,
    /// Any of `i` (case does not count), `m` (`^` and `$` at every line), `s` (`.` is a line break, too), `x` (blanks in
    /// the pattern do not count), `u` (`\w`, `\d` and `\b` know all of Unicode).
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    flags: Option<Cow<'a, str>>,
    /// Keep this many parts and drop the rest.
    #[serde(default)]
    limit: Option<Whole>,
}

/// Splits a text into what lies between the matches of a pattern. A match of nothing splits between characters, but not at
/// the ends of the text.
#[node(
    id = "regex.split",
    effect = "pure",
    tags = ["text", "pattern", "list"],
    example(
        title = "at commas and blanks",
        input = r#"{"value": "a, b,c  d", "pattern": "[,\\s]+"}"#,
        output = r#"{"result": ["a", "b", "c", "d"]}"#
    ),
    example(
        title = "into characters",
        input = r#"{"value": "h😀i", "pattern": "", "limit": 2}"#,
        output = r#"{"result": ["h", "😀"]}"#
    )
)]
pub(crate) fn split(input: Split<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Vec<String>>> {
    let limit = input.limit.map_or(Ok(usize::MAX), |limit| limit.count("limit"))?;
    let text = input.value.as_str();
    let compiled = ready(text, input.pattern.as_ref(), input.flags.as_deref())?;
    let mut parts: Vec<String> = Vec::new();
    if text.is_empty() {
        let nothing = compiled.regex.is_match(text);
        let parts = if nothing || limit == 0 {
            parts
        } else {
            vec![String::new()]
        };
        return Ok(answer(parts));
    }
    let mut done = 0;
    let mut matches = compiled.regex.find_iter(text);
    while parts.len() < limit {
        ctx.check()?;
        if parts.len() == MAX_PARTS {
            let message = format!("parameter `value`: has more than {MAX_PARTS} parts; set `limit`");
            return Err(NodeError::with_code(code::LIMIT_EXCEEDED, message));
        }
        let Some(found) = matches.next() else {
            parts.push(text.get(done..).unwrap_or_default().to_owned());
            break;
        };
        if found.is_empty() && (found.start() == done || found.start() == text.len()) {
            continue;
        }
        parts.push(text.get(done..found.start()).unwrap_or_default().to_owned());
        done = found.end();
    }
    Ok(answer(parts))
}
