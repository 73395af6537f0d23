//! Invariant: a result is finite; what is wrong with one number of many is found when it is asked for, so that nothing is
//! copied.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::reading::{Number, shown};
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer};
use plugin_api::value::ListRef;

/// The result of a node, unless it has left the range of numbers on account of `parameter`.
pub(crate) fn result(number: Number, parameter: &str) -> NodeResult<Answer<Number>> {
    match number {
        Number::Float(float) if !float.is_finite() => {
            Err(undefined(parameter, "the result is no finite number"))
        }
        number => Ok(answer(number)),
    }
}

/// The operation has no result for a value that is well-formed in itself.
pub(crate) fn undefined(parameter: &str, why: impl std::fmt::Display) -> NodeError {
    NodeError::new(format!("parameter `{parameter}`: {why}"))
}

/// Numbers in order; null and missing are none.
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
            Number::read_or_flag(item).ok_or_else(why)
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
