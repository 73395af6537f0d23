//! Request bodies: bounded in size and time, then read as JSON.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use crate::error::{HttpError, Refusal};

/// The largest body that is read.
pub(crate) const LARGEST_BODY: usize = 8 << 20;
/// How long a body may take to arrive.
const SLOWEST_BODY: Duration = Duration::from_secs(30);

/// A body of JSON; no body at all stands for an empty object.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let bytes = tokio::time::timeout(SLOWEST_BODY, collect(body))
            .await
            .map_err(|_| HttpError::BodyTooSlow)??;
        let text: &[u8] = if bytes.is_empty() && !parts.headers.contains_key(CONTENT_TYPE) {
            b"{}"
        } else if is_json(&parts.headers) {
            &bytes
        } else {
            return Err(HttpError::NotJson.into());
        };
        let body =
            serde_json::from_slice(text).map_err(|error| HttpError::BadBody { why: bounded(&error) })?;
        Ok(Self(body))
    }
}

async fn collect(body: Body) -> Result<Vec<u8>, HttpError> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| HttpError::BodyBroken)?;
        if bytes.len() + chunk.len() > LARGEST_BODY {
            return Err(HttpError::BodyTooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn is_json(headers: &HeaderMap) -> bool {
    let essence = headers
        .get(CONTENT_TYPE)
        .map(HeaderValue::as_bytes)
        .and_then(|text| text.split(|b| *b == b';').next());
    essence.is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case(b"application/json"))
}

/// The parser's words quote what was sent, which may be megabytes long.
fn bounded(error: &serde_json::Error) -> String {
    error
        .to_string()
        .chars()
        .take(400)
        .flat_map(char::escape_debug)
        .collect()
}
