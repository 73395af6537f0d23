//! What a webhook answers.
//!
//! Invariant: what comes out is what the host makes an answer of: a status that an answer can have, headers that can be
//! sent, and a body.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Any, Given, Outcome, Whole, text_of};

use crate::headers::headers;
use crate::location::{Table, gathered, table};
use crate::pairs::pairs;

#[parameters]
pub(crate) struct Response<'a> {
    /// The status.
    #[serde(default, alias = "responseCode", alias = "status")]
    #[schemars(extend("default" = 200), range(min = 200, max = 599))]
    status_code: Option<Whole>,
    /// The body; it is sent as JSON.
    #[serde(default, alias = "responseBody")]
    body: Given<'a>,
    /// Headers: a map of names to values, or a list of `name` and `value`. The host leaves out those that are its own.
    #[serde(default)]
    headers: Any<'a>,
    /// What the body is, as n8n says it: `json`, `text`, `noData`, `redirect` or `firstIncomingItem`.
    #[serde(default)]
    #[schemars(length(max = 40))]
    respond_with: Option<&'a str>,
    /// Where a redirect leads to.
    #[serde(default, rename = "redirectURL", alias = "redirectUrl")]
    #[schemars(length(max = 16_384))]
    redirect_url: Option<&'a str>,
    /// More that n8n writes: `responseCode` and `responseHeaders`.
    #[serde(default)]
    options: Any<'a>,
}

/// The answer of the webhook that started the run.
#[output]
pub(crate) struct Responded<'a> {
    /// The status.
    status_code: i64,
    /// The headers.
    headers: Table,
    /// The body.
    body: Outcome<'a>,
}

/// Says what the webhook that started the run answers. Of several such nodes of a workflow one that ran counts.
#[node(
    id = "webhook-response",
    aliases = ["webhook.response", "n8n-nodes-base.respondToWebhook"],
    category = "integration",
    effect = "idempotent",
    tags = ["webhook", "answer"],
    example(
        title = "created",
        input = r#"{"statusCode": 201, "body": {"id": 7}, "headers": {"Location": "/items/7"}}"#,
        output = r#"{"statusCode": 201, "headers": {"location": "/items/7"}, "body": {"id": 7}}"#
    ),
    example(
        title = "as n8n writes it",
        input = r#"{"respondWith": "json", "responseBody": "{\"ok\": true}", "options": {"responseCode": 202}}"#,
        output = r#"{"statusCode": 202, "headers": {}, "body": {"ok": true}}"#
    )
)]
pub(crate) fn webhook_response<'a>(input: Response<'a>, ctx: &Ctx<'_>) -> NodeResult<Responded<'a>> {
    let options = input.options.0;
    let redirects = input.respond_with == Some("redirect");
    let status = match (input.status_code, options.get("responseCode")) {
        (Some(status), _) => status,
        (None, Some(status)) => Whole::read(status)
            .ok_or_else(|| NodeError::invalid("options", "`responseCode` must be a whole number"))?,
        (None, None) => Whole(if redirects { 307 } else { 200 }),
    };
    let status_code = status.within("statusCode", 200..=599)?;
    let mut found = pairs(input.headers.0, "headers")?;
    if let Some(more) = options.get("responseHeaders") {
        found.extend(pairs(more, "options")?);
    }
    if redirects {
        let missing = || NodeError::invalid("redirectURL", "is missing");
        found.push((
            "location".to_owned(),
            input.redirect_url.ok_or_else(missing)?.to_owned(),
        ));
    }
    headers(&found, "headers")?;
    let lower = |(name, value): (String, String)| (name.to_ascii_lowercase(), value);
    Ok(Responded {
        status_code,
        headers: table(&gathered(found.into_iter().map(lower)))?,
        body: body(&input, ctx)?,
    })
}

fn body<'a>(input: &Response<'a>, ctx: &Ctx<'_>) -> NodeResult<Outcome<'a>> {
    let value = input.body.value();
    Ok(match input.respond_with {
        None => Outcome::Lent(value),
        Some("noData" | "redirect") => Outcome::Lent(ValueRef::NULL),
        Some("json") => match value.as_str() {
            Some(text) => {
                let wrong = |error| NodeError::invalid("body", format_args!("is no JSON: {error}"));
                Outcome::Made(Value::from_json(text).map_err(wrong)?)
            }
            None => Outcome::Lent(value),
        },
        Some("text") => {
            let wrong = || NodeError::invalid("body", "must be a text");
            Outcome::Made(Value::from(&*text_of(value).ok_or_else(wrong)?))
        }
        Some("firstIncomingItem") => match ctx.input(0) {
            Ok(arrived) => Outcome::Made(arrived.unwrap_or_default()),
            Err(error) if error.code == code::UNSUPPORTED => Outcome::Lent(ValueRef::NULL),
            Err(error) => return Err(error),
        },
        Some(_) => {
            let why = "must be `json`, `text`, `noData`, `redirect` or `firstIncomingItem`";
            return Err(NodeError::invalid("respondWith", why));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugin_api::testing::Harness;

    fn call(input: &str) -> Result<Value, NodeError> {
        Harness::new().call::<webhook_response>(input)
    }

    #[test]
    fn the_examples_hold() {
        Harness::new().check_examples::<webhook_response>();
    }

    #[test]
    fn what_is_given_is_answered() {
        for (input, expected) in [
            ("{}", r#"{"statusCode":200,"headers":{},"body":null}"#),
            (
                r#"{"statusCode": "404", "body": "no"}"#,
                r#"{"statusCode":404,"headers":{},"body":"no"}"#,
            ),
            (
                r#"{"respondWith": "noData", "body": 1}"#,
                r#"{"statusCode":200,"headers":{},"body":null}"#,
            ),
            (
                r#"{"respondWith": "text", "body": 1}"#,
                r#"{"statusCode":200,"headers":{},"body":"1"}"#,
            ),
            (
                r#"{"respondWith": "redirect", "redirectURL": "https://example.org/"}"#,
                r#"{"statusCode":307,"headers":{"location":"https://example.org/"},"body":null}"#,
            ),
            (
                r#"{"options": {"responseHeaders": {"entries": [{"name": "X-A", "value": "1"}]}}}"#,
                r#"{"statusCode":200,"headers":{"x-a":"1"},"body":null}"#,
            ),
        ] {
            assert_eq!(call(input).unwrap().to_json(), expected, "{input}");
        }
        let arrived = Harness::new()
            .input(0, &5)
            .call::<webhook_response>(r#"{"respondWith": "firstIncomingItem"}"#);
        assert_eq!(arrived.unwrap().as_ref().get("body").unwrap().as_i64(), Some(5));
        let alone = Harness::new().outside_workflow();
        let alone = alone.call::<webhook_response>(r#"{"respondWith": "firstIncomingItem"}"#);
        assert!(alone.unwrap().as_ref().get("body").unwrap().is_null());
    }

    #[test]
    fn what_cannot_be_answered_is_an_error_that_names_the_parameter() {
        for (input, parameter) in [
            (r#"{"statusCode": 199}"#, "statusCode"),
            (r#"{"statusCode": 600}"#, "statusCode"),
            (r#"{"statusCode": "x"}"#, "statusCode"),
            (r#"{"options": {"responseCode": "x"}}"#, "options"),
            (r#"{"headers": 5}"#, "headers"),
            (r#"{"headers": {"X-A": "1\r\nSet-Cookie: a"}}"#, "headers"),
            (r#"{"headers": {"X A": "1"}}"#, "headers"),
            (r#"{"respondWith": "binary"}"#, "respondWith"),
            (r#"{"respondWith": "json", "body": "{"}"#, "body"),
            (r#"{"respondWith": "text", "body": {}}"#, "body"),
            (r#"{"respondWith": "redirect"}"#, "redirectURL"),
        ] {
            let error = call(input).unwrap_err();
            assert_eq!(error.code, "VALIDATION_FAILED", "{input}");
            assert!(
                error.message.contains(&format!("`{parameter}`")) || error.message.contains(parameter),
                "{input}: {error}"
            );
        }
    }
}
