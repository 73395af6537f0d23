//! Invariant: a test of items is one of three: a condition that the host evaluates, a field (that has a value), or a
//! value; a node that is given none of them says so.

use plugin_api::prelude::*;
use plugin_api::reading::{Callback, Field, Given, List, Place, same, truthy};

/// What a test has to say of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Match,
    Miss,
}

#[parameters]
pub(crate) struct Matching<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "items")]
    array: List<'a>,
    /// An expression over `$item` and `$index`, with or without braces.
    #[serde(default)]
    #[schemars(extend("x-template" = false))]
    condition: Given<'a>,
    /// A field of the items, instead of a condition: it has the value of `value`, or counts as true.
    #[serde(default)]
    key: Option<Field<'a>>,
    /// The value that the field has, or the whole item where there is no `key`.
    #[serde(default)]
    value: Given<'a>,
}

impl<'a> Matching<'a> {
    /// The items with that verdict, with their positions, found one at a time.
    fn matches<'i>(
        &'i self,
        ctx: &'i Ctx<'i>,
        wanted: Verdict,
    ) -> NodeResult<impl Iterator<Item = NodeResult<(usize, ValueRef<'a>)>>> {
        if self.condition.value().is_null() && self.key.is_none() && self.value.0.is_none() {
            return Err(NodeError::invalid(
                "condition",
                "give a condition, a key or a value",
            ));
        }
        let callback = Callback::new("condition", ctx);
        Ok(self.array.iter().enumerate().filter_map(move |entry| {
            let tested = self.test(&callback, entry);
            tested
                .map(|verdict| (verdict == wanted).then_some(entry))
                .transpose()
        }))
    }

    fn test(&self, callback: &Callback<'_>, (index, item): (usize, ValueRef<'_>)) -> NodeResult<Verdict> {
        let condition = self.condition.value();
        let found = self.key.as_ref().map_or(Some(item), |key| key.of(item));
        let matches = match (found, self.value.0) {
            _ if !condition.is_null() => callback.holds(condition, Place::item(index, item))?,
            (Some(found), Some(value)) => same(found, value),
            (Some(found), None) => truthy(found),
            (None, _) => false,
        };
        Ok(if matches { Verdict::Match } else { Verdict::Miss })
    }
}

/// The item that was looked for.
#[output]
pub(crate) struct Found<'a> {
    /// The item; null if there is none.
    result: ValueRef<'a>,
    /// Whether there is one; said of a search by `key` or `value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<bool>,
    /// Its position, -1 if there is none; said of a search by `key` or `value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<i64>,
}

/// Gives the first item that matches; null if none does. A search by `key` or `value` says where it is, too.
#[node(
    id = "list.find",
    effect = "idempotent",
    tags = ["list", "search", "expression"],
    example(
        title = "by a condition",
        input = r#"{"array": [{"age": 17}, {"age": 30}], "condition": "$item.age > 18"}"#,
        output = r#"{"result": {"age": 30}}"#
    ),
    example(
        title = "by a field",
        input = r#"{"array": [{"id": 1}, {"id": 2}], "key": "id", "value": 2}"#,
        output = r#"{"result": {"id": 2}, "found": true, "index": 1}"#
    )
)]
pub(crate) fn find<'a>(input: Matching<'a>, ctx: &Ctx<'_>) -> NodeResult<Found<'a>> {
    let found = input.matches(ctx, Verdict::Match)?.next().transpose()?;
    // Workflows that name a condition know no other field, and compare what they get as a whole.
    let tells = input.condition.value().is_null();
    Ok(Found {
        result: found.map_or(ValueRef::NULL, |(_, item)| item),
        found: tells.then_some(found.is_some()),
        index: tells.then(|| position(found)),
    })
}

fn position(found: Option<(usize, ValueRef<'_>)>) -> i64 {
    let index = found.and_then(|(index, _)| i64::try_from(index).ok());
    index.unwrap_or(-1)
}

/// Gives the position of the first item that matches; -1 if none does.
#[node(
    id = "list.findIndex",
    aliases = ["list.find_index"],
    effect = "idempotent",
    tags = ["list", "search", "expression"],
    example(
        title = "by a condition",
        input = r#"{"array": [{"age": 17}, {"age": 30}], "condition": "$item.age > 18"}"#,
        output = r#"{"result": 1}"#
    ),
    example(title = "by a value", input = r#"{"array": ["a"], "value": "b"}"#, output = r#"{"result": -1}"#)
)]
pub(crate) fn find_index(input: Matching<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<i64>> {
    let found = input.matches(ctx, Verdict::Match)?.next().transpose()?;
    Ok(answer(position(found)))
}

/// Keeps the items that match.
#[node(
    id = "list.filter",
    effect = "idempotent",
    tags = ["list", "search", "expression"],
    example(
        title = "by a condition",
        input = r#"{"array": [{"age": 17}, {"age": 30}], "condition": "{{ $item.age > 18 }}"}"#,
        output = r#"{"result": [{"age": 30}]}"#
    ),
    example(
        title = "by a field that counts as true",
        input = r#"{"array": [{"n": 1, "ok": true}, {"n": 2, "ok": false}, {"n": 3}], "key": "ok"}"#,
        output = r#"{"result": [{"n": 1, "ok": true}]}"#
    )
)]
pub(crate) fn filter<'a>(input: Matching<'a>, ctx: &Ctx<'_>) -> NodeResult<Answer<Vec<ValueRef<'a>>>> {
    let found = input.matches(ctx, Verdict::Match)?;
    Ok(answer(
        found.map(|found| Ok(found?.1)).collect::<NodeResult<_>>()?,
    ))
}

/// Says whether every item matches; of none, they do.
#[node(
    id = "list.every",
    effect = "idempotent",
    tags = ["list", "search", "expression"],
    example(
        title = "one is too young",
        input = r#"{"array": [{"age": 17}, {"age": 30}], "condition": "$item.age > 18"}"#,
        output = r#"{"result": false}"#
    ),
    example(
        title = "by a field",
        input = r#"{"array": [{"t": "x"}, {"t": "x"}], "key": "t", "value": "x"}"#,
        output = r#"{"result": true}"#
    )
)]
pub(crate) fn every(input: Matching<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<bool>> {
    let miss = input.matches(ctx, Verdict::Miss)?.next().transpose()?;
    Ok(answer(miss.is_none()))
}

/// Says whether any item matches.
#[node(
    id = "list.some",
    effect = "idempotent",
    tags = ["list", "search", "expression"],
    example(
        title = "one is old enough",
        input = r#"{"array": [{"age": 17}, {"age": 30}], "condition": "$item.age > 18"}"#,
        output = r#"{"result": true}"#
    ),
    example(title = "of none", input = r#"{"array": [], "condition": "$item.age > 18"}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn some(input: Matching<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<bool>> {
    let found = input.matches(ctx, Verdict::Match)?.next().transpose()?;
    Ok(answer(found.is_some()))
}
