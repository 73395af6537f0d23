//! Nodes that change many variables. Each variable changes in one step; between two of them other branches may come.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, kind_name};
use plugin_api::value::MapRef;

use crate::name::{NOT_A_NAME, is_name};

#[parameters]
pub(crate) struct SetMultiple<'a> {
    /// The values by the names of their variables.
    #[serde(default)]
    #[schemars(extend("type" = ["object", "null"]))]
    variables: Any<'a>,
}

/// Variables that were set.
#[output]
pub(crate) struct SetTogether<'a> {
    /// The values by the names of their variables.
    result: Any<'a>,
    /// How many there are.
    count: usize,
}

/// Sets several variables; none of them when a name will not do.
#[node(
    id = "var.setMultiple",
    aliases = ["var.set_multiple"],
    effect = "idempotent",
    tags = ["variable"],
    example(
        title = "two",
        input = r#"{"variables": {"p": 1, "q": "Q"}}"#,
        output = r#"{"result": {"p": 1, "q": "Q"}, "count": 2}"#
    ),
    example(title = "none", input = r#"{"variables": {}}"#, output = r#"{"result": {}, "count": 0}"#)
)]
pub(crate) fn set_multiple<'a>(input: SetMultiple<'a>, ctx: &Ctx<'_>) -> NodeResult<SetTogether<'a>> {
    let given = input.variables.0;
    if given.is_null() {
        return Ok(SetTogether {
            result: input.variables,
            count: 0,
        });
    }
    let Some(variables) = given.as_map() else {
        let why = format_args!("expected a map, found {}", kind_name(given));
        return Err(NodeError::invalid("variables", why));
    };
    if variables.keys().any(|name| !is_name(name)) {
        return Err(NodeError::invalid("variables", NOT_A_NAME));
    }
    for (name, value) in variables {
        ctx.set_variable(name, &value)?;
    }
    Ok(SetTogether {
        result: input.variables,
        count: variables.len(),
    })
}

/// What was there.
#[output]
pub(crate) struct Cleared {
    /// How many variables were removed.
    result: usize,
    /// The values they had.
    #[schemars(with = "std::collections::BTreeMap<String, Value>")]
    previous: Value,
}

/// Removes all variables. One that another branch sets meanwhile stays.
#[node(
    id = "var.clear",
    effect = "effectful",
    tags = ["variable"],
    example(title = "none", input = "{}", output = r#"{"result": 0, "previous": {}}"#),
    example(title = "whatever it is given", input = r#"{"name": "who"}"#, output = r#"{"result": 0, "previous": {}}"#)
)]
pub(crate) fn clear(ctx: &Ctx<'_>) -> NodeResult<Cleared> {
    let all = ctx.variables()?;
    let mut removed = Vec::new();
    for name in all.as_ref().as_map().iter().flat_map(MapRef::keys) {
        // What is told of is what was removed, not what was there when the names were read.
        if let (Some(value), _) = ctx.update_variable(name, |_| Ok(None))? {
            removed.push((name, value));
        }
    }
    let previous = Value::from_pairs(removed.iter().map(|(name, value)| (*name, value.as_ref())))?;
    Ok(Cleared {
        result: removed.len(),
        previous,
    })
}
