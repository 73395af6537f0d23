//! Numbers of any precision.
//!
//! Invariant: a `numeric` is a number when that number is written as it is, and its text otherwise.

use crate::cell::Cell;

/// The text of a number that is given as digits to the base of 10,000, the first of which counts 10,000 to the `weight`.
pub(super) fn text(digits: &[u16], weight: i16, negative: bool, scale: usize) -> String {
    let digit = |place: i32| {
        let index = i32::from(weight) - place;
        let found = usize::try_from(index).ok().and_then(|index| digits.get(index));
        found.copied().unwrap_or(0)
    };
    let mut whole = String::new();
    for place in (0..=i32::from(weight.max(0))).rev() {
        whole.push_str(&format!("{:04}", digit(place)));
    }
    let mut text = String::new();
    if negative {
        text.push('-');
    }
    let whole = whole.trim_start_matches('0');
    text.push_str(if whole.is_empty() { "0" } else { whole });
    if scale > 0 {
        let mut fraction = String::new();
        let mut place = -1;
        while fraction.len() < scale {
            fraction.push_str(&format!("{:04}", digit(place)));
            place -= 1;
        }
        text.push('.');
        text.push_str(fraction.get(..scale).unwrap_or_default());
    }
    text
}

/// What a number's text is in a result.
pub(super) fn cell(text: String) -> Cell {
    if !text.contains('.')
        && let Ok(number) = text.parse()
    {
        return Cell::Integer(number);
    }
    let bare = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    match text.parse::<f64>() {
        // The shortest text of the float is the number's own: nothing was rounded.
        Ok(number) if number.is_finite() && bare(&number.to_string()) == bare(&text) => Cell::Float(number),
        _ => Cell::Text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_become_text() {
        for (digits, weight, negative, scale, expected) in [
            (&[][..], 0, false, 0, "0"),
            (&[][..], 0, false, 2, "0.00"),
            (&[12, 3400][..], 0, false, 2, "12.34"),
            (&[1, 2345][..], 1, true, 0, "-12345"),
            (&[5][..], -2, false, 8, "0.00000005"),
            (&[1][..], 2, false, 0, "100000000"),
        ] {
            assert_eq!(text(digits, weight, negative, scale), expected);
        }
    }

    #[test]
    fn a_number_is_one_when_nothing_of_it_is_lost() {
        for (text, expected) in [
            ("12", Cell::Integer(12)),
            ("12.50", Cell::Float(12.5)),
            ("-0.1", Cell::Float(-0.1)),
            ("0.00", Cell::Float(0.0)),
            (
                "0.1000000000000000055",
                Cell::Text("0.1000000000000000055".into()),
            ),
            ("100000000000000000000", Cell::Float(1e20)),
            ("9223372036854775809", Cell::Text("9223372036854775809".into())),
        ] {
            assert_eq!(cell(text.to_owned()), expected, "{text}");
        }
    }
}
