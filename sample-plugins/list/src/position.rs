//! Items and parts by their position.

use plugin_api::prelude::*;
use plugin_api::reading::{Given, List, Whole};

#[parameters]
pub(crate) struct Whose<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "items")]
    array: List<'a>,
}

#[parameters]
pub(crate) struct At<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "items")]
    array: List<'a>,
    /// The position, from 0; a negative one counts from the end.
    #[serde(default)]
    #[schemars(extend("default" = 0))]
    index: Option<Whole>,
}

/// Gives the item at a position; null if there is none.
#[node(
    id = "list.at",
    effect = "pure",
    tags = ["list"],
    example(title = "the last", input = r#"{"array": ["a", "b"], "index": -1}"#, output = r#"{"result": "b"}"#),
    example(title = "none", input = r#"{"array": ["a"], "index": 5}"#, output = r#"{"result": null}"#)
)]
pub(crate) fn at(input: At<'_>) -> Answer<ValueRef<'_>> {
    let index = input.index.unwrap_or(Whole(0)).index_in(input.array.len());
    let item = index.and_then(|index| input.array.get(index));
    answer(item.unwrap_or(ValueRef::NULL))
}

/// Gives the first item of a list; null if it is empty.
#[node(
    id = "list.first",
    effect = "pure",
    tags = ["list"],
    example(title = "two items", input = r#"{"array": ["a", "b"]}"#, output = r#"{"result": "a"}"#),
    example(title = "none", input = r#"{"array": []}"#, output = r#"{"result": null}"#)
)]
pub(crate) fn first(input: Whose<'_>) -> Answer<ValueRef<'_>> {
    answer(input.array.get(0).unwrap_or(ValueRef::NULL))
}

/// Gives the last item of a list; null if it is empty.
#[node(
    id = "list.last",
    effect = "pure",
    tags = ["list"],
    example(title = "two items", input = r#"{"array": ["a", "b"]}"#, output = r#"{"result": "b"}"#),
    example(title = "none", input = r#"{"array": []}"#, output = r#"{"result": null}"#)
)]
pub(crate) fn last(input: Whose<'_>) -> Answer<ValueRef<'_>> {
    let index = input.array.len().checked_sub(1);
    let item = index.and_then(|index| input.array.get(index));
    answer(item.unwrap_or(ValueRef::NULL))
}

#[parameters]
pub(crate) struct Length<'a> {
    /// The list. A text, or anything else that is no list, has no items.
    #[serde(default, alias = "list", alias = "items")]
    array: Given<'a>,
}

/// Counts the items of a list.
#[node(
    id = "list.length",
    effect = "pure",
    tags = ["list"],
    example(title = "three", input = r#"{"array": [1, 2, 3]}"#, output = r#"{"result": 3}"#),
    example(title = "a text has no items", input = r#"{"array": "abc"}"#, output = r#"{"result": 0}"#)
)]
pub(crate) fn length(input: Length<'_>) -> Answer<usize> {
    answer(List::lenient(input.array.value()).len())
}

#[parameters]
pub(crate) struct Slice<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "items")]
    array: List<'a>,
    /// The position of the first item to take; a negative one counts from the end.
    #[serde(default)]
    #[schemars(extend("default" = 0))]
    start: Option<Whole>,
    /// The position behind the last item to take; by default the end.
    #[serde(default)]
    end: Option<Whole>,
}

/// Takes a part out of a list.
#[node(
    id = "list.slice",
    effect = "pure",
    tags = ["list"],
    example(title = "the middle", input = r#"{"array": [1, 2, 3, 4], "start": 1, "end": 3}"#, output = r#"{"result": [2, 3]}"#),
    example(title = "the last two", input = r#"{"array": [1, 2, 3, 4], "start": -2}"#, output = r#"{"result": [3, 4]}"#)
)]
pub(crate) fn slice(input: Slice<'_>) -> Answer<Vec<ValueRef<'_>>> {
    let length = input.array.len();
    let start = input.start.map_or(0, |start| start.index_in(length).unwrap_or(0));
    let end = input.end.map_or(length, |end| end.index_in(length).unwrap_or(0));
    let items = input.array.iter().take(end).skip(start);
    answer(items.collect())
}
