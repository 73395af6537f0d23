//! Items that have something in common.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use plugin_api::prelude::*;
use plugin_api::reading::{Field, List, canonical, label};
use plugin_api::value::Writer;

#[parameters]
pub(crate) struct Unique<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "items")]
    array: List<'a>,
    /// The field by which items are the same; by default the whole item.
    #[serde(default)]
    key: Option<Field<'a>>,
}

/// Keeps the first of items that are equal.
#[node(
    id = "list.unique",
    effect = "pure",
    tags = ["list"],
    example(title = "types count", input = r#"{"array": [1, 2, 1, "1"]}"#, output = r#"{"result": [1, 2, "1"]}"#),
    example(title = "maps", input = r#"{"array": [{"a": 1}, {"a": 1}]}"#, output = r#"{"result": [{"a": 1}]}"#),
    example(
        title = "by a field",
        input = r#"{"array": [{"id": 1, "v": "a"}, {"id": 1, "v": "b"}], "key": "id"}"#,
        output = r#"{"result": [{"id": 1, "v": "a"}]}"#
    )
)]
pub(crate) fn unique(input: Unique<'_>) -> Answer<Vec<ValueRef<'_>>> {
    let mut seen = HashSet::new();
    let is_new = |item: &ValueRef<'_>| {
        let field = input.key.as_ref().map_or(Some(*item), |key| key.of(*item));
        seen.insert(field.map(canonical))
    };
    answer(input.array.iter().filter(is_new).collect())
}

#[parameters]
pub(crate) struct GroupBy<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "items")]
    array: List<'a>,
    /// The field by which to group.
    key: Field<'a>,
}

/// Groups items by a field, into a map of lists. Items without the field are under `undefined`.
#[node(
    id = "list.groupBy",
    aliases = ["list.group_by"],
    effect = "pure",
    tags = ["list", "map"],
    example(
        title = "two groups",
        input = r#"{"array": [{"t": "x", "n": 1}, {"t": "y"}, {"t": "x", "n": 3}], "key": "t"}"#,
        output = r#"{"result": {"x": [{"t": "x", "n": 1}, {"t": "x", "n": 3}], "y": [{"t": "y"}]}}"#
    ),
    example(title = "without the field", input = r#"{"array": [1], "key": "t"}"#, output = r#"{"result": {"undefined": [1]}}"#)
)]
pub(crate) fn group_by(input: GroupBy<'_>) -> NodeResult<Answer<Value>> {
    let mut groups: Vec<(Cow<'_, str>, Vec<ValueRef<'_>>)> = Vec::new();
    let mut at = HashMap::new();
    for item in input.array.iter() {
        let name = name_of(input.key.of(item));
        let index = match at.entry(name.clone()) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                groups.push((name, Vec::new()));
                *entry.insert(groups.len() - 1)
            }
        };
        if let Some((_, items)) = groups.get_mut(index) {
            items.push(item);
        }
    }
    let mut out = Vec::new();
    Writer::new(&mut out).map(|map| {
        for (name, items) in &groups {
            map.entry(name, |entry| {
                entry.list(|list| items.iter().try_for_each(|item| list.value(*item)))
            })?;
        }
        Ok(())
    })?;
    Ok(answer(Value::from_encoded(out)?))
}

/// The text of a value, as the name of its group.
fn name_of(value: Option<ValueRef<'_>>) -> Cow<'_, str> {
    value.map_or(Cow::Borrowed("undefined"), label)
}
