//! Invariant: comparing loses nothing, also between large integers and floats; the result is one of the numbers given.

use std::cmp::Ordering;

use plugin_api::prelude::*;
use plugin_api::reading::{Number, Numeric};

use crate::number::{Numbers, result};

#[parameters]
pub(crate) struct Candidates<'a> {
    /// The numbers; at least one.
    #[serde(default, alias = "numbers")]
    values: Numbers<'a>,
}

impl Candidates<'_> {
    fn best(self, wanted: Ordering) -> NodeResult<Answer<Number>> {
        let mut numbers = self.values.iter("values")?;
        let Some(first) = numbers.next() else {
            return Err(NodeError::invalid("values", "needs at least one number"));
        };
        let mut best = first?;
        for number in numbers {
            let number = number?;
            if number.compare(best) == wanted {
                best = number;
            }
        }
        result(best, "values")
    }
}

/// Gives the smallest of numbers.
#[node(
    id = "math.min",
    effect = "pure",
    tags = ["number", "list"],
    example(title = "three numbers", input = r#"{"values": [3, 1.5, 2]}"#, output = r#"{"result": 1.5}"#),
    example(title = "one number", input = r#"{"values": [3]}"#, output = r#"{"result": 3}"#)
)]
pub(crate) fn min(input: Candidates<'_>) -> NodeResult<Answer<Number>> {
    input.best(Ordering::Less)
}

/// Gives the largest of numbers.
#[node(
    id = "math.max",
    effect = "pure",
    tags = ["number", "list"],
    example(title = "three numbers", input = r#"{"values": [3, 1.5, 2]}"#, output = r#"{"result": 3}"#),
    example(title = "below zero", input = r#"{"values": [-3, -1]}"#, output = r#"{"result": -1}"#)
)]
pub(crate) fn max(input: Candidates<'_>) -> NodeResult<Answer<Number>> {
    input.best(Ordering::Greater)
}

#[parameters]
pub(crate) struct Clamp {
    /// The number.
    value: Numeric,
    /// The least it may be.
    min: Numeric,
    /// The most it may be.
    max: Numeric,
}

/// Keeps a number between two limits.
#[node(
    id = "math.clamp",
    effect = "pure",
    tags = ["number", "limit"],
    example(title = "too large", input = r#"{"value": 11, "min": 0, "max": 10}"#, output = r#"{"result": 10}"#),
    example(title = "within", input = r#"{"value": 0.5, "min": 0, "max": 1}"#, output = r#"{"result": 0.5}"#)
)]
pub(crate) fn clamp(input: Clamp) -> NodeResult<Answer<Number>> {
    let (value, min, max) = (input.value.0, input.min.0, input.max.0);
    if min.compare(max) == Ordering::Greater {
        return Err(NodeError::invalid("min", "must not be larger than `max`"));
    }
    let clamped = if value.compare(min) == Ordering::Less {
        min
    } else if value.compare(max) == Ordering::Greater {
        max
    } else {
        value
    };
    result(clamped, "value")
}
