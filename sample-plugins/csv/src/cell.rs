//! Cells: what a text means, and what is written as one.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::reading::text_of;

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'t> {
    Nothing,
    Flag(bool),
    Whole(i64),
    Float(f64),
    Text(&'t str),
}

impl<'t> Cell<'t> {
    /// A number, true, false or nothing, where the text says no more than that. What would lose a digit stays a text: a
    /// number of a telephone that begins with 0, a number of an account that is too long.
    pub(crate) fn typed(text: &'t str) -> Self {
        match text {
            "" => return Self::Nothing,
            "true" | "TRUE" | "True" => return Self::Flag(true),
            "false" | "FALSE" | "False" => return Self::Flag(false),
            _ => {}
        }
        match number(text) {
            Some(Form::Whole) => text.parse().map_or(Self::Text(text), Self::Whole),
            Some(Form::Float) => {
                let float = text.parse().ok().filter(|float: &f64| float.is_finite());
                float.map_or(Self::Text(text), Self::Float)
            }
            None => Self::Text(text),
        }
    }
}

enum Form {
    Whole,
    Float,
}

/// A number that is written as JSON writes numbers, with no more digits than a float keeps.
fn number(text: &str) -> Option<Form> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let begins = digits(whole) && (whole == "0" || !whole.starts_with('0'));
    let exponent_is_one = |exponent: &str| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    if !begins || !fraction.is_none_or(digits) || !exponent.is_none_or(exponent_is_one) {
        return None;
    }
    if fraction.is_none() && exponent.is_none() {
        // A zero with a sign is one to floats alone.
        return (text != "-0").then_some(Form::Whole);
    }
    let significant = mantissa.bytes().filter(u8::is_ascii_digit).count();
    (significant <= 15).then_some(Form::Float)
}

/// Whether lists and maps may be cells.
#[parameters]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Nested {
    /// No: they are an error.
    #[default]
    Refuse,
    /// Yes, as their JSON.
    Json,
}

/// The text of a cell. `None` for what has none.
pub(crate) fn text(value: ValueRef<'_>, nested: Nested) -> Option<Cow<'_, str>> {
    text_of(value).or_else(|| (nested == Nested::Json).then(|| Cow::Owned(value.to_json())))
}

/// A text that spreadsheets do not take for a formula: one that could be gets a `'` before it, which they do not show.
pub(crate) fn harmless(text: Cow<'_, str>) -> Cow<'_, str> {
    let first = text.trim_start_matches(' ').chars().next();
    // The wide forms are those of East Asian keyboards.
    let dangerous = matches!(
        first,
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}')
    );
    if dangerous && number(&text).is_none() {
        return Cow::Owned(format!("'{text}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_what_its_text_says_and_loses_nothing() {
        let cells = [
            ("", Cell::Nothing),
            ("true", Cell::Flag(true)),
            ("FALSE", Cell::Flag(false)),
            ("0", Cell::Whole(0)),
            ("-12", Cell::Whole(-12)),
            ("9223372036854775807", Cell::Whole(i64::MAX)),
            ("1.5", Cell::Float(1.5)),
            ("-0.0", Cell::Float(-0.0)),
            ("2e3", Cell::Float(2000.0)),
            ("2E-3", Cell::Float(0.002)),
        ];
        for (text, cell) in cells {
            assert_eq!(Cell::typed(text), cell, "{text}");
        }
        for text in [
            "007",
            "+1",
            "-0",
            "-",
            ".5",
            "5.",
            "1e",
            "1e+",
            "1 000",
            "1,5",
            " 1",
            "0x10",
            "NaN",
            "Infinity",
            "1e999",
            "9223372036854775808",
            "0.1234567890123456",
            "tRUE",
            "null",
            "٣",
        ] {
            assert_eq!(Cell::typed(text), Cell::Text(text));
        }
    }

    #[test]
    fn a_formula_becomes_a_text_and_a_number_stays() {
        for formula in [
            "=1+1",
            "+cmd",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            " =1",
            "\u{ff1d}1",
            "+49 30",
            "--5",
        ] {
            assert_eq!(harmless(formula.into()), format!("'{formula}"));
        }
        for text in ["", "a=b", "-5", "-1.5e3", "a", "'=1", " x", "5-3"] {
            assert_eq!(harmless(text.into()), text);
        }
    }
}
