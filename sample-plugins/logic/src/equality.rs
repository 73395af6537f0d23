//! Invariant: equality is deep, `1` equals `1.0` in it, and the order of a map's entries does not count.

use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Given, Number, same, same_by};

/// Which values of different types are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// None.
    Strict,
    /// Those that are the same number: `1`, `"1"` and `true`.
    Loose,
}

impl From<Option<Flag>> for Strictness {
    fn from(strict: Option<Flag>) -> Self {
        if strict == Some(Flag(false)) {
            Self::Loose
        } else {
            Self::Strict
        }
    }
}

/// Whether two values are equal.
pub(crate) fn equal(a: ValueRef<'_>, b: ValueRef<'_>, strictness: Strictness) -> bool {
    match strictness {
        Strictness::Strict => same(a, b),
        Strictness::Loose => same_by(a, b, &|a, b| same(a, b) || same_number(a, b)),
    }
}

/// Whether two values of different types say the same number. Two texts are equal as texts or not at all.
fn same_number(a: ValueRef<'_>, b: ValueRef<'_>) -> bool {
    let numbers = Number::read_or_flag(a).zip(Number::read_or_flag(b));
    a.kind() != b.kind() && numbers.is_some_and(|(a, b)| a.compare(b).is_eq())
}

#[parameters]
pub(crate) struct Pair<'a> {
    /// One value.
    #[serde(default)]
    a: Given<'a>,
    /// The other value.
    #[serde(default)]
    b: Given<'a>,
    /// Whether values of different types always differ. Otherwise `1`, `"1"` and `true` are equal.
    #[serde(default)]
    #[schemars(extend("default" = true))]
    strict: Option<Flag>,
}

impl Pair<'_> {
    fn equal(&self) -> bool {
        match (self.a.0, self.b.0, self.strict.into()) {
            (Some(a), Some(b), strictness) => equal(a, b, strictness),
            (None, None, _) => true,
            (Some(one), None, strictness) | (None, Some(one), strictness) => {
                strictness == Strictness::Loose && one.is_null()
            }
        }
    }
}

/// Says whether two values are equal, down to the last item of lists and maps.
#[node(
    id = "logic.equals",
    effect = "pure",
    tags = ["equality"],
    example(title = "two lists", input = r#"{"a": [1, {"k": 2}], "b": [1, {"k": 2.0}]}"#, output = r#"{"result": true}"#),
    example(title = "different types", input = r#"{"a": 1, "b": "1"}"#, output = r#"{"result": false}"#),
    example(title = "loosely", input = r#"{"a": 1, "b": "1", "strict": false}"#, output = r#"{"result": true}"#)
)]
pub(crate) fn equals(input: Pair<'_>) -> Answer<bool> {
    answer(input.equal())
}

/// Says whether two values differ.
#[node(
    id = "logic.notEquals",
    aliases = ["logic.not_equals"],
    effect = "pure",
    tags = ["equality"],
    example(title = "they do", input = r#"{"a": 1, "b": 2}"#, output = r#"{"result": true}"#),
    example(title = "loosely they do not", input = r#"{"a": 1, "b": "1", "strict": false}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn not_equals(input: Pair<'_>) -> Answer<bool> {
    answer(!input.equal())
}

#[parameters]
pub(crate) struct In<'a> {
    /// The value to look for.
    #[serde(default)]
    value: Given<'a>,
    /// The list to look in. A text, or anything else that is no list, has no items.
    #[serde(default, alias = "collection", alias = "list")]
    array: Given<'a>,
}

/// Says whether a value is one of the items of a list.
#[node(
    id = "logic.in",
    effect = "pure",
    tags = ["equality", "list"],
    example(title = "it is", input = r#"{"value": {"id": 2}, "array": [{"id": 1}, {"id": 2}]}"#, output = r#"{"result": true}"#),
    example(title = "another type", input = r#"{"value": "2", "array": [1, 2]}"#, output = r#"{"result": false}"#)
)]
pub(crate) fn contained(input: In<'_>) -> Answer<bool> {
    let value = input.value.value();
    let list = input.array.value().as_list();
    answer(list.is_some_and(|list| list.iter().any(|item| same(item, value))))
}
