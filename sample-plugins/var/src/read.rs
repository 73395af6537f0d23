//! Reading variables. None of it is pure: what a variable holds is no matter of the parameters.

use plugin_api::prelude::*;
use plugin_api::reading::Any;

use crate::name::Name;

#[parameters]
pub(crate) struct Get<'a> {
    /// The name of the variable.
    #[serde(default, alias = "key")]
    name: Name<'a>,
    /// What to give when there is no such variable.
    #[serde(default)]
    default: Any<'a>,
}

/// Gives the value of a variable, or a default when there is none.
#[node(
    id = "var.get",
    effect = "idempotent",
    tags = ["variable"],
    example(title = "a default", input = r#"{"name": "who", "default": "nobody"}"#, output = r#"{"result": "nobody"}"#),
    example(title = "none", input = r#"{"key": "who"}"#, output = r#"{"result": null}"#)
)]
pub(crate) fn get(input: Get<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Value>> {
    let value = ctx.variable::<Value>(input.name.get()?)?;
    Ok(answer(value.unwrap_or_else(|| input.default.0.to_value())))
}

#[parameters]
pub(crate) struct Exists<'a> {
    /// The name of the variable.
    #[serde(default, alias = "key")]
    name: Name<'a>,
}

/// Says whether there is a variable of that name. One that holds null is there.
#[node(
    id = "var.exists",
    effect = "idempotent",
    tags = ["variable"],
    example(title = "none", input = r#"{"name": "who"}"#, output = r#"{"result": false}"#),
    example(title = "by key", input = r#"{"key": "who"}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn exists(input: Exists<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<bool>> {
    Ok(answer(ctx.variable::<Value>(input.name.get()?)?.is_some()))
}

/// All variables of a run.
#[output]
pub(crate) struct All {
    /// Their values by their names.
    #[schemars(with = "std::collections::BTreeMap<String, Value>")]
    result: Value,
}

/// Gives all variables as a map.
#[node(
    id = "var.getAll",
    aliases = ["var.get_all"],
    effect = "idempotent",
    tags = ["variable"],
    example(title = "none", input = "{}", output = r#"{"result": {}}"#),
    example(title = "whatever it is given", input = r#"{"name": "who"}"#, output = r#"{"result": {}}"#)
)]
pub(crate) fn get_all(ctx: &Ctx<'_>) -> NodeResult<All> {
    Ok(All {
        result: ctx.variables()?,
    })
}

/// The names of all variables.
#[output]
pub(crate) struct Names {
    /// The names, in the order in which they were first set.
    result: Vec<String>,
    /// How many there are.
    count: usize,
}

/// Lists the names of all variables.
#[node(
    id = "var.list",
    aliases = ["var.keys"],
    effect = "idempotent",
    tags = ["variable"],
    example(title = "none", input = "{}", output = r#"{"result": [], "count": 0}"#),
    example(title = "whatever it is given", input = r#"{"name": "who"}"#, output = r#"{"result": [], "count": 0}"#)
)]
pub(crate) fn list(ctx: &Ctx<'_>) -> NodeResult<Names> {
    let all = ctx.variables()?;
    let names = all
        .as_ref()
        .as_map()
        .map(|all| all.keys().map(str::to_owned).collect());
    let result: Vec<String> = names.unwrap_or_default();
    Ok(Names {
        count: result.len(),
        result,
    })
}
