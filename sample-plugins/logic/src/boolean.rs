//! Truth values put together.

use plugin_api::prelude::*;
use plugin_api::reading::{Given, List, truthy};

#[parameters]
pub(crate) struct Values<'a> {
    /// The values to look at.
    #[serde(default)]
    values: List<'a>,
}

/// Says whether every value counts as true; of none it does.
#[node(
    id = "logic.and",
    effect = "pure",
    tags = ["boolean"],
    example(title = "all of them", input = r#"{"values": [true, 1, "x"]}"#, output = r#"{"result": true}"#),
    example(title = "one does not", input = r#"{"values": [true, 0]}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn and(input: Values<'_>) -> Answer<bool> {
    answer(input.values.iter().all(truthy))
}

/// Says whether any value counts as true; of none it does not.
#[node(
    id = "logic.or",
    effect = "pure",
    tags = ["boolean"],
    example(title = "one does", input = r#"{"values": [0, "x"]}"#, output = r#"{"result": true}"#),
    example(title = "none does", input = r#"{"values": [false, ""]}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn or(input: Values<'_>) -> Answer<bool> {
    answer(input.values.iter().any(truthy))
}

#[parameters]
pub(crate) struct Not<'a> {
    /// The value to turn round.
    #[serde(default)]
    value: Given<'a>,
}

/// Says whether a value does not count as true.
#[node(
    id = "logic.not",
    effect = "pure",
    tags = ["boolean"],
    example(title = "of zero", input = r#"{"value": 0}"#, output = r#"{"result": true}"#),
    example(title = "of an empty list", input = r#"{"value": []}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn not(input: Not<'_>) -> Answer<bool> {
    answer(!truthy(input.value.value()))
}

#[parameters]
pub(crate) struct Xor<'a> {
    /// One value.
    #[serde(default)]
    a: Given<'a>,
    /// The other value.
    #[serde(default)]
    b: Given<'a>,
    /// Any number of values instead of `a` and `b`.
    #[serde(default)]
    values: Option<List<'a>>,
}

/// Says whether exactly one of two values, or of a list, counts as true.
#[node(
    id = "logic.xor",
    effect = "pure",
    tags = ["boolean"],
    example(title = "one of two", input = r#"{"a": true, "b": false}"#, output = r#"{"result": true}"#),
    example(title = "both", input = r#"{"a": 1, "b": "y"}"#, output = r#"{"result": false}"#),
    example(title = "one of three", input = r#"{"values": [0, 1, ""]}"#, output = r#"{"result": true}"#)
)]
pub(crate) fn xor(input: Xor<'_>) -> NodeResult<Answer<bool>> {
    let Xor { a, b, values } = input;
    let Some(values) = values else {
        return Ok(answer(truthy(a.value()) != truthy(b.value())));
    };
    if a.0.is_some() || b.0.is_some() {
        return Err(NodeError::invalid(
            "values",
            "give either `values` or `a` and `b`",
        ));
    }
    Ok(answer(
        values.iter().filter(|value| truthy(*value)).take(2).count() == 1,
    ))
}
