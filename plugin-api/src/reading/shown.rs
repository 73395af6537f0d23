//! Values in messages. Invariant: what is shown of a value is short, however large it is, and costs no more than that.

use std::io;

use crate::value::{Kind, ValueRef};

/// A text longer than this many bytes is not shown.
const LONG_TEXT: usize = 40;

/// The longest excerpt, in characters.
const EXCERPT: usize = 120;

/// The value itself where it is short enough for a message, else what it is.
#[must_use]
pub fn shown(value: ValueRef<'_>) -> String {
    match value.kind() {
        Kind::Bytes | Kind::List | Kind::Map => kind_name(value).to_owned(),
        Kind::Str if value.as_str().is_none_or(|text| text.len() > LONG_TEXT) => "a long text".to_owned(),
        _ => value.to_json(),
    }
}

/// What a value is, without showing it: for values that may be secret.
#[must_use]
pub fn kind_name(value: ValueRef<'_>) -> &'static str {
    match value.kind() {
        Kind::Null => "null",
        Kind::Bool => "a boolean",
        Kind::I64 | Kind::F64 => "a number",
        Kind::Str => "a text",
        Kind::Bytes => "bytes",
        Kind::List => "a list",
        Kind::Map => "a map",
    }
}

/// The beginning of the value's JSON, for messages that compare values.
#[must_use]
pub fn excerpt(value: ValueRef<'_>) -> String {
    let mut start = Start(Vec::new());
    // Fails where there is no more room, which is what it is for.
    let whole = serde_json::to_writer(&mut start, &value).is_ok();
    let text = String::from_utf8_lossy(&start.0);
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None if whole => text.into_owned(),
        None => format!("{text}..."),
    }
}

/// The first bytes of what is written.
struct Start(Vec<u8>);

impl io::Write for Start {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A character has up to four bytes; what of one is cut here is behind the last one that counts.
        let room = (4 * EXCERPT + 4).saturating_sub(self.0.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.0.extend_from_slice(taken);
        if taken.is_empty() && !bytes.is_empty() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
