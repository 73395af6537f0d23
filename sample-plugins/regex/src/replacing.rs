//! Putting something else in the place of matches.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Growing, Text};

use crate::matching::ready;
use crate::replacement::Replacement;

#[parameters]
pub(crate) struct Replace<'a> {
    /// The text to change.
    #[serde(default, alias = "text", alias = "input", alias = "string")]
    value: Text<'a>,
    /// The regular expression.
    #[serde(default, alias = "regex")]
    pattern: Option<Text<'a>>,
    /// What to put in the place of a match: `$1` or `${1}` is what a group matched, `$name`, `${name}` or `$<name>` what the
    /// group of that name matched, `$&` the whole match, `$$` a dollar sign.
    #[serde(default, alias = "replace", alias = "with")]
    replacement: Text<'a>,
    /// Any of `i` (case does not count), `m` (`^` and `$` at every line), `s` (`.` is a line break, too), `x` (blanks in
    /// the pattern do not count), `u` (`\w`, `\d` and `\b` know all of Unicode).
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    flags: Option<Cow<'a, str>>,
    /// Whether all matches are replaced, or the first one alone.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    all: Option<Flag>,
}

/// A changed text.
#[output]
pub(crate) struct Replaced {
    /// The text.
    result: String,
    /// How many matches were replaced.
    count: usize,
}

/// Replaces the first match of a pattern, or all of them.
#[node(
    id = "regex.replace",
    effect = "pure",
    tags = ["text", "pattern", "replace"],
    example(
        title = "all of them",
        input = r#"{"value": "a1b22", "pattern": "\\d+", "replacement": "<$&>", "all": true}"#,
        output = r#"{"result": "a<1>b<22>", "count": 2}"#
    ),
    example(
        title = "the first one, by the names of its groups",
        input = r#"{"value": "2026-03, 2026-04", "pattern": "(?<y>\\d{4})-(?<m>\\d\\d)", "replacement": "$m/$y"}"#,
        output = r#"{"result": "03/2026, 2026-04", "count": 1}"#
    )
)]
pub(crate) fn replace(input: Replace<'_>, ctx: &Ctx<'_>) -> NodeResult<Replaced> {
    let text = input.value.as_str();
    let compiled = ready(text, input.pattern.as_ref(), input.flags.as_deref())?;
    let replacement = Replacement::read(input.replacement.as_str(), &compiled.names)?;
    let most = if input.all == Some(Flag(true)) {
        usize::MAX
    } else {
        1
    };
    let mut out = Growing::default();
    let (mut done, mut count) = (0, 0);
    let mut matches = compiled.regex.captures_iter(text);
    while count < most {
        ctx.check()?;
        let Some(captures) = matches.next() else { break };
        let whole = captures.get_match();
        out.push(text.get(done..whole.start()).unwrap_or_default(), "value")?;
        replacement.write(&captures, &mut out)?;
        done = whole.end();
        count += 1;
    }
    out.push(text.get(done..).unwrap_or_default(), "value")?;
    let result = out.finish();
    Ok(Replaced { result, count })
}
