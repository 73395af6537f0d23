//! One thing done with each item of a list.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Callback, Given, List, Place};

use crate::by::made;

/// A list that was made.
#[output]
pub(crate) struct Made {
    /// The list.
    #[schemars(with = "Vec<Value>")]
    result: Value,
    /// How many items it has.
    count: usize,
}

impl Made {
    fn of(items: &[ValueRef<'_>]) -> NodeResult<Self> {
        Ok(Self {
            result: Value::from_items(items.iter().copied())?,
            count: items.len(),
        })
    }
}

#[parameters]
pub(crate) struct Filter<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "array")]
    items: List<'a>,
    /// What keeps an item: an expression such as `$item.age > 18`, or a value for all of them.
    #[schemars(extend("x-template" = false))]
    condition: Any<'a>,
}

/// Keeps the items of a list for which a condition holds.
#[node(
    id = "utility.filter",
    aliases = ["filter"],
    effect = "idempotent",
    tags = ["list", "expression"],
    example(
        title = "all",
        input = r#"{"items": [1, 2], "condition": true}"#,
        output = r#"{"result": [1, 2], "count": 2}"#
    ),
    example(title = "none", input = r#"{"items": [1, 2], "condition": 0}"#, output = r#"{"result": [], "count": 0}"#)
)]
pub(crate) fn filter(input: Filter<'_>, ctx: &Ctx<'_>) -> NodeResult<Made> {
    let callback = Callback::new("condition", ctx);
    let mut kept = Vec::new();
    for (index, item) in input.items.iter().enumerate() {
        if callback.holds(input.condition.0, Place::item(index, item))? {
            kept.push(item);
        }
    }
    Made::of(&kept)
}

#[parameters]
pub(crate) struct Map<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "array")]
    items: List<'a>,
    /// What becomes of an item: an expression such as `$item.name`, or any value with `{{ $item.name }}` in its texts.
    #[serde(default, alias = "template", alias = "mapping")]
    #[schemars(extend("x-template" = false, "x-aliases" = ["template", "mapping"]))]
    transform: Given<'a>,
}

/// Makes a new item of each item of a list.
#[node(
    id = "utility.map",
    effect = "idempotent",
    tags = ["list", "expression", "template"],
    example(
        title = "none",
        input = r#"{"items": [], "transform": "$item"}"#,
        output = r#"{"result": [], "count": 0}"#
    ),
    example(title = "no list", input = r#"{"items": null, "transform": 1}"#, output = r#"{"result": [], "count": 0}"#)
)]
pub(crate) fn map(input: Map<'_>, ctx: &Ctx<'_>) -> NodeResult<Made> {
    let transform = input.transform.of("transform")?;
    let items = input.items.iter().enumerate();
    let callback = Callback::new("transform", ctx);
    let made = items.map(|(index, item)| made(&callback, transform, Place::item(index, item)));
    let made = made.collect::<NodeResult<Vec<Value>>>()?;
    let made: Vec<ValueRef<'_>> = made.iter().map(Value::as_ref).collect();
    Made::of(&made)
}

#[parameters]
pub(crate) struct Reduce<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "array")]
    items: List<'a>,
    /// An expression for the next result, such as `$acc + $item`.
    #[serde(default, alias = "expression")]
    #[schemars(
        length(min = 1, max = 100_000),
        extend("x-template" = false, "x-aliases" = ["expression"])
    )]
    reducer: Option<&'a str>,
    /// The result to begin with; the first item, if missing.
    #[serde(default)]
    initial: Given<'a>,
}

/// Makes one value of a list, item by item. That of an empty list is `initial`, or null.
#[node(
    id = "utility.reduce",
    effect = "idempotent",
    tags = ["list", "expression"],
    example(
        title = "none",
        input = r#"{"items": [], "reducer": "$acc + $item", "initial": 0}"#,
        output = r#"{"result": 0}"#
    ),
    example(title = "one", input = r#"{"items": [5], "reducer": "$acc + $item"}"#, output = r#"{"result": 5}"#)
)]
pub(crate) fn reduce(input: Reduce<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Value>> {
    let missing = || NodeError::invalid("reducer", "is missing");
    let reducer = input
        .reducer
        .filter(|reducer| !reducer.is_empty())
        .ok_or_else(missing)?;
    let callback = Callback::new("reducer", ctx);
    let mut items = input.items.iter().enumerate();
    let first = input.initial.0.or_else(|| items.next().map(|(_, item)| item));
    let mut acc = first.unwrap_or(ValueRef::NULL).to_value();
    for (index, item) in items {
        acc = callback.evaluate(reducer, Place::reducing(index, item, acc.as_ref()))?;
    }
    Ok(answer(acc))
}
