//! Counting and switching. A variable that is not there, or null, begins at 0 or false.

use plugin_api::prelude::*;
use plugin_api::reading::Number;

use crate::name::{Name, wrong_kind};

#[parameters]
pub(crate) struct Count<'a> {
    /// The name of the variable, which holds a number.
    #[serde(default, alias = "key")]
    name: Name<'a>,
    /// By how much.
    #[serde(default, alias = "by")]
    #[schemars(extend("default" = 1))]
    amount: Option<Number>,
}

/// A number that was changed.
#[output]
pub(crate) struct Counted {
    /// The number now.
    result: Number,
    /// The number before.
    previous: Number,
}

/// Adds to a number, 1 unless told otherwise. Branches that do it at the same time all count.
#[node(
    id = "var.increment",
    effect = "effectful",
    tags = ["variable", "number"],
    example(title = "from nothing", input = r#"{"name": "n"}"#, output = r#"{"result": 1, "previous": 0}"#),
    example(title = "by five", input = r#"{"name": "m", "amount": 5}"#, output = r#"{"result": 5, "previous": 0}"#)
)]
pub(crate) fn increment(input: Count<'_>, ctx: &Ctx<'_>) -> NodeResult<Counted> {
    count(&input, ctx, Number::plus)
}

/// Takes from a number, 1 unless told otherwise. Branches that do it at the same time all count.
#[node(
    id = "var.decrement",
    effect = "effectful",
    tags = ["variable", "number"],
    example(title = "from nothing", input = r#"{"name": "n"}"#, output = r#"{"result": -1, "previous": 0}"#),
    example(title = "by half", input = r#"{"name": "m", "amount": 0.5}"#, output = r#"{"result": -0.5, "previous": 0}"#)
)]
pub(crate) fn decrement(input: Count<'_>, ctx: &Ctx<'_>) -> NodeResult<Counted> {
    count(&input, ctx, Number::minus)
}

fn count(
    input: &Count<'_>,
    ctx: &Ctx<'_>,
    change: fn(Number, Number) -> Option<Number>,
) -> NodeResult<Counted> {
    let amount = input.amount.unwrap_or(Number::Int(1));
    let mut last = None;
    ctx.update_variable(input.name.get()?, |old| {
        let previous = match old.filter(|old| !old.is_null()) {
            None => Number::Int(0),
            Some(old) => Number::exactly(old).ok_or_else(|| wrong_kind(input.name, "a number", old))?,
        };
        let beyond = || NodeError::new("parameter `amount`: the result is no finite number");
        let result = change(previous, amount).ok_or_else(beyond)?;
        last = Some(Counted { result, previous });
        Ok(Some(Value::from_serialize(&result)?))
    })?;
    last.ok_or_else(|| NodeError::new("the host did not ask for the new value"))
}

#[parameters]
pub(crate) struct Toggle<'a> {
    /// The name of the variable, which holds true or false.
    #[serde(default, alias = "key")]
    name: Name<'a>,
}

/// A switch that was turned.
#[output]
pub(crate) struct Toggled {
    /// What it is now.
    result: bool,
    /// What it was.
    previous: bool,
}

/// Turns true into false and false into true.
#[node(
    id = "var.toggle",
    effect = "effectful",
    tags = ["variable", "boolean"],
    example(title = "from nothing", input = r#"{"name": "f"}"#, output = r#"{"result": true, "previous": false}"#),
    example(title = "by key", input = r#"{"key": "g"}"#, output = r#"{"result": true, "previous": false}"#)
)]
pub(crate) fn toggle(input: Toggle<'_>, ctx: &Ctx<'_>) -> NodeResult<Toggled> {
    let mut previous = false;
    ctx.update_variable(input.name.get()?, |old| {
        previous = match old.filter(|old| !old.is_null()) {
            None => false,
            Some(old) => old
                .as_bool()
                .ok_or_else(|| wrong_kind(input.name, "true or false", old))?,
        };
        Ok(Some(Value::from(!previous)))
    })?;
    Ok(Toggled {
        result: !previous,
        previous,
    })
}
