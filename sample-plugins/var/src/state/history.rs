//! A value and what it was before, kept as a map of `past`, `present` and `future`.

use plugin_api::prelude::*;
use plugin_api::reading::Whole;

use super::{Call, Step, misplaced, unknown};

/// Steps that can be undone unless the call says otherwise.
const STEPS: i64 = 50;

pub(super) fn history(old: Option<ValueRef<'_>>, operation: &str, call: &Call<'_>) -> NodeResult<Step> {
    let limit = call.limit.unwrap_or(Whole(STEPS)).within("limit", 1..=1_000)? as usize;
    let list = |field: &str| {
        let list = old.and_then(|old| old.get(field)?.as_list());
        list.into_iter().flatten().collect::<Vec<_>>()
    };
    let (mut past, mut future) = (list("past"), list("future"));
    let mut present = match old {
        None => call.initial.value(),
        Some(old) => old.get("present").ok_or_else(|| misplaced("a history", old))?,
    };
    let before = present;
    match operation {
        "get" | "value" => return Ok(Step::default()),
        "set" => {
            past.push(present);
            present = call.value()?;
            future.clear();
        }
        // With nothing to undo or to do again everything stays as it is.
        "undo" => {
            if let Some(earlier) = past.pop() {
                future.insert(0, present);
                present = earlier;
            }
        }
        "redo" => {
            if !future.is_empty() {
                past.push(present);
                present = future.remove(0);
            }
        }
        "clear" => {
            past.clear();
            future.clear();
        }
        "reset" => {
            past.clear();
            future.clear();
            present = call.initial.value();
        }
        _ => return Err(unknown("`get`, `set`, `undo`, `redo`, `clear` and `reset`")),
    }
    past.drain(..past.len().saturating_sub(limit));
    let (past, future) = (Value::from_items(past)?, Value::from_items(future)?);
    let state = [
        ("past", past.as_ref()),
        ("present", present),
        ("future", future.as_ref()),
    ];
    let state = Step::to(Value::from_pairs(state)?);
    Ok(match operation {
        "set" => state,
        _ => state.with(before.to_value()),
    })
}
