//! Pastes of a pastebin service.
//!
//! Invariant: what the service refuses, and that it cannot be reached, is told in the result (`success`, `error`), since
//! workflows look there; parameters and settings that are wrong are errors.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Given, Outcome, Text, Whole};
use reqwest::Method;

use crate::order::Wish;
use crate::request::made;

/// Where the service is, if nobody says.
const USUAL_PLACE: &str = "http://localhost:3001";

#[parameters]
pub(crate) struct Create<'a> {
    /// The text.
    content: Text<'a>,
    /// Its language, for highlighting.
    #[serde(default)]
    #[schemars(extend("default" = "plaintext"), length(max = 64))]
    language: Option<&'a str>,
    /// Its title.
    #[serde(default)]
    #[schemars(length(max = 1_000))]
    title: Option<Text<'a>>,
    /// When it goes: `1h`, `1d`, `1w`, `1m` or `never`.
    #[serde(default, alias = "expires_in")]
    #[schemars(extend("default" = "1d"), length(max = 10))]
    expires_in: Option<&'a str>,
    /// Where the service is.
    #[serde(default, alias = "api_url")]
    #[schemars(extend("default" = "http://localhost:3001"), length(max = 2_000))]
    api_url: Option<&'a str>,
}

/// A paste that was made.
#[output]
#[derive(Default)]
pub(crate) struct Created {
    /// Whether it was made.
    success: bool,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Where it can be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Why it was not made.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Makes a paste of a text.
#[node(
    id = "pastebin.create",
    category = "projects",
    effect = "effectful",
    timeout_ms = 60_000,
    capabilities = ["network"],
    tags = ["pastebin"],
    example(
        title = "a text",
        input = r#"{"content": "fn main() {}", "language": "rust", "apiUrl": "http://paste.example"}"#,
        output = r#"{"success": true, "id": "p1", "url": "http://paste.example/p/p1"}"#
    ),
    example(
        title = "one that is refused",
        input = r#"{"content": "", "apiUrl": "http://paste.example"}"#,
        output = r#"{"success": false, "error": "http://paste.example answered 400 (Bad Request)"}"#
    )
)]
pub(crate) async fn pastebin_create(input: Create<'_>, ctx: Ctx<'_>) -> NodeResult<Created> {
    let expires_in = input.expires_in.unwrap_or("1d");
    if !["1h", "1d", "1w", "1m", "never"].contains(&expires_in) {
        return Err(NodeError::invalid(
            "expiresIn",
            "must be `1h`, `1d`, `1w`, `1m` or `never`",
        ));
    }
    let body = Value::from_serialize(&Paste {
        content: input.content.as_str(),
        language: input.language.unwrap_or("plaintext"),
        title: input.title.as_ref().map(Text::as_str),
        expires_in,
    })?;
    let place = place(input.api_url)?;
    let asked = asked(&format!("{place}/api/pastes"), Method::POST, Some(&body), ctx).await?;
    Ok(
        match asked.and_then(|answer| text(&answer, "id").ok_or_else(|| "the service gave no id".to_owned()))
        {
            Ok(id) => Created {
                success: true,
                url: Some(format!("{place}/p/{id}")),
                id: Some(id),
                error: None,
            },
            Err(why) => Created {
                error: Some(why),
                ..Created::default()
            },
        },
    )
}

#[derive(plugin_api::serde::Serialize)]
#[serde(crate = "plugin_api::serde", rename_all = "camelCase")]
struct Paste<'a> {
    content: &'a str,
    language: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    expires_in: &'a str,
}

#[parameters]
pub(crate) struct Find<'a> {
    /// The paste's id.
    #[schemars(length(max = 128))]
    id: Text<'a>,
    /// Where the service is.
    #[serde(default, alias = "api_url")]
    #[schemars(extend("default" = "http://localhost:3001"), length(max = 2_000))]
    api_url: Option<&'a str>,
}

/// A paste.
#[output]
#[derive(Default)]
pub(crate) struct Found {
    /// Whether it was found.
    success: bool,
    /// The text.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    /// Its language.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    /// Why it was not found.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Gets a paste by its id.
#[node(
    id = "pastebin.get",
    category = "projects",
    effect = "idempotent",
    timeout_ms = 60_000,
    capabilities = ["network"],
    tags = ["pastebin"],
    example(
        title = "one that is there",
        input = r#"{"id": "p1", "apiUrl": "http://paste.example"}"#,
        output = r#"{
            "success": true, "content": "fn main() {}", "language": "rust", "title": "main",
            "createdAt": "2026-01-02T03:04:05Z"
        }"#
    ),
    example(
        title = "one that is not",
        input = r#"{"id": "p2", "apiUrl": "http://paste.example"}"#,
        output = r#"{"success": false, "error": "http://paste.example answered 404 (Not Found)"}"#
    )
)]
pub(crate) async fn pastebin_get(input: Find<'_>, ctx: Ctx<'_>) -> NodeResult<Found> {
    let id = input.id.as_str();
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if id.is_empty() || id.len() > 128 || !id.bytes().all(fits) {
        let why = "must have from 1 to 128 letters, digits, hyphens and underscores";
        return Err(NodeError::invalid("id", why));
    }
    let url = format!("{}/api/pastes/{id}", place(input.api_url)?);
    Ok(match asked(&url, Method::GET, None, ctx).await? {
        Ok(answer) => Found {
            success: true,
            content: text(&answer, "content"),
            language: text(&answer, "language"),
            title: text(&answer, "title"),
            created_at: text(&answer, "createdAt"),
            error: None,
        },
        Err(why) => Found {
            error: Some(why),
            ..Found::default()
        },
    })
}

#[parameters]
pub(crate) struct Recent<'a> {
    /// How many.
    #[serde(default)]
    #[schemars(extend("default" = 10), range(min = 1, max = 1_000))]
    limit: Option<Whole>,
    /// Where the service is.
    #[serde(default, alias = "api_url")]
    #[schemars(extend("default" = "http://localhost:3001"), length(max = 2_000))]
    api_url: Option<&'a str>,
}

/// Pastes.
#[output]
pub(crate) struct Listed {
    /// Whether they were found.
    success: bool,
    /// The pastes, as the service gives them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pastes: Option<Outcome<'static>>,
    /// Why they were not found.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Lists the newest pastes.
#[node(
    id = "pastebin.list",
    category = "projects",
    effect = "idempotent",
    timeout_ms = 60_000,
    capabilities = ["network"],
    tags = ["pastebin"],
    example(
        title = "the newest one",
        input = r#"{"limit": 1, "apiUrl": "http://paste.example"}"#,
        output = r#"{"success": true, "pastes": [{"id": "p1", "title": "main", "language": "rust"}]}"#
    ),
    example(
        title = "where there is no such service",
        input = r#"{"apiUrl": "http://api.example"}"#,
        output = r#"{"success": false, "error": "http://api.example answered 404 (Not Found)"}"#
    )
)]
pub(crate) async fn pastebin_list(input: Recent<'_>, ctx: Ctx<'_>) -> NodeResult<Listed> {
    let limit = input.limit.unwrap_or(Whole(10)).within("limit", 1..=1_000)?;
    let url = format!("{}/api/pastes?limit={limit}", place(input.api_url)?);
    let found = asked(&url, Method::GET, None, ctx).await?.and_then(|answer| {
        let pastes = answer
            .as_ref()
            .get("pastes")
            .filter(|pastes| pastes.as_list().is_some());
        pastes
            .map(Value::from)
            .ok_or_else(|| "the service gave no list of pastes".to_owned())
    });
    let (pastes, error) = match found {
        Ok(pastes) => (Some(Outcome::Made(pastes)), None),
        Err(why) => (None, Some(why)),
    };
    Ok(Listed {
        success: error.is_none(),
        pastes,
        error,
    })
}

fn place(given: Option<&str>) -> NodeResult<&str> {
    let place = given.unwrap_or(USUAL_PLACE).trim_end_matches('/');
    if place.contains(['?', '#']) || !place.starts_with("http") {
        return Err(NodeError::invalid(
            "apiUrl",
            "must be the URL where the service is, without a query",
        ));
    }
    Ok(place)
}

/// Asks the service; what it says against it is the inner error.
async fn asked(
    url: &str,
    method: Method,
    body: Option<&Value>,
    ctx: Ctx<'_>,
) -> NodeResult<Result<Value, String>> {
    let wish = Wish {
        url: Some(url),
        body: Given(body.map(Value::as_ref)),
        ..Wish::default()
    };
    match made(&wish, method, ctx).await {
        Ok(reply) if reply.status.is_success() => Ok(reply.json().map_err(|why| format!("the answer {why}"))),
        Ok(reply) => {
            let reason = reply.status.canonical_reason().unwrap_or("no name");
            let place = crate::client::place(&reply.url);
            Ok(Err(format!(
                "{place} answered {} ({reason})",
                reply.status.as_u16()
            )))
        }
        Err(error) if error.code == code::TEMPORARY_FAILURE || error.code == code::EXECUTION_ERROR => {
            Ok(Err(error.message.into_owned()))
        }
        Err(error) => Err(error),
    }
}

fn text(answer: &Value, name: &str) -> Option<String> {
    let text = plugin_api::reading::text_of(answer.as_ref().get(name)?)?;
    (!text.is_empty()).then(|| text.into_owned())
}
