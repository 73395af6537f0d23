//! Invariant: an order of one list is total: its numbers are compared as numbers, or all of it as texts, never both ways
//! for the same two items; equal items keep theirs.

use std::cmp::Ordering;

use plugin_api::prelude::*;
use plugin_api::reading::{Field, Flag, Given, List, Number, shown};
use plugin_api::value::Kind;

/// What an item is ordered by. Nothing comes first, then numbers, then texts.
#[derive(Clone, Copy, Debug)]
enum Rank<'a> {
    Nothing,
    Number(Number),
    Text(&'a str),
}

impl<'a> Rank<'a> {
    fn read(value: ValueRef<'a>) -> Option<Self> {
        match value.kind() {
            Kind::Null => Some(Self::Nothing),
            Kind::Str => value.as_str().map(Self::Text),
            Kind::Bool | Kind::I64 | Kind::F64 => Number::read_or_flag(value).map(Self::Number),
            Kind::Bytes | Kind::List | Kind::Map => None,
        }
    }

    /// A text of a number as that number, for lists that have numbers too.
    fn as_number(self) -> Self {
        match self {
            Self::Text(text) => Number::of_text(text).map_or(self, Self::Number),
            other => other,
        }
    }

    const fn class(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
        }
    }

    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.compare(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (one, other) => one.class().cmp(&other.class()),
        }
    }
}

#[parameters]
pub(crate) struct Sort<'a> {
    /// The list.
    #[serde(default, alias = "list", alias = "items")]
    array: List<'a>,
    /// The field to sort by; by default the whole item.
    #[serde(default)]
    key: Option<Field<'a>>,
    /// `asc` or `desc`.
    #[serde(default)]
    #[schemars(extend("type" = ["string", "boolean", "null"], "default" = "asc"))]
    order: Given<'a>,
    /// Whether the largest comes first; instead of `order`.
    #[serde(default, alias = "reverse")]
    descending: Option<Flag>,
}

impl Sort<'_> {
    fn descending(&self) -> NodeResult<bool> {
        let order = self.order.value();
        if order.is_null() {
            return Ok(self.descending.unwrap_or_default().0);
        }
        if self.descending.is_some() {
            return Err(NodeError::invalid(
                "descending",
                "give either `order` or `descending`",
            ));
        }
        match order.as_str().map(str::to_ascii_lowercase).as_deref() {
            Some("asc" | "ascending") => Ok(false),
            Some("desc" | "descending") => Ok(true),
            _ => Flag::read(order).map(|flag| flag.0).ok_or_else(|| {
                let why = format_args!("must be `asc` or `desc`, but is {}", shown(order));
                NodeError::invalid("order", why)
            }),
        }
    }
}

/// Sorts a list: null first, then numbers, then texts by code points. Equal items keep their order. Beside a number, a
/// text of a number is one.
#[node(
    id = "list.sort",
    effect = "pure",
    tags = ["list", "order"],
    example(title = "numbers", input = r#"{"array": [10, 9, 1]}"#, output = r#"{"result": [1, 9, 10]}"#),
    example(
        title = "by a field, the largest first",
        input = r#"{"array": [{"n": 1}, {"n": 3}, {"n": 2}], "key": "n", "order": "desc"}"#,
        output = r#"{"result": [{"n": 3}, {"n": 2}, {"n": 1}]}"#
    )
)]
pub(crate) fn sort(input: Sort<'_>) -> NodeResult<Answer<Vec<ValueRef<'_>>>> {
    let descending = input.descending()?;
    let mut ranked = Vec::with_capacity(input.array.len());
    for (index, item) in input.array.iter().enumerate() {
        let field = input.key.as_ref().map_or(Some(item), |key| key.of(item));
        let field = field.unwrap_or(ValueRef::NULL);
        let rank = Rank::read(field).ok_or_else(|| {
            let why = format_args!("{} has no place in an order", shown(field));
            NodeError::invalid(&format!("array[{index}]"), why)
        })?;
        ranked.push((rank, item));
    }
    if ranked.iter().any(|(rank, _)| matches!(rank, Rank::Number(_))) {
        for (rank, _) in &mut ranked {
            *rank = rank.as_number();
        }
    }
    ranked.sort_by(|(a, _), (b, _)| if descending { b.compare(*a) } else { a.compare(*b) });
    Ok(answer(ranked.into_iter().map(|(_, item)| item).collect()))
}
