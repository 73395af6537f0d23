//! Values as numbers.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Number, Whole, shown, text_of};
use plugin_api::value::Kind;

use crate::numeral::{Reading, leading_float, leading_integer, truncated, whole_text};

#[parameters]
pub(crate) struct Numeric<'a> {
    /// The value to convert.
    #[serde(default)]
    value: Any<'a>,
    /// The result where the value is no number.
    #[serde(default)]
    #[schemars(extend("default" = 0))]
    default: Any<'a>,
}

/// The number that `value` is, with `of_text` reading texts.
fn read(value: ValueRef<'_>, of_text: impl FnOnce(&str) -> Reading) -> Reading {
    match value.as_str() {
        Some(text) => of_text(text),
        None => Ok(Number::read_or_flag(value)),
    }
}

fn result(value: ValueRef<'_>, reading: Reading, default: Any<'_>) -> NodeResult<Answer<Value>> {
    match reading {
        Ok(Some(number)) => Ok(answer(Value::from_serialize(&number)?)),
        Ok(None) if default.0.is_null() => Ok(answer(0.into())),
        Ok(None) => Ok(answer(default.0.to_value())),
        Err(why) => Err(NodeError::invalid(
            "value",
            format_args!("{} {why}", shown(value)),
        )),
    }
}

/// Reads a number; a text that is no number as a whole gives the default.
#[node(
    id = "convert.toNumber",
    aliases = ["convert.to_number"],
    effect = "pure",
    tags = ["number"],
    example(title = "a text of a number", input = r#"{"value": "42"}"#, output = r#"{"result": 42}"#),
    example(title = "no number", input = r#"{"value": "abc", "default": -1}"#, output = r#"{"result": -1}"#)
)]
pub(crate) fn to_number(input: Numeric<'_>) -> NodeResult<Answer<Value>> {
    let value = input.value.0;
    result(value, read(value, whole_text), input.default)
}

/// Reads the number that a text starts with; without one it gives the default.
#[node(
    id = "convert.toFloat",
    aliases = ["convert.to_float"],
    effect = "pure",
    tags = ["number"],
    example(title = "with a unit", input = r#"{"value": "3.14abc"}"#, output = r#"{"result": 3.14}"#),
    example(title = "no number", input = r#"{"value": "x"}"#, output = r#"{"result": 0}"#)
)]
pub(crate) fn to_float(input: Numeric<'_>) -> NodeResult<Answer<Value>> {
    let value = input.value.0;
    result(value, read(value, leading_float), input.default)
}

#[parameters]
pub(crate) struct ToInteger<'a> {
    /// The value to convert.
    #[serde(default)]
    value: Any<'a>,
    /// The result where the value starts with no digit.
    #[serde(default)]
    #[schemars(extend("default" = 0))]
    default: Any<'a>,
    /// The base of the digits, from 2 to 36.
    #[serde(default)]
    #[schemars(range(min = 2, max = 36), extend("default" = 10))]
    radix: Option<Whole>,
}

/// Reads the digits that a text starts with, and cuts off what a number has behind the point.
#[node(
    id = "convert.toInteger",
    aliases = ["convert.to_integer"],
    effect = "pure",
    tags = ["number"],
    example(title = "with a unit", input = r#"{"value": "12.9px"}"#, output = r#"{"result": 12}"#),
    example(title = "another base", input = r#"{"value": "ff", "radix": 16}"#, output = r#"{"result": 255}"#)
)]
pub(crate) fn to_integer(input: ToInteger<'_>) -> NodeResult<Answer<Value>> {
    let value = input.value.0;
    let radix = input.radix.map_or(10, |radix| radix.0);
    let radix = u32::try_from(radix)
        .ok()
        .filter(|radix| (2..=36).contains(radix))
        .ok_or_else(|| NodeError::invalid("radix", format_args!("must be from 2 to 36, but is {radix}")))?;
    let of_text = |text: &str| leading_integer(text, radix);
    let digits = text_of(value).filter(|_| radix != 10 && matches!(value.kind(), Kind::I64 | Kind::F64));
    let reading = match digits {
        // In another base the digits of a number are what counts, not its size.
        Some(digits) => of_text(&digits),
        None => match read(value, of_text) {
            Ok(Some(number)) => truncated(number),
            other => other,
        },
    };
    result(value, reading, input.default)
}
