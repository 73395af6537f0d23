//! Headers of a request.
//!
//! Invariant: no value ends its line, and none of the headers that say where a message ends or where it goes is set by a
//! workflow.

use plugin_api::prelude::*;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::pairs::{Pairs, brief};

/// Bytes of all names and values together.
const MOST_BYTES: usize = 64 << 10;

/// They frame the message, or choose another server behind the address than the rules were asked about.
const RESERVED: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Makes headers of pairs.
///
/// # Errors
/// When a name or a value cannot be one, or is reserved; the message does not show values.
pub(crate) fn headers(pairs: &Pairs, parameter: &str) -> NodeResult<HeaderMap> {
    let mut found = HeaderMap::new();
    let mut bytes = 0_usize;
    for (name, value) in pairs {
        bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
        if bytes > MOST_BYTES {
            let why = format_args!("must not have more than {MOST_BYTES} bytes together");
            return Err(NodeError::invalid(parameter, why));
        }
        let (name, value) = header(name, value, parameter)?;
        found.append(name, value);
    }
    Ok(found)
}

/// Makes one header.
///
/// # Errors
/// As [`headers`].
pub(crate) fn header(name: &str, value: &str, parameter: &str) -> NodeResult<(HeaderName, HeaderValue)> {
    let wrong = |why: &str| NodeError::invalid(parameter, format_args!("`{}` {why}", brief(name)));
    let known = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| wrong("is no name of a header: it may have letters, digits and hyphens"))?;
    if RESERVED.contains(&known.as_str()) {
        return Err(wrong("may not be set: it follows from the URL and the body"));
    }
    let value = HeaderValue::from_bytes(value.as_bytes())
        .map_err(|_| wrong("has a value with control characters, such as a line break"))?;
    Ok((known, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<HeaderMap, NodeError> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        headers(&pairs.collect(), "headers")
    }

    #[test]
    fn a_line_cannot_be_ended_by_a_value_or_a_name() {
        for (name, value) in [
            ("X-A", "1\r\nX-B: secret"),
            ("X-A", "1\nX-B: secret"),
            ("X-A", "1\rsecret"),
            ("X-A", "secret\0"),
            ("X-A\r\nX-B", "secret"),
            ("X A", "secret"),
            ("X-A:", "secret"),
            ("", "secret"),
            ("X-\u{e4}", "secret"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert_eq!(error.code, "VALIDATION_FAILED", "{name:?}");
            assert!(error.message.contains("`headers`"), "{error}");
            assert!(!error.message.contains("secret"), "{error}");
            assert!(!error.message.contains(['\r', '\n', '\0']), "{error:?}");
        }
    }

    #[test]
    fn headers_that_frame_a_message_are_reserved() {
        for name in [
            "Host",
            "content-length",
            "Transfer-Encoding",
            "CONNECTION",
            "Proxy-Authorization",
        ] {
            assert!(read(&[(name, "1")]).is_err(), "{name}");
        }
    }

    #[test]
    fn others_are_kept_as_often_as_they_come() {
        let found = read(&[("X-A", "1"), ("x-a", "2"), ("Accept", "text/h\u{e4}")]).unwrap();
        assert_eq!(found.get_all("x-a").iter().count(), 2);
        assert_eq!(found.get("accept").unwrap().as_bytes(), "text/h\u{e4}".as_bytes());
    }

    #[test]
    fn they_are_bounded_together() {
        let half = "x".repeat(MOST_BYTES / 2);
        assert!(read(&[("a", &half)]).is_ok());
        assert!(read(&[("a", &half), ("b", &half)]).is_err());
    }
}
