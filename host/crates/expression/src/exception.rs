//! Invariant: what the engine says is told in a message of bounded length, with the place in the expression where that
//! is known, and without its stack.

use rquickjs::{Ctx, Error, Object, Value};

use crate::fault::Fault;
use crate::lexer::Flaw;
use crate::script::Script;
use crate::{EvalErrorKind, EvalLimits};

/// Characters of a message.
const MAX_MESSAGE: usize = 500;

/// What the engine calls the texts that it is given to evaluate.
const FILE: &str = "<input>:";

/// Why a script gave no value.
pub(crate) fn exception(
    ctx: &Ctx<'_>,
    error: &Error,
    script: &Script,
    rang: bool,
    limits: &EvalLimits,
) -> Fault {
    let (message, at) = describe(ctx, error, script);
    let memory = message.as_deref().is_none_or(|m| m.contains("out of memory"));
    let (kind, message) = if rang {
        (
            EvalErrorKind::Time,
            format!("the script ran longer than {} ms", limits.millis),
        )
    } else if memory {
        (
            EvalErrorKind::Size,
            format!(
                "the script needs more than {} bytes of memory",
                limits.memory_bytes
            ),
        )
    } else {
        let message = message.unwrap_or_default();
        if message.contains("Maximum call stack size exceeded") {
            (EvalErrorKind::Size, message)
        } else {
            (EvalErrorKind::Failed, message)
        }
    };
    Fault { kind, at, message }
}

/// Why a script does not compile.
pub(crate) fn syntax(ctx: &Ctx<'_>, error: &Error, script: &Script) -> Flaw {
    let (message, at) = describe(ctx, error, script);
    Flaw::new(
        at,
        message.unwrap_or_else(|| "the expression is too large".to_owned()),
    )
}

/// Message and place of what was thrown; no message when there was no memory for one.
fn describe(ctx: &Ctx<'_>, error: &Error, script: &Script) -> (Option<String>, usize) {
    match error {
        Error::Exception => {}
        Error::Allocation => return (None, 0),
        Error::InvalidString(_) => return (Some("an expression holds no NUL character".to_owned()), 0),
        other => return (Some(cut(&other.to_string())), 0),
    }
    let thrown = ctx.catch();
    if thrown.is_null() {
        return (None, 0);
    }
    let Some(object) = thrown.as_object() else {
        return (
            Some(format!("the script threw {}", text(&thrown).unwrap_or_default())),
            0,
        );
    };
    let (name, message) = (field(object, "name"), field(object, "message"));
    let stack = field(object, "stack").unwrap_or_default();
    // What the script itself reads or throws may fail again; that exception is nobody's.
    let _ = ctx.catch();
    let message = match (name, message) {
        (Some(name), Some(message)) => format!("{name}: {message}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "the script threw an object".to_owned(),
    };
    (Some(cut(&message)), place(&stack, script))
}

fn field(object: &Object<'_>, name: &str) -> Option<String> {
    let value: Value<'_> = object.get(name).ok()?;
    text(&value).filter(|text| !text.is_empty())
}

fn text(value: &Value<'_>) -> Option<String> {
    if let Some(text) = value.as_string() {
        return text.to_string().ok().map(|text| cut(&text));
    }
    let number = value.as_number().map(|number| number.to_string());
    number.or_else(|| value.as_bool().map(|value| value.to_string()))
}

fn cut(message: &str) -> String {
    message.chars().take(MAX_MESSAGE).collect()
}

/// The first place of the expression in a stack, in bytes.
fn place(stack: &str, script: &Script) -> usize {
    let found = stack.split(FILE).skip(1).find_map(|rest| {
        let mut numbers = rest.splitn(3, |c: char| !c.is_ascii_digit());
        let line: usize = numbers.next()?.parse().ok()?;
        let column: usize = numbers.next()?.parse().ok()?;
        (line >= 2).then_some((line, column))
    });
    let Some((line, column)) = found else { return 0 };
    let mut start = 0;
    let mut lines = script.body.split_inclusive('\n');
    for _ in 2..line {
        start += lines.next().map_or(0, str::len);
    }
    let rest = lines.next().unwrap_or_default();
    let byte = rest.char_indices().nth(column.saturating_sub(1));
    let at = start + byte.map_or(rest.len(), |(byte, _)| byte);
    // Back to the source: the last piece of it that begins before.
    let after = script.pieces.partition_point(|(body, _)| *body <= at);
    let piece = after.checked_sub(1).and_then(|last| script.pieces.get(last));
    let end = script
        .pieces
        .get(after)
        .map_or(script.source.len(), |(_, source)| *source);
    piece.map_or(0, |(body, source)| (source + (at - body)).min(end))
}
