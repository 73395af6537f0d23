//! Operations on one number.

use plugin_api::prelude::*;
use plugin_api::reading::{Number, Numeric};

use crate::number::{result, undefined};

/// Floats have no digits beyond this many before or behind the point.
const MAX_DECIMALS: i64 = 308;

#[parameters]
pub(crate) struct One {
    /// The number.
    value: Numeric,
}

/// Gives a number without its sign.
#[node(
    id = "math.abs",
    effect = "pure",
    tags = ["number"],
    example(title = "below zero", input = r#"{"value": -4.5}"#, output = r#"{"result": 4.5}"#),
    example(title = "above zero", input = r#"{"value": 3}"#, output = r#"{"result": 3}"#)
)]
pub(crate) fn abs(input: One) -> NodeResult<Answer<Number>> {
    let size = match input.value.0 {
        Number::Int(integer) => Number::nearest(i128::from(integer).abs()),
        Number::Float(float) => Number::Float(float.abs()),
    };
    result(size, "value")
}

/// Rounds a number down to an integer.
#[node(
    id = "math.floor",
    effect = "pure",
    tags = ["number", "rounding"],
    example(title = "below zero", input = r#"{"value": -1.5}"#, output = r#"{"result": -2}"#),
    example(title = "above zero", input = r#"{"value": 1.5}"#, output = r#"{"result": 1}"#)
)]
pub(crate) fn floor(input: One) -> NodeResult<Answer<Number>> {
    result(on_float(input.value.0, f64::floor), "value")
}

/// Rounds a number up to an integer.
#[node(
    id = "math.ceil",
    effect = "pure",
    tags = ["number", "rounding"],
    example(title = "above zero", input = r#"{"value": 1.2}"#, output = r#"{"result": 2}"#),
    example(title = "below zero", input = r#"{"value": -1.2}"#, output = r#"{"result": -1}"#)
)]
pub(crate) fn ceil(input: One) -> NodeResult<Answer<Number>> {
    result(on_float(input.value.0, f64::ceil), "value")
}

fn on_float(number: Number, round: fn(f64) -> f64) -> Number {
    match number {
        Number::Int(integer) => Number::Int(integer),
        Number::Float(float) => Number::Float(round(float)),
    }
}

/// Gives the square root of a number.
#[node(
    id = "math.sqrt",
    effect = "pure",
    tags = ["number"],
    example(title = "a whole root", input = r#"{"value": 81}"#, output = r#"{"result": 9}"#),
    example(title = "a fraction", input = r#"{"value": 2}"#, output = r#"{"result": 1.4142135623730951}"#)
)]
pub(crate) fn sqrt(input: One) -> NodeResult<Answer<Number>> {
    if input.value.0.as_f64() < 0.0 {
        return Err(undefined("value", "a negative number has no square root"));
    }
    // Floats cannot tell large squares from their neighbours.
    if let Number::Int(integer) = input.value.0
        && let Some(root) = integer.checked_isqrt().filter(|root| root * root == integer)
    {
        return result(Number::Int(root), "value");
    }
    result(Number::Float(input.value.0.as_f64().sqrt()), "value")
}

#[parameters]
pub(crate) struct Round {
    /// The number.
    value: Numeric,
    /// How many digits to keep behind the point; a negative count rounds to tens, hundreds, and so on.
    #[serde(default, alias = "precision")]
    #[schemars(extend("default" = 0))]
    decimals: Option<Numeric>,
}

/// Rounds a number, halves away from zero. What is a half is decided by the digits as they are written.
#[node(
    id = "math.round",
    effect = "pure",
    tags = ["number", "rounding"],
    example(title = "a half", input = r#"{"value": -2.5}"#, output = r#"{"result": -3}"#),
    example(title = "two digits", input = r#"{"value": 1.005, "decimals": 2}"#, output = r#"{"result": 1.01}"#)
)]
pub(crate) fn round(input: Round) -> NodeResult<Answer<Number>> {
    let decimals = match input.decimals.map(|decimals| decimals.0.whole()) {
        None => 0,
        Some(Some(decimals)) if (-MAX_DECIMALS..=MAX_DECIMALS).contains(&decimals) => decimals,
        Some(_) => {
            let why = format_args!("must be a whole number from -{MAX_DECIMALS} to {MAX_DECIMALS}");
            return Err(NodeError::invalid("decimals", why));
        }
    };
    let rounded = match input.value.0 {
        Number::Int(integer) => Number::nearest(round_integer(integer.into(), decimals)),
        Number::Float(float) if decimals == 0 => Number::Float(float.round()),
        Number::Float(float) => Number::Float(round_digits(float, decimals)),
    };
    result(rounded, "value")
}

fn round_integer(integer: i128, decimals: i64) -> i128 {
    if decimals >= 0 {
        return integer;
    }
    let unit = u32::try_from(-decimals)
        .ok()
        .and_then(|zeros| 10_i128.checked_pow(zeros));
    // A unit beyond 128 bits is more than twice every 64-bit integer.
    unit.map_or(0, |unit| {
        integer.signum() * ((integer.abs() + unit / 2) / unit * unit)
    })
}

/// Works on the shortest digits that name the float: 1.005 is a little less than that in binary, but whoever wrote it
/// meant a half.
fn round_digits(float: f64, decimals: i64) -> f64 {
    let text = format!("{:e}", float.abs());
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return float;
    };
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let Ok(keep) = usize::try_from(exponent.parse().unwrap_or(0_i64) + decimals + 1) else {
        return 0.0;
    };
    let Some(next) = digits.get(keep) else {
        return float;
    };
    let kept = digits[..keep]
        .iter()
        .fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    let size = format!("{}e{}", kept + u64::from(*next >= b'5'), -decimals)
        .parse()
        .unwrap_or(float.abs());
    f64::copysign(size, float)
}
