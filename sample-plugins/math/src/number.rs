//! Invariant: a [`Number`] is finite when it is read and when it is written, and one number is written in one way.

use std::borrow::Cow;
use std::cmp::Ordering;

use plugin_api::prelude::*;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::serde::ser::{Serialize, Serializer};
use plugin_api::value::{Kind, ListRef};

/// Floats up to this size stand for every integer exactly once.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// 2^63, the first float above every `i64`.
const OVER_I64: f64 = 9_223_372_036_854_775_808.0;

/// An integer as long as it is exact, else a float.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    /// The integer if it fits, else the nearest float.
    pub(crate) fn nearest(integer: i128) -> Self {
        i64::try_from(integer).map_or(Self::Float(integer as f64), Self::Int)
    }

    pub(crate) fn as_f64(self) -> f64 {
        match self {
            Self::Int(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }

    pub(crate) fn is_zero(self) -> bool {
        self.as_f64() == 0.0
    }

    /// The integer, if this is one.
    pub(crate) fn whole(self) -> Option<i64> {
        match self.simplest() {
            Self::Int(integer) => Some(integer),
            Self::Float(_) => None,
        }
    }

    /// Exact, also between an integer and a float.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(&b),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (Self::Int(a), Self::Float(b)) => compare_mixed(a, b),
            (Self::Float(a), Self::Int(b)) => compare_mixed(b, a).reverse(),
        }
    }

    /// `3.0` is written `3`: whoever reads the result need not know how it came about.
    fn simplest(self) -> Self {
        match self {
            Self::Float(float) if float.fract() == 0.0 && float.abs() <= EXACT => Self::Int(float as i64),
            other => other,
        }
    }

    /// The result of a node, unless it has left the range of numbers on account of `parameter`.
    pub(crate) fn result(self, parameter: &str) -> NodeResult<Answer<Self>> {
        match self {
            Self::Float(float) if !float.is_finite() => {
                Err(undefined(parameter, "the result is no finite number"))
            }
            number => Ok(answer(number)),
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

/// The operation has no result for a value that is well-formed in itself.
pub(crate) fn undefined(parameter: &str, why: impl std::fmt::Display) -> NodeError {
    NodeError::new(format!("parameter `{parameter}`: {why}"))
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        read(value).ok_or_else(|| D::Error::custom(format_args!("expected a number, found {}", shown(value))))
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.simplest() {
            Self::Int(integer) => serializer.serialize_i64(integer),
            Self::Float(float) => serializer.serialize_f64(float),
        }
    }
}

impl JsonSchema for Number {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        if generator.contract().is_serialize() {
            json_schema!({ "type": "number" })
        } else {
            json_schema!({ "type": ["number", "string", "boolean"] })
        }
    }
}

fn read(value: ValueRef<'_>) -> Option<Number> {
    match value.kind() {
        Kind::I64 => value.as_i64().map(Number::Int),
        Kind::F64 => value
            .as_f64()
            .filter(|float| float.is_finite())
            .map(Number::Float),
        Kind::Bool => value.as_bool().map(|flag| Number::Int(flag.into())),
        Kind::Str => value.as_str().and_then(|text| read_text(text.trim())),
        Kind::Null | Kind::Bytes | Kind::List | Kind::Map => None,
    }
}

fn read_text(text: &str) -> Option<Number> {
    if let Ok(integer) = text.parse() {
        return Some(Number::Int(integer));
    }
    // Also turns down the words that `parse` knows, `nan` and `inf`.
    text.parse()
        .ok()
        .filter(|float: &f64| float.is_finite())
        .map(Number::Float)
}

/// Numbers in order. What is wrong with one of them is found when it is asked for, so that nothing is copied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers<'a>(ValueRef<'a>);

impl Default for Numbers<'_> {
    fn default() -> Self {
        Self(ValueRef::NULL)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Numbers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueRef::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for Numbers<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Numbers".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["array", "null"],
            "items": { "type": ["number", "string", "boolean", "null"] },
        })
    }
}

impl<'a> Numbers<'a> {
    /// The numbers, with `parameter` as the name in errors.
    pub(crate) fn iter(self, parameter: &str) -> NodeResult<impl Iterator<Item = NodeResult<Number>>> {
        // Missing is empty.
        let items = if self.0.is_null() {
            None
        } else {
            Some(self.list(parameter)?)
        };
        Ok(items.into_iter().flatten().enumerate().map(move |(index, item)| {
            if item.is_null() {
                return Ok(Number::Int(0));
            }
            let why = || {
                undefined(
                    &format!("{parameter}[{index}]"),
                    format_args!("expected a number, found {}", shown(item)),
                )
            };
            read(item).ok_or_else(why)
        }))
    }

    fn list(self, parameter: &str) -> NodeResult<ListRef<'a>> {
        let why = || {
            undefined(
                parameter,
                format_args!("expected a list of numbers, found {}", shown(self.0)),
            )
        };
        self.0.as_list().ok_or_else(why)
    }
}

/// The value itself where it is short enough for a message.
fn shown(value: ValueRef<'_>) -> String {
    match value.kind() {
        Kind::Bytes => "bytes".to_owned(),
        Kind::List => "a list".to_owned(),
        Kind::Map => "a map".to_owned(),
        Kind::Str if value.as_str().is_none_or(|text| text.len() > 40) => "a long text".to_owned(),
        _ => value.to_json(),
    }
}
