//! What separates and encloses cells. Invariant: both are single bytes of ASCII that cannot be taken for each other, nor for
//! the end of a row.

use plugin_api::prelude::*;
use plugin_api::reading::Text;

/// The bytes that mean something in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    /// `None` where nothing encloses cells.
    pub(crate) quote: Option<u8>,
}

impl Dialect {
    pub(crate) fn read(delimiter: Option<&Text<'_>>, quote: Option<&Text<'_>>) -> NodeResult<Self> {
        let delimiter = match delimiter.map_or(",", Text::as_str) {
            // Written so in JSON by who means the character.
            "tab" | "\\t" => b'\t',
            text => single("delimiter", text)?,
        };
        let quote = match quote.map_or("\"", Text::as_str) {
            "" => None,
            text => Some(single("quote", text)?),
        };
        if Some(delimiter) == quote {
            return Err(NodeError::invalid("quote", "must not be what `delimiter` is"));
        }
        Ok(Self { delimiter, quote })
    }
}

fn single(parameter: &str, text: &str) -> NodeResult<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n') => Ok(*byte),
        _ => Err(NodeError::invalid(
            parameter,
            "must be one character of ASCII, and no line break",
        )),
    }
}
