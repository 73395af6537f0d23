//! Invariant: a path is followed one key at a time, and is no longer than a value can be deep.

use plugin_api::prelude::*;
use plugin_api::reading::{Dict, Given, Key, step};
use plugin_api::serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use plugin_api::value::MAX_DEPTH;

use crate::object::Object;

#[parameters]
pub(crate) struct Get<'a> {
    /// The map to look in. Anything that is neither a map nor a list has no entries.
    #[serde(default, alias = "dict")]
    object: Given<'a>,
    /// Keys, and positions in lists, with dots between them.
    #[serde(default)]
    path: Option<Key<'a>>,
    /// The same by another name; whoever uses it is told whether something is there.
    #[serde(default)]
    key: Option<Key<'a>>,
    /// The result where nothing is there, or null is.
    #[serde(default)]
    default: Given<'a>,
}

/// The value that was looked for.
#[output]
pub(crate) struct Got<'a> {
    /// The value.
    result: ValueRef<'a>,
    /// Whether something is there, null or anything else; said to whoever gave a `key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<bool>,
}

/// Gives the value at the end of a path; the default, or null, if there is none.
#[node(
    id = "dict.get",
    effect = "pure",
    tags = ["map"],
    example(title = "inside", input = r#"{"object": {"a": [{"b": 1}]}, "path": "a.0.b"}"#, output = r#"{"result": 1}"#),
    example(title = "missing", input = r#"{"object": {}, "path": "x.y", "default": "none"}"#, output = r#"{"result": "none"}"#),
    example(title = "by key", input = r#"{"object": {"a": null}, "key": "a"}"#, output = r#"{"result": null, "found": true}"#)
)]
pub(crate) fn get<'a>(input: Get<'a>) -> NodeResult<Got<'a>> {
    let path = match (&input.path, &input.key) {
        (Some(path), None) | (None, Some(path)) => path,
        (Some(_), Some(_)) => return Err(NodeError::invalid("path", "give either `path` or `key`")),
        (None, None) => return Err(NodeError::invalid("path", "is missing")),
    };
    let there = path.0.split('.').try_fold(input.object.value(), step);
    let value = there.filter(|value| !value.is_null());
    Ok(Got {
        result: value.unwrap_or(input.default.value()),
        found: input.key.as_ref().map(|_| there.is_some()),
    })
}

#[parameters]
pub(crate) struct Set<'a> {
    /// The map to start from.
    #[serde(default, alias = "dict")]
    object: Dict<'a>,
    /// Keys, and positions in lists, with dots between them.
    #[serde(alias = "key")]
    path: Key<'a>,
    /// The value to put there.
    #[serde(default)]
    value: Given<'a>,
}

/// Puts a value at the end of a path. Maps that the path needs are made, also in place of a text, number or boolean.
#[node(
    id = "dict.set",
    effect = "pure",
    tags = ["map"],
    example(title = "a new key", input = r#"{"object": {"a": 1}, "path": "b", "value": 2}"#, output = r#"{"result": {"a": 1, "b": 2}}"#),
    example(title = "deeper", input = r#"{"path": "x.y", "value": true}"#, output = r#"{"result": {"x": {"y": true}}}"#)
)]
pub(crate) fn set(input: Set<'_>) -> NodeResult<Answer<Value>> {
    let path: Vec<&str> = input.path.0.split('.').take(MAX_DEPTH + 1).collect();
    if path.len() > MAX_DEPTH {
        let why = format_args!("has more than {MAX_DEPTH} keys");
        return Err(NodeError::invalid("path", why));
    }
    let mut reached = Some(input.object.value());
    for key in &path {
        let Some(value) = reached else {
            break;
        };
        let length = value.as_list().map(|list| list.len());
        // A position behind the last item makes a new one.
        if let Some(length) = length
            && key.parse().map_or(true, |position: usize| position > length)
        {
            let why = format_args!("`{key}` is no position in a list of {length}");
            return Err(NodeError::invalid("path", why));
        }
        reached = step(value, key);
    }
    let updated = Updated {
        base: input.object.value(),
        path: &path,
        value: input.value.value(),
    };
    let result = Value::from_serialize(&updated);
    result
        .map(answer)
        .map_err(|error| NodeError::invalid("path", error))
}

/// A value with another one put into it, where the lists along the path have the positions that it names.
struct Updated<'a> {
    base: ValueRef<'a>,
    path: &'a [&'a str],
    value: ValueRef<'a>,
}

impl Serialize for Updated<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some((key, path)) = self.path.split_first() else {
            return self.value.serialize(serializer);
        };
        let value = self.value;
        let inside = |base| Updated { base, path, value };
        if let Some(list) = self.base.as_list() {
            let position = key.parse::<usize>().unwrap_or(list.len());
            let mut out = serializer.serialize_seq(Some(list.len().max(position + 1)))?;
            for (index, item) in list.iter().enumerate() {
                if index == position {
                    out.serialize_element(&inside(item))?;
                } else {
                    out.serialize_element(&item)?;
                }
            }
            if position == list.len() {
                out.serialize_element(&inside(ValueRef::NULL))?;
            }
            return out.end();
        }
        let map = Dict::lenient(self.base);
        let mut out = serializer.serialize_map(None)?;
        for (name, there) in map.iter() {
            if name == *key {
                out.serialize_entry(name, &inside(there))?;
            } else {
                out.serialize_entry(name, &there)?;
            }
        }
        if map.get(key).is_none() {
            out.serialize_entry(key, &inside(ValueRef::NULL))?;
        }
        out.end()
    }
}

#[parameters]
pub(crate) struct Entry<'a> {
    /// The map.
    #[serde(default, alias = "dict")]
    object: Dict<'a>,
    /// The key; a dot in it has no meaning.
    key: Key<'a>,
}

/// Takes an entry out of a map.
#[node(
    id = "dict.delete",
    effect = "pure",
    tags = ["map"],
    example(title = "one of two", input = r#"{"object": {"a": 1, "b": 2}, "key": "a"}"#, output = r#"{"result": {"b": 2}}"#),
    example(title = "none", input = r#"{"object": {"a": {"b": 1}}, "key": "a.b"}"#, output = r#"{"result": {"a": {"b": 1}}}"#)
)]
pub(crate) fn delete(input: Entry<'_>) -> Answer<Object<'_>> {
    let others = input.object.iter().filter(|(key, _)| *key != input.key.0);
    answer(others.collect())
}

/// Says whether a map has a key, with null under it or anything else.
#[node(
    id = "dict.has",
    effect = "pure",
    tags = ["map"],
    example(title = "null is there", input = r#"{"object": {"a": null}, "key": "a"}"#, output = r#"{"result": true}"#),
    example(title = "nothing is there", input = r#"{"object": {}, "key": "b"}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn has(input: Entry<'_>) -> Answer<bool> {
    answer(input.object.get(&input.key.0).is_some())
}
