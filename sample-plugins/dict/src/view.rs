//! What is in a map, as lists, and maps made of lists.

use std::borrow::Cow;

use indexmap::IndexMap;
use plugin_api::prelude::*;
use plugin_api::reading::{Dict, Flag, List, key_of, shown};

use crate::object::Object;

#[parameters]
pub(crate) struct Whose<'a> {
    /// The map.
    #[serde(default, alias = "dict")]
    object: Dict<'a>,
}

#[parameters]
pub(crate) struct Keys<'a> {
    /// The map.
    #[serde(default, alias = "dict")]
    object: Dict<'a>,
    /// Whether to sort the keys.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    sorted: Option<Flag>,
}

/// Lists the keys of a map, in their order unless told to sort them.
#[node(
    id = "dict.keys",
    effect = "pure",
    tags = ["map", "list"],
    example(title = "as they come", input = r#"{"object": {"a": 2, "b": 1}}"#, output = r#"{"result": ["a", "b"]}"#),
    example(title = "sorted", input = r#"{"object": {"a": 2, "b": 1}, "sorted": true}"#, output = r#"{"result": ["a", "b"]}"#)
)]
pub(crate) fn keys(input: Keys<'_>) -> Answer<Vec<&str>> {
    let mut keys: Vec<_> = input.object.iter().map(|(key, _)| key).collect();
    if input.sorted == Some(Flag(true)) {
        keys.sort_unstable();
    }
    answer(keys)
}

#[parameters]
pub(crate) struct Values<'a> {
    /// The map.
    #[serde(default, alias = "dict")]
    object: Dict<'a>,
    /// Whether to sort the values by their keys.
    #[serde(default, alias = "sorted_by_key")]
    #[schemars(extend("default" = false))]
    sorted_by_key: Option<Flag>,
}

/// Lists the values of a map, in their order unless told to sort them by key.
#[node(
    id = "dict.values",
    effect = "pure",
    tags = ["map", "list"],
    example(title = "as they come", input = r#"{"object": {"a": 2, "b": 1}}"#, output = r#"{"result": [2, 1]}"#),
    example(title = "sorted", input = r#"{"object": {"a": 2, "b": 1}, "sortedByKey": true}"#, output = r#"{"result": [2, 1]}"#)
)]
pub(crate) fn values(input: Values<'_>) -> Answer<Vec<ValueRef<'_>>> {
    let mut entries: Vec<_> = input.object.iter().collect();
    if input.sorted_by_key == Some(Flag(true)) {
        entries.sort_unstable_by_key(|(key, _)| *key);
    }
    answer(entries.into_iter().map(|(_, value)| value).collect())
}

/// Lists the entries of a map, each as a list of key and value.
#[node(
    id = "dict.entries",
    aliases = ["dict.items"],
    effect = "pure",
    tags = ["map", "list"],
    example(title = "two", input = r#"{"object": {"a": 2, "b": 1}}"#, output = r#"{"result": [["a", 2], ["b", 1]]}"#),
    example(title = "none", input = r#"{"object": {}}"#, output = r#"{"result": []}"#)
)]
pub(crate) fn entries(input: Whose<'_>) -> Answer<Vec<(&str, ValueRef<'_>)>> {
    answer(input.object.iter().collect())
}

/// Counts the entries of a map.
#[node(
    id = "dict.size",
    effect = "pure",
    tags = ["map"],
    example(title = "two", input = r#"{"object": {"a": 1, "b": 2}}"#, output = r#"{"result": 2}"#),
    example(title = "none", input = r#"{"object": {}}"#, output = r#"{"result": 0}"#)
)]
pub(crate) fn size(input: Whose<'_>) -> Answer<usize> {
    answer(input.object.len())
}

/// Makes keys of the values of a map, and values of its keys. Of values that are equal the last one counts.
#[node(
    id = "dict.invert",
    effect = "pure",
    tags = ["map"],
    example(title = "texts", input = r#"{"object": {"a": "x", "b": "y"}}"#, output = r#"{"result": {"x": "a", "y": "b"}}"#),
    example(title = "equal values", input = r#"{"object": {"a": 1, "b": 1}}"#, output = r#"{"result": {"1": "b"}}"#)
)]
pub(crate) fn invert(input: Whose<'_>) -> NodeResult<Answer<Object<'_, &str>>> {
    let mut out = IndexMap::with_capacity(input.object.len());
    for (key, value) in input.object.iter() {
        let name = if value.is_null() {
            Some("null".into())
        } else {
            key_of(value)
        };
        let Some(name) = name else {
            let why = format_args!("{} can be no key", shown(value));
            return Err(NodeError::invalid(&format!("object.{}", short(key)), why));
        };
        out.insert(name, key);
    }
    Ok(answer(Object(out)))
}

/// A key as far as a message shows it.
fn short(key: &str) -> Cow<'_, str> {
    match key.char_indices().nth(40) {
        Some((end, _)) => Cow::Owned(format!("{}...", key.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(key),
    }
}

#[parameters]
pub(crate) struct FromEntries<'a> {
    /// The entries, each a list of key and value.
    #[serde(default)]
    entries: List<'a>,
}

/// Makes a map of a list of entries. Of entries with the same key the last one counts.
#[node(
    id = "dict.fromEntries",
    aliases = ["dict.from_entries"],
    effect = "pure",
    tags = ["map", "list"],
    example(title = "two", input = r#"{"entries": [["x", 1], ["y", 2]]}"#, output = r#"{"result": {"x": 1, "y": 2}}"#),
    example(title = "a key twice", input = r#"{"entries": [["x", 1], ["y", 2], ["x", 3]]}"#, output = r#"{"result": {"x": 3, "y": 2}}"#)
)]
pub(crate) fn from_entries(input: FromEntries<'_>) -> NodeResult<Answer<Object<'_>>> {
    let mut out = IndexMap::new();
    for (index, entry) in input.entries.iter().enumerate() {
        let pair = entry.as_list().filter(|list| list.len() == 2);
        let pair = pair.and_then(|list| Some((key_of(list.get(0)?)?, list.get(1)?)));
        let Some((key, value)) = pair else {
            let why = format_args!("expected a list of a key and a value, found {}", shown(entry));
            return Err(NodeError::invalid(&format!("entries[{index}]"), why));
        };
        out.insert(key, value);
    }
    Ok(answer(Object(out)))
}
