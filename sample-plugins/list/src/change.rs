//! Lists made of other lists.

use plugin_api::prelude::*;
use plugin_api::reading::{Given, List, Whole};

#[parameters]
pub(crate) struct Whose<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "items")]
    array: List<'a>,
}

#[parameters]
pub(crate) struct Concat<'a> {
    /// The lists to put together. What is no list stays as one item.
    #[serde(default, alias = "lists")]
    arrays: Option<List<'a>>,
    /// One list, where `arrays` is missing.
    #[serde(default, alias = "list")]
    array: List<'a>,
}

/// Puts lists together, in order.
#[node(
    id = "list.concat",
    effect = "pure",
    tags = ["list"],
    example(title = "two lists", input = r#"{"arrays": [[1], [2, 3]]}"#, output = r#"{"result": [1, 2, 3]}"#),
    example(title = "an item that is no list", input = r#"{"arrays": [[1], 2]}"#, output = r#"{"result": [1, 2]}"#)
)]
pub(crate) fn concat(input: Concat<'_>) -> Answer<Vec<ValueRef<'_>>> {
    let Some(arrays) = input.arrays else {
        return answer(input.array.iter().collect());
    };
    let mut out = Vec::new();
    arrays.iter().for_each(|item| flat(item, 1, &mut out));
    answer(out)
}

#[parameters]
pub(crate) struct Flatten<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "items")]
    array: List<'a>,
    /// How many levels of lists to open.
    #[serde(default)]
    #[schemars(extend("default" = 1))]
    depth: Option<Whole>,
}

/// Puts the items of lists inside a list into their place.
#[node(
    id = "list.flatten",
    effect = "pure",
    tags = ["list"],
    example(title = "one level", input = r#"{"array": [1, [2, [3]]]}"#, output = r#"{"result": [1, 2, [3]]}"#),
    example(title = "two levels", input = r#"{"array": [1, [2, [3]]], "depth": 2}"#, output = r#"{"result": [1, 2, 3]}"#)
)]
pub(crate) fn flatten(input: Flatten<'_>) -> Answer<Vec<ValueRef<'_>>> {
    let depth = input.depth.unwrap_or(Whole(1)).0;
    let mut out = Vec::new();
    input.array.iter().for_each(|item| flat(item, depth, &mut out));
    answer(out)
}

/// A value is no deeper than the format of values allows, so neither is this.
fn flat<'a>(value: ValueRef<'a>, depth: i64, out: &mut Vec<ValueRef<'a>>) {
    match value.as_list() {
        Some(list) if depth > 0 => list.iter().for_each(|item| flat(item, depth - 1, out)),
        _ => out.push(value),
    }
}

/// Turns the order of a list round.
#[node(
    id = "list.reverse",
    effect = "pure",
    tags = ["list"],
    example(title = "three items", input = r#"{"array": [1, 2, 3]}"#, output = r#"{"result": [3, 2, 1]}"#),
    example(title = "none", input = r#"{"array": []}"#, output = r#"{"result": []}"#)
)]
pub(crate) fn reverse(input: Whose<'_>) -> Answer<Vec<ValueRef<'_>>> {
    let mut items: Vec<_> = input.array.iter().collect();
    items.reverse();
    answer(items)
}

#[parameters]
pub(crate) struct Add<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "items")]
    array: List<'a>,
    /// The item to add.
    #[serde(default)]
    value: Given<'a>,
}

/// Adds an item to the end of a list.
#[node(
    id = "list.push",
    effect = "pure",
    tags = ["list"],
    example(title = "a number", input = r#"{"array": [1], "value": 2}"#, output = r#"{"result": [1, 2]}"#),
    example(title = "a list is one item", input = r#"{"array": [], "value": [1]}"#, output = r#"{"result": [[1]]}"#)
)]
pub(crate) fn push(input: Add<'_>) -> Answer<Vec<ValueRef<'_>>> {
    let items = input.array.iter().chain([input.value.value()]);
    answer(items.collect())
}

/// Adds an item to the start of a list.
#[node(
    id = "list.unshift",
    effect = "pure",
    tags = ["list"],
    example(title = "a number", input = r#"{"array": [1], "value": 2}"#, output = r#"{"result": [2, 1]}"#),
    example(title = "to nothing", input = r#"{"value": "a"}"#, output = r#"{"result": ["a"]}"#)
)]
pub(crate) fn unshift(input: Add<'_>) -> Answer<Vec<ValueRef<'_>>> {
    answer(
        [input.value.value()]
            .into_iter()
            .chain(input.array.iter())
            .collect(),
    )
}

/// A list without one of its items.
#[output]
pub(crate) struct Shorter<'a> {
    /// The other items.
    result: Vec<ValueRef<'a>>,
    /// The item; null if the list was empty.
    removed: ValueRef<'a>,
}

/// Takes the last item off a list.
#[node(
    id = "list.pop",
    effect = "pure",
    tags = ["list"],
    example(title = "three items", input = r#"{"array": [1, 2, 3]}"#, output = r#"{"result": [1, 2], "removed": 3}"#),
    example(title = "none", input = r#"{"array": []}"#, output = r#"{"result": [], "removed": null}"#)
)]
pub(crate) fn pop(input: Whose<'_>) -> Shorter<'_> {
    let mut result: Vec<_> = input.array.iter().collect();
    let removed = result.pop().unwrap_or(ValueRef::NULL);
    Shorter { result, removed }
}

/// Takes the first item off a list.
#[node(
    id = "list.shift",
    effect = "pure",
    tags = ["list"],
    example(title = "three items", input = r#"{"array": [1, 2, 3]}"#, output = r#"{"result": [2, 3], "removed": 1}"#),
    example(title = "none", input = r#"{"array": []}"#, output = r#"{"result": [], "removed": null}"#)
)]
pub(crate) fn shift(input: Whose<'_>) -> Shorter<'_> {
    let mut items = input.array.iter();
    let removed = items.next().unwrap_or(ValueRef::NULL);
    Shorter {
        result: items.collect(),
        removed,
    }
}
