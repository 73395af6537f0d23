//! Numbers at the start of a text, or as all of it. Invariant: a [`Number`] that was read is finite.
//!
//! Reading answers with a number, with nothing where there is none to read, or with the reason why the number that is
//! there cannot be had.

use plugin_api::reading::Number;

const INFINITE: &str = "is no finite number";
const TOO_LONG: &str = "is no integer of 64 bits";

/// What was read.
pub(crate) type Reading = Result<Option<Number>, &'static str>;

/// Without what is behind the point.
pub(crate) fn truncated(number: Number) -> Reading {
    match number {
        Number::Float(float) if float.abs() < -(i64::MIN as f64) => Ok(Some(Number::Int(float as i64))),
        Number::Float(_) => Err(TOO_LONG),
        Number::Int(_) => Ok(Some(number)),
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
