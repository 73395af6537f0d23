//! Answers to the request that a workflow was started by.
//!
//! Invariant: what is given as an answer can be sent as one: its status and its headers are what HTTP has.

use plugin_api::prelude::*;
use plugin_api::reading::{Given, shown, text_of};
use plugin_api::value::Kind;

use crate::given::{cut, map, some, whole};

/// Headers that one answer may have.
const MAX_HEADERS: usize = 32;
/// Bytes of one header.
const MAX_HEADER: usize = 8_192;

/// Makes the result of a node that answers: `statusCode`, `headers` and `body`.
pub(crate) fn http_response(status: Given<'_>, headers: Given<'_>, body: Given<'_>) -> NodeResult<Value> {
    let status = match some(status) {
        Some(status) => whole(status, "status", 200, 599)?,
        None => 200,
    };
    let headers = match some(headers) {
        Some(headers) => written(headers)?,
        None => Value::empty_map(),
    };
    let body = body.value().to_value();
    map(&[
        ("statusCode", Value::from(status)),
        ("headers", headers),
        ("body", body),
    ])
}

/// The headers as texts.
fn written(headers: ValueRef<'_>) -> NodeResult<Value> {
    let wrong = |why: &str, name: &str| NodeError::invalid("headers", format_args!("`{name}` {why}"));
    let Some(entries) = headers.as_map() else {
        return Err(NodeError::invalid(
            "headers",
            format_args!("expected a map of texts, found {}", shown(headers)),
        ));
    };
    if entries.len() > MAX_HEADERS {
        return Err(NodeError::invalid(
            "headers",
            format_args!(
                "must have at most {MAX_HEADERS} entries, but has {}",
                entries.len()
            ),
        ));
    }
    let mut written = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || name.len() > MAX_HEADER || !name.bytes().all(token) {
            return Err(wrong("is no name of a header", &cut(name)));
        }
        if value.kind() == Kind::Null {
            continue;
        }
        let text = text_of(value).ok_or_else(|| wrong("must be a text, a number or a boolean", name))?;
        if text.len() > MAX_HEADER {
            return Err(wrong("is too long", name));
        }
        if text.chars().any(char::is_control) {
            return Err(wrong("must have no line breaks and no control characters", name));
        }
        written.push((name, Value::from(&*text)));
    }
    map(&written)
}
