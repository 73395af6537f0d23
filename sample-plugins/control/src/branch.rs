//! Two ways: output 0 when a condition holds, output 1 when it does not.

use std::borrow::Cow;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Any, Given, truthy};

/// The code of a condition that is missing or cannot be evaluated.
const CONDITION_EVAL_ERROR: &str = "CONDITION_EVAL_ERROR";

/// Whether a condition, which the parameter of that name has, holds. A text is an expression, `true` and `false` among them; any other value is looked at as
/// JavaScript does.
pub(crate) fn holds(
    condition: ValueRef<'_>,
    parameter: &str,
    bindings: &[(&str, ValueRef<'_>)],
    ctx: &Ctx<'_>,
) -> NodeResult<bool> {
    match condition.as_str() {
        // What is as clear without a host need not ask it.
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(expression) => match ctx.evaluate(expression, bindings) {
            Ok(value) => Ok(truthy(value.as_ref())),
            Err(error) => Err(unevaluated(error, parameter)),
        },
        None => Ok(truthy(condition)),
    }
}

/// Leaves by an output, where there is one.
pub(crate) fn leave_by(output: u32, ctx: &Ctx<'_>) -> NodeResult<()> {
    match ctx.select_output(output) {
        Err(error) if error.code == code::UNSUPPORTED => Ok(()),
        done => done,
    }
}

/// Says that the condition is at fault, unless it is the call or the host that is.
fn unevaluated(mut error: NodeError, parameter: &str) -> NodeError {
    let own = [
        code::UNSUPPORTED,
        code::TIMEOUT,
        code::CANCELLED,
        code::LIMIT_EXCEEDED,
    ];
    if !own.contains(&&*error.code) {
        error.code = Cow::Borrowed(CONDITION_EVAL_ERROR);
    }
    error.message = match &*error.code {
        code::UNSUPPORTED => {
            format!("parameter `{parameter}`: a text is an expression, which needs a workflow").into()
        }
        _ => format!("parameter `{parameter}`: {}", error.message).into(),
    };
    error
}

fn given(condition: Given<'_>) -> NodeResult<ValueRef<'_>> {
    let blank = |condition: &ValueRef<'_>| condition.as_str().is_some_and(|text| text.trim().is_empty());
    condition.0.filter(|condition| !blank(condition)).ok_or_else(|| {
        let why = "parameter `condition`: is missing; give it a value or an expression";
        NodeError::with_code(CONDITION_EVAL_ERROR, why)
    })
}

#[parameters]
pub(crate) struct Condition<'a> {
    /// A value, or a text that is an expression.
    #[serde(default)]
    #[schemars(extend("x-template" = false))]
    condition: Given<'a>,
}

/// What came of a condition.
#[output]
pub(crate) struct Decided<'a> {
    /// Whether it holds.
    result: bool,
    /// The condition as it was given.
    condition: Any<'a>,
    /// True: it was evaluated.
    evaluated: bool,
}

/// Leaves by output 0 when a condition holds, and by output 1 when it does not. A text is evaluated as an expression;
/// null, 0 and the empty result are false.
#[node(
    id = "condition",
    aliases = ["control.condition", "if", "control.if", "metabuilder.condition"],
    category = "control",
    effect = "idempotent",
    tags = ["branch", "expression"],
    example(
        title = "a boolean",
        input = r#"{"condition": true}"#,
        output = r#"{"result": true, "condition": true, "evaluated": true}"#
    ),
    example(
        title = "null is false",
        input = r#"{"condition": null}"#,
        output = r#"{"result": false, "condition": null, "evaluated": true}"#
    )
)]
pub(crate) fn condition<'a>(input: Condition<'a>, ctx: &Ctx<'_>) -> NodeResult<Decided<'a>> {
    let condition = given(input.condition)?;
    let result = holds(condition, "condition", &[], ctx)?;
    leave_by(u32::from(!result), ctx)?;
    Ok(Decided {
        result,
        condition: Any(condition),
        evaluated: true,
    })
}

#[parameters]
pub(crate) struct If<'a> {
    /// A value, or a text that is an expression.
    #[serde(default)]
    #[schemars(extend("x-template" = false))]
    condition: Given<'a>,
    /// What to call output 0, such as the name of the node behind it.
    #[serde(default)]
    #[schemars(length(max = 1_000))]
    then: Option<&'a str>,
    /// What to call output 1.
    #[serde(default, rename = "else")]
    #[schemars(length(max = 1_000))]
    otherwise: Option<&'a str>,
}

/// The way that was chosen.
#[output]
pub(crate) struct Chosen<'a> {
    /// Whether the condition holds.
    result: bool,
    /// What the chosen output is called; null for nothing.
    branch: Option<&'a str>,
    /// The condition as it was given.
    condition: Any<'a>,
}

/// Leaves by output 0 when a condition holds, and by output 1 when it does not, and says what the chosen way is called.
#[node(
    id = "logic.if",
    category = "control",
    effect = "idempotent",
    tags = ["branch", "expression"],
    example(
        title = "then",
        input = r#"{"condition": true, "then": "write", "else": "fail"}"#,
        output = r#"{"result": true, "branch": "write", "condition": true}"#
    ),
    example(
        title = "no name",
        input = r#"{"condition": 0, "then": "write"}"#,
        output = r#"{"result": false, "branch": null, "condition": 0}"#
    )
)]
pub(crate) fn logic_if<'a>(input: If<'a>, ctx: &Ctx<'_>) -> NodeResult<Chosen<'a>> {
    let condition = given(input.condition)?;
    let result = holds(condition, "condition", &[], ctx)?;
    leave_by(u32::from(!result), ctx)?;
    let branch = if result { input.then } else { input.otherwise };
    Ok(Chosen {
        result,
        branch,
        condition: Any(condition),
    })
}
