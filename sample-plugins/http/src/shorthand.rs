//! Nodes for one method each.
//!
//! `http.*` fail when the status says so; `api.*` give any status with `ok`, and can leave the answer in a
//! variable, as workflows that were written for a frontend expect.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Flag, Given, Whole};
use reqwest::Method;

use crate::answer::{Answered, BadStatus, Wanted};
use crate::order::{Auth, Wish};
use crate::request::made;

#[parameters]
pub(crate) struct Get<'a> {
    /// Where to: a URL, or a path below the administrator's setting `http.base_url`. It must be given.
    #[serde(default, alias = "endpoint", alias = "uri")]
    #[schemars(length(max = 16_384))]
    url: Option<&'a str>,
    /// More for the URL's query.
    #[serde(default, alias = "queryParameters", alias = "params")]
    query: Any<'a>,
    /// Headers.
    #[serde(default)]
    headers: Any<'a>,
    /// Who makes the request, by the name of a secret.
    #[serde(default)]
    auth: Option<Auth<'a>>,
    /// What the answer's body is given as: `auto`, `json`, `text` or `base64`.
    #[serde(default)]
    #[schemars(extend("default" = "auto"), length(max = 20))]
    response_type: Option<&'a str>,
    /// How long it may take, in milliseconds.
    #[serde(default)]
    #[schemars(extend("default" = 30_000), range(min = 1, max = 3_600_000))]
    timeout: Option<Whole>,
    /// How often it is made again when there is no answer, or one that may be better at another time.
    #[serde(default)]
    #[schemars(extend("default" = 0), range(min = 0, max = 20))]
    retries: Option<Whole>,
    /// Whether a status from 400 on is an error of the node.
    #[serde(default)]
    fail_on_status: Option<Flag>,
    /// A variable of the run that is set to the result.
    #[serde(default)]
    #[schemars(length(max = 128))]
    out: Option<&'a str>,
}

#[parameters]
pub(crate) struct Send<'a> {
    /// Where to: a URL, or a path below the administrator's setting `http.base_url`. It must be given.
    #[serde(default, alias = "endpoint", alias = "uri")]
    #[schemars(length(max = 16_384))]
    url: Option<&'a str>,
    /// More for the URL's query.
    #[serde(default, alias = "queryParameters", alias = "params")]
    query: Any<'a>,
    /// Headers.
    #[serde(default)]
    headers: Any<'a>,
    /// The body; a list or map is sent as JSON unless `bodyType` says otherwise.
    #[serde(default, alias = "data")]
    body: Given<'a>,
    /// What the body is sent as: `auto`, `json`, `form`, `text` or `base64`.
    #[serde(default)]
    #[schemars(extend("default" = "auto"), length(max = 20))]
    body_type: Option<&'a str>,
    /// The media type of the body, if it is another one than follows from `bodyType`.
    #[serde(default)]
    #[schemars(length(max = 200))]
    content_type: Option<&'a str>,
    /// Who makes the request, by the name of a secret.
    #[serde(default)]
    auth: Option<Auth<'a>>,
    /// What the answer's body is given as: `auto`, `json`, `text` or `base64`.
    #[serde(default)]
    #[schemars(extend("default" = "auto"), length(max = 20))]
    response_type: Option<&'a str>,
    /// How long it may take, in milliseconds.
    #[serde(default)]
    #[schemars(extend("default" = 30_000), range(min = 1, max = 3_600_000))]
    timeout: Option<Whole>,
    /// How often it is made again when there is no answer, or one that may be better at another time; never for a `POST`.
    #[serde(default)]
    #[schemars(extend("default" = 0), range(min = 0, max = 20))]
    retries: Option<Whole>,
    /// Whether a status from 400 on is an error of the node.
    #[serde(default)]
    fail_on_status: Option<Flag>,
    /// A variable of the run that is set to the result.
    #[serde(default)]
    #[schemars(length(max = 128))]
    out: Option<&'a str>,
}

impl Get<'_> {
    async fn call(&self, bad: BadStatus, ctx: Ctx<'_>) -> NodeResult<Answered> {
        let wish = Wish {
            url: self.url,
            query: self.query,
            headers: self.headers,
            auth: self.auth.as_ref(),
            timeout: self.timeout,
            retries: self.retries,
            ..Wish::default()
        };
        let rest = Rest {
            wanted: Wanted::read(self.response_type)?,
            bad: judged(self.fail_on_status, bad),
            out: self.out,
        };
        rest.of(&wish, Method::GET, ctx).await
    }
}

impl Send<'_> {
    async fn call(&self, method: Method, bad: BadStatus, ctx: Ctx<'_>) -> NodeResult<Answered> {
        let wish = Wish {
            url: self.url,
            query: self.query,
            headers: self.headers,
            body: self.body,
            body_type: self.body_type.unwrap_or_default(),
            content_type: self.content_type.unwrap_or_default(),
            auth: self.auth.as_ref(),
            timeout: self.timeout,
            retries: self.retries,
            ..Wish::default()
        };
        let rest = Rest {
            wanted: Wanted::read(self.response_type)?,
            bad: judged(self.fail_on_status, bad),
            out: self.out,
        };
        rest.of(&wish, method, ctx).await
    }
}

const fn judged(given: Option<Flag>, usual: BadStatus) -> BadStatus {
    match given {
        Some(Flag(true)) => BadStatus::Fails,
        Some(Flag(false)) => BadStatus::IsGiven,
        None => usual,
    }
}

/// What becomes of an answer.
struct Rest<'a> {
    wanted: Wanted,
    bad: BadStatus,
    out: Option<&'a str>,
}

impl Rest<'_> {
    async fn of(&self, wish: &Wish<'_>, method: Method, ctx: Ctx<'_>) -> NodeResult<Answered> {
        if self.out.is_some_and(|name| name.is_empty() || name.len() > 128) {
            return Err(NodeError::invalid(
                "out",
                "must be the name of a variable, from 1 to 128 bytes",
            ));
        }
        let answered = made(wish, method, ctx).await?.answered(self.wanted, self.bad)?;
        if let Some(name) = self.out {
            ctx.set_variable(name, &answered)?;
        }
        Ok(answered)
    }
}

/// Gets what is at a URL. A status from 400 on is an error.
#[node(
    id = "http.get",
    category = "integration",
    effect = "idempotent",
    timeout_ms = 300_000,
    capabilities = ["network", "secrets"],
    secrets = ["HTTP_TOKEN", "HTTP_TOKEN_*", "HTTP_PASSWORD", "HTTP_PASSWORD_*"],
    tags = ["http"],
    example(
        title = "a text",
        input = r#"{"url": "http://api.example/hello"}"#,
        output = r#"{
            "statusCode": 200, "status": 200, "statusText": "OK", "ok": true,
            "headers": {"content-type": "text/plain", "content-length": "5"}, "body": "hello", "bodyType": "text",
            "url": "http://api.example/hello", "method": "GET", "redirects": 0, "attempts": 1
        }"#
    ),
    example(
        title = "bytes, behind a redirect",
        input = r#"{"url": "http://api.example/moved", "responseType": "base64"}"#,
        output = r#"{
            "statusCode": 200, "status": 200, "statusText": "OK", "ok": true,
            "headers": {"content-type": "text/plain", "content-length": "5"}, "body": "aGVsbG8=", "bodyType": "base64",
            "url": "http://api.example/hello", "method": "GET", "redirects": 1, "attempts": 1
        }"#
    )
)]
pub(crate) async fn http_get(input: Get<'_>, ctx: Ctx<'_>) -> NodeResult<Answered> {
    input.call(BadStatus::Fails, ctx).await
}

/// Sends a body to a URL with `POST`. A status from 400 on is an error.
#[node(
    id = "http.post",
    category = "integration",
    effect = "effectful",
    timeout_ms = 300_000,
    capabilities = ["network", "secrets"],
    secrets = ["HTTP_TOKEN", "HTTP_TOKEN_*", "HTTP_PASSWORD", "HTTP_PASSWORD_*"],
    tags = ["http"],
    example(
        title = "JSON",
        input = r#"{"url": "http://api.example/echo", "body": {"a": [1, 2]}}"#,
        output = r#"{
            "statusCode": 201, "status": 201, "statusText": "Created", "ok": true,
            "headers": {"content-type": "application/json", "content-length": "11"},
            "body": {"a": [1, 2]}, "bodyType": "json",
            "url": "http://api.example/echo", "method": "POST", "redirects": 0, "attempts": 1
        }"#
    ),
    example(
        title = "a form",
        input = r#"{"url": "http://api.example/echo", "body": {"name": "a b"}, "bodyType": "form"}"#,
        output = r#"{
            "statusCode": 201, "status": 201, "statusText": "Created", "ok": true,
            "headers": {"content-type": "application/x-www-form-urlencoded", "content-length": "8"},
            "body": "name=a+b", "bodyType": "text",
            "url": "http://api.example/echo", "method": "POST", "redirects": 0, "attempts": 1
        }"#
    )
)]
pub(crate) async fn http_post(input: Send<'_>, ctx: Ctx<'_>) -> NodeResult<Answered> {
    input.call(Method::POST, BadStatus::Fails, ctx).await
}

/// Gets what an API has at a URL, and gives any status as a result.
#[node(
    id = "api.get",
    category = "integration",
    effect = "idempotent",
    timeout_ms = 300_000,
    capabilities = ["network", "secrets"],
    secrets = ["HTTP_TOKEN", "HTTP_TOKEN_*", "HTTP_PASSWORD", "HTTP_PASSWORD_*"],
    tags = ["http", "api"],
    example(
        title = "something that is there",
        input = r#"{"endpoint": "http://api.example/hello"}"#,
        output = r#"{
            "statusCode": 200, "status": 200, "statusText": "OK", "ok": true,
            "headers": {"content-type": "text/plain", "content-length": "5"}, "body": "hello", "bodyType": "text",
            "url": "http://api.example/hello", "method": "GET", "redirects": 0, "attempts": 1
        }"#
    ),
    example(
        title = "something that is not there",
        input = r#"{"endpoint": "http://api.example/nothing"}"#,
        output = r#"{
            "statusCode": 404, "status": 404, "statusText": "Not Found", "ok": false,
            "headers": {"content-type": "text/plain", "content-length": "15"},
            "body": "nothing is here", "bodyType": "text",
            "url": "http://api.example/nothing", "method": "GET", "redirects": 0, "attempts": 1
        }"#
    )
)]
pub(crate) async fn api_get(input: Get<'_>, ctx: Ctx<'_>) -> NodeResult<Answered> {
    input.call(BadStatus::IsGiven, ctx).await
}

/// Sends something new to an API with `POST`, and gives any status as a result.
#[node(
    id = "api.post",
    category = "integration",
    effect = "effectful",
    timeout_ms = 300_000,
    capabilities = ["network", "secrets"],
    secrets = ["HTTP_TOKEN", "HTTP_TOKEN_*", "HTTP_PASSWORD", "HTTP_PASSWORD_*"],
    tags = ["http", "api"],
    example(
        title = "JSON",
        input = r#"{"endpoint": "http://api.example/echo", "body": {"name": "a"}}"#,
        output = r#"{
            "statusCode": 201, "status": 201, "statusText": "Created", "ok": true,
            "headers": {"content-type": "application/json", "content-length": "12"},
            "body": {"name": "a"}, "bodyType": "json",
            "url": "http://api.example/echo", "method": "POST", "redirects": 0, "attempts": 1
        }"#
    ),
    example(
        title = "a status that is an error",
        input = r#"{"endpoint": "http://api.example/nothing", "body": 1}"#,
        output = r#"{
            "statusCode": 404, "status": 404, "statusText": "Not Found", "ok": false,
            "headers": {"content-type": "text/plain", "content-length": "15"},
            "body": "nothing is here", "bodyType": "text",
            "url": "http://api.example/nothing", "method": "POST", "redirects": 0, "attempts": 1
        }"#
    )
)]
pub(crate) async fn api_post(input: Send<'_>, ctx: Ctx<'_>) -> NodeResult<Answered> {
    input.call(Method::POST, BadStatus::IsGiven, ctx).await
}

/// Puts something where an API is to have it, and gives any status as a result.
#[node(
    id = "api.put",
    category = "integration",
    effect = "idempotent",
    timeout_ms = 300_000,
    capabilities = ["network", "secrets"],
    secrets = ["HTTP_TOKEN", "HTTP_TOKEN_*", "HTTP_PASSWORD", "HTTP_PASSWORD_*"],
    tags = ["http", "api"],
    example(
        title = "a file's content",
        input = r#"{"endpoint": "http://api.example/echo", "body": "aGVsbG8=", "bodyType": "base64",
                    "contentType": "application/octet-stream", "out": "response"}"#,
        output = r#"{
            "statusCode": 201, "status": 201, "statusText": "Created", "ok": true,
            "headers": {"content-type": "application/octet-stream", "content-length": "5"},
            "body": "aGVsbG8=", "bodyType": "base64",
            "url": "http://api.example/echo", "method": "PUT", "redirects": 0, "attempts": 1
        }"#
    ),
    example(
        title = "a text",
        input = r#"{"endpoint": "http://api.example/echo", "body": "hello"}"#,
        output = r#"{
            "statusCode": 201, "status": 201, "statusText": "Created", "ok": true,
            "headers": {"content-type": "text/plain; charset=utf-8", "content-length": "5"},
            "body": "hello", "bodyType": "text",
            "url": "http://api.example/echo", "method": "PUT", "redirects": 0, "attempts": 1
        }"#
    )
)]
pub(crate) async fn api_put(input: Send<'_>, ctx: Ctx<'_>) -> NodeResult<Answered> {
    input.call(Method::PUT, BadStatus::IsGiven, ctx).await
}

/// Has an API delete what is at a URL, and gives any status as a result.
#[node(
    id = "api.delete",
    category = "integration",
    effect = "idempotent",
    timeout_ms = 300_000,
    capabilities = ["network", "secrets"],
    secrets = ["HTTP_TOKEN", "HTTP_TOKEN_*", "HTTP_PASSWORD", "HTTP_PASSWORD_*"],
    tags = ["http", "api"],
    example(
        title = "gone",
        input = r#"{"endpoint": "http://api.example/items/1"}"#,
        output = r#"{
            "statusCode": 204, "status": 204, "statusText": "No Content", "ok": true, "headers": {},
            "body": null, "bodyType": "none",
            "url": "http://api.example/items/1", "method": "DELETE", "redirects": 0, "attempts": 1
        }"#
    ),
    example(
        title = "it was not there",
        input = r#"{"endpoint": "http://api.example/nothing"}"#,
        output = r#"{
            "statusCode": 404, "status": 404, "statusText": "Not Found", "ok": false,
            "headers": {"content-type": "text/plain", "content-length": "15"},
            "body": "nothing is here", "bodyType": "text",
            "url": "http://api.example/nothing", "method": "DELETE", "redirects": 0, "attempts": 1
        }"#
    )
)]
pub(crate) async fn api_delete(input: Send<'_>, ctx: Ctx<'_>) -> NodeResult<Answered> {
    input.call(Method::DELETE, BadStatus::IsGiven, ctx).await
}
