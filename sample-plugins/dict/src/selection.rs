//! Some of the entries of a map.

use std::borrow::Cow;
use std::collections::HashSet;

use plugin_api::prelude::*;
use plugin_api::reading::{Dict, Given, key_of, shown};

use crate::object::Object;

#[parameters]
pub(crate) struct Selection<'a> {
    /// The map.
    #[serde(default, alias = "dict")]
    object: Dict<'a>,
    /// A list of keys, or one key.
    #[serde(default)]
    #[schemars(extend("type" = ["array", "string", "number", "boolean", "null"]))]
    keys: Given<'a>,
}

impl<'a> Selection<'a> {
    fn keys(&self) -> NodeResult<Vec<Cow<'a, str>>> {
        let keys = self.keys.value();
        let wrong = |parameter: &str, value: ValueRef<'_>| {
            NodeError::invalid(parameter, format_args!("expected a key, found {}", shown(value)))
        };
        let Some(list) = keys.as_list() else {
            if keys.is_null() {
                return Ok(Vec::new());
            }
            return Ok(vec![key_of(keys).ok_or_else(|| wrong("keys", keys))?]);
        };
        let keys = list.iter().enumerate();
        keys.map(|(index, key)| key_of(key).ok_or_else(|| wrong(&format!("keys[{index}]"), key)))
            .collect()
    }
}

/// Keeps the entries with the given keys, in the order of the keys.
#[node(
    id = "dict.pick",
    effect = "pure",
    tags = ["map"],
    example(
        title = "two of three",
        input = r#"{"object": {"a": 1, "b": 2, "c": 3}, "keys": ["c", "a"]}"#,
        output = r#"{"result": {"c": 3, "a": 1}}"#
    ),
    example(title = "a missing one", input = r#"{"object": {"a": 1}, "keys": ["a", "x"]}"#, output = r#"{"result": {"a": 1}}"#)
)]
pub(crate) fn pick(input: Selection<'_>) -> NodeResult<Answer<Object<'_>>> {
    let keys = input.keys()?.into_iter();
    let entries = keys.filter_map(|key| input.object.get(&key).map(|value| (key, value)));
    Ok(answer(Object(entries.collect())))
}

/// Leaves out the entries with the given keys.
#[node(
    id = "dict.omit",
    effect = "pure",
    tags = ["map"],
    example(
        title = "one of three",
        input = r#"{"object": {"a": 1, "b": 2, "c": 3}, "keys": ["b"]}"#,
        output = r#"{"result": {"a": 1, "c": 3}}"#
    ),
    example(title = "one key alone", input = r#"{"object": {"a": 1, "b": 2}, "keys": "a"}"#, output = r#"{"result": {"b": 2}}"#)
)]
pub(crate) fn omit(input: Selection<'_>) -> NodeResult<Answer<Object<'_>>> {
    let keys: HashSet<_> = input.keys()?.into_iter().collect();
    let others = input.object.iter().filter(|(key, _)| !keys.contains(*key));
    Ok(answer(others.collect()))
}
