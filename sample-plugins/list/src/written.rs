//! A list as it is written in the workflow.

use plugin_api::prelude::*;
use plugin_api::reading::{Dict, List, Shape, shown};

#[parameters]
pub(crate) struct Literal<'a> {
    /// The items.
    #[serde(default, alias = "array", alias = "list")]
    items: List<'a>,
    /// What each item is: `string`, `number`, `integer`, `boolean`, `list`, `map`, or a list of these such as
    /// `string_list`.
    #[serde(default, rename = "type")]
    #[schemars(extend("default" = "any"), length(max = 64))]
    kind: Option<&'a str>,
    /// Variables to set: under `list` the name of one that becomes the list.
    #[serde(default)]
    outputs: Dict<'a>,
}

/// Gives the list that it is given, once it has looked at the type of every item, and sets a variable to it where one
/// is named.
#[node(
    id = "list.literal",
    effect = "idempotent",
    tags = ["list", "variable", "type"],
    example(
        title = "texts",
        input = r#"{"items": ["libraries", "resources"], "type": "string"}"#,
        output = r#"{"result": ["libraries", "resources"]}"#
    ),
    example(
        title = "into a variable",
        input = r#"{"items": [1, "a"], "outputs": {"list": "paths"}}"#,
        output = r#"{"result": [1, "a"]}"#
    )
)]
pub(crate) fn literal<'a>(input: Literal<'a>, ctx: &Ctx<'_>) -> NodeResult<Answer<Vec<ValueRef<'a>>>> {
    let name = input.kind.unwrap_or("any");
    let unknown = || NodeError::invalid("type", "is none that is known, such as `string` or `number`");
    let shape = Shape::named(name).ok_or_else(unknown)?;
    let items: Vec<_> = input.items.iter().collect();
    for (index, item) in items.iter().enumerate() {
        if let Some(misfit) = shape.misfit(*item) {
            let place = format!("items[{index}]{}", misfit.path);
            return Err(NodeError::invalid(&place, misfit));
        }
    }
    if let Some(variable) = input.outputs.get("list") {
        let fits = |name: &&str| (1..=MAX_NAME).contains(&name.len());
        let wrong = || {
            let found = shown(variable);
            let why = format_args!("expected a variable's name of 1 to {MAX_NAME} bytes, found {found}");
            NodeError::invalid("outputs.list", why)
        };
        ctx.set_variable(variable.as_str().filter(fits).ok_or_else(wrong)?, &items)?;
    }
    Ok(answer(items))
}

/// The longest name of a variable, in bytes.
const MAX_NAME: usize = 256;
