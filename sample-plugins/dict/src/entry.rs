//! Something asked or made of every entry.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::reading::{Callback, Dict, Given, Place};

use crate::object::Object;

#[parameters]
pub(crate) struct MapValues<'a> {
    /// The map.
    #[serde(default, alias = "dict")]
    object: Dict<'a>,
    /// What becomes of a value: a template over `$value` and `$key`, or a list or map with templates in it.
    #[serde(default)]
    #[schemars(extend("x-template" = false))]
    transform: Given<'a>,
}

/// Replaces each value by what a template gives for it. A template that is one expression and nothing else keeps the
/// type of what that gives.
#[node(
    id = "dict.mapValues",
    aliases = ["dict.map_values"],
    effect = "idempotent",
    tags = ["map", "expression"],
    example(
        title = "texts",
        input = r#"{"object": {"a": 1, "b": 2}, "transform": "v={{ $value }}"}"#,
        output = r#"{"result": {"a": "v=1", "b": "v=2"}}"#
    ),
    example(
        title = "maps",
        input = r#"{"object": {"a": 1}, "transform": {"n": "{{ $value }}", "of": "{{ $key }}"}}"#,
        output = r#"{"result": {"a": {"n": 1, "of": "a"}}}"#
    )
)]
pub(crate) fn map_values<'a>(input: MapValues<'a>, ctx: &Ctx<'_>) -> NodeResult<Answer<Object<'a, Value>>> {
    let Some(transform) = input.transform.0 else {
        return Err(NodeError::invalid("transform", "give a template"));
    };
    let callback = Callback::new("transform", ctx);
    let entries = input.object.iter();
    let entries = entries.map(|(key, value)| {
        let made = callback.render(transform, Place::entry(key, value))?;
        Ok((Cow::Borrowed(key), made))
    });
    Ok(answer(Object(entries.collect::<NodeResult<_>>()?)))
}

#[parameters]
pub(crate) struct FilterEntries<'a> {
    /// The map.
    #[serde(default, alias = "dict")]
    object: Dict<'a>,
    /// An expression over `$value` and `$key`, with or without braces.
    #[serde(default)]
    #[schemars(extend("x-template" = false))]
    condition: Given<'a>,
}

/// Keeps the entries for which a condition counts as true.
#[node(
    id = "dict.filterEntries",
    aliases = ["dict.filter_entries"],
    effect = "idempotent",
    tags = ["map", "expression"],
    example(
        title = "by value",
        input = r#"{"object": {"a": 1, "b": 0}, "condition": "$value"}"#,
        output = r#"{"result": {"a": 1}}"#
    ),
    example(
        title = "by key",
        input = r#"{"object": {"a": 1, "b": 0}, "condition": "{{ $key === 'b' }}"}"#,
        output = r#"{"result": {"b": 0}}"#
    )
)]
pub(crate) fn filter_entries<'a>(input: FilterEntries<'a>, ctx: &Ctx<'_>) -> NodeResult<Answer<Object<'a>>> {
    let condition = input.condition.value();
    if condition.is_null() {
        return Err(NodeError::invalid("condition", "give an expression"));
    }
    let callback = Callback::new("condition", ctx);
    let entries = input.object.iter().map(|(key, value)| {
        let keeps = callback.holds(condition, Place::entry(key, value))?;
        Ok(keeps.then_some((key, value)))
    });
    let kept = entries.filter_map(Result::transpose);
    Ok(answer(kept.collect::<NodeResult<_>>()?))
}
