//! Asking a model.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Any, Dict, List, Number, Whole, kind_name};
use plugin_api::value::Kind;

use crate::answer::Answered;
use crate::conversation::Conversation;

/// The variable of the run that holds the last answer.
pub(crate) const VARIABLE: &str = "llm_response";
/// Where requests go when the administrator has not said.
const OPENAI: &str = "https://api.openai.com/v1";
/// The node that makes the request.
const HTTP: &str = "http-request";
/// Milliseconds that a model may take to answer, unless told otherwise.
const TIMEOUT_MS: i64 = 120_000;
/// Tools that a model may be told of.
const MAX_TOOLS: usize = 128;
/// Fields of a request that `options` may not set: they have parameters of their own, or another answer than is read here.
const TAKEN: [&str; 8] = [
    "model",
    "messages",
    "tools",
    "tool_choice",
    "temperature",
    "stream",
    "stream_options",
    "n",
];

#[parameters]
pub(crate) struct Ask<'a> {
    /// The conversation: a list of messages, or `$name` for a variable of the run; the variable `messages` when it is
    /// missing.
    #[serde(default)]
    #[schemars(extend("type" = ["array", "string", "null"], "x-template" = false))]
    messages: Any<'a>,
    /// The model; the setting `ai.model` when it is missing.
    #[serde(default)]
    #[schemars(length(max = 256))]
    model: Option<&'a str>,
    /// The functions that the model may ask to have called, as the API describes them.
    #[serde(default)]
    tools: List<'a>,
    /// Whether and what it has to call: `auto`, `none`, `required`, or a function.
    #[serde(default, alias = "tool_choice")]
    #[schemars(extend("type" = ["string", "object", "null"]))]
    tool_choice: Any<'a>,
    /// How freely it speaks, from 0 to 2.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = 2))]
    temperature: Option<Number>,
    /// Further fields of the request, such as `max_completion_tokens` or `response_format`.
    #[serde(default)]
    options: Dict<'a>,
    /// Milliseconds that it may take to answer.
    #[serde(default, alias = "timeoutMs")]
    #[schemars(extend("default" = 120_000, "minimum" = 1, "maximum" = 3_600_000))]
    timeout: Option<Whole>,
}

/// An answer of a model.
#[output]
pub(crate) struct Reply {
    /// The message of the assistant, with the calls it asks for in `tool_calls`.
    #[schemars(with = "std::collections::BTreeMap<String, Value>")]
    response: Value,
    /// What it says, if it says anything.
    content: Option<String>,
    /// Whether it asks to have functions called.
    has_tool_calls: bool,
    /// The same.
    #[serde(rename = "has_tool_calls")]
    has_calls: bool,
    /// How many.
    tool_calls_count: usize,
    /// The same.
    #[serde(rename = "tool_calls_count")]
    calls_count: usize,
    /// Why it stopped, in the server's words.
    finish_reason: Option<String>,
    /// The model that answered, if the server says.
    model: Option<String>,
    /// Tokens, as the server counted them.
    #[schemars(with = "std::collections::BTreeMap<String, i64>")]
    usage: Value,
    /// The conversation with the answer at its end.
    #[schemars(with = "Vec<std::collections::BTreeMap<String, Value>>")]
    messages: Value,
}

/// Has a model continue a conversation, over any API that speaks OpenAI's chat completions. The administrator's setting
/// `ai.url` says where, the secret `AI_API_KEY` or `OPENAI_API_KEY` pays. The answer becomes part of the run's conversation.
#[node(
    id = "core.aiRequest",
    aliases = ["core.ai_request", "ai_request"],
    effect = "effectful",
    timeout_ms = 180_000,
    capabilities = ["network", "secrets"],
    secrets = ["AI_API_KEY", "OPENAI_API_KEY"],
    tags = ["ai", "conversation", "network"],
    example(
        title = "an answer",
        input = r#"{"model": "small", "messages": [{"role": "user", "content": "Say hello."}]}"#,
        output = r#"{
            "response": {"role": "assistant", "content": "Hello!"}, "content": "Hello!",
            "hasToolCalls": false, "has_tool_calls": false, "toolCallsCount": 0, "tool_calls_count": 0,
            "finishReason": "stop", "model": "small-1", "usage": {"prompt_tokens": 4, "completion_tokens": 2},
            "messages": [{"role": "user", "content": "Say hello."}, {"role": "assistant", "content": "Hello!"}]
        }"#
    ),
    example(
        title = "a call",
        input = r#"{
            "model": "small", "messages": [{"role": "user", "content": "What is in a.txt?"}],
            "tools": [{"type": "function", "function": {"name": "read_file"}}]
        }"#,
        output = r#"{
            "response": {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function",
                "function": {"name": "read_file", "arguments": "{\"path\":\"a.txt\"}"}}]},
            "content": null, "hasToolCalls": true, "has_tool_calls": true, "toolCallsCount": 1, "tool_calls_count": 1,
            "finishReason": "tool_calls", "model": "small-1", "usage": {"prompt_tokens": 4, "completion_tokens": 2},
            "messages": [{"role": "user", "content": "What is in a.txt?"},
                {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function",
                    "function": {"name": "read_file", "arguments": "{\"path\":\"a.txt\"}"}}]}]
        }"#
    )
)]
pub(crate) fn ai_request(input: Ask<'_>, ctx: &Ctx<'_>) -> NodeResult<Reply> {
    let mut conversation = Conversation::read(input.messages, ctx)?;
    if conversation.is_empty() {
        return Err(NodeError::invalid(
            "messages",
            "is missing, and the run's conversation is empty",
        ));
    }
    let body = body(&input, &conversation, ctx)?;
    let (url, key) = server(ctx)?;
    let answered = post(&url, key.as_deref(), &body, timeout(input.timeout)?, ctx)
        .map_err(|error| without(key.as_deref(), error))?;
    conversation.push(answered.message.clone())?;
    ctx.set_variable(VARIABLE, &answered.message)?;
    let has_calls = answered.calls > 0;
    Ok(Reply {
        response: answered.message,
        content: answered.content,
        has_tool_calls: has_calls,
        has_calls,
        tool_calls_count: answered.calls,
        calls_count: answered.calls,
        finish_reason: answered.finish_reason,
        model: answered.model,
        usage: answered.usage,
        messages: conversation.keep(ctx)?,
    })
}

fn timeout(given: Option<Whole>) -> NodeResult<i64> {
    given.map_or(Ok(TIMEOUT_MS), |ms| ms.within("timeout", 1..=3_600_000))
}

/// The request as the API wants it.
fn body(input: &Ask<'_>, conversation: &Conversation, ctx: &Ctx<'_>) -> NodeResult<Value> {
    let model = match input.model.filter(|model| !model.is_empty()) {
        Some(model) => model.to_owned(),
        None => ctx.setting("ai.model")?.ok_or_else(|| {
            NodeError::invalid("model", "is missing, and the administrator has set no `ai.model`")
        })?,
    };
    let (model, messages) = (Value::from(&*model), conversation.to_value()?);
    let mut pairs = vec![("model", model.as_ref()), ("messages", messages.as_ref())];
    check_tools(input.tools)?;
    if !input.tools.is_empty() {
        pairs.push(("tools", input.tools.value()));
    }
    match input.tool_choice.0.kind() {
        Kind::Null => {}
        Kind::Str | Kind::Map => pairs.push(("tool_choice", input.tool_choice.0)),
        _ => {
            let why = format_args!(
                "expected a text or a map, found {}",
                kind_name(input.tool_choice.0)
            );
            return Err(NodeError::invalid("toolChoice", why));
        }
    }
    let temperature = input
        .temperature
        .map(|number| Value::from_serialize(&number))
        .transpose()?;
    if let (Some(given), Some(value)) = (input.temperature, &temperature) {
        if !(0.0..=2.0).contains(&given.as_f64()) {
            return Err(NodeError::invalid("temperature", "is not between 0 and 2"));
        }
        pairs.push(("temperature", value.as_ref()));
    }
    for (name, value) in input.options.iter() {
        if TAKEN.contains(&name) {
            let why = format_args!("`{name}` cannot be set here");
            return Err(NodeError::invalid("options", why));
        }
        pairs.push((name, value));
    }
    Ok(Value::from_pairs(pairs)?)
}

fn check_tools(tools: List<'_>) -> NodeResult<()> {
    if tools.len() > MAX_TOOLS {
        let why = format_args!("{} tools, at most {MAX_TOOLS} may be told of", tools.len());
        return Err(NodeError::invalid("tools", why));
    }
    for (index, tool) in tools.iter().enumerate() {
        let name = tool.pointer("/function/name").and_then(|name| name.as_str());
        if name.is_none_or(str::is_empty) {
            let why = format_args!("item {index} has no `function.name`");
            return Err(NodeError::invalid("tools", why));
        }
    }
    Ok(())
}

/// Where the request goes, and the key that pays for it.
fn server(ctx: &Ctx<'_>) -> NodeResult<(String, Option<String>)> {
    let secret = |name: &str| match ctx.secret(name) {
        Ok(key) => Ok(Some(key)),
        Err(error) if error.code == code::CREDENTIAL_MISSING => Ok(None),
        Err(error) => Err(error),
    };
    let Some(url) = ctx.setting("ai.url")? else {
        // A key for some other server is not shown to this one.
        let key = secret("OPENAI_API_KEY")?.ok_or_else(|| {
            NodeError::with_code(
                code::CREDENTIAL_MISSING,
                "the tenant has no secret `OPENAI_API_KEY`; store it, or set `ai.url` to another server",
            )
        })?;
        return Ok((endpoint(OPENAI), Some(key)));
    };
    // A server of one's own may need no key.
    let key = match secret("AI_API_KEY")? {
        Some(key) => Some(key),
        None => secret("OPENAI_API_KEY")?,
    };
    Ok((endpoint(url.trim()), key))
}

/// The address of chat completions, given that of the API or its own.
fn endpoint(url: &str) -> String {
    let url = url.trim_end_matches('/');
    if url.ends_with("/chat/completions") {
        url.to_owned()
    } else {
        format!("{url}/chat/completions")
    }
}

fn post(url: &str, key: Option<&str>, body: &Value, timeout: i64, ctx: &Ctx<'_>) -> NodeResult<Answered> {
    let headers = Headers {
        content_type: "application/json",
        accept: "application/json",
        authorization: key.map(|key| format!("Bearer {key}")),
    };
    let request = Request {
        url,
        method: "POST",
        headers,
        body: body.as_ref(),
        timeout,
        fail_on_status: false,
        follow_redirects: false,
    };
    let result: Value = ctx.call(HTTP, &request).map_err(|error| {
        if error.code == "UNKNOWN_NODE_TYPE" {
            let why = format!(
                "a model is asked through the node `{HTTP}`, and the host has none; load the plugin `http`"
            );
            return NodeError::with_code(error.code, why);
        }
        error
    })?;
    Answered::read(result.as_ref())
}

#[output]
struct Request<'a> {
    url: &'a str,
    method: &'static str,
    headers: Headers,
    #[schemars(with = "Value")]
    body: ValueRef<'a>,
    timeout: i64,
    /// The server's own words are wanted.
    fail_on_status: bool,
    /// The key and the conversation are for that server alone.
    follow_redirects: bool,
}

#[output]
struct Headers {
    #[serde(rename = "content-type")]
    content_type: &'static str,
    accept: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization: Option<String>,
}

/// An error that does not tell the key, whoever put it there.
fn without(key: Option<&str>, mut error: NodeError) -> NodeError {
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return error;
    };
    if error.message.contains(key) {
        error.message = error.message.replace(key, "***").into();
    }
    let told = error
        .details
        .as_ref()
        .is_some_and(|details| details.to_json().contains(key));
    if told {
        error.details = None;
    }
    error
}
