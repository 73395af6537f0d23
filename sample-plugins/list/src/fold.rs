//! Something made of every item.

use plugin_api::prelude::*;
use plugin_api::reading::{Callback, Given, List, Place, shown};

#[parameters]
pub(crate) struct Map<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "items")]
    array: List<'a>,
    /// What becomes of an item: a template over `$item` and `$index`, or a list or map with templates in it.
    #[serde(default)]
    #[schemars(extend("x-template" = false))]
    transform: Given<'a>,
}

/// Makes a list of what a template gives for each item. A template that is one expression and nothing else keeps the
/// type of what that gives.
#[node(
    id = "list.map",
    effect = "idempotent",
    tags = ["list", "expression"],
    example(
        title = "a field",
        input = r#"{"array": [{"age": 17}, {"age": 30}], "transform": "{{ $item.age }}"}"#,
        output = r#"{"result": [17, 30]}"#
    ),
    example(
        title = "a map",
        input = r#"{"array": [{"age": 17}], "transform": {"age": "{{ $item.age }} years", "kind": "person"}}"#,
        output = r#"{"result": [{"age": "17 years", "kind": "person"}]}"#
    )
)]
pub(crate) fn map(input: Map<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Vec<Value>>> {
    let Some(transform) = input.transform.0 else {
        return Err(NodeError::invalid("transform", "give a template"));
    };
    let callback = Callback::new("transform", ctx);
    let items = input.array.iter().enumerate();
    let items = items.map(|(index, item)| callback.render(transform, Place::item(index, item)));
    Ok(answer(items.collect::<NodeResult<_>>()?))
}

#[parameters]
pub(crate) struct Reduce<'a> {
    /// The list. A text, or anything else that is no list, has no items.
    #[serde(default, alias = "list", alias = "items")]
    array: Given<'a>,
    /// An expression over `$acc` (what came so far), `$item` and `$index`, with or without braces.
    #[serde(default)]
    #[schemars(extend("type" = ["string", "null"], "x-template" = false))]
    reducer: Given<'a>,
    /// What `$acc` is for the first item. Without it, that is the first item, and the second one comes first.
    #[serde(default)]
    initial: Given<'a>,
}

/// Makes one value of a list, by an expression that is given each item in turn.
#[node(
    id = "list.reduce",
    effect = "idempotent",
    tags = ["list", "expression"],
    example(
        title = "a sum",
        input = r#"{"array": [1, 2, 3], "reducer": "$acc + $item", "initial": 0}"#,
        output = r#"{"result": 6}"#
    ),
    example(title = "of nothing", input = r#"{"array": [], "reducer": "$acc + $item", "initial": 5}"#, output = r#"{"result": 5}"#)
)]
pub(crate) fn reduce(input: Reduce<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Value>> {
    let reducer = input.reducer.value();
    let Some(reducer) = reducer.as_str() else {
        let why = format_args!("expected an expression, found {}", shown(reducer));
        return Err(NodeError::invalid("reducer", why));
    };
    let callback = Callback::new("reducer", ctx);
    let mut items = List::lenient(input.array.value()).iter().enumerate();
    let first = || items.next().map_or(ValueRef::NULL, |(_, item)| item);
    let mut acc = input.initial.0.unwrap_or_else(first).to_value();
    for (index, item) in items {
        acc = callback.evaluate(reducer, Place::reducing(index, item, acc.as_ref()))?;
    }
    Ok(answer(acc))
}
