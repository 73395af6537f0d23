//! What is the same for every request: the page, the description of the API, and the answers to health checks.

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::routing::get;

/// The page runs its own script and style and talks to its own host; nothing else, whatever a plugin's text says.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                           img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                           require-trusted-types-for 'script'; trusted-types 'none'";

/// The routes outside `/api/v1`, and its description.
pub(crate) fn fixed(description: &utoipa::openapi::OpenApi) -> Router {
    let description = Bytes::from(serde_json::to_vec(description).unwrap_or_default());
    Router::new()
        .route(
            "/api/v1/openapi.json",
            get(async || ([(CONTENT_TYPE, "application/json")], description)),
        )
        .route("/healthz", get(async || "ok"))
        .route(
            "/",
            get(async || {
                page(
                    "text/html; charset=utf-8",
                    include_str!("../../assets/index.html"),
                )
            }),
        )
        .route(
            "/app.js",
            get(async || {
                page(
                    "text/javascript; charset=utf-8",
                    include_str!("../../assets/app.js"),
                )
            }),
        )
        .route(
            "/app.css",
            get(async || page("text/css; charset=utf-8", include_str!("../../assets/app.css"))),
        )
}

fn page(kind: &'static str, text: &'static str) -> ([(HeaderName, &'static str); 3], &'static str) {
    (
        [
            (CONTENT_TYPE, kind),
            (CONTENT_SECURITY_POLICY, PAGE_POLICY),
            (CACHE_CONTROL, "no-cache"),
        ],
        text,
    )
}
