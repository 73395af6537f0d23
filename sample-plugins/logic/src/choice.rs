//! Choosing one of several values.

use plugin_api::prelude::*;
use plugin_api::reading::{Given, List, truthy};

#[parameters]
pub(crate) struct Ternary<'a> {
    /// What decides.
    #[serde(default)]
    condition: Given<'a>,
    /// The result if the condition counts as true.
    #[serde(default)]
    then: Given<'a>,
    /// The result otherwise.
    #[serde(default, rename = "else")]
    otherwise: Given<'a>,
}

/// Gives one of two values.
#[node(
    id = "logic.ternary",
    effect = "pure",
    tags = ["choice"],
    example(
        title = "true",
        input = r#"{"condition": true, "then": "yes", "else": "no"}"#,
        output = r#"{"result": "yes"}"#
    ),
    example(
        title = "zero counts as false",
        input = r#"{"condition": 0, "then": "yes", "else": {"a": 1}}"#,
        output = r#"{"result": {"a": 1}}"#
    )
)]
pub(crate) fn ternary(input: Ternary<'_>) -> Answer<ValueRef<'_>> {
    let chosen = if truthy(input.condition.value()) {
        input.then
    } else {
        input.otherwise
    };
    answer(chosen.value())
}

#[parameters]
pub(crate) struct Coalesce<'a> {
    /// The values to choose from, in order.
    #[serde(default)]
    values: List<'a>,
}

/// Gives the first value that is not null; null if there is none.
#[node(
    id = "logic.coalesce",
    effect = "pure",
    tags = ["choice", "null"],
    example(title = "zero is a value", input = r#"{"values": [null, 0, 1]}"#, output = r#"{"result": 0}"#),
    example(title = "none", input = r#"{"values": [null, null]}"#, output = r#"{"result": null}"#)
)]
pub(crate) fn coalesce(input: Coalesce<'_>) -> Answer<ValueRef<'_>> {
    let first = input.values.iter().find(|value| !value.is_null());
    answer(first.unwrap_or(ValueRef::NULL))
}
