//! Invariant: every message has a role and a content that chat models know, and a conversation is never larger than its
//! limits.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Any, kind_name};
use plugin_api::value::Kind;

use crate::stored::find;

/// The variable of the run that holds the conversation.
pub(crate) const VARIABLE: &str = "messages";
/// Messages in one conversation.
const MAX_MESSAGES: usize = 10_000;
/// Bytes of one conversation, encoded.
const MAX_BYTES: usize = 8 << 20;

/// Who speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    System,
    User,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
        }
    }
}

/// The messages of a conversation, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    messages: Vec<Value>,
    bytes: usize,
}

impl Conversation {
    /// Reads the parameter `messages`, or the run's variable when it is missing; no conversation is an empty one.
    pub(crate) fn read(given: Any<'_>, ctx: &Ctx<'_>) -> NodeResult<Self> {
        match find(given.0, "messages", VARIABLE, ctx)? {
            None => Ok(Self::default()),
            Some(value) => Self::of(value.as_ref(), ctx),
        }
    }

    /// Checks a list of messages.
    pub(crate) fn of(value: ValueRef<'_>, ctx: &Ctx<'_>) -> NodeResult<Self> {
        let Some(list) = value.as_list() else {
            let why = format_args!("expected a list of messages, found {}", kind_name(value));
            return Err(NodeError::invalid("messages", why));
        };
        let mut conversation = Self::default();
        for (index, message) in list.iter().enumerate() {
            ctx.check()?;
            check_message(message)
                .map_err(|why| NodeError::invalid("messages", format_args!("item {index}: {why}")))?;
            conversation.push(message.to_value())?;
        }
        Ok(conversation)
    }

    /// Adds a message that is known to be one.
    pub(crate) fn push(&mut self, message: Value) -> NodeResult<()> {
        let bytes = self.bytes + message.as_bytes().len();
        if self.messages.len() >= MAX_MESSAGES || bytes > MAX_BYTES {
            let why = format!(
                "the conversation is over its limit of {MAX_MESSAGES} messages or {} MiB; begin a new one, or \
                 leave out what is old",
                MAX_BYTES >> 20
            );
            return Err(NodeError::with_code(code::LIMIT_EXCEEDED, why));
        }
        self.bytes = bytes;
        self.messages.push(message);
        Ok(())
    }

    pub(crate) fn say(&mut self, role: Role, content: &str) -> NodeResult<()> {
        let (role, content) = (Value::from(role.name()), Value::from(content));
        self.push(Value::from_pairs([
            ("role", role.as_ref()),
            ("content", content.as_ref()),
        ])?)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The messages, the newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = ValueRef<'_>> {
        self.messages.iter().rev().map(Value::as_ref)
    }

    pub(crate) fn to_value(&self) -> NodeResult<Value> {
        Ok(Value::from_items(self.messages.iter().map(Value::as_ref))?)
    }

    /// Leaves the conversation in the run's variable, and gives it.
    pub(crate) fn keep(&self, ctx: &Ctx<'_>) -> NodeResult<Value> {
        let value = self.to_value()?;
        ctx.set_variable(VARIABLE, &value)?;
        Ok(value)
    }
}

/// A conversation.
#[output]
pub(crate) struct Messages {
    /// The messages, the oldest first.
    #[schemars(with = "Vec<std::collections::BTreeMap<String, Value>>")]
    messages: Value,
    /// How many there are.
    count: usize,
}

impl Messages {
    /// Leaves the conversation in the run's variable.
    pub(crate) fn kept(conversation: &Conversation, ctx: &Ctx<'_>) -> NodeResult<Self> {
        Ok(Self {
            messages: conversation.keep(ctx)?,
            count: conversation.messages.len(),
        })
    }
}

/// Why a value is no message.
fn check_message(message: ValueRef<'_>) -> Result<(), String> {
    let Some(map) = message.as_map() else {
        return Err(format!(
            "expected a map with `role` and `content`, found {}",
            kind_name(message)
        ));
    };
    let role = map.get("role").and_then(|role| role.as_str());
    let has_calls = map
        .get("tool_calls")
        .and_then(|calls| calls.as_list())
        .is_some_and(|calls| !calls.is_empty());
    match role {
        Some("system" | "developer" | "user" | "assistant" | "function") => {}
        Some("tool") => {
            let id = map.get("tool_call_id").and_then(|id| id.as_str());
            if id.is_none_or(str::is_empty) {
                return Err("a message of a tool needs `tool_call_id`".into());
            }
        }
        _ => return Err("`role` is none of system, developer, user, assistant, tool".into()),
    }
    match map.get("content").map_or(Kind::Null, |content| content.kind()) {
        Kind::Str | Kind::List => Ok(()),
        Kind::Null if role == Some("assistant") && (has_calls || map.get("refusal").is_some()) => Ok(()),
        _ => Err("`content` is neither a text nor a list of parts".into()),
    }
}
