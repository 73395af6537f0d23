//! What can be said of a template without data.

use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Text};

use crate::parser::{Lines, read};
use crate::rendering::{place, source};

#[parameters]
pub(crate) struct Validate<'a> {
    /// The template.
    #[serde(default, alias = "text")]
    #[schemars(extend("x-template" = false))]
    template: Option<Text<'a>>,
    /// A template that comes from elsewhere, such as `{{ $json.template }}`; instead of `template`.
    #[serde(default)]
    source: Option<Text<'a>>,
}

/// What was found.
#[output]
pub(crate) struct Validated {
    /// Whether it is a template.
    result: bool,
    /// What is wrong; null when nothing is.
    error: Option<String>,
    /// The line where it is wrong, from 1.
    line: Option<usize>,
    /// The character of that line, from 1.
    column: Option<usize>,
}

/// Says whether a text is a template that `template.render` can fill in, and what is wrong if it is not: a block that is
/// never closed, a filter that is not there. What depends on the data is not looked at.
#[node(
    id = "template.validate",
    effect = "pure",
    tags = ["text", "template"],
    example(
        title = "a template",
        input = r#"{"template": "Hello {= name | upper =}"}"#,
        output = r#"{"result": true, "error": null, "line": null, "column": null}"#
    ),
    example(
        title = "none",
        input = r#"{"template": "Hello\n{% if name %}"}"#,
        output = r#"{"result": false, "error": "the `if` is never closed: `{% endif %}` is missing", "line": 2, "column": 1}"#
    )
)]
pub(crate) fn validate(input: Validate<'_>) -> NodeResult<Validated> {
    let (_, text) = source(input.template.as_ref(), input.source.as_ref())?;
    Ok(match read(text, Lines::Stay) {
        Ok(_) => Validated {
            result: true,
            error: None,
            line: None,
            column: None,
        },
        Err(mistake) => {
            let (line, column) = place(text, mistake.at);
            Validated {
                result: false,
                error: Some(mistake.message),
                line: Some(line),
                column: Some(column),
            }
        }
    })
}

#[parameters]
pub(crate) struct Variables<'a> {
    /// The template.
    #[serde(default, alias = "text")]
    #[schemars(extend("x-template" = false))]
    template: Option<Text<'a>>,
    /// A template that comes from elsewhere, such as `{{ $json.template }}`; instead of `template`.
    #[serde(default)]
    source: Option<Text<'a>>,
    /// Whether to tell what is asked of a variable, too: `user.name` instead of `user`.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    nested: Option<Flag>,
}

/// Gives the names that a template looks for in its data, in their order. Those that it sets itself are not among them.
#[node(
    id = "template.variables",
    effect = "pure",
    tags = ["text", "template"],
    example(
        title = "names",
        input = r#"{"template": "{% for item in items %}{= item =} for {= user.name =}{% endfor %}"}"#,
        output = r#"{"result": ["items", "user"]}"#
    ),
    example(
        title = "with what is asked of them",
        input = r#"{"template": "{{ user.name }}, {{ user.mail }}", "nested": true}"#,
        output = r#"{"result": ["user.mail", "user.name"]}"#
    )
)]
pub(crate) fn variables(input: Variables<'_>) -> NodeResult<Answer<Vec<String>>> {
    let (parameter, text) = source(input.template.as_ref(), input.source.as_ref())?;
    let program = read(text, Lines::Stay).map_err(|mistake| {
        let (line, column) = place(text, mistake.at);
        let why = format_args!("line {line}, column {column}: {}", mistake.message);
        NodeError::invalid(parameter, why)
    })?;
    let nested = input.nested == Some(Flag(true));
    let name = |path: &Vec<&str>| match path.first() {
        Some(first) if !nested => (*first).to_owned(),
        _ => path.join("."),
    };
    let mut names: Vec<String> = program.uses.iter().map(name).collect();
    names.sort_unstable();
    names.dedup();
    Ok(answer(names))
}
