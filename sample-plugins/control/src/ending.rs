//! Ending a run on purpose.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Given, Whole};

use crate::branch::holds;

/// The longest code.
const MAX_CODE: usize = 128;

#[parameters]
pub(crate) struct Stop<'a> {
    /// Why.
    #[serde(default, alias = "errorMessage")]
    #[schemars(extend("default" = "the workflow stopped itself"), length(max = 10_000))]
    message: Option<&'a str>,
    /// The error's code.
    #[serde(default, alias = "errorCode")]
    #[schemars(extend("default" = "STOPPED"), length(max = 128))]
    code: Option<&'a str>,
    /// An HTTP-like status.
    #[serde(default)]
    #[schemars(range(min = 100, max = 599))]
    status_code: Option<Whole>,
    /// More for machines.
    #[serde(default, alias = "errorObject")]
    details: Any<'a>,
    /// Stops only if this value is true, or this expression is; always, if missing.
    #[serde(default)]
    #[schemars(extend("x-template" = false))]
    when: Given<'a>,
}

/// The run goes on.
#[output]
pub(crate) struct Unstopped {
    /// False.
    stopped: bool,
}

/// Fails with the message and code it is given, which ends the run unless the node's policy says otherwise.
#[node(
    id = "stop",
    aliases = ["stop-and-error", "control.stop"],
    category = "control",
    effect = "idempotent",
    tags = ["error"],
    example(title = "not now", input = r#"{"message": "no stock", "when": false}"#, output = r#"{"stopped": false}"#),
    example(title = "nothing is no reason", input = r#"{"when": null}"#, output = r#"{"stopped": false}"#)
)]
pub(crate) fn stop(input: Stop<'_>, ctx: &Ctx<'_>) -> NodeResult<Unstopped> {
    let code = input.code.unwrap_or("STOPPED");
    if code.is_empty() || code.len() > MAX_CODE {
        return Err(NodeError::invalid(
            "code",
            format_args!("must have from 1 to {MAX_CODE} bytes"),
        ));
    }
    let message = input.message.unwrap_or("the workflow stopped itself");
    let mut error = NodeError::with_code(code.to_owned(), message.to_owned()).retryable(false);
    if let Some(status) = input.status_code {
        error = error.status(status.within("statusCode", 100..=599)? as u16);
    }
    if !input.details.0.is_null() {
        error = error.details(input.details.0.to_value());
    }
    match input.when.0 {
        Some(when) if !holds(when, "when", &[], ctx)? => Ok(Unstopped { stopped: false }),
        _ => Err(error),
    }
}
