//! Filling in.

use plugin_api::prelude::*;
use plugin_api::reading::{Dict, Flag, Text};

use crate::budget::Trouble;
use crate::lexer::Mistake;
use crate::machine::{Escape, Machine, Missing};
use crate::parser::{Lines, read};

/// The longest template, in bytes.
const MAX_TEMPLATE: usize = 1 << 20;

/// What is escaped in values that are written.
#[parameters]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Escaping {
    /// Nothing.
    #[default]
    None,
    /// What has a meaning in HTML.
    Html,
}

/// The template, from where it was given.
pub(crate) fn source<'t>(
    template: Option<&'t Text<'_>>,
    source: Option<&'t Text<'_>>,
) -> NodeResult<(&'static str, &'t str)> {
    let (parameter, text) = match (template, source) {
        (Some(_), Some(_)) => {
            return Err(NodeError::invalid(
                "source",
                "give a template or a source, not both",
            ));
        }
        (Some(text), None) => ("template", text.as_str()),
        (None, Some(text)) => ("source", text.as_str()),
        (None, None) => return Err(NodeError::invalid("template", "is missing")),
    };
    if text.len() > MAX_TEMPLATE {
        let why = format_args!("a template has at most {} MiB", MAX_TEMPLATE >> 20);
        return Err(NodeError::invalid(parameter, why));
    }
    Ok((parameter, text))
}

/// The line and the column of a byte, both from 1.
pub(crate) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

pub(crate) fn lines(trim: Option<Flag>) -> Lines {
    if trim == Some(Flag(true)) {
        Lines::Go
    } else {
        Lines::Stay
    }
}

#[parameters]
pub(crate) struct Render<'a> {
    /// The template: a text with `{= value =}`, `{% if %}`, `{% for %}`, `{% set %}` and `{# comments #}`. It sees `data` and
    /// nothing of the workflow.
    #[serde(default, alias = "text")]
    #[schemars(extend("x-template" = false))]
    template: Option<Text<'a>>,
    /// A template that comes from elsewhere, such as `{{ $json.template }}`; instead of `template`.
    #[serde(default)]
    source: Option<Text<'a>>,
    /// What the template sees, by name.
    #[serde(default, alias = "variables", alias = "context", alias = "values")]
    data: Dict<'a>,
    /// What is escaped in values: nothing, or `html`. The filter `safe` takes a value out.
    #[serde(default, alias = "autoEscape")]
    #[schemars(extend("default" = "none"))]
    escape: Option<Escaping>,
    /// Whether a name that `data` does not have is an error. It is nothing otherwise.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    strict: Option<Flag>,
    /// Whether lines go that have nothing but a block or a comment.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    trim_blocks: Option<Flag>,
}

/// Fills in a text template in the manner of Jinja, from a map of data.
///
/// `{= user.name | upper =}` writes a value through filters, and so does `{{ user.name | upper }}`, which in a workflow's
/// document would be taken for an expression of the workflow. `{% if count > 1 %}...{% elif ... %}...{% else %}...{% endif %}`
/// chooses, `{% for item in items %}...{% else %}...{% endfor %}` repeats (`for key, value in map`, too; `loop.index`, `index0`,
/// `first`, `last` and `length` tell of the round), `{% set total = items | sum('price') %}` names a value, until the end of
/// the round in a loop; `{% raw %}...{% endraw %}` is written as it stands, and `-` beside a brace takes the blanks there
/// away. Null and what is missing write nothing, lists and maps their JSON. There are no macros and no other files.
#[node(
    id = "template.render",
    effect = "pure",
    tags = ["text", "template", "jinja"],
    example(
        title = "a loop and a condition",
        input = r#"{"template": "{% for p in people %}{= loop.index =}. {= p.name | title =}{% if p.age >= 18 %} (adult){% endif %}\n{% endfor %}", "data": {"people": [{"age": 36, "name": "ada"}, {"age": 9, "name": "bob"}]}}"#,
        output = r#"{"result": "1. Ada (adult)\n2. Bob\n"}"#
    ),
    example(
        title = "safe in HTML",
        input = r#"{"template": "<b>{= name =}</b>{{ missing | default('?') }}", "data": {"name": "<Ada & co>"}, "escape": "html"}"#,
        output = r#"{"result": "<b>&lt;Ada &amp; co&gt;</b>?"}"#
    )
)]
pub(crate) fn render(input: Render<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<String>> {
    ctx.check()?;
    let (parameter, text) = source(input.template.as_ref(), input.source.as_ref())?;
    let failed = |at: usize, why: &str| {
        let (line, column) = place(text, at);
        NodeError::invalid(parameter, format_args!("line {line}, column {column}: {why}"))
    };
    let program =
        read(text, lines(input.trim_blocks)).map_err(|Mistake { message, at }| failed(at, &message))?;
    let escape = match input.escape.unwrap_or_default() {
        Escaping::None => Escape::None,
        Escaping::Html => Escape::Html,
    };
    let missing = if input.strict == Some(Flag(true)) {
        Missing::Error
    } else {
        Missing::Empty
    };
    let machine = Machine::new(&program, input.data.value(), (escape, missing), ctx);
    machine.run().map(answer).map_err(|(trouble, at)| match trouble {
        Trouble::Wrong(why) => failed(at, &why),
        Trouble::Over(error) => error,
    })
}
