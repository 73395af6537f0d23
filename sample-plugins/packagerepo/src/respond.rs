//! Answers to the request that started a workflow.
//!
//! Invariant: a run has one answer, the first that is made. Documents of this dialect draw a line through all their nodes,
//! so that what answers in failure stands behind what answered already; it gives that answer on.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Outcome, Text, Whole, kind_name, text_of};

use crate::reference::{Names, Raw, cut};

/// The variable of the run that has its answer.
const ANSWERED: &str = "packagerepo.answer";
/// Headers that one answer may have.
const MAX_HEADERS: usize = 32;
/// Bytes of one header.
const MAX_HEADER: usize = 8_192;

/// The answer of the run: this one, or the one that was made before.
fn answered(status: i64, headers: &Value, body: &Value, ctx: &Ctx<'_>) -> NodeResult<Outcome<'static>> {
    let status = Value::from(status);
    let own = Value::from_pairs([
        ("statusCode", status.as_ref()),
        ("headers", headers.as_ref()),
        ("body", body.as_ref()),
    ])?;
    let first = ctx.replace_variable(ANSWERED, None, Some(own.as_ref()));
    match first {
        Ok(true) => Ok(Outcome::Made(own)),
        Ok(false) => Ok(Outcome::Made(ctx.variable(ANSWERED)?.unwrap_or(own))),
        // A call of its own has no run, whose answer it could be.
        Err(error) if error.code == code::UNSUPPORTED => Ok(Outcome::Made(own)),
        Err(mut error) => {
            if error.code == code::LIMIT_EXCEEDED {
                error.message = "the answer is larger than what a run may keep".into();
            }
            Err(error)
        }
    }
}

fn status(names: &Names<'_>, raw: Raw<'_>, standard: i64, least: i64) -> NodeResult<i64> {
    let Some(status) = names.read(raw, "status")? else {
        return Ok(standard);
    };
    let status = Whole::read(status.as_ref());
    let wrong = || NodeError::invalid("status", "expected a whole number");
    status.ok_or_else(wrong)?.within("status", least..=599)
}

fn headers(names: &Names<'_>, raw: Raw<'_>) -> NodeResult<Value> {
    let Some(given) = names.read(raw, "headers")? else {
        return Ok(Value::empty_map());
    };
    let wrong = |why: std::fmt::Arguments<'_>| NodeError::invalid("headers", why);
    let map = given.as_ref().as_map().filter(|map| map.len() <= MAX_HEADERS);
    let map = map.ok_or_else(|| wrong(format_args!("expected a map of at most {MAX_HEADERS} texts")))?;
    let mut texts = Vec::with_capacity(map.len());
    for (name, value) in map {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || name.len() > MAX_HEADER || !name.bytes().all(token) {
            return Err(wrong(format_args!("`{}` is no name of a header", cut(name))));
        }
        if value.is_null() {
            continue;
        }
        let text =
            text_of(value).filter(|text| text.len() <= MAX_HEADER && !text.chars().any(char::is_control));
        let wrong = || {
            let found = kind_name(value);
            wrong(format_args!(
                "`{name}` must be a text without line breaks, and is {found} that is none"
            ))
        };
        texts.push((name, Value::from(&*text.ok_or_else(wrong)?)));
    }
    Ok(Value::from_pairs(
        texts.iter().map(|(name, text)| (*name, text.as_ref())),
    )?)
}

#[parameters]
pub(crate) struct RespondJson<'a> {
    /// The body: anything.
    #[serde(default, alias = "data")]
    body: Raw<'a>,
    /// The status, from 200 to 599; 200 if missing.
    #[serde(default, alias = "statusCode", alias = "status_code")]
    status: Raw<'a>,
    /// Headers, at most 32.
    #[serde(default)]
    headers: Raw<'a>,
}

/// Answers the request that started the workflow with a value. The first answer of a run is the run's: a node that answers
/// later gives that one on.
#[node(
    id = "packagerepo.respondJson",
    aliases = ["packagerepo.respond_json"],
    category = "packagerepo",
    effect = "effectful",
    tags = ["webhook", "response"],
    example(
        title = "created",
        input = r#"{"body": {"ok": true}, "status": 201}"#,
        output = r#"{"statusCode": 201, "headers": {}, "body": {"ok": true}}"#
    ),
    example(
        title = "with a header",
        input = r#"{"data": [1], "headers": {"etag": "x"}}"#,
        output = r#"{"statusCode": 200, "headers": {"etag": "x"}, "body": [1]}"#
    )
)]
pub(crate) fn respond_json(input: RespondJson<'_>, ctx: &Ctx<'_>) -> NodeResult<Outcome<'static>> {
    let names = Names::new(ctx)?;
    let status = status(&names, input.status, 200, 200)?;
    let headers = headers(&names, input.headers)?;
    let body = names.read(input.body, "body")?.unwrap_or_default();
    answered(status, &headers, &body, ctx)
}

#[parameters]
pub(crate) struct RespondError<'a> {
    /// What happened.
    #[serde(default)]
    message: Raw<'a>,
    /// The status, from 400 to 599; 500 if missing.
    #[serde(default, alias = "statusCode", alias = "status_code")]
    status: Raw<'a>,
    /// A word for machines, such as `NOT_FOUND`.
    #[serde(default, alias = "error_code", alias = "code")]
    error_code: Option<Text<'a>>,
    /// More for machines.
    #[serde(default)]
    details: Raw<'a>,
}

/// Answers the request that started the workflow with an error: `{ok: false, error: {message, code, details}}`. The first
/// answer of a run is the run's: a node that answers later gives that one on.
#[node(
    id = "packagerepo.respondError",
    aliases = ["packagerepo.respond_error"],
    category = "packagerepo",
    effect = "effectful",
    tags = ["webhook", "response", "error"],
    example(
        title = "not found",
        input = r#"{"message": "Package not found", "status": 404}"#,
        output = r#"{"statusCode": 404, "headers": {}, "body": {"ok": false, "error": {"message": "Package not found"}}}"#
    ),
    example(
        title = "for machines",
        input = r#"{"message": "Taken", "status": 409, "error_code": "EXISTS", "details": {"version": "1.0.0"}}"#,
        output = r#"{"statusCode": 409, "headers": {}, "body": {"ok": false, "error": {"message": "Taken", "code": "EXISTS", "details": {"version": "1.0.0"}}}}"#
    )
)]
pub(crate) fn respond_error(input: RespondError<'_>, ctx: &Ctx<'_>) -> NodeResult<Outcome<'static>> {
    let names = Names::new(ctx)?;
    let status = status(&names, input.status, 500, 400)?;
    let message = match names.read(input.message, "message")? {
        None => Value::from("an error occurred"),
        Some(message) => match text_of(message.as_ref()) {
            Some(text) => Value::from(&*text),
            None => {
                let why = format_args!("expected a text, found {}", kind_name(message.as_ref()));
                return Err(NodeError::invalid("message", why));
            }
        },
    };
    let code = input.error_code.filter(|code| !code.as_str().is_empty());
    let code = code.map(|code| Value::from(code.as_str()));
    let details = names.read(input.details, "details")?;
    let fields = [
        ("message", Some(&message)),
        ("code", code.as_ref()),
        ("details", details.as_ref()),
    ];
    let error = Value::from_pairs(
        fields
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?.as_ref()))),
    )?;
    let ok = Value::from(false);
    let body = Value::from_pairs([("ok", ok.as_ref()), ("error", error.as_ref())])?;
    answered(status, &Value::empty_map(), &body, ctx)
}

#[parameters]
pub(crate) struct RespondBlob<'a> {
    /// The bytes, or a text.
    #[serde(default, alias = "body")]
    data: Raw<'a>,
    /// Headers, at most 32.
    #[serde(default)]
    headers: Raw<'a>,
    /// The status, from 200 to 599; 200 if missing.
    #[serde(default, alias = "statusCode", alias = "status_code")]
    status: Raw<'a>,
}

/// Answers the request that started the workflow with bytes. What a webhook sends is JSON, where bytes are a text in
/// Base64. The first answer of a run is the run's: a node that answers later gives that one on.
#[node(
    id = "packagerepo.respondBlob",
    aliases = ["packagerepo.respond_blob"],
    category = "packagerepo",
    effect = "effectful",
    tags = ["webhook", "response", "bytes"],
    example(
        title = "a text",
        input = r#"{"data": "abc", "headers": {"Content-Digest": "sha-256=ba78"}}"#,
        output = r#"{"statusCode": 200, "headers": {"Content-Digest": "sha-256=ba78"}, "body": "abc"}"#
    ),
    example(
        title = "a part",
        input = r#"{"data": "ab", "status": 206}"#,
        output = r#"{"statusCode": 206, "headers": {}, "body": "ab"}"#
    )
)]
pub(crate) fn respond_blob(input: RespondBlob<'_>, ctx: &Ctx<'_>) -> NodeResult<Outcome<'static>> {
    let names = Names::new(ctx)?;
    let status = status(&names, input.status, 200, 200)?;
    let headers = headers(&names, input.headers)?;
    let data = names.needed(input.data, "data")?;
    if data.as_ref().as_bytes().is_none() && data.as_ref().as_str().is_none() {
        let why = format_args!("expected bytes or a text, found {}", kind_name(data.as_ref()));
        return Err(NodeError::invalid("data", why));
    }
    answered(status, &headers, &data, ctx)
}
