//! Invariant: [`compare`] is a total order, in which values that are the same are equal.

use std::cmp::Ordering;

use super::Number;
use crate::value::{Kind, ValueRef};

/// An order of values of any kind: booleans, numbers, texts by code points, bytes, lists item by item, maps, and null
/// at the end.
#[must_use]
pub fn compare(a: ValueRef<'_>, b: ValueRef<'_>) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| match a.kind() {
        Kind::Null => Ordering::Equal,
        Kind::Bool => a.as_bool().cmp(&b.as_bool()),
        Kind::I64 | Kind::F64 => match (Number::exactly(a), Number::exactly(b)) {
            (Some(a), Some(b)) => a.compare(b),
            _ => Ordering::Equal,
        },
        Kind::Str => a.as_str().cmp(&b.as_str()),
        Kind::Bytes => a.as_bytes().cmp(&b.as_bytes()),
        Kind::List => in_turn(items(a), items(b), |a, b| compare(*a, *b)),
        Kind::Map => in_turn(entries(a).into_iter(), entries(b).into_iter(), |a, b| {
            a.0.cmp(b.0).then_with(|| compare(a.1, b.1))
        }),
    })
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

fn items(value: ValueRef<'_>) -> impl Iterator<Item = ValueRef<'_>> {
    value.as_list().into_iter().flatten()
}

/// By their keys, since their order does not count.
fn entries(value: ValueRef<'_>) -> Vec<(&str, ValueRef<'_>)> {
    let mut entries: Vec<_> = value.as_map().into_iter().flatten().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    entries
}

/// The first difference; what ends first is less.
fn in_turn<T>(
    mut a: impl Iterator<Item = T>,
    mut b: impl Iterator<Item = T>,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Ordering {
    loop {
        match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match compare(&a, &b) {
                Ordering::Equal => {}
                other => return other,
            },
        }
    }
}
