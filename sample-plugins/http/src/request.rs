//! The node that makes any request.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Flag, Given, Whole};
use reqwest::Method;

use crate::answer::{Answered, BadStatus, Wanted};
use crate::attempts::perform;
use crate::exchange::Reply;
use crate::order::{Auth, Order, Wish, method};
use crate::settings::Settings;

#[parameters]
pub(crate) struct Call<'a> {
    /// Where to: a URL, or a path below the administrator's setting `http.base_url`. It must be given.
    #[serde(default, alias = "uri", alias = "endpoint")]
    #[schemars(length(max = 16_384))]
    url: Option<&'a str>,
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`.
    #[serde(default, alias = "requestMethod")]
    #[schemars(extend("default" = "GET"), length(max = 10))]
    method: Option<&'a str>,
    /// More for the URL's query: a map of names to values, a list of `name` and `value`, or a text such as `a=1&b=2`.
    #[serde(default, alias = "queryParameters", alias = "params")]
    query: Any<'a>,
    /// Headers: a map of names to values, or a list of `name` and `value`.
    #[serde(default, alias = "headerParameters")]
    headers: Any<'a>,
    /// The body; a list or map is sent as JSON unless `bodyType` says otherwise.
    #[serde(default, alias = "data")]
    body: Given<'a>,
    /// The fields of a form, as n8n writes them; for documents without a `body`.
    #[serde(default)]
    body_parameters: Any<'a>,
    /// What the body is sent as: `auto`, `json`, `form`, `text` or `base64` (bytes that are written so).
    #[serde(default)]
    #[schemars(extend("default" = "auto"), length(max = 20))]
    body_type: Option<&'a str>,
    /// The media type of the body, if it is another one than follows from `bodyType`.
    #[serde(default, alias = "rawContentType")]
    #[schemars(length(max = 200))]
    content_type: Option<&'a str>,
    /// What the answer's body is given as: `auto` (by its media type), `json`, `text` or `base64`.
    #[serde(default, alias = "responseFormat")]
    #[schemars(extend("default" = "auto"), length(max = 20))]
    response_type: Option<&'a str>,
    /// Who makes the request, by the name of a secret.
    #[serde(default)]
    auth: Option<Auth<'a>>,
    /// How long an attempt may take, its redirects included, in milliseconds.
    #[serde(default)]
    #[schemars(extend("default" = 30_000), range(min = 1, max = 3_600_000))]
    timeout: Option<Whole>,
    /// Whether redirects are followed.
    #[serde(default)]
    #[schemars(extend("default" = true))]
    follow_redirects: Option<Flag>,
    /// How many of them.
    #[serde(default)]
    #[schemars(extend("default" = 10), range(min = 0, max = 50))]
    max_redirects: Option<Whole>,
    /// How often the request is made again when there is no answer, or one of `retryStatusCodes`.
    #[serde(default)]
    #[schemars(extend("default" = 0), range(min = 0, max = 20))]
    retries: Option<Whole>,
    /// The wait before the first of them, in milliseconds; it doubles each time, and a server's `Retry-After` replaces it.
    #[serde(default)]
    #[schemars(extend("default" = 500), range(min = 0, max = 60_000))]
    retry_delay: Option<Whole>,
    /// Statuses that are worth another attempt.
    #[serde(default)]
    #[schemars(extend("default" = [408, 429, 500, 502, 503, 504]), length(max = 500))]
    retry_status_codes: Option<Vec<Whole>>,
    /// Whether requests that change something each time they are made (`POST`, `PATCH`) are made again, too.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    retry_any_method: Option<Flag>,
    /// Whether a status from 400 on is an error of the node. It has the status, so retry policies see it.
    #[serde(default)]
    #[schemars(extend("default" = true))]
    fail_on_status: Option<Flag>,
    /// How many bytes of the answer's body are read; a longer one is an error.
    #[serde(default)]
    #[schemars(extend("default" = 10_485_760), range(min = 0, max = 67_108_864))]
    max_response_bytes: Option<Whole>,
}

impl<'a> Call<'a> {
    fn wish(&'a self) -> Wish<'a> {
        let form = self.body.0.is_none() && !self.body_parameters.0.is_null();
        Wish {
            url: self.url,
            query: self.query,
            headers: self.headers,
            body: if form {
                Given(Some(self.body_parameters.0))
            } else {
                self.body
            },
            body_type: self.body_type.unwrap_or_default(),
            content_type: self.content_type.unwrap_or_default(),
            auth: self.auth.as_ref(),
            timeout: self.timeout,
            follow_redirects: self.follow_redirects,
            max_redirects: self.max_redirects,
            retries: self.retries,
            retry_delay: self.retry_delay,
            retry_status_codes: self.retry_status_codes.as_deref(),
            retry_any_method: self.retry_any_method,
            max_response_bytes: self.max_response_bytes,
        }
    }
}

/// Makes an HTTP request and gives the answer, within limits of size and time, where the administrator lets requests go.
#[node(
    id = "http-request",
    aliases = ["http.request", "http_request", "n8n-nodes-base.httpRequest"],
    category = "integration",
    effect = "effectful",
    timeout_ms = 300_000,
    capabilities = ["network", "secrets"],
    secrets = ["HTTP_TOKEN", "HTTP_TOKEN_*", "HTTP_PASSWORD", "HTTP_PASSWORD_*"],
    tags = ["http", "request"],
    example(
        title = "an answer in JSON",
        input = r#"{"url": "http://api.example/items", "query": {"page": 2}}"#,
        output = r#"{
            "statusCode": 200, "status": 200, "statusText": "OK", "ok": true,
            "headers": {"content-type": "application/json", "content-length": "28"},
            "body": {"items": ["c", "d"], "page": 2}, "bodyType": "json",
            "url": "http://api.example/items?page=2", "method": "GET", "redirects": 0, "attempts": 1
        }"#
    ),
    example(
        title = "something that is not there, and no error",
        input = r#"{"url": "http://api.example/nothing", "method": "POST", "body": {"name": "e"}, "failOnStatus": false}"#,
        output = r#"{
            "statusCode": 404, "status": 404, "statusText": "Not Found", "ok": false,
            "headers": {"content-type": "text/plain", "content-length": "15"},
            "body": "nothing is here", "bodyType": "text",
            "url": "http://api.example/nothing", "method": "POST", "redirects": 0, "attempts": 1
        }"#
    )
)]
pub(crate) async fn http_request(input: Call<'_>, ctx: Ctx<'_>) -> NodeResult<Answered> {
    let wanted = Wanted::read(input.response_type)?;
    let bad = match input.fail_on_status {
        Some(Flag(false)) => BadStatus::IsGiven,
        _ => BadStatus::Fails,
    };
    let method = method(input.method.unwrap_or("GET"))?;
    made(&input.wish(), method, ctx).await?.answered(wanted, bad)
}

/// Makes a request by the settings of the tenant.
///
/// # Errors
/// When a parameter or a setting is wrong, or there is no answer.
pub(crate) async fn made(wish: &Wish<'_>, method: Method, ctx: Ctx<'_>) -> NodeResult<Reply> {
    let settings = Settings::read(ctx).await?;
    let order = Order::of(wish, method, &settings, ctx)?;
    plugin_io::run(ctx, perform(order, settings, ctx.remaining())).await
}
