//! Invariant: a [`Number`] that was read is finite, and one number is written in one way.

use std::borrow::Cow;
use std::cmp::Ordering;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use super::shown;
use crate::value::{Kind, ValueRef};

/// Floats up to this size stand for every integer exactly once.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// 2^63, the first float above every `i64`.
pub(super) const OVER_I64: f64 = 9_223_372_036_854_775_808.0;

/// A number: an integer as long as it is exact, else a float. As a parameter, a text of one will do, since a template
/// inside a text gives a text.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
}

impl Number {
    /// The number that a value is; a text of a number is none.
    #[must_use]
    pub fn exactly(value: ValueRef<'_>) -> Option<Self> {
        match value.kind() {
            Kind::I64 => value.as_i64().map(Self::Int),
            Kind::F64 => value.as_f64().and_then(Self::finite),
            _ => None,
        }
    }

    /// The number that a value is, or that its text says.
    #[must_use]
    pub fn read(value: ValueRef<'_>) -> Option<Self> {
        match value.as_str() {
            Some(text) => Self::of_text(text),
            None => Self::exactly(value),
        }
    }

    /// As [`Number::read`], with true as 1 and false as 0.
    #[must_use]
    pub fn read_or_flag(value: ValueRef<'_>) -> Option<Self> {
        match value.as_bool() {
            Some(flag) => Some(Self::Int(flag.into())),
            None => Self::read(value),
        }
    }

    /// The decimal number that a text is, but for blanks around it.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.parse() {
            Ok(integer) => Some(Self::Int(integer)),
            // Also turns down the words that `parse` knows, `nan` and `inf`.
            Err(_) => text.parse().ok().and_then(Self::finite),
        }
    }

    /// The float, unless it is infinite or none.
    #[must_use]
    pub fn finite(float: f64) -> Option<Self> {
        float.is_finite().then_some(Self::Float(float))
    }

    /// The integer if it fits, else the nearest float.
    #[must_use]
    pub fn nearest(integer: i128) -> Self {
        i64::try_from(integer).map_or(Self::Float(integer as f64), Self::Int)
    }

    /// The nearest float.
    #[must_use]
    pub const fn as_f64(self) -> f64 {
        match self {
            Self::Int(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.as_f64() == 0.0
    }

    /// The integer, if this is one; `2.0` is.
    #[must_use]
    pub fn whole(self) -> Option<i64> {
        match self.simplest() {
            Self::Int(integer) => Some(integer),
            Self::Float(_) => None,
        }
    }

    /// `3.0` as `3`: whoever reads a result need not know how it came about.
    #[must_use]
    pub fn simplest(self) -> Self {
        match self {
            Self::Float(float) if float.fract() == 0.0 && float.abs() <= EXACT => Self::Int(float as i64),
            other => other,
        }
    }

    /// Exact, also between an integer and a float.
    #[must_use]
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(&b),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (Self::Int(a), Self::Float(b)) => compare_mixed(a, b),
            (Self::Float(a), Self::Int(b)) => compare_mixed(b, a).reverse(),
        }
    }

    /// The sum; `None` when it leaves the range of numbers.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(Self::nearest(i128::from(a) + i128::from(b))),
            (a, b) => Self::finite(a.as_f64() + b.as_f64()),
        }
    }

    /// The difference; `None` when it leaves the range of numbers.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(Self::nearest(i128::from(a) - i128::from(b))),
            (a, b) => Self::finite(a.as_f64() - b.as_f64()),
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

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        with(deserializer, Self::read)
    }
}

fn with<'de, D: Deserializer<'de>>(
    deserializer: D,
    read: fn(ValueRef<'_>) -> Option<Number>,
) -> Result<Number, D::Error> {
    let value = ValueRef::deserialize(deserializer)?;
    read(value).ok_or_else(|| D::Error::custom(format_args!("expected a number, found {}", shown(value))))
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
            json_schema!({ "type": ["number", "string"] })
        }
    }
}

/// A parameter that is wanted as a number, where true counts as 1 and false as 0.
#[derive(Clone, Copy, Debug)]
pub struct Numeric(pub Number);

schema!(Numeric, { "type": ["number", "string", "boolean"] });

impl<'de> Deserialize<'de> for Numeric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        with(deserializer, Number::read_or_flag).map(Self)
    }
}
