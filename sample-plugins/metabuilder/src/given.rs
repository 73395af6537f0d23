//! Parameters that are looked at one by one, and results that are put together.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Given, Whole, shown};

/// A text longer than this is cut in a message.
const SHOWN_CHARS: usize = 80;

/// The value, unless it is null.
pub(crate) fn some<'a>(given: Given<'a>) -> Option<ValueRef<'a>> {
    given.0.filter(|value| !value.is_null())
}

/// The text for a message.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// What arrived at the first input; null when nothing did, and outside a workflow, where nothing arrives.
pub(crate) fn arrived(ctx: &Ctx<'_>) -> NodeResult<Value> {
    match ctx.input(0) {
        Ok(value) => Ok(value.unwrap_or_default()),
        Err(error) if error.code == code::UNSUPPORTED => Ok(Value::null()),
        Err(error) => Err(error),
    }
}

/// A map of these entries.
pub(crate) fn map<K: AsRef<str>>(entries: &[(K, Value)]) -> NodeResult<Value> {
    let entries = entries.iter().map(|(key, value)| (key, value.as_ref()));
    Ok(Value::from_pairs(entries)?)
}

/// A text that has to be there and says something.
pub(crate) fn text<'a>(value: Option<ValueRef<'a>>, parameter: &str) -> NodeResult<&'a str> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Err(NodeError::invalid(parameter, "is missing; give it a text"));
    };
    match value.as_str().filter(|text| !text.trim().is_empty()) {
        Some(text) => Ok(text),
        None => Err(NodeError::invalid(
            parameter,
            format_args!("expected a text that is not blank, found {}", shown(value)),
        )),
    }
}

/// A whole number of a range; a text that is one will do.
pub(crate) fn whole(value: ValueRef<'_>, parameter: &str, least: i64, most: i64) -> NodeResult<i64> {
    let wrong = || {
        NodeError::invalid(
            parameter,
            format_args!("expected a whole number, found {}", shown(value)),
        )
    };
    Whole::read(value)
        .ok_or_else(wrong)?
        .within(parameter, least..=most)
}

/// Says that an operation is not the one that a node is for.
pub(crate) fn only(operation: Option<&str>, known: &[&str]) -> NodeResult<()> {
    match (operation, known.first()) {
        (Some(operation), Some(own)) if !known.contains(&operation) => Err(NodeError::invalid(
            "operation",
            format_args!("must be `{own}`, or be left out, but is `{}`", cut(operation)),
        )),
        _ => Ok(()),
    }
}
