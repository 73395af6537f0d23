//! Lists that are used in one way or another, and maps.

use plugin_api::prelude::*;
use plugin_api::reading::{canonical, same, shown};

use super::{Call, MOST_ITEMS, Step, items, misplaced, unknown};

/// The items of a state, or of what it begins with.
fn of<'v>(old: Option<ValueRef<'v>>, call: &Call<'v>) -> NodeResult<Vec<ValueRef<'v>>> {
    match old {
        Some(old) => {
            let list = old.as_list().ok_or_else(|| misplaced("a list", old))?;
            Ok(list.iter().collect())
        }
        None => initial(call),
    }
}

fn initial<'v>(call: &Call<'v>) -> NodeResult<Vec<ValueRef<'v>>> {
    match call.initial.0.filter(|initial| !initial.is_null()) {
        None => Ok(Vec::new()),
        Some(initial) => listed("initial", initial),
    }
}

fn listed<'v>(parameter: &str, value: ValueRef<'v>) -> NodeResult<Vec<ValueRef<'v>>> {
    let wrong = || NodeError::invalid(parameter, format_args!("expected a list, found {}", shown(value)));
    Ok(value.as_list().ok_or_else(wrong)?.iter().collect())
}

/// The state without an item that was taken out of it.
fn without(now: Vec<ValueRef<'_>>, taken: Option<ValueRef<'_>>) -> NodeResult<Step> {
    let taken = taken.map_or_else(Value::null, |taken| taken.to_value());
    Ok(Step::to(items(now)?).with(taken))
}

fn looked_up(value: Option<ValueRef<'_>>) -> Step {
    Step::found(value.map_or_else(Value::null, |value| value.to_value()))
}

pub(super) fn list(old: Option<ValueRef<'_>>, operation: &str, call: &Call<'_>) -> NodeResult<Step> {
    let mut now = of(old, call)?;
    let length = now.len();
    let position = |end: usize| {
        let missing = || NodeError::invalid("index", "is missing");
        let index = call.index.ok_or_else(missing)?;
        let why = || {
            let why = format_args!("{} is no position in a list of {length}", index.0);
            NodeError::invalid("index", why)
        };
        index
            .index_in(length)
            .filter(|index| *index < end)
            .ok_or_else(why)
    };
    match operation {
        "get" if call.index.is_none() => return Ok(Step::default()),
        "get" | "at" => return Ok(looked_up(now.get(position(length)?).copied())),
        "push" | "add" | "append" => now.push(call.value()?),
        "unshift" | "prepend" => now.insert(0, call.value()?),
        "pop" => {
            let taken = now.pop();
            return without(now, taken);
        }
        "shift" => {
            let taken = (!now.is_empty()).then(|| now.remove(0));
            return without(now, taken);
        }
        "insert" => now.insert(position(length + 1)?, call.value()?),
        "update" | "setat" => {
            let value = call.value()?;
            if let Some(item) = now.get_mut(position(length)?) {
                *item = value;
            }
        }
        "remove" | "removeat" | "delete" => {
            let taken = now.remove(position(length)?);
            return without(now, Some(taken));
        }
        "set" | "replace" => now = listed("value", call.value()?)?,
        "clear" => now.clear(),
        "reset" => now = initial(call)?,
        _ => {
            return Err(unknown(
                "`get`, `push`, `pop`, `shift`, `unshift`, `insert`, `update`, `remove`, `set`, `clear` and `reset`",
            ));
        }
    }
    Ok(Step::to(items(now)?))
}

pub(super) fn stack(old: Option<ValueRef<'_>>, operation: &str, call: &Call<'_>) -> NodeResult<Step> {
    let mut now = of(old, call)?;
    match operation {
        "get" => return Ok(Step::default()),
        "peek" | "top" => return Ok(looked_up(now.last().copied())),
        "push" | "add" => now.push(call.value()?),
        "pop" => {
            let taken = now.pop();
            return without(now, taken);
        }
        "clear" => now.clear(),
        "reset" => now = initial(call)?,
        _ => return Err(unknown("`get`, `push`, `pop`, `peek`, `clear` and `reset`")),
    }
    Ok(Step::to(items(now)?))
}

pub(super) fn queue(old: Option<ValueRef<'_>>, operation: &str, call: &Call<'_>) -> NodeResult<Step> {
    let mut now = of(old, call)?;
    match operation {
        "get" => return Ok(Step::default()),
        "peek" | "front" => return Ok(looked_up(now.first().copied())),
        "enqueue" | "push" | "add" => now.push(call.value()?),
        "dequeue" | "shift" | "pop" => {
            let taken = (!now.is_empty()).then(|| now.remove(0));
            return without(now, taken);
        }
        "clear" => now.clear(),
        "reset" => now = initial(call)?,
        _ => {
            return Err(unknown(
                "`get`, `enqueue`, `dequeue`, `peek`, `clear` and `reset`",
            ));
        }
    }
    Ok(Step::to(items(now)?))
}

/// A list without equal items.
pub(super) fn set(old: Option<ValueRef<'_>>, operation: &str, call: &Call<'_>) -> NodeResult<Step> {
    let mut now = unique(of(old, call)?);
    let place = |value: ValueRef<'_>| now.iter().position(|item| same(*item, value));
    match operation {
        "get" | "values" => return Ok(Step::default()),
        "has" => return Ok(Step::found(place(call.value()?).is_some().into())),
        "add" | "delete" | "remove" | "toggle" => {
            let value = call.value()?;
            let there = place(value);
            match (there, operation) {
                (None, "add" | "toggle") => now.push(value),
                (Some(place), "delete" | "remove" | "toggle") => drop(now.remove(place)),
                _ => {}
            }
            return Ok(Step::to(items(now)?).with(there.is_some().into()));
        }
        "clear" => now.clear(),
        "reset" => now = unique(initial(call)?),
        _ => {
            return Err(unknown(
                "`get`, `add`, `delete`, `has`, `toggle`, `clear` and `reset`",
            ));
        }
    }
    Ok(Step::to(items(now)?))
}

fn unique(items: Vec<ValueRef<'_>>) -> Vec<ValueRef<'_>> {
    let mut seen = std::collections::HashSet::new();
    items
        .into_iter()
        .filter(|item| seen.insert(canonical(*item)))
        .collect()
}

pub(super) fn map(old: Option<ValueRef<'_>>, operation: &str, call: &Call<'_>) -> NodeResult<Step> {
    let initial = || match call.initial.0.filter(|initial| !initial.is_null()) {
        None => Ok(Value::empty_map()),
        Some(initial) if initial.as_map().is_some() => Ok(initial.to_value()),
        Some(initial) => {
            let why = format_args!("expected a map, found {}", shown(initial));
            Err(NodeError::invalid("initial", why))
        }
    };
    let now = match old {
        Some(old) if old.as_map().is_some() => old.to_value(),
        Some(old) => return Err(misplaced("a map", old)),
        None => initial()?,
    };
    let entries = now.as_ref();
    match operation {
        "get" if call.key.is_none() => Ok(Step::default()),
        "get" => Ok(looked_up(entries.get(call.key()?))),
        "has" => Ok(Step::found(entries.get(call.key()?).is_some().into())),
        "set" => {
            let (key, value) = (call.key()?, call.value()?);
            let before = entries.get(key);
            if before.is_none() && entries.as_map().is_some_and(|map| map.len() >= MOST_ITEMS) {
                let message = format!("parameter `key`: a state keeps at most {MOST_ITEMS} entries");
                return Err(NodeError::with_code(
                    plugin_api::error::code::LIMIT_EXCEEDED,
                    message,
                ));
            }
            let others = entries.as_map().into_iter().flatten();
            let others = others.map(|(name, there)| (name, if name == key { value } else { there }));
            let new = before.is_none().then_some((key, value));
            Ok(Step::to(Value::from_pairs(others.chain(new))?).with(looked_up(before).value))
        }
        "delete" | "remove" => {
            let key = call.key()?;
            let others = entries
                .as_map()
                .into_iter()
                .flatten()
                .filter(|(name, _)| *name != key);
            Ok(Step::to(Value::from_pairs(others)?).with(looked_up(entries.get(key)).value))
        }
        "clear" => Ok(Step::to(Value::empty_map())),
        "reset" => Ok(Step::to(initial()?)),
        _ => Err(unknown("`get`, `has`, `set`, `delete`, `clear` and `reset`")),
    }
}
