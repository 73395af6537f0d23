//! A number and a switch.

use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Number, shown};

use super::{Call, Step, misplaced, unknown};

/// A number within its limits.
pub(super) fn counter(old: Option<ValueRef<'_>>, operation: &str, call: &Call<'_>) -> NodeResult<Step> {
    if let (Some(min), Some(max)) = (call.min, call.max)
        && min.compare(max).is_gt()
    {
        return Err(NodeError::invalid("min", "must not be greater than `max`"));
    }
    let initial = match call.initial.0.filter(|initial| !initial.is_null()) {
        None => Number::Int(0),
        Some(initial) => number("initial", initial)?,
    };
    let now = match old {
        None => initial,
        Some(old) => Number::exactly(old).ok_or_else(|| misplaced("a number", old))?,
    };
    let amount = call.amount.unwrap_or(Number::Int(1));
    let beyond = || NodeError::new("parameter `amount`: the result is no finite number");
    let next = match operation {
        "get" | "value" => return Ok(Step::default()),
        "increment" | "inc" | "add" => now.plus(amount).ok_or_else(beyond)?,
        "decrement" | "dec" | "subtract" => now.minus(amount).ok_or_else(beyond)?,
        "set" => number("value", call.value()?)?,
        "reset" => initial,
        _ => return Err(unknown("`get`, `increment`, `decrement`, `set` and `reset`")),
    };
    let next = call.min.filter(|min| next.compare(*min).is_lt()).unwrap_or(next);
    let next = call.max.filter(|max| next.compare(*max).is_gt()).unwrap_or(next);
    Ok(Step::to(Value::from_serialize(&next)?))
}

fn number(parameter: &str, value: ValueRef<'_>) -> NodeResult<Number> {
    let wrong = || {
        NodeError::invalid(
            parameter,
            format_args!("expected a number, found {}", shown(value)),
        )
    };
    Number::read(value).ok_or_else(wrong)
}

/// True or false.
pub(super) fn toggle(old: Option<ValueRef<'_>>, operation: &str, call: &Call<'_>) -> NodeResult<Step> {
    let initial = match call.initial.0.filter(|initial| !initial.is_null()) {
        None => false,
        Some(initial) => flag("initial", initial)?,
    };
    let now = match old {
        None => initial,
        Some(old) => old.as_bool().ok_or_else(|| misplaced("true or false", old))?,
    };
    let next = match operation {
        "get" | "value" => return Ok(Step::default()),
        "toggle" => !now,
        "on" | "settrue" => true,
        "off" | "setfalse" => false,
        "set" => flag("value", call.value()?)?,
        "reset" => initial,
        _ => {
            return Err(unknown(
                "`get`, `toggle`, `setTrue`, `setFalse`, `set` and `reset`",
            ));
        }
    };
    Ok(Step::to(next.into()))
}

fn flag(parameter: &str, value: ValueRef<'_>) -> NodeResult<bool> {
    let wrong = || {
        let found = shown(value);
        NodeError::invalid(parameter, format_args!("expected true or false, found {found}"))
    };
    Ok(Flag::read(value).ok_or_else(wrong)?.0)
}
