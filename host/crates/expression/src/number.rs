//! Invariant: numbers become texts, and texts numbers, as in JavaScript.

use crate::lexer::is_space;

/// The largest integer up to which JavaScript's numbers are exact.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

/// The integer, when JavaScript would show the number as one that is exact.
pub(crate) fn as_integer(number: f64) -> Option<i64> {
    let integral = number.fract() == 0.0 && number.abs() <= MAX_SAFE;
    #[expect(clippy::cast_possible_truncation, reason = "it is integral and safe")]
    integral.then_some(number as i64)
}

/// Writes a number as JavaScript does: the shortest digits that read back, of two such the nearer, of two as near the
/// even one (`Number::toString` of ECMA-262).
pub(crate) fn write_number(number: f64, out: &mut String) {
    out.push_str(ryu_js::Buffer::new().format(number));
}

/// Reads a text as `Number(text)` does.
pub(crate) fn read_number(text: &str) -> f64 {
    let text = text.trim_matches(is_space);
    if text.is_empty() {
        return 0.0;
    }
    if let Some(number) = read_prefixed(text) {
        return number;
    }
    match text {
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ if is_decimal(text) => text.parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}

fn is_decimal(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'))
}

/// `0x`, `0o` and `0b`.
pub(crate) fn read_prefixed(text: &str) -> Option<f64> {
    let radix = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => return None,
    };
    let digits = text.get(2..)?;
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Some(f64::NAN);
    }
    Some(read_digits(digits, radix))
}

/// Exact up to 128 bits, which then round once; beyond that digit by digit.
fn read_digits(digits: &str, radix: u32) -> f64 {
    u128::from_str_radix(digits, radix).map_or_else(
        |_| {
            digits.chars().fold(0.0, |sum, c| {
                sum * f64::from(radix) + f64::from(c.to_digit(radix).unwrap_or_default())
            })
        },
        |exact| exact as f64,
    )
}

/// Reads the longest number at the beginning of a text, as `parseFloat` does.
pub(crate) fn parse_float(text: &str) -> f64 {
    let text = text.trim_start_matches(is_space);
    let bytes = text.as_bytes();
    let signed = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    if text
        .get(signed..)
        .is_some_and(|rest| rest.starts_with("Infinity"))
    {
        return if bytes.first() == Some(&b'-') {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
    }
    let digits = |from: usize| {
        bytes
            .get(from..)
            .map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_digit()).count())
    };
    let whole = digits(signed);
    let mut end = signed + whole;
    if bytes.get(end) == Some(&b'.') {
        let part = digits(end + 1);
        if whole + part > 0 {
            end += 1 + part;
        }
    }
    if end == signed {
        return f64::NAN;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    text.get(..end)
        .and_then(|number| number.parse().ok())
        .unwrap_or(f64::NAN)
}

/// Reads the longest integer at the beginning of a text, as `parseInt` does.
pub(crate) fn parse_int(text: &str, radix: f64) -> f64 {
    let text = text.trim_start_matches(is_space);
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let prefixed = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (radix, text) = match (radix, prefixed) {
        (r, Some(rest)) if r == 16.0 || r == 0.0 || r.is_nan() => (16, rest),
        (r, _) if r == 0.0 || r.is_nan() => (10, text),
        (r, _) if (2.0..=36.0).contains(&r.trunc()) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is 2 to 36"
            )]
            let radix = r.trunc() as u32;
            (radix, text)
        }
        _ => return f64::NAN,
    };
    let end = text.find(|c: char| !c.is_digit(radix)).unwrap_or(text.len());
    let digits = text.get(..end).unwrap_or_default();
    if digits.is_empty() {
        return f64::NAN;
    }
    let number = if radix == 10 {
        digits.parse().unwrap_or(f64::NAN)
    } else {
        read_digits(digits, radix)
    };
    sign * number
}

/// `**`, which differs from the C library at infinity.
pub(crate) fn power(base: f64, exponent: f64) -> f64 {
    if exponent.is_nan() || (base.abs() == 1.0 && exponent.is_infinite()) {
        f64::NAN
    } else {
        base.powf(exponent)
    }
}

/// `Math.round`: halves go up.
pub(crate) fn round(number: f64) -> f64 {
    let floor = number.floor();
    if number - floor >= 0.5 {
        number.ceil()
    } else {
        floor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_shortest_forms_that_are_as_near_the_even_one_is_written() {
        // There is a double that is exactly half way between two shortest forms.
        let mut text = String::new();
        write_number(-1_117_888_128_233_782.0 - 0.25, &mut text);
        assert_eq!(text, "-1117888128233782.2");
    }
}
