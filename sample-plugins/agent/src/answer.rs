//! What a chat completions server answered.
//!
//! Invariant: what comes of it is one message of the assistant in the shape that the API documents, of bounded size, or
//! an error that says what is wrong and whether trying again may help.

use std::fmt::Display;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::kind_name;
use plugin_api::value::Kind;

use crate::stored::one_line;
use crate::tool_call::ToolCall;

/// Bytes of what a model says in one answer.
const MAX_CONTENT: usize = 4 << 20;

/// A checked answer.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The message of the assistant.
    pub(crate) message: Value,
    pub(crate) content: Option<String>,
    pub(crate) calls: usize,
    pub(crate) finish_reason: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) usage: Value,
}

impl Answered {
    /// Reads the result of an HTTP request: its `statusCode` and its `body`, a map or the JSON text of one.
    pub(crate) fn read(result: ValueRef<'_>) -> NodeResult<Self> {
        let status = result.get("statusCode").and_then(|status| status.as_i64());
        let body = result.get("body").unwrap_or(ValueRef::NULL);
        let parsed = body.as_str().and_then(|text| Value::from_json(text).ok());
        let body = parsed.as_ref().map_or(body, Value::as_ref);
        match status {
            Some(200..=299) => Self::of_body(body),
            Some(status) => Err(refusal(status, body)),
            None => Err(NodeError::new("the HTTP request gave no `statusCode`")),
        }
    }

    fn of_body(body: ValueRef<'_>) -> NodeResult<Self> {
        // Some servers report a failure with the status of a success.
        if body.get("choices").is_none()
            && let Some(why) = reason(body)
        {
            return Err(NodeError::new(format!("the model's server failed: {why}")));
        }
        let choice = body.pointer("/choices/0").unwrap_or(ValueRef::NULL);
        let said = choice.get("message").unwrap_or(ValueRef::NULL);
        if said.kind() != Kind::Map {
            return Err(misshapen(format!(
                "`choices[0].message` is {}, not a map",
                kind_name(said)
            )));
        }
        let role = said.get("role").and_then(|role| role.as_str());
        if role.is_some_and(|role| role != "assistant") {
            return Err(misshapen("the message is not one of the assistant"));
        }
        let content = content(said.get("content").unwrap_or(ValueRef::NULL)).map_err(misshapen)?;
        let refusal = text_at(said, "refusal");
        let calls = ToolCall::all(said).map_err(misshapen)?;
        if content.is_none() && refusal.is_none() && calls.is_empty() {
            return Err(misshapen("the message has neither a content nor tool calls"));
        }
        let long = [&content, &refusal]
            .into_iter()
            .flatten()
            .map(String::len)
            .sum::<usize>();
        if long > MAX_CONTENT {
            let why = format!("the model said more than {} MiB", MAX_CONTENT >> 20);
            return Err(NodeError::with_code(code::LIMIT_EXCEEDED, why));
        }
        Ok(Self {
            message: message(content.as_deref(), refusal.as_deref(), &calls)?,
            content,
            calls: calls.len(),
            finish_reason: text_at(choice, "finish_reason"),
            model: text_at(body, "model"),
            usage: usage(body)?,
        })
    }
}

/// A short text of a map.
fn text_at(map: ValueRef<'_>, key: &str) -> Option<String> {
    map.get(key)?.as_str().map(str::to_owned)
}

/// The content as one text: it is a text, or a list of parts that have one.
fn content(content: ValueRef<'_>) -> Result<Option<String>, String> {
    match content.kind() {
        Kind::Null => Ok(None),
        Kind::Str => Ok(content.as_str().map(str::to_owned)),
        Kind::List => {
            let parts = content.as_list().into_iter().flatten();
            let texts = parts.filter_map(|part| part.get("text")?.as_str());
            Ok(Some(texts.collect()))
        }
        _ => Err(format!("`content` is {}, not a text", kind_name(content))),
    }
}

fn message(content: Option<&str>, refusal: Option<&str>, calls: &[ToolCall]) -> NodeResult<Value> {
    let role = Value::from("assistant");
    let content = content.map_or_else(Value::null, Value::from);
    let refusal = refusal.map(Value::from);
    let calls = calls
        .iter()
        .map(ToolCall::to_value)
        .collect::<NodeResult<Vec<_>>>()?;
    let calls = Value::from_items(calls.iter().map(Value::as_ref))?;
    let mut pairs = vec![("role", role.as_ref()), ("content", content.as_ref())];
    if let Some(refusal) = &refusal {
        pairs.push(("refusal", refusal.as_ref()));
    }
    if calls.as_ref().at(0).is_some() {
        pairs.push(("tool_calls", calls.as_ref()));
    }
    Ok(Value::from_pairs(pairs)?)
}

/// What was counted: the numbers of `usage`, and nothing else of it.
fn usage(body: ValueRef<'_>) -> NodeResult<Value> {
    let usage = body.get("usage").and_then(|usage| usage.as_map());
    let counts = usage.into_iter().flat_map(|usage| usage.iter()).take(32);
    let counts = counts.filter(|(_, count)| count.kind() == Kind::I64);
    Ok(Value::from_pairs(counts)?)
}

fn misshapen(why: impl Display) -> NodeError {
    NodeError::new(format!(
        "the model's server sent an answer that is no chat completion: {why}; look whether the setting `ai.url` leads to \
         an OpenAI-compatible API"
    ))
}

/// What the server says of a failure, as far as it can be shown.
fn reason(body: ValueRef<'_>) -> Option<String> {
    let said = body
        .pointer("/error/message")
        .or_else(|| body.get("error"))
        .or_else(|| body.get("message"))
        .or(Some(body))
        .and_then(|said| said.as_str())?;
    Some(one_line(said)).filter(|said| !said.is_empty())
}

fn refusal(status: i64, body: ValueRef<'_>) -> NodeError {
    let why = reason(body).unwrap_or_else(|| "it gave no reason".to_owned());
    let may_pass = matches!(status, 408 | 409 | 425 | 429) || status >= 500;
    let code = if may_pass {
        code::TEMPORARY_FAILURE
    } else {
        code::EXECUTION_ERROR
    };
    let hint = match status {
        401 | 403 => "; look whether the secret `AI_API_KEY` or `OPENAI_API_KEY` is right",
        404 => "; look whether the setting `ai.url` and the model are right",
        _ => "",
    };
    let error = NodeError::with_code(
        code,
        format!("the model's server answered with status {status}: {why}{hint}"),
    );
    match u16::try_from(status) {
        Ok(status) => error.status(status).retryable(may_pass),
        Err(_) => error.retryable(may_pass),
    }
}
