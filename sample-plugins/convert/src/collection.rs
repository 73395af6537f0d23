//! Values as lists and maps.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Text};
use plugin_api::value::Kind;

use crate::text::Convert;

#[parameters]
pub(crate) struct ToArray<'a> {
    /// The value to convert.
    #[serde(default)]
    value: Any<'a>,
    /// Where to split a text that is no JSON list; the empty text splits between all characters.
    #[serde(default)]
    #[schemars(extend("default" = ","))]
    separator: Option<Text<'a>>,
}

/// Makes a list: of a text that is a JSON list or has separators, of the values of a map, of nothing the empty list, of
/// anything else a list with one item.
#[node(
    id = "convert.toArray",
    aliases = ["convert.to_array", "convert.toList", "convert.to_list"],
    effect = "pure",
    tags = ["list"],
    example(title = "a JSON text", input = r#"{"value": "[1, 2]"}"#, output = r#"{"result": [1, 2]}"#),
    example(title = "a text", input = r#"{"value": "a, b"}"#, output = r#"{"result": ["a", "b"]}"#),
    example(title = "a map", input = r#"{"value": {"x": 1, "y": 2}}"#, output = r#"{"result": [1, 2]}"#)
)]
pub(crate) fn to_array(input: ToArray<'_>) -> NodeResult<Answer<Value>> {
    let value = input.value.0;
    Ok(answer(match value.kind() {
        Kind::Null => list(&[(); 0])?,
        Kind::List => value.to_value(),
        Kind::Map => list(&value.as_map().map(|map| map.values().collect::<Vec<_>>()))?,
        Kind::Str => {
            let separator = input.separator.as_ref().map_or(",", Text::as_str);
            split(value.as_str().unwrap_or_default(), separator)?
        }
        Kind::Bool | Kind::I64 | Kind::F64 | Kind::Bytes => list(&[value])?,
    }))
}

fn split(text: &str, separator: &str) -> NodeResult<Value> {
    if text.trim_start().starts_with('[')
        && let Ok(parsed) = Value::from_json(text)
    {
        return Ok(parsed);
    }
    if text.is_empty() {
        return list(&[(); 0]);
    }
    if separator.is_empty() {
        return list(&text.chars().collect::<Vec<_>>());
    }
    list(&text.split(separator).map(str::trim).collect::<Vec<_>>())
}

fn list<T: plugin_api::serde::Serialize + ?Sized>(items: &T) -> NodeResult<Value> {
    Ok(Value::from_serialize(items)?)
}

/// Makes a map: of a text that is JSON what it says, of a list one with the positions as keys, of anything else one with
/// the key `value`.
#[node(
    id = "convert.toObject",
    aliases = ["convert.to_object", "convert.toDict", "convert.to_dict"],
    effect = "pure",
    tags = ["map"],
    example(title = "a JSON text", input = r#"{"value": "{\"a\": 1}"}"#, output = r#"{"result": {"a": 1}}"#),
    example(title = "a list", input = r#"{"value": [7, 8]}"#, output = r#"{"result": {"0": 7, "1": 8}}"#),
    example(title = "a number", input = r#"{"value": 5}"#, output = r#"{"result": {"value": 5}}"#)
)]
pub(crate) fn to_object(input: Convert<'_>) -> NodeResult<Answer<Value>> {
    let value = input.value();
    if value.as_map().is_some() {
        return Ok(answer(value.to_value()));
    }
    if let Some(text) = value.as_str()
        && text.trim_start().starts_with(['{', '['])
        && let Ok(parsed) = Value::from_json(text)
    {
        return Ok(answer(parsed));
    }
    let mut out = Vec::new();
    plugin_api::value::Writer::new(&mut out).map(|map| {
        let Some(items) = value.as_list() else {
            return map.entry("value", |entry| entry.value(value));
        };
        for (index, item) in items.iter().enumerate() {
            map.entry(&index.to_string(), |entry| entry.value(item))?;
        }
        Ok(())
    })?;
    Ok(answer(Value::from_encoded(out)?))
}
