//! Answers as nodes give them.
//!
//! Invariant: a body is given whole or not at all, and `bodyType` says as what: nobody has to guess whether a text is
//! base64.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use plugin_api::prelude::*;
use plugin_api::reading::Outcome;
use reqwest::header::{CONTENT_TYPE, HeaderMap, SET_COOKIE};

use crate::client::place;
use crate::exchange::Reply;
use crate::location::{Cell, Table, table};

/// Bytes of a body that an error shows in its details.
const MOST_SHOWN: usize = 64 << 10;

/// The answer of a server.
#[output]
pub(crate) struct Answered {
    /// The status, such as 200.
    status_code: u16,
    /// The same.
    status: u16,
    /// What the status is called, such as `OK`.
    status_text: &'static str,
    /// Whether the status is from 200 to 299.
    ok: bool,
    /// The headers, with names in lower case; what comes more than once is joined by commas, except for `set-cookie`,
    /// which is always a list.
    headers: Table,
    /// The body; null where there is none.
    body: Outcome<'static>,
    /// What the body is given as: `json`, `text`, `base64` or `none`.
    body_type: &'static str,
    /// Where the answer came from, after redirects.
    url: String,
    /// The method of the last request.
    method: String,
    /// How many redirects were followed.
    redirects: u32,
    /// How often the request was made.
    attempts: u32,
}

/// What a body is wanted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// What its media type says; bytes that are not that are given as text or base64.
    Auto,
    /// JSON, or nothing.
    Json,
    /// Text.
    Text,
    /// Bytes.
    Base64,
}

impl Wanted {
    /// Reads `auto`, `json`, `text` or `base64`.
    ///
    /// # Errors
    /// When it is none of them.
    pub(crate) fn read(word: Option<&str>) -> NodeResult<Self> {
        Ok(match word.unwrap_or("auto") {
            "auto" | "autodetect" | "" => Self::Auto,
            "json" => Self::Json,
            "text" | "string" => Self::Text,
            "base64" | "bytes" | "binary" | "file" => Self::Base64,
            _ => {
                let why = "must be `auto`, `json`, `text` or `base64`";
                return Err(NodeError::invalid("responseType", why));
            }
        })
    }
}

/// What becomes of statuses from 400 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadStatus {
    /// They are errors of the node, which retry policies see.
    Fails,
    /// They are results.
    IsGiven,
}

impl Reply {
    /// The answer as a result.
    ///
    /// # Errors
    /// When its status is an error and those are wanted as errors, or its body is not what is wanted.
    pub(crate) fn answered(self, wanted: Wanted, bad: BadStatus) -> NodeResult<Answered> {
        let failed = bad == BadStatus::Fails && self.status.as_u16() >= 400;
        // An error page is rarely what an answer should have been.
        let wanted = if self.status.is_success() {
            wanted
        } else {
            lenient(wanted)
        };
        let (body, body_type) = match read(&self.body, &self.headers, wanted) {
            Ok(read) => read,
            Err(why) => return Err(self.unread(why)),
        };
        if failed {
            return Err(self.bad_status(body, body_type));
        }
        Ok(Answered {
            status_code: self.status.as_u16(),
            status: self.status.as_u16(),
            status_text: self.status.canonical_reason().unwrap_or_default(),
            ok: self.status.is_success(),
            headers: header_table(&self.headers)?,
            body: Outcome::Made(body),
            body_type,
            url: self.url.into(),
            method: self.method.as_str().to_owned(),
            redirects: self.redirects,
            attempts: self.attempts,
        })
    }

    fn unread(&self, why: &str) -> NodeError {
        let message = format!(
            "the answer of {} {why}; `responseType` says what is expected",
            place(&self.url)
        );
        NodeError::new(message)
            .status(self.status.as_u16())
            .retryable(false)
    }

    fn bad_status(&self, body: Value, body_type: &str) -> NodeError {
        let status = self.status.as_u16();
        let reason = self.status.canonical_reason().unwrap_or("no name");
        let place = place(&self.url);
        let body = if self.body.len() > MOST_SHOWN {
            Value::null()
        } else {
            body
        };
        let error = NodeError::with_code(
            "HTTP_STATUS",
            format!("{} {place} answered {status} ({reason})", self.method),
        );
        let attempts = Value::from(i64::from(self.attempts));
        let (status_value, body_type) = (Value::from(i64::from(status)), Value::from(body_type));
        let details = Value::from_pairs([
            ("statusCode", status_value.as_ref()),
            ("body", body.as_ref()),
            ("bodyType", body_type.as_ref()),
            ("attempts", attempts.as_ref()),
        ]);
        match details {
            Ok(details) => error.status(status).details(details),
            Err(_) => error.status(status),
        }
    }

    /// The body as a value, and what it is given as.
    ///
    /// # Errors
    /// Why it is no JSON.
    pub(crate) fn json(&self) -> Result<Value, &'static str> {
        read(&self.body, &self.headers, Wanted::Json).map(|(body, _)| body)
    }
}

fn lenient(wanted: Wanted) -> Wanted {
    match wanted {
        Wanted::Json | Wanted::Text => Wanted::Auto,
        wanted => wanted,
    }
}

fn read(bytes: &[u8], headers: &HeaderMap, wanted: Wanted) -> Result<(Value, &'static str), &'static str> {
    if bytes.is_empty() {
        return match wanted {
            Wanted::Text | Wanted::Base64 => Ok((
                Value::from(""),
                if wanted == Wanted::Text { "text" } else { "base64" },
            )),
            Wanted::Auto | Wanted::Json => Ok((Value::null(), "none")),
        };
    }
    let media = Media::of(headers);
    let base64 = || (Value::from(BASE64_STANDARD.encode(bytes).as_str()), "base64");
    match wanted {
        Wanted::Base64 => Ok(base64()),
        Wanted::Json => match json(bytes) {
            Some(value) => Ok((value, "json")),
            None => Err("is no JSON"),
        },
        Wanted::Text => match media.text(bytes) {
            Some(text) => Ok((Value::from(&*text), "text")),
            None => Err("is no text in UTF-8"),
        },
        Wanted::Auto => Ok(match media.kind() {
            MediaKind::Json => match (json(bytes), media.text(bytes)) {
                (Some(value), _) => (value, "json"),
                (None, Some(text)) => (Value::from(&*text), "text"),
                (None, None) => base64(),
            },
            MediaKind::Text => match media.text(bytes) {
                Some(text) => (Value::from(&*text), "text"),
                None => base64(),
            },
            MediaKind::Bytes => base64(),
        }),
    }
}

fn json(bytes: &[u8]) -> Option<Value> {
    Value::from_json_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).ok()
}

/// A media type, in lower case.
struct Media {
    essence: String,
    charset: String,
}

enum MediaKind {
    Json,
    Text,
    Bytes,
}

impl Media {
    fn of(headers: &HeaderMap) -> Self {
        let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let text = text.unwrap_or_default().to_ascii_lowercase();
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_owned();
        let charset = parts.find_map(|part| part.strip_prefix("charset="));
        Self {
            essence,
            charset: charset.unwrap_or_default().trim_matches('"').to_owned(),
        }
    }

    fn kind(&self) -> MediaKind {
        let essence = self.essence.as_str();
        if essence.ends_with("/json") || essence.ends_with("+json") {
            return MediaKind::Json;
        }
        let textual = [
            "application/xml",
            "application/javascript",
            "application/ecmascript",
            "application/x-www-form-urlencoded",
            "application/x-ndjson",
            "application/yaml",
            "application/toml",
            "application/graphql",
            "application/sql",
            "",
        ];
        if essence.starts_with("text/") || essence.ends_with("+xml") || textual.contains(&essence) {
            MediaKind::Text
        } else {
            MediaKind::Bytes
        }
    }

    /// The bytes as text: UTF-8, or Latin-1 where the type says so.
    fn text<'b>(&self, bytes: &'b [u8]) -> Option<std::borrow::Cow<'b, str>> {
        if matches!(self.charset.as_str(), "iso-8859-1" | "latin1" | "us-ascii") && !bytes.is_ascii() {
            return Some(bytes.iter().map(|byte| char::from(*byte)).collect());
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        std::str::from_utf8(bytes).ok().map(std::borrow::Cow::Borrowed)
    }
}

fn header_table(headers: &HeaderMap) -> NodeResult<Table> {
    let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    let cells: Vec<(String, Cell)> = headers
        .keys()
        .map(|name| {
            let values = headers.get_all(name).iter().map(|value| text(value.as_bytes()));
            let values: Vec<String> = values.collect();
            let cell = if name == SET_COOKIE {
                Cell::Many(values)
            } else {
                Cell::One(values.join(", "))
            };
            (name.as_str().to_owned(), cell)
        })
        .collect();
    table(&cells)
}
