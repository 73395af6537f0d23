//! How a conversation begins: what the model is, what it should know, what it should do.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, text_or_json};

use crate::context::VARIABLE as CONTEXT;
use crate::conversation::{Conversation, Messages, Role};
use crate::stored::find;

#[parameters]
pub(crate) struct Seed<'a> {
    /// What the model is told of its part, as a system message; the setting `ai.prompt` when it is missing.
    #[serde(default, alias = "system")]
    #[schemars(length(max = 1_000_000))]
    prompt: Option<&'a str>,
    /// Messages to begin with instead, each with `role` and `content`.
    #[serde(default)]
    #[schemars(extend("type" = ["array", "string", "null"], "x-template" = false))]
    messages: Any<'a>,
}

/// Begins a conversation, in place of the one that the run has. Without messages, a prompt and the setting `ai.prompt` it
/// is empty.
#[node(
    id = "core.seedMessages",
    aliases = ["core.seed_messages", "seed_messages"],
    effect = "idempotent",
    tags = ["ai", "conversation"],
    example(
        title = "a prompt",
        input = r#"{"prompt": "You are a careful reviewer."}"#,
        output = r#"{"messages": [{"role": "system", "content": "You are a careful reviewer."}], "count": 1}"#
    ),
    example(
        title = "messages of one's own",
        input = r#"{"messages": [{"role": "user", "content": "Hello"}]}"#,
        output = r#"{"messages": [{"role": "user", "content": "Hello"}], "count": 1}"#
    )
)]
pub(crate) fn seed_messages(input: Seed<'_>, ctx: &Ctx<'_>) -> NodeResult<Messages> {
    let given = find(input.messages.0, "messages", "", ctx)?;
    if given.is_some() && input.prompt.is_some() {
        return Err(NodeError::invalid(
            "messages",
            "give either `messages` or `prompt`",
        ));
    }
    let conversation = if let Some(given) = given {
        Conversation::of(given.as_ref(), ctx)?
    } else {
        let prompt = match input.prompt {
            Some(prompt) => Some(prompt.to_owned()),
            None => ctx.setting("ai.prompt")?,
        };
        let mut conversation = Conversation::default();
        if let Some(prompt) = prompt.filter(|prompt| !prompt.trim().is_empty()) {
            conversation.say(Role::System, &prompt)?;
        }
        conversation
    };
    Messages::kept(&conversation, ctx)
}

#[parameters]
pub(crate) struct AppendContext<'a> {
    /// The conversation: a list of messages, or `$name` for a variable of the run; the variable `messages` when it is
    /// missing.
    #[serde(default)]
    #[schemars(extend("type" = ["array", "string", "null"], "x-template" = false))]
    messages: Any<'a>,
    /// What the model should know: a text, `$name` for a variable of the run, or any value, which is written as JSON;
    /// the variable `sdlc_context` when it is missing.
    #[serde(default)]
    #[schemars(extend("x-template" = false))]
    context: Any<'a>,
}

/// Adds what a model should know to a conversation, as a system message. An empty text adds nothing.
#[node(
    id = "core.appendContextMessage",
    aliases = ["core.append_context_message"],
    effect = "effectful",
    tags = ["ai", "conversation"],
    example(
        title = "a text",
        input = r#"{"messages": [], "context": "Two tests fail."}"#,
        output = r#"{"messages": [{"role": "system", "content": "Two tests fail."}], "count": 1}"#
    ),
    example(
        title = "a map",
        input = r#"{"messages": [], "context": {"failing": 2}}"#,
        output = r#"{"messages": [{"role": "system", "content": "{\"failing\":2}"}], "count": 1}"#
    )
)]
pub(crate) fn append_context_message(input: AppendContext<'_>, ctx: &Ctx<'_>) -> NodeResult<Messages> {
    let mut conversation = Conversation::read(input.messages, ctx)?;
    let Some(context) = find(input.context.0, "context", CONTEXT, ctx)? else {
        let why = format_args!("is missing, and the run has no variable `{CONTEXT}`");
        return Err(NodeError::invalid("context", why));
    };
    let text = text_or_json(context.as_ref());
    if !text.trim().is_empty() {
        conversation.say(Role::System, &text)?;
    }
    Messages::kept(&conversation, ctx)
}

#[parameters]
pub(crate) struct AppendInstruction<'a> {
    /// The conversation: a list of messages, or `$name` for a variable of the run; the variable `messages` when it is
    /// missing.
    #[serde(default)]
    #[schemars(extend("type" = ["array", "string", "null"], "x-template" = false))]
    messages: Any<'a>,
    /// What the user wants, or `$name` for a variable of the run; the setting `ai.instruction` when it is missing.
    #[serde(default, alias = "content", alias = "text")]
    #[schemars(extend("type" = ["string", "null"], "x-template" = false))]
    instruction: Any<'a>,
}

/// Adds what the user wants to a conversation, as a message of the user.
#[node(
    id = "core.appendUserInstruction",
    aliases = ["core.append_user_instruction", "append_message"],
    effect = "effectful",
    tags = ["ai", "conversation"],
    example(
        title = "the first",
        input = r#"{"messages": [], "instruction": "Fix the tests."}"#,
        output = r#"{"messages": [{"role": "user", "content": "Fix the tests."}], "count": 1}"#
    ),
    example(
        title = "after a prompt",
        input = r#"{"messages": [{"role": "system", "content": "Be brief."}], "instruction": "Why?"}"#,
        output = r#"{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}], "count": 2}"#
    )
)]
pub(crate) fn append_user_instruction(input: AppendInstruction<'_>, ctx: &Ctx<'_>) -> NodeResult<Messages> {
    let mut conversation = Conversation::read(input.messages, ctx)?;
    let instruction = match find(input.instruction.0, "instruction", "", ctx)? {
        None => ctx.setting("ai.instruction")?,
        Some(value) => {
            let text = value.as_ref().as_str().map(str::to_owned);
            Some(text.ok_or_else(|| NodeError::invalid("instruction", "expected a text"))?)
        }
    };
    match instruction {
        Some(text) if !text.trim().is_empty() => conversation.say(Role::User, &text)?,
        Some(_) => return Err(NodeError::invalid("instruction", "is empty")),
        None => {
            let why = "is missing, and the administrator has set no `ai.instruction`";
            return Err(NodeError::invalid("instruction", why));
        }
    }
    Messages::kept(&conversation, ctx)
}
