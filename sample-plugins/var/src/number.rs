//! Invariant: a [`Number`] is finite, and one number is written in one way.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer, Error};
use plugin_api::serde::ser::{Serialize, Serializer};
use plugin_api::value::Kind;

use crate::text::kind_name;

/// Floats up to this size stand for every integer exactly once.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// An integer as long as it is exact, else a float.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    /// The number that a value is; a text of a number is none.
    pub(crate) fn of(value: ValueRef<'_>) -> Option<Self> {
        match value.kind() {
            Kind::I64 => value.as_i64().map(Self::Int),
            Kind::F64 => value.as_f64().and_then(Self::finite),
            _ => None,
        }
    }

    /// `None` when the sum leaves the range of numbers.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(Self::nearest(i128::from(a) + i128::from(b))),
            (a, b) => Self::finite(a.as_f64() + b.as_f64()),
        }
    }

    /// `None` when the difference leaves the range of numbers.
    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(Self::nearest(i128::from(a) - i128::from(b))),
            (a, b) => Self::finite(a.as_f64() - b.as_f64()),
        }
    }

    /// The integer if it fits, else the nearest float.
    fn nearest(integer: i128) -> Self {
        i64::try_from(integer).map_or(Self::Float(integer as f64), Self::Int)
    }

    fn finite(float: f64) -> Option<Self> {
        float.is_finite().then_some(Self::Float(float))
    }

    fn as_f64(self) -> f64 {
        match self {
            Self::Int(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = ValueRef::deserialize(deserializer)?;
        // A template inside a text gives a text, whose number is meant.
        let number = match value.as_str().map(str::trim) {
            Some(text) => match text.parse() {
                Ok(integer) => Some(Self::Int(integer)),
                Err(_) => text.parse().ok().and_then(Self::finite),
            },
            None => Self::of(value),
        };
        number.ok_or_else(|| D::Error::custom(format_args!("expected a number, found {}", kind_name(value))))
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Int(integer) => serializer.serialize_i64(integer),
            // `3.0` is written `3`: whoever reads the result need not know how it came about.
            Self::Float(float) if float.fract() == 0.0 && float.abs() <= EXACT => {
                serializer.serialize_i64(float as i64)
            }
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
