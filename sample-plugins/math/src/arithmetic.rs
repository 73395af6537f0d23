//! Operations on two numbers.

use plugin_api::prelude::*;
use plugin_api::reading::{Number, Numeric};

use crate::number::{Numbers, result, undefined};

/// `a` and `b`, or a list that is folded from its first number.
#[parameters]
#[schemars(extend("anyOf" = [{ "required": ["a", "b"] }, { "required": ["numbers"] }]))]
pub(crate) struct Operands<'a> {
    /// The first number.
    #[serde(default)]
    a: Option<Numeric>,
    /// The second number.
    #[serde(default)]
    b: Option<Numeric>,
    /// Instead of `a` and `b`: at least two numbers, from left to right.
    #[serde(default)]
    numbers: Option<Numbers<'a>>,
}

impl Operands<'_> {
    fn fold(self, step: impl Fn(Number, Number, &str) -> NodeResult<Number>) -> NodeResult<Answer<Number>> {
        let Some(numbers) = self.numbers else {
            let (a, b) = (required(self.a, "a")?, required(self.b, "b")?);
            return result(step(a, b, "b")?, "b");
        };
        if self.a.is_some() || self.b.is_some() {
            return Err(NodeError::invalid(
                "numbers",
                "give either `a` and `b` or `numbers`",
            ));
        }
        let mut numbers = numbers.iter("numbers")?;
        let (Some(first), Some(second)) = (numbers.next(), numbers.next()) else {
            return Err(NodeError::invalid("numbers", "needs at least two numbers"));
        };
        let mut folded = step(first?, second?, "numbers")?;
        for number in numbers {
            folded = step(folded, number?, "numbers")?;
        }
        result(folded, "numbers")
    }
}

fn required(number: Option<Numeric>, parameter: &str) -> NodeResult<Number> {
    let missing = || NodeError::invalid(parameter, "is missing");
    Ok(number.ok_or_else(missing)?.0)
}

/// Subtracts `b` from `a`.
#[node(
    id = "math.subtract",
    effect = "pure",
    tags = ["number", "arithmetic"],
    example(title = "integers", input = r#"{"a": 10, "b": 3}"#, output = r#"{"result": 7}"#),
    example(title = "a list", input = r#"{"numbers": [10, 3, 0.5]}"#, output = r#"{"result": 6.5}"#)
)]
pub(crate) fn subtract(input: Operands<'_>) -> NodeResult<Answer<Number>> {
    input.fold(|a, b, _| {
        Ok(match (a, b) {
            (Number::Int(a), Number::Int(b)) => Number::nearest(i128::from(a) - i128::from(b)),
            (a, b) => Number::Float(a.as_f64() - b.as_f64()),
        })
    })
}

/// Divides `a` by `b`.
#[node(
    id = "math.divide",
    effect = "pure",
    tags = ["number", "arithmetic"],
    example(title = "a whole result", input = r#"{"a": 6, "b": 2}"#, output = r#"{"result": 3}"#),
    example(title = "a fraction", input = r#"{"a": 7, "b": 2}"#, output = r#"{"result": 3.5}"#)
)]
pub(crate) fn divide(input: Operands<'_>) -> NodeResult<Answer<Number>> {
    input.fold(|a, b, parameter| {
        if b.is_zero() {
            return Err(undefined(parameter, "division by zero"));
        }
        Ok(match (a, b) {
            (Number::Int(a), Number::Int(b)) if i128::from(a) % i128::from(b) == 0 => {
                Number::nearest(i128::from(a) / i128::from(b))
            }
            (a, b) => Number::Float(a.as_f64() / b.as_f64()),
        })
    })
}

#[parameters]
pub(crate) struct Modulo {
    /// The number to divide.
    a: Numeric,
    /// What to divide it by.
    b: Numeric,
}

/// Gives the remainder of `a` divided by `b`, with the sign of `a`.
#[node(
    id = "math.modulo",
    effect = "pure",
    tags = ["number", "arithmetic"],
    example(title = "integers", input = r#"{"a": 7, "b": 3}"#, output = r#"{"result": 1}"#),
    example(title = "the sign of a", input = r#"{"a": -7, "b": 3}"#, output = r#"{"result": -1}"#)
)]
pub(crate) fn modulo(input: Modulo) -> NodeResult<Answer<Number>> {
    let (a, b) = (input.a.0, input.b.0);
    if b.is_zero() {
        return Err(undefined("b", "modulo by zero"));
    }
    let remainder = match (a, b) {
        // Only the smallest integer modulo -1 overflows, and its remainder is 0.
        (Number::Int(a), Number::Int(b)) => Number::Int(a.wrapping_rem(b)),
        (a, b) => Number::Float(a.as_f64() % b.as_f64()),
    };
    result(remainder, "a")
}

#[parameters]
#[schemars(extend("allOf" = [
    { "anyOf": [{ "required": ["base"] }, { "required": ["a"] }] },
    { "anyOf": [{ "required": ["exponent"] }, { "required": ["b"] }] },
]))]
pub(crate) struct Power {
    /// The number to raise.
    #[serde(default, alias = "a")]
    base: Option<Numeric>,
    /// The power to raise it to.
    #[serde(default, alias = "b")]
    exponent: Option<Numeric>,
}

/// Raises `base` to the power of `exponent`.
#[node(
    id = "math.power",
    effect = "pure",
    tags = ["number", "arithmetic"],
    example(title = "integers", input = r#"{"base": 2, "exponent": 10}"#, output = r#"{"result": 1024}"#),
    example(title = "a root", input = r#"{"base": 9, "exponent": 0.5}"#, output = r#"{"result": 3}"#)
)]
pub(crate) fn power(input: Power) -> NodeResult<Answer<Number>> {
    let base = required(input.base, "base")?;
    let exponent = required(input.exponent, "exponent")?;
    if base.is_zero() && exponent.as_f64() < 0.0 {
        return Err(undefined("base", "0 has no negative power"));
    }
    if base.as_f64() < 0.0 && exponent.as_f64().fract() != 0.0 {
        return Err(undefined("base", "a negative number has whole powers only"));
    }
    if let (Some(base), Some(exponent)) = (base.whole(), exponent.whole())
        && let Some(exact) = u32::try_from(exponent)
            .ok()
            .and_then(|exponent| base.checked_pow(exponent))
    {
        return result(Number::Int(exact), "exponent");
    }
    result(Number::Float(base.as_f64().powf(exponent.as_f64())), "exponent")
}
