//! Invariant: sorting is stable and total: null comes last, and before it booleans, numbers, texts and the rest, each
//! among their kind.

use plugin_api::prelude::*;
use plugin_api::reading::{List, Outcome, compare, label};

use crate::by::{by, meant};
use crate::shape::grouped;

/// Which way.
#[parameters]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Direction {
    /// The least first.
    #[default]
    #[serde(alias = "ascending")]
    Asc,
    /// The largest first; null is last all the same.
    #[serde(alias = "descending")]
    Desc,
}

#[parameters]
pub(crate) struct Sort<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "array")]
    items: List<'a>,
    /// What to sort by: a field such as `user.age`, or an expression such as `$item.age`; the items themselves, if
    /// missing.
    #[serde(default, alias = "key", alias = "field")]
    #[schemars(length(max = 100_000), extend("x-template" = false, "x-aliases" = ["key", "field"]))]
    by: Option<&'a str>,
    /// `asc` or `desc`.
    #[serde(default, alias = "direction")]
    order: Direction,
}

/// Sorts a list. Items that are equal keep their order.
#[node(
    id = "utility.sort",
    effect = "idempotent",
    tags = ["list", "order"],
    example(
        title = "numbers and texts",
        input = r#"{"items": ["b", 10, null, 9.5, "a"]}"#,
        output = r#"{"result": [9.5, 10, "a", "b", null]}"#
    ),
    example(
        title = "by a field",
        input = r#"{"items": [{"age": 17}, {"age": 45}], "by": "age", "order": "desc"}"#,
        output = r#"{"result": [{"age": 45}, {"age": 17}]}"#
    )
)]
pub(crate) fn sort(input: Sort<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Value>> {
    let meant = meant(input.by, ctx)?;
    let mut keyed: Vec<(Outcome<'_>, ValueRef<'_>)> = Vec::new();
    for (index, item) in input.items.iter().enumerate() {
        keyed.push((by(meant.as_deref(), index, item, ctx)?, item));
    }
    keyed.sort_by(|(a, _), (b, _)| {
        let (a, b) = (a.as_ref(), b.as_ref());
        match (a.is_null() || b.is_null(), input.order) {
            (false, Direction::Desc) => compare(b, a),
            _ => compare(a, b),
        }
    });
    Ok(answer(Value::from_items(keyed.iter().map(|(_, item)| *item))?))
}

#[parameters]
pub(crate) struct Group<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "array")]
    items: List<'a>,
    /// What to group by: a field such as `user.role`, or an expression such as `$item.age > 18`; the items themselves, if
    /// missing.
    #[serde(default, alias = "key", alias = "field", alias = "groupBy")]
    #[schemars(
        length(max = 100_000),
        extend("x-template" = false, "x-aliases" = ["key", "field", "groupBy"])
    )]
    by: Option<&'a str>,
}

/// A list in groups.
#[output]
pub(crate) struct Groups {
    /// The items of each group, by the group's name.
    #[schemars(with = "std::collections::BTreeMap<String, Vec<Value>>")]
    result: Value,
    /// The names, in the order in which they came.
    groups: Vec<String>,
}

/// Puts the items of a list into groups. A group is named by the value as text; what has none is in `null`.
#[node(
    id = "utility.group",
    effect = "idempotent",
    tags = ["list"],
    example(
        title = "by a field",
        input = r#"{"items": [{"k": "a", "n": 1}, {"k": "b"}, {"k": "a"}], "by": "k"}"#,
        output = r#"{"result": {"a": [{"k": "a", "n": 1}, {"k": "a"}], "b": [{"k": "b"}]}, "groups": ["a", "b"]}"#
    ),
    example(
        title = "by themselves",
        input = r#"{"items": [1, 2, 1]}"#,
        output = r#"{"result": {"1": [1, 1], "2": [2]}, "groups": ["1", "2"]}"#
    )
)]
pub(crate) fn group(input: Group<'_>, ctx: &Ctx<'_>) -> NodeResult<Groups> {
    let meant = meant(input.by, ctx)?;
    let mut named = Vec::new();
    for (index, item) in input.items.iter().enumerate() {
        let by = by(meant.as_deref(), index, item, ctx)?;
        named.push((label(by.as_ref()).into_owned(), item));
    }
    let (result, groups) = grouped(named)?;
    Ok(Groups { result, groups })
}
