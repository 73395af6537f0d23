//! Invariant: sorting is stable and total: null comes last, and before it booleans, numbers, texts and the rest, each
//! among their kind.

use std::cmp::Ordering;

use plugin_api::prelude::*;
use plugin_api::value::Kind;

use crate::any::{Items, Outcome};
use crate::callback::{Here, group_name, meant};
use crate::shape::grouped;

/// 2^63, the first float above every `i64`.
const OVER_I64: f64 = 9_223_372_036_854_775_808.0;

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
    items: Items<'a>,
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
    let by = meant(input.by, ctx)?;
    let mut keyed: Vec<(Outcome<'_>, ValueRef<'_>)> = Vec::new();
    for (index, item) in input.items.iter().enumerate() {
        keyed.push((Here::at(index, item).by(by.as_deref(), ctx)?, item));
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

fn rank(value: ValueRef<'_>) -> u8 {
    match value.kind() {
        Kind::Bool => 0,
        Kind::I64 | Kind::F64 => 1,
        Kind::Str => 2,
        Kind::Bytes => 3,
        Kind::List => 4,
        Kind::Map => 5,
        Kind::Null => 6,
    }
}

fn compare(a: ValueRef<'_>, b: ValueRef<'_>) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| match a.kind() {
        Kind::Null => Ordering::Equal,
        Kind::Bool => a.as_bool().cmp(&b.as_bool()),
        Kind::I64 | Kind::F64 => compare_numbers(a, b),
        Kind::Str => a.as_str().cmp(&b.as_str()),
        Kind::Bytes => a.as_bytes().cmp(&b.as_bytes()),
        Kind::List => {
            let (a, b) = (
                a.as_list().into_iter().flatten(),
                b.as_list().into_iter().flatten(),
            );
            by_items(a, b)
        }
        Kind::Map => a.to_json().cmp(&b.to_json()),
    })
}

fn by_items<'v>(
    mut a: impl Iterator<Item = ValueRef<'v>>,
    mut b: impl Iterator<Item = ValueRef<'v>>,
) -> Ordering {
    loop {
        match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match compare(a, b) {
                Ordering::Equal => {}
                other => return other,
            },
        }
    }
}

/// Exact, also between an integer and a float.
fn compare_numbers(a: ValueRef<'_>, b: ValueRef<'_>) -> Ordering {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(a), None) => b.as_f64().map_or(Ordering::Equal, |b| compare_mixed(a, b)),
        (None, Some(b)) => a
            .as_f64()
            .map_or(Ordering::Equal, |a| compare_mixed(b, a).reverse()),
        (None, None) => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
    }
}

fn compare_mixed(integer: i64, float: f64) -> Ordering {
    if float >= OVER_I64 {
        return Ordering::Less;
    }
    if float < -OVER_I64 {
        return Ordering::Greater;
    }
    let whole = integer.cmp(&(float.trunc() as i64));
    whole.then_with(|| 0.0_f64.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal))
}

#[parameters]
pub(crate) struct Group<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "array")]
    items: Items<'a>,
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
    let by = meant(input.by, ctx)?;
    let mut named = Vec::new();
    for (index, item) in input.items.iter().enumerate() {
        let by = Here::at(index, item).by(by.as_deref(), ctx)?;
        named.push((group_name(by.as_ref()).into_owned(), item));
    }
    let (result, groups) = grouped(named)?;
    Ok(Groups { result, groups })
}
