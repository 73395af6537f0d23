//! Webhooks: requests that start workflows, and are answered by them.
//!
//! Invariant: a workflow chooses status, body and harmless headers of an answer; what guards browsers, connections and
//! the host itself stays the host's. Credentials of the request do not reach the workflow, whose runs are kept.

use axum::extract::{Path, Query as RawQuery, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use patchbay_control::{ControlError, Hook, HookBody, HookReply};
use patchbay_wire::ProblemView;

use crate::app::App;
use crate::body::{LARGEST_BODY, is_json, read};
use crate::error::{HttpError, Refusal};
use crate::guard::Settled;

/// Headers that a workflow may not see.
const WITHHELD: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];
/// Headers of the connection, of the body as this layer writes it, and of the rules that browsers follow.
const RESERVED: [&str; 28] = [
    "age",
    "alt-svc",
    "cache-control",
    "clear-site-data",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "expires",
    "host",
    "keep-alive",
    "pragma",
    "refresh",
    "server",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-frame-options",
    "x-request-id",
    "x-sendfile",
    "x-xss-protection",
];
const RESERVED_FAMILIES: [&str; 11] = [
    "access-control-",
    "content-security-policy",
    "cross-origin-",
    "permissions-policy",
    "proxy-",
    "referrer-policy",
    "sec-",
    "strict-transport-security",
    "x-accel-",
    "x-patchbay-",
    "x-permitted-",
];
const MOST_HEADERS: usize = 32;

/// Start the workflow that has this webhook, and answer with what it says
///
/// The fields of a JSON body become `$json`; method, path, query and headers are in `$json.$request`. The answer is what a
/// `webhook-response` node gave, else the result of the run.
#[utoipa::path(method(get, post, put, patch, delete), path = "/hooks/{*path}", tag = "workflows",
    params(("path" = String, Path, description = "The path that a trigger of the workflow names")), responses(
    (status = 200, description = "What the workflow answers", content_type = "application/json", body = Object),
    (status = 404, description = "No active workflow has this webhook", body = ProblemView),
    (status = "default", body = ProblemView)))]
pub(crate) async fn hook(
    State(app): State<App>,
    Path(path): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let query = RawQuery::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let RawQuery(query) = query.map_err(|error| HttpError::BadQuery {
        why: error.to_string().chars().take(400).collect(),
    })?;
    let body = read(body, LARGEST_BODY).await?;
    let hook = Hook {
        method: parts.method.as_str().to_owned(),
        path: format!("/{}", path.trim_start_matches('/')),
        query,
        headers: seen(&parts.headers),
        body: told(&parts.headers, body)?,
    };
    let begun = app.record(move |patchbay| patchbay.begin_hook(&hook)).await??;
    let view = begun.ended().await.map_err(ControlError::from)?;
    Ok(answer(HookReply::of(&view)))
}

fn seen(headers: &HeaderMap) -> Vec<(String, String)> {
    let told = headers.iter().filter(|(name, _)| !WITHHELD.contains(name));
    told.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}

fn told(headers: &HeaderMap, body: Vec<u8>) -> Result<HookBody, HttpError> {
    if body.is_empty() {
        return Ok(HookBody::None);
    }
    let text = String::from_utf8(body).map_err(|_| HttpError::BadBody {
        why: "it is no text in UTF-8".to_owned(),
    })?;
    Ok(match is_json(headers) {
        true => HookBody::Json(text),
        false => HookBody::Text(text),
    })
}

fn answer(reply: HookReply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let mut response = (status, reply.body).into_response();
    let headers = response.headers_mut();
    for (name, value) in reply.headers.into_iter().take(MOST_HEADERS) {
        let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) else {
            continue;
        };
        if may_set(name.as_str()) {
            headers.append(name, value);
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // Whatever its status: the workflow's words are not to be replaced by a problem.
    response.extensions_mut().insert(Settled);
    response
}

fn may_set(name: &str) -> bool {
    !RESERVED.contains(&name) && !RESERVED_FAMILIES.iter().any(|family| name.starts_with(family))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_sets_harmless_headers_and_no_others() {
        for name in [
            "location",
            "etag",
            "retry-after",
            "link",
            "x-workflow-step",
            "x-custom",
        ] {
            assert!(may_set(name), "{name}");
        }
        for name in [
            "connection",
            "content-length",
            "content-type",
            "transfer-encoding",
            "set-cookie",
            "content-security-policy",
            "content-security-policy-report-only",
            "x-content-type-options",
            "x-request-id",
            "access-control-allow-origin",
            "cache-control",
        ] {
            assert!(!may_set(name), "{name}");
        }
    }

    #[test]
    fn an_answer_is_json_with_the_status_and_the_good_headers_of_the_workflow() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let response = answer(HookReply {
            status: 418,
            headers: vec![
                pair("Retry-After", "5"),
                pair("Content-Type", "text/html"),
                pair("bad name", "x"),
                pair("etag", "a\r\nset-cookie: b"),
            ],
            body: "{}".to_owned(),
        });
        assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
        assert_eq!(response.headers()["retry-after"], "5");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert!(!response.headers().contains_key("etag"));
    }

    #[test]
    fn credentials_are_not_shown_to_a_workflow() {
        let mut headers = HeaderMap::new();
        for name in [
            "authorization",
            "cookie",
            "proxy-authorization",
            "x-hub-signature",
        ] {
            headers.insert(name, HeaderValue::from_static("s"));
        }
        assert_eq!(seen(&headers), [("x-hub-signature".to_owned(), "s".to_owned())]);
    }
}
