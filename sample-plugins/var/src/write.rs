//! Setting and removing one variable.

use plugin_api::prelude::*;
use plugin_api::reading::Any;

use crate::name::Name;

#[parameters]
pub(crate) struct Set<'a> {
    /// The name of the variable.
    #[serde(default, alias = "key")]
    name: Name<'a>,
    /// Its value from now on.
    #[serde(default)]
    value: Any<'a>,
}

/// A variable that was set.
#[output]
pub(crate) struct SetTo<'a> {
    /// Its value.
    result: Any<'a>,
    /// Its name.
    name: &'a str,
}

/// Sets a variable, whether or not it was there before.
#[node(
    id = "var.set",
    effect = "idempotent",
    tags = ["variable"],
    example(
        title = "a map",
        input = r#"{"name": "o", "value": {"a": 1}}"#,
        output = r#"{"result": {"a": 1}, "name": "o"}"#
    ),
    example(title = "to null", input = r#"{"key": "o"}"#, output = r#"{"result": null, "name": "o"}"#)
)]
pub(crate) fn set<'a>(input: Set<'a>, ctx: &Ctx<'_>) -> NodeResult<SetTo<'a>> {
    ctx.set_variable(input.name.get()?, &input.value)?;
    Ok(SetTo {
        result: input.value,
        name: input.name.get()?,
    })
}

#[parameters]
pub(crate) struct Delete<'a> {
    /// The name of the variable.
    #[serde(default, alias = "key")]
    name: Name<'a>,
}

/// A variable that is not there any more.
#[output]
pub(crate) struct Deleted {
    /// Whether it was there.
    result: bool,
    /// The value it had; null when it was not there.
    previous_value: Value,
}

/// Removes a variable; it is no error when there is none.
#[node(
    id = "var.delete",
    effect = "effectful",
    tags = ["variable"],
    example(title = "none", input = r#"{"name": "who"}"#, output = r#"{"result": false, "previousValue": null}"#),
    example(title = "by key", input = r#"{"key": "who"}"#, output = r#"{"result": false, "previousValue": null}"#)
)]
pub(crate) fn delete(input: Delete<'_>, ctx: &Ctx<'_>) -> NodeResult<Deleted> {
    let (previous, _) = ctx.update_variable(input.name.get()?, |_| Ok(None))?;
    Ok(Deleted {
        result: previous.is_some(),
        previous_value: previous.unwrap_or_default(),
    })
}
