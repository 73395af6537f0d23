//! Invariant: a [`Number`] is finite, and one number is written in one way.
//!
//! Reading answers with a number, with nothing where there is none to read, or with the reason why the number that is
//! there cannot be had.

use plugin_api::prelude::*;
use plugin_api::value::ValueError;

/// Floats up to this size stand for every integer exactly once.
const EXACT: f64 = 9_007_199_254_740_992.0;

const INFINITE: &str = "is no finite number";
const TOO_LONG: &str = "is no integer of 64 bits";

/// An integer as long as it is exact, else a float.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
}

/// What was read.
pub(crate) type Reading = Result<Option<Number>, &'static str>;

impl Number {
    /// `3.0` is written `3`: whoever reads the result need not know how it came about.
    pub(crate) fn to_value(self) -> Result<Value, ValueError> {
        match self {
            Self::Int(integer) => Ok(integer.into()),
            Self::Float(float) if float.fract() == 0.0 && float.abs() <= EXACT => Ok((float as i64).into()),
            Self::Float(float) => float.try_into(),
        }
    }

    /// Without what is behind the point.
    pub(crate) fn truncated(self) -> Reading {
        match self {
            Self::Float(float) if float.abs() < -(i64::MIN as f64) => Ok(Some(Self::Int(float as i64))),
            Self::Float(_) => Err(TOO_LONG),
            Self::Int(_) => Ok(Some(self)),
        }
    }
}

/// The whole text as a number, as JavaScript's `Number` does: the empty text is 0, and `0x1f`, `0o17`, `0b11` count.
pub(crate) fn whole_text(text: &str) -> Reading {
    let text = text.trim();
    let radix = [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)];
    for (prefix, radix) in radix {
        if let Some(digits) = text.strip_prefix(prefix) {
            let clean = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
            return if clean { integer(digits, radix) } else { Ok(None) };
        }
    }
    if text.is_empty() {
        return Ok(Some(Number::Int(0)));
    }
    match float_prefix(text) {
        Some(number) if number.len() == text.len() => decimal(number),
        Some(_) => Ok(None),
        None => infinite(text),
    }
}

/// The number at the start of a text, as JavaScript's `parseFloat` does.
pub(crate) fn leading_float(text: &str) -> Reading {
    let text = text.trim_start();
    float_prefix(text).map_or_else(|| infinite(text), decimal)
}

/// The digits at the start of a text, as JavaScript's `parseInt` does.
pub(crate) fn leading_integer(text: &str, radix: u32) -> Reading {
    let text = text.trim_start();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let prefix = unsigned
        .strip_prefix("0x")
        .or_else(|| unsigned.strip_prefix("0X"));
    let digits = prefix.filter(|_| radix == 16).unwrap_or(unsigned);
    let end = digits
        .find(|digit: char| !digit.is_digit(radix))
        .unwrap_or(digits.len());
    let (digits, _) = digits.split_at(end);
    if digits.is_empty() {
        return Ok(None);
    }
    if text.starts_with('-') {
        return integer(&format!("-{digits}"), radix);
    }
    integer(digits, radix)
}

fn integer(digits: &str, radix: u32) -> Reading {
    match i64::from_str_radix(digits, radix) {
        Ok(integer) => Ok(Some(Number::Int(integer))),
        Err(_) => Err(TOO_LONG),
    }
}

fn decimal(text: &str) -> Reading {
    if let Ok(integer) = text.parse() {
        return Ok(Some(Number::Int(integer)));
    }
    match text.parse() {
        Ok(float) if f64::is_finite(float) => Ok(Some(Number::Float(float))),
        Ok(_) => Err(INFINITE),
        Err(_) => Ok(None),
    }
}

fn infinite(text: &str) -> Reading {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.starts_with("Infinity") {
        Err(INFINITE)
    } else {
        Ok(None)
    }
}

/// The longest start of `text` that is a decimal number.
fn float_prefix(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let sign = usize::from(text.starts_with(['+', '-']));
    let before = digits(sign);
    let mut end = sign + before;
    if bytes.get(end) == Some(&b'.') {
        let after = digits(end + 1);
        if before + after == 0 {
            return None;
        }
        end += 1 + after;
    } else if before == 0 {
        return None;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    text.get(..end)
}
