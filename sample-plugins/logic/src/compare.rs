//! Invariant: two values that are compared are both numbers or both texts, and comparing numbers loses nothing, also
//! between large integers and floats.

use std::cmp::Ordering;

use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Given, Number, shown};

/// Orders two parameters, each with its name for errors.
fn order(a: (&str, Given<'_>), b: (&str, Given<'_>)) -> NodeResult<Ordering> {
    if let (Some(a), Some(b)) = (a.1.value().as_str(), b.1.value().as_str()) {
        return Ok(a.cmp(b));
    }
    let number = |(name, given): (&str, Given<'_>)| {
        let found = given.0.map_or_else(|| "nothing".to_owned(), shown);
        let why = format_args!("expected a number, or a text beside another text, found {found}");
        Number::read_or_flag(given.value()).ok_or_else(|| NodeError::invalid(name, why))
    };
    Ok(number(a)?.compare(number(b)?))
}

#[parameters]
pub(crate) struct Sides<'a> {
    /// The left side: a number, or a text if the other one is a text.
    #[serde(default)]
    a: Given<'a>,
    /// The right side.
    #[serde(default)]
    b: Given<'a>,
}

impl Sides<'_> {
    fn order(self) -> NodeResult<Ordering> {
        order(("a", self.a), ("b", self.b))
    }
}

/// Says whether `a` is greater than `b`.
#[node(
    id = "logic.gt",
    effect = "pure",
    tags = ["order"],
    example(title = "numbers", input = r#"{"a": 10, "b": 9}"#, output = r#"{"result": true}"#),
    example(title = "a text of a number", input = r#"{"a": "10", "b": 9}"#, output = r#"{"result": true}"#)
)]
pub(crate) fn gt(input: Sides<'_>) -> NodeResult<Answer<bool>> {
    Ok(answer(input.order()?.is_gt()))
}

/// Says whether `a` is greater than `b`, or equal to it.
#[node(
    id = "logic.gte",
    effect = "pure",
    tags = ["order"],
    example(title = "equal", input = r#"{"a": 18, "b": 18}"#, output = r#"{"result": true}"#),
    example(title = "less", input = r#"{"a": 17, "b": 18}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn gte(input: Sides<'_>) -> NodeResult<Answer<bool>> {
    Ok(answer(input.order()?.is_ge()))
}

/// Says whether `a` is less than `b`.
#[node(
    id = "logic.lt",
    effect = "pure",
    tags = ["order"],
    example(title = "numbers", input = r#"{"a": 1, "b": 1.5}"#, output = r#"{"result": true}"#),
    example(title = "texts", input = r#"{"a": "b", "b": "a"}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn lt(input: Sides<'_>) -> NodeResult<Answer<bool>> {
    Ok(answer(input.order()?.is_lt()))
}

/// Says whether `a` is less than `b`, or equal to it.
#[node(
    id = "logic.lte",
    effect = "pure",
    tags = ["order"],
    example(title = "equal", input = r#"{"a": 2, "b": 2.0}"#, output = r#"{"result": true}"#),
    example(title = "greater", input = r#"{"a": 3, "b": 2}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn lte(input: Sides<'_>) -> NodeResult<Answer<bool>> {
    Ok(answer(input.order()?.is_le()))
}

#[parameters]
pub(crate) struct Between<'a> {
    /// The value to look at: a number, or a text if both limits are texts.
    #[serde(default)]
    value: Given<'a>,
    /// The lower limit.
    #[serde(default)]
    min: Given<'a>,
    /// The upper limit.
    #[serde(default)]
    max: Given<'a>,
    /// Whether the limits themselves belong to the range.
    #[serde(default)]
    #[schemars(extend("default" = true))]
    inclusive: Option<Flag>,
}

/// Says whether a value lies between two limits. Nothing lies between limits in the wrong order.
#[node(
    id = "logic.between",
    effect = "pure",
    tags = ["order", "limit"],
    example(title = "on the limit", input = r#"{"value": 5, "min": 1, "max": 5}"#, output = r#"{"result": true}"#),
    example(
        title = "without the limits",
        input = r#"{"value": 5, "min": 1, "max": 5, "inclusive": false}"#,
        output = r#"{"result": false}"#
    )
)]
pub(crate) fn between(input: Between<'_>) -> NodeResult<Answer<bool>> {
    let low = order(("value", input.value), ("min", input.min))?;
    let high = order(("value", input.value), ("max", input.max))?;
    Ok(answer(if input.inclusive == Some(Flag(false)) {
        low.is_gt() && high.is_lt()
    } else {
        low.is_ge() && high.is_le()
    }))
}
