//! Looking for a value.

use plugin_api::prelude::*;
use plugin_api::reading::{Given, List, same};

#[parameters]
pub(crate) struct Search<'a> {
    /// The list to look in.
    #[serde(default, alias = "list", alias = "items")]
    array: List<'a>,
    /// The value to look for.
    #[serde(default)]
    value: Given<'a>,
}

impl Search<'_> {
    fn position(&self) -> Option<usize> {
        let value = self.value.value();
        self.array.iter().position(|item| same(item, value))
    }
}

/// Says whether a value is among the items of a list, by deep equality.
#[node(
    id = "list.includes",
    aliases = ["list.contains"],
    effect = "pure",
    tags = ["list", "search"],
    example(title = "a map", input = r#"{"array": [{"id": 1}], "value": {"id": 1}}"#, output = r#"{"result": true}"#),
    example(title = "another type", input = r#"{"array": [1, 2], "value": "1"}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn includes(input: Search<'_>) -> Answer<bool> {
    answer(input.position().is_some())
}

/// Gives the position of the first item that equals a value; -1 if there is none.
#[node(
    id = "list.indexOf",
    aliases = ["list.index_of"],
    effect = "pure",
    tags = ["list", "search"],
    example(title = "found", input = r#"{"array": ["a", "b", "b"], "value": "b"}"#, output = r#"{"result": 1}"#),
    example(title = "not found", input = r#"{"array": ["a"], "value": "b"}"#, output = r#"{"result": -1}"#)
)]
pub(crate) fn index_of(input: Search<'_>) -> Answer<i64> {
    let position = input.position().and_then(|position| i64::try_from(position).ok());
    answer(position.unwrap_or(-1))
}
