//! Putting texts together.

use plugin_api::prelude::*;
use plugin_api::reading::{Dict, Growing, Text, text_or_json};

use crate::text::Texts;

#[parameters]
pub(crate) struct Concat<'a> {
    /// The texts to put together, in order.
    #[serde(default, alias = "strings")]
    values: Texts<'a>,
    /// What to put between them.
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    separator: Text<'a>,
}

/// Puts texts together, with nothing between them unless told.
#[node(
    id = "string.concat",
    effect = "pure",
    tags = ["text", "list"],
    example(title = "three texts", input = r#"{"values": ["a", "b", "c"]}"#, output = r#"{"result": "abc"}"#),
    example(
        title = "not only texts",
        input = r#"{"values": ["a", 1, true, null], "separator": "-"}"#,
        output = r#"{"result": "a-1-true-"}"#
    )
)]
pub(crate) fn concat(input: Concat<'_>) -> NodeResult<Answer<String>> {
    Ok(answer(input.values.joined(input.separator.as_str())?))
}

#[parameters]
pub(crate) struct Join<'a> {
    /// The texts to join, in order.
    #[serde(default, alias = "strings")]
    values: Texts<'a>,
    /// What to put between them.
    #[serde(default)]
    #[schemars(extend("default" = ","))]
    separator: Option<Text<'a>>,
}

/// Joins a list of texts, with commas between them unless told otherwise.
#[node(
    id = "string.join",
    effect = "pure",
    tags = ["text", "list"],
    example(title = "by comma", input = r#"{"values": ["x", "y"]}"#, output = r#"{"result": "x,y"}"#),
    example(
        title = "numbers",
        input = r#"{"values": [1, 2, 3], "separator": " | "}"#,
        output = r#"{"result": "1 | 2 | 3"}"#
    )
)]
pub(crate) fn join(input: Join<'_>) -> NodeResult<Answer<String>> {
    Ok(answer(
        input
            .values
            .joined(input.separator.as_ref().map_or(",", Text::as_str))?,
    ))
}

#[parameters]
pub(crate) struct Format<'a> {
    /// A text with `{name}` where a variable belongs.
    #[serde(default)]
    template: Text<'a>,
    /// The variables by name. A list or map is written as JSON.
    #[serde(default)]
    variables: Dict<'a>,
}

/// Fills variables into a template. A placeholder without a variable stays as it is.
#[node(
    id = "string.format",
    effect = "pure",
    tags = ["text", "template"],
    example(
        title = "two variables",
        input = r#"{"template": "Hi {name}, {n} new", "variables": {"name": "Ada", "n": 3}}"#,
        output = r#"{"result": "Hi Ada, 3 new"}"#
    ),
    example(
        title = "a missing one",
        input = r#"{"template": "{a} {missing}", "variables": {"a": 1}}"#,
        output = r#"{"result": "1 {missing}"}"#
    )
)]
pub(crate) fn format(input: Format<'_>) -> NodeResult<Answer<String>> {
    let mut out = Growing::default();
    let mut rest = input.template.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        out.push(before, "template")?;
        // A brace inside a placeholder makes the first one plain text. Looking for both kinds of brace at once keeps
        // a text of nothing but braces from being read again for each of them.
        let Some(end) = after
            .find(['{', '}'])
            .filter(|&end| after[end..].starts_with('}'))
        else {
            out.push("{", "template")?;
            rest = after;
            continue;
        };
        let (name, behind) = (&after[..end], &after[end + 1..]);
        match input.variables.get(name) {
            Some(value) => out.push(&text_or_json(value), "variables")?,
            None => out.push(&rest[before.len()..rest.len() - behind.len()], "template")?,
        }
        rest = behind;
    }
    out.push(rest, "template")?;
    Ok(answer(out.finish()))
}
