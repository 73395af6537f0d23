//! Bodies of requests.
//!
//! Invariant: what is sent is what was given, in the form that was asked for; a body that does not fit its form is an
//! error, and nothing is sent.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use plugin_api::prelude::*;
use plugin_api::reading::kind_name;
use plugin_api::value::Kind;

use crate::location;
use crate::pairs::pairs;

/// The largest body of a request: 32 MiB.
pub(crate) const LARGEST: usize = 32 << 20;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const PLAIN: &str = "text/plain; charset=utf-8";
const OCTETS: &str = "application/octet-stream";

/// A body with the type it is sent as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) bytes: Vec<u8>,
    pub(crate) content_type: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Auto,
    Json,
    Pairs,
    Text,
    Base64,
}

impl Form {
    fn read(word: &str) -> Option<Self> {
        Some(match word {
            "" | "auto" => Self::Auto,
            "json" => Self::Json,
            "form" | "form-urlencoded" => Self::Pairs,
            "text" | "raw" => Self::Text,
            "base64" | "bytes" | "binary" => Self::Base64,
            _ => return None,
        })
    }

    fn of_type(content_type: &str) -> Self {
        match content_type.split(';').next().unwrap_or_default().trim() {
            one if one.eq_ignore_ascii_case(FORM) => Self::Pairs,
            _ => Self::Auto,
        }
    }
}

/// Makes a body of a value. `body_type` is one of `auto`, `json`, `form`, `text` and `base64`; `content_type` is a media
/// type, or one of those words as well, since n8n says it there. `None` where there is no body.
///
/// # Errors
/// When the value does not fit, or is too large.
pub(crate) fn body(
    value: Option<ValueRef<'_>>,
    body_type: &str,
    content_type: &str,
) -> NodeResult<Option<Sent>> {
    let unknown = || NodeError::invalid("bodyType", "must be `auto`, `json`, `form`, `text` or `base64`");
    let wanted = Form::read(body_type).ok_or_else(unknown)?;
    let (wanted, content_type) = match Form::read(content_type) {
        Some(word) if wanted == Form::Auto => (word, ""),
        Some(_) => (wanted, ""),
        None if content_type.contains('/') => (wanted, content_type),
        None => {
            let why = "must be a media type such as `text/csv`, or `json`, `form`, `text` or `base64`";
            return Err(NodeError::invalid("contentType", why));
        }
    };
    let wanted = match wanted {
        Form::Auto => Form::of_type(content_type),
        wanted => wanted,
    };
    let Some(value) = value.filter(|value| !value.is_null() || wanted == Form::Json) else {
        return Ok(None);
    };
    let (bytes, standard) = written(value, wanted)?;
    if bytes.len() > LARGEST {
        let size = bytes.len();
        let message = format!("parameter `body`: has {size} bytes, and {LARGEST} is the most that is sent");
        return Err(NodeError::with_code(
            plugin_api::error::code::LIMIT_EXCEEDED,
            message,
        ));
    }
    let content_type = if content_type.is_empty() {
        standard
    } else {
        content_type
    };
    Ok(Some(Sent {
        bytes: bytes.into_owned(),
        content_type: content_type.to_owned(),
    }))
}

fn written(value: ValueRef<'_>, form: Form) -> NodeResult<(Cow<'_, [u8]>, &'static str)> {
    let wrong = |expected: &str| {
        NodeError::invalid(
            "body",
            format_args!("expected {expected}, found {}", kind_name(value)),
        )
    };
    let octets = |bytes| Ok((Cow::Borrowed(bytes), OCTETS));
    match form {
        Form::Json => Ok((json(value), JSON)),
        Form::Pairs => match value.as_str() {
            Some(text) => Ok((Cow::Borrowed(text.as_bytes()), FORM)),
            None => {
                let text = location::encode(&pairs(value, "body")?);
                Ok((Cow::Owned(text.into_bytes()), FORM))
            }
        },
        Form::Text => match value.kind() {
            Kind::Bytes => octets(value.as_bytes().unwrap_or_default()),
            Kind::List | Kind::Map => Err(wrong("a text")),
            _ => {
                let text = plugin_api::reading::text_of(value).ok_or_else(|| wrong("a text"))?;
                Ok((Cow::Owned(text.into_owned().into_bytes()), PLAIN))
            }
        },
        Form::Base64 => match (value.as_str(), value.as_bytes()) {
            (_, Some(bytes)) => octets(bytes),
            (Some(text), _) => {
                let wrong = |_| NodeError::invalid("body", "is no base64");
                let bytes = BASE64_STANDARD.decode(text.trim()).map_err(wrong)?;
                Ok((Cow::Owned(bytes), OCTETS))
            }
            _ => Err(wrong("a text in base64")),
        },
        Form::Auto => match value.kind() {
            Kind::Str => written(value, Form::Text),
            Kind::Bytes => written(value, Form::Base64),
            _ => Ok((json(value), JSON)),
        },
    }
}

fn json(value: ValueRef<'_>) -> Cow<'static, [u8]> {
    Cow::Owned(value.to_json().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(json: &str, body_type: &str, content_type: &str) -> Result<Option<(String, String)>, NodeError> {
        let value = Value::from_json(json).unwrap();
        let sent = body(Some(value.as_ref()), body_type, content_type)?;
        Ok(sent.map(|sent| (String::from_utf8(sent.bytes).unwrap(), sent.content_type)))
    }

    #[test]
    fn a_body_is_written_in_the_form_that_is_asked_for() {
        for (value, body_type, content_type, bytes, sent_as) in [
            (r#"{"a": 1}"#, "", "", r#"{"a":1}"#, JSON),
            ("[1, 2]", "auto", "", "[1,2]", JSON),
            ("5", "", "", "5", JSON),
            ("false", "", "", "false", JSON),
            (r#""hi""#, "", "", "hi", PLAIN),
            (r#""hi""#, "json", "", r#""hi""#, JSON),
            ("null", "json", "", "null", JSON),
            (r#""{}""#, "", JSON, "{}", JSON),
            (
                r#"{"a": 1}"#,
                "",
                "application/ld+json",
                r#"{"a":1}"#,
                "application/ld+json",
            ),
            (
                r#"{"a b": "c&d", "e": [1, 2]}"#,
                "form",
                "",
                "a+b=c%26d&e=1&e=2",
                FORM,
            ),
            (
                r#"{"a": 1}"#,
                "",
                "application/x-www-form-urlencoded; charset=utf-8",
                "a=1",
                "application/x-www-form-urlencoded; charset=utf-8",
            ),
            (r#"{"a": 1}"#, "", "form-urlencoded", "a=1", FORM),
            (r#""a=1&b""#, "form", "", "a=1&b", FORM),
            ("5", "text", "text/csv", "5", "text/csv"),
            (r#""aGk=""#, "base64", "", "hi", OCTETS),
            (r#""aGk=""#, "base64", "image/png", "hi", "image/png"),
            (r#""""#, "", "", "", PLAIN),
        ] {
            let got = made(value, body_type, content_type).unwrap().unwrap();
            assert_eq!(
                got,
                (bytes.to_owned(), sent_as.to_owned()),
                "{value} {body_type} {content_type}"
            );
        }
        assert_eq!(made("null", "", "").unwrap(), None);
        assert_eq!(body(None, "json", JSON).unwrap(), None);
    }

    #[test]
    fn bytes_are_sent_as_they_are() {
        let mut out = Vec::new();
        plugin_api::value::Writer::new(&mut out).bytes(&[0, 255]).unwrap();
        let value = Value::from_encoded(out).unwrap();
        let sent = body(Some(value.as_ref()), "", "").unwrap().unwrap();
        assert_eq!(
            (sent.bytes.as_slice(), sent.content_type.as_str()),
            (&[0, 255][..], OCTETS)
        );
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_names_the_parameter() {
        for (value, body_type, content_type, parameter) in [
            (r#"{"a": 1}"#, "text", "", "body"),
            (r#""no base64!""#, "base64", "", "body"),
            ("{}", "base64", "", "body"),
            ("5", "form", "", "body"),
            (r#"{"a": {}}"#, "form", "", "body"),
            ("{}", "xml", "", "bodyType"),
            ("{}", "", "multipart-form-data", "contentType"),
        ] {
            let error = made(value, body_type, content_type).unwrap_err();
            assert_eq!(error.code, "VALIDATION_FAILED", "{value}");
            assert!(
                error.message.contains(&format!("`{parameter}`")),
                "{value}: {error}"
            );
        }
    }

    #[test]
    fn a_body_that_is_too_large_is_not_sent() {
        let value = Value::from("x".repeat(LARGEST + 1).as_str());
        let error = body(Some(value.as_ref()), "", "").unwrap_err();
        assert_eq!(error.code, "LIMIT_EXCEEDED");
    }
}
