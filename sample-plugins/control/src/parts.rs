//! A list, cut up.

use plugin_api::prelude::*;
use plugin_api::reading::{Given, Whole, excerpt};

use crate::joining::unarrived;

#[parameters]
pub(crate) struct Split<'a> {
    /// The list; what arrived at the first input, if missing.
    #[serde(default, alias = "list", alias = "array", alias = "value")]
    #[schemars(extend("type" = ["array", "null"]))]
    items: Given<'a>,
    /// How many items each part has; the last one may have fewer. Without it the parts are the items themselves.
    #[serde(default, alias = "batchSize", alias = "batch_size")]
    #[schemars(range(min = 1))]
    size: Option<Whole>,
}

/// A list in parts.
#[output]
pub(crate) struct Parts {
    /// The parts: items, or lists of them.
    #[schemars(with = "Vec<Value>")]
    result: Value,
    /// How many there are.
    count: usize,
}

/// Cuts a list into parts of a size.
#[node(
    id = "split",
    aliases = ["control.split"],
    category = "control",
    effect = "idempotent",
    tags = ["list", "batch"],
    example(
        title = "by two",
        input = r#"{"items": [1, 2, 3], "size": 2}"#,
        output = r#"{"result": [[1, 2], [3]], "count": 2}"#
    ),
    example(title = "items", input = r#"{"items": ["a", "b"]}"#, output = r#"{"result": ["a", "b"], "count": 2}"#)
)]
pub(crate) fn split(input: Split<'_>, ctx: &Ctx<'_>) -> NodeResult<Parts> {
    let arrived;
    let items = match input.items.0 {
        Some(items) => items,
        None => {
            arrived = ctx
                .input(0)
                .map_err(|error| unarrived(error, "items"))?
                .unwrap_or_default();
            let arrived = arrived.as_ref();
            arrived.get("result").unwrap_or(arrived)
        }
    };
    let wrong = || NodeError::invalid("items", format_args!("expected a list, found {}", excerpt(items)));
    let list = items.as_list().ok_or_else(wrong)?;
    let Some(size) = input.size else {
        return Ok(Parts {
            result: items.to_value(),
            count: list.len(),
        });
    };
    let size = size.within("size", 1..=i64::MAX)?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let all: Vec<ValueRef<'_>> = list.iter().collect();
    let parts = all
        .chunks(size)
        .map(|part| Ok(Value::from_items(part.iter().copied())?));
    let parts = parts.collect::<NodeResult<Vec<Value>>>()?;
    Ok(Parts {
        result: Value::from_items(parts.iter().map(Value::as_ref))?,
        count: parts.len(),
    })
}
