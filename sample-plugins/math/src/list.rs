//! Invariant: a list of integers is added and multiplied exactly; the first float, or a product beyond 128 bits, turns
//! the rest into float arithmetic from left to right.

use plugin_api::prelude::*;
use plugin_api::reading::Number;

use crate::number::{Numbers, result};

#[parameters]
pub(crate) struct Values<'a> {
    /// The numbers.
    #[serde(default, alias = "numbers")]
    values: Numbers<'a>,
}

/// A result so far.
#[derive(Clone, Copy)]
enum Running {
    Exact(i128),
    Rounded(f64),
}

impl Running {
    fn step(
        self,
        number: Number,
        exact: fn(i128, i128) -> Option<i128>,
        rounded: fn(f64, f64) -> f64,
    ) -> Self {
        match (self, number) {
            (Self::Exact(so_far), Number::Int(next)) => match exact(so_far, next.into()) {
                Some(result) => Self::Exact(result),
                None => Self::Rounded(rounded(so_far as f64, next as f64)),
            },
            (Self::Exact(so_far), Number::Float(next)) => Self::Rounded(rounded(so_far as f64, next)),
            (Self::Rounded(so_far), next) => Self::Rounded(rounded(so_far, next.as_f64())),
        }
    }

    fn number(self) -> Number {
        match self {
            Self::Exact(integer) => Number::nearest(integer),
            Self::Rounded(float) => Number::Float(float),
        }
    }
}

fn total(values: Numbers<'_>) -> NodeResult<(Running, u32)> {
    let mut so_far = Running::Exact(0);
    let mut count = 0;
    for number in values.iter("values")? {
        so_far = so_far.step(number?, i128::checked_add, |a, b| a + b);
        count += 1;
    }
    Ok((so_far, count))
}

/// Adds numbers; the sum of none is 0.
#[node(
    id = "math.add",
    effect = "pure",
    tags = ["number", "arithmetic"],
    example(title = "two integers and a float", input = r#"{"values": [1, 2, 3.5]}"#, output = r#"{"result": 6.5}"#),
    example(title = "a text of a number", input = r#"{"values": ["1", 2]}"#, output = r#"{"result": 3}"#)
)]
pub(crate) fn add(input: Values<'_>) -> NodeResult<Answer<Number>> {
    result(total(input.values)?.0.number(), "values")
}

/// Adds up a list of numbers; the sum of none is 0.
#[node(
    id = "math.sum",
    effect = "pure",
    tags = ["number", "list"],
    example(title = "three numbers", input = r#"{"values": [1, 2, 3]}"#, output = r#"{"result": 6}"#),
    example(title = "none", input = r#"{"values": []}"#, output = r#"{"result": 0}"#)
)]
pub(crate) fn sum(input: Values<'_>) -> NodeResult<Answer<Number>> {
    result(total(input.values)?.0.number(), "values")
}

/// Multiplies numbers; the product of none is 1.
#[node(
    id = "math.multiply",
    effect = "pure",
    tags = ["number", "arithmetic"],
    example(title = "three integers", input = r#"{"values": [2, 3, 4]}"#, output = r#"{"result": 24}"#),
    example(title = "a float", input = r#"{"values": [2, 0.25]}"#, output = r#"{"result": 0.5}"#)
)]
pub(crate) fn multiply(input: Values<'_>) -> NodeResult<Answer<Number>> {
    let mut so_far = Running::Exact(1);
    for number in input.values.iter("values")? {
        so_far = so_far.step(number?, i128::checked_mul, |a, b| a * b);
    }
    result(so_far.number(), "values")
}

/// Gives the mean of numbers; that of none is 0.
#[node(
    id = "math.average",
    effect = "pure",
    tags = ["number", "list"],
    example(title = "a whole mean", input = r#"{"values": [1, 2, 3]}"#, output = r#"{"result": 2}"#),
    example(title = "a fraction", input = r#"{"values": [1, 2]}"#, output = r#"{"result": 1.5}"#)
)]
pub(crate) fn average(input: Values<'_>) -> NodeResult<Answer<Number>> {
    let (total, count) = total(input.values)?;
    let mean = match total {
        _ if count == 0 => Number::Int(0),
        Running::Exact(total) if total % i128::from(count) == 0 => Number::nearest(total / i128::from(count)),
        Running::Exact(total) => Number::Float(total as f64 / f64::from(count)),
        Running::Rounded(total) if total.is_finite() => Number::Float(total / f64::from(count)),
        // The sum left the range of floats, which the mean of floats cannot.
        Running::Rounded(_) => {
            let mut mean = 0.0;
            for number in input.values.iter("values")? {
                mean += number?.as_f64() / f64::from(count);
            }
            Number::Float(mean)
        }
    };
    result(mean, "values")
}
