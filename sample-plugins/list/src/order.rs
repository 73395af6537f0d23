//! Invariant: an order of one list is total: its numbers are compared as numbers, or all of it as texts, never both ways
//! for the same two items; equal items keep theirs.

use std::cmp::Ordering;

use plugin_api::prelude::*;
use plugin_api::value::Kind;

use crate::reading::{Field, Given, List, shown};

/// 2^63, the first float above every `i64`.
const OVER_I64: f64 = 9_223_372_036_854_775_808.0;

/// What an item is ordered by. Nothing comes first, then numbers, then texts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rank<'a> {
    Nothing,
    Int(i64),
    Float(f64),
    Text(&'a str),
}

impl<'a> Rank<'a> {
    fn read(value: ValueRef<'a>) -> Option<Self> {
        match value.kind() {
            Kind::Null => Some(Self::Nothing),
            Kind::Bool => value.as_bool().map(|flag| Self::Int(flag.into())),
            Kind::I64 => value.as_i64().map(Self::Int),
            Kind::F64 => value.as_f64().map(Self::Float),
            Kind::Str => value.as_str().map(Self::Text),
            Kind::Bytes | Kind::List | Kind::Map => None,
        }
    }

    const fn is_number(self) -> bool {
        matches!(self, Self::Int(_) | Self::Float(_))
    }

    /// A text of a number as that number, for lists that have numbers too.
    fn as_number(self) -> Self {
        let Self::Text(text) = self else {
            return self;
        };
        let text = text.trim();
        let float = || text.parse().ok().filter(|float: &f64| float.is_finite());
        let number = text
            .parse()
            .ok()
            .map(Self::Int)
            .or_else(|| float().map(Self::Float));
        number.unwrap_or(self)
    }

    const fn class(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Int(_) | Self::Float(_) => 1,
            Self::Text(_) => 2,
        }
    }

    pub(crate) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(&b),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (Self::Int(a), Self::Float(b)) => compare_mixed(a, b),
            (Self::Float(a), Self::Int(b)) => compare_mixed(b, a).reverse(),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (one, other) => one.class().cmp(&other.class()),
        }
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
    descending: Option<bool>,
}

impl Sort<'_> {
    fn descending(&self) -> NodeResult<bool> {
        let order = self.order.value();
        if order.is_null() {
            return Ok(self.descending.unwrap_or(false));
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
            _ => order.as_bool().ok_or_else(|| {
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
    if ranked.iter().any(|(rank, _)| rank.is_number()) {
        for (rank, _) in &mut ranked {
            *rank = rank.as_number();
        }
    }
    ranked.sort_by(|(a, _), (b, _)| if descending { b.compare(*a) } else { a.compare(*b) });
    Ok(answer(ranked.into_iter().map(|(_, item)| item).collect()))
}
