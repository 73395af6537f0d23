//! Request bodies: bounded in size and time, then read as JSON.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use crate::error::{HttpError, Refusal};

/// The largest body that is read.
pub(crate) const LARGEST_BODY: usize = 8 << 20;
/// How long a body may take to arrive.
const SLOWEST_BODY: Duration = Duration::from_secs(30);

/// The largest body of a route that takes documents: one of 16 MiB, and as much beside it.
pub(crate) const LARGEST_DOCUMENT: usize = 32 << 20;

/// A body of JSON of at most so many bytes; no body at all stands for an empty object.
pub(crate) struct Json<T, const MOST: usize = LARGEST_BODY>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync, const MOST: usize> FromRequest<S> for Json<T, MOST> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let bytes = read(body, MOST).await?;
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

/// A body that says that it is JSON, and need not be.
pub(crate) struct Text<const MOST: usize>(pub(crate) String);

impl<S: Sync, const MOST: usize> FromRequest<S> for Text<MOST> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let bytes = read(body, MOST).await?;
        if !is_json(&parts.headers) {
            return Err(HttpError::NotJson.into());
        }
        let text = String::from_utf8(bytes).map_err(|error| HttpError::BadBody {
            why: error.utf8_error().to_string(),
        })?;
        Ok(Self(text))
    }
}

/// The query of a request; one that does not fit is told why.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        match axum::extract::Query::<T>::try_from_uri(&parts.uri) {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(error) => {
                let why = error.body_text();
                let why = why.chars().take(400).flat_map(char::escape_debug).collect();
                Err(HttpError::BadQuery { why }.into())
            }
        }
    }
}

/// A whole body, of at most so many bytes.
pub(crate) async fn read(body: Body, most: usize) -> Result<Vec<u8>, HttpError> {
    tokio::time::timeout(SLOWEST_BODY, collect(body, most))
        .await
        .map_err(|_| HttpError::BodyTooSlow)?
}

async fn collect(body: Body, most: usize) -> Result<Vec<u8>, HttpError> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| HttpError::BodyBroken)?;
        if bytes.len() + chunk.len() > most {
            return Err(HttpError::BodyTooLarge { most });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

pub(crate) fn is_json(headers: &HeaderMap) -> bool {
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
