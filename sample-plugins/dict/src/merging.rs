//! Invariant: of two values under one key the later one counts; where both are maps and merging is deep, they are
//! merged in turn. What is not merged is borrowed.

use std::borrow::Cow;

use indexmap::IndexMap;
use plugin_api::prelude::*;
use plugin_api::reading::{Flag, List, shown};
use plugin_api::serde::ser::{Serialize, Serializer};
use plugin_api::value::MapRef;

use crate::object::Object;

/// A value, or a map that is being merged.
#[derive(Debug)]
pub(crate) enum Merged<'a> {
    Value(ValueRef<'a>),
    Map(IndexMap<Cow<'a, str>, Merged<'a>>),
}

impl Serialize for Merged<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Map(entries) => serializer.collect_map(entries),
        }
    }
}

/// How far down to merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Shallow,
    Deep,
}

/// A value is no deeper than the format of values allows, so neither is this.
fn merge_into<'a>(target: &mut IndexMap<Cow<'a, str>, Merged<'a>>, source: MapRef<'a>, depth: Depth) {
    for (key, value) in source.iter() {
        let both = Option::zip(target.get_mut(key), value.as_map()).filter(|_| depth == Depth::Deep);
        if let Some((there, map)) = both
            && let Some(entries) = opened(there)
        {
            merge_into(entries, map, depth);
            continue;
        }
        target.insert(Cow::Borrowed(key), Merged::Value(value));
    }
}

/// The entries of a map, made one that can be merged.
fn opened<'m, 'a>(merged: &'m mut Merged<'a>) -> Option<&'m mut IndexMap<Cow<'a, str>, Merged<'a>>> {
    if let Merged::Value(value) = merged {
        let entries = value.as_map()?.iter();
        let entries = entries.map(|(key, value)| (Cow::Borrowed(key), Merged::Value(value)));
        *merged = Merged::Map(entries.collect());
    }
    match merged {
        Merged::Map(entries) => Some(entries),
        Merged::Value(_) => None,
    }
}

fn merged(objects: List<'_>, depth: Depth) -> NodeResult<Answer<Object<'_, Merged<'_>>>> {
    let mut out = IndexMap::new();
    for (index, object) in objects.iter().enumerate() {
        if object.is_null() {
            continue;
        }
        let Some(map) = object.as_map() else {
            let why = format_args!("expected a map, found {}", shown(object));
            return Err(NodeError::invalid(&format!("objects[{index}]"), why));
        };
        merge_into(&mut out, map, depth);
    }
    Ok(answer(Object(out)))
}

#[parameters]
pub(crate) struct Merge<'a> {
    /// The maps to merge, in order. Null counts as an empty one.
    #[serde(default, alias = "dicts")]
    objects: List<'a>,
    /// Whether to merge maps inside the maps too.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    deep: Option<Flag>,
}

/// Puts the entries of several maps into one. Of entries with the same key the last one counts.
#[node(
    id = "dict.merge",
    effect = "pure",
    tags = ["map"],
    example(title = "two maps", input = r#"{"objects": [{"a": 1, "b": 2}, {"b": 3}]}"#, output = r#"{"result": {"a": 1, "b": 3}}"#),
    example(title = "not inside", input = r#"{"objects": [{"a": {"x": 1}}, {"a": {"y": 2}}]}"#, output = r#"{"result": {"a": {"y": 2}}}"#)
)]
pub(crate) fn merge(input: Merge<'_>) -> NodeResult<Answer<Object<'_, Merged<'_>>>> {
    let depth = if input.deep == Some(Flag(true)) {
        Depth::Deep
    } else {
        Depth::Shallow
    };
    merged(input.objects, depth)
}

#[parameters]
pub(crate) struct DeepMerge<'a> {
    /// The maps to merge, in order. Null counts as an empty one.
    #[serde(default, alias = "dicts")]
    objects: List<'a>,
}

/// Puts the entries of several maps into one, and those of the maps inside them too. A list is replaced, not merged.
#[node(
    id = "dict.deepMerge",
    aliases = ["dict.deep_merge"],
    effect = "pure",
    tags = ["map"],
    example(
        title = "inside too",
        input = r#"{"objects": [{"a": {"x": 1}}, {"a": {"y": 2}}]}"#,
        output = r#"{"result": {"a": {"x": 1, "y": 2}}}"#
    ),
    example(title = "lists", input = r#"{"objects": [{"a": [1, 2]}, {"a": [3]}]}"#, output = r#"{"result": {"a": [3]}}"#)
)]
pub(crate) fn deep_merge(input: DeepMerge<'_>) -> NodeResult<Answer<Object<'_, Merged<'_>>>> {
    merged(input.objects, Depth::Deep)
}
