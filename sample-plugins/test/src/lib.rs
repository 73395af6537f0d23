//! Nodes for trying out a host and for testing workflows.
//!
//! Invariant: a node does and fails as its parameters say, and leaves nothing behind in the run.
#![forbid(unsafe_code)]

mod assertion;
mod failing;
mod suite;

use std::time::Duration;

use plugin_api::prelude::*;

use crate::assertion::{assert_equals, assert_exists, assert_false, assert_true};
use crate::failing::{Flaky, fail};
use crate::suite::run_suite;

/// Does nothing and answers null: what it costs is the cost of a call.
#[node(
    id = "test.noop",
    effect = "pure",
    example(title = "nothing", input = "{}", output = "null")
)]
fn noop() {}

/// Gives its parameters back.
#[node(
    id = "test.echo",
    effect = "pure",
    example(title = "a map", input = r#"{"a": [1, 2]}"#, output = r#"{"a": [1, 2]}"#)
)]
fn echo(input: ValueRef<'_>) -> ValueRef<'_> {
    input
}

#[parameters]
struct Sleep {
    /// How long, in milliseconds.
    millis: u64,
}

/// Waits without holding a thread.
#[node(
    id = "test.sleep",
    effect = "pure",
    example(title = "a moment", input = r#"{"millis": 1}"#, output = r#"{"result": 1}"#)
)]
async fn sleep(input: Sleep, ctx: Ctx<'_>) -> NodeResult<Answer<u64>> {
    ctx.sleep(Duration::from_millis(input.millis)).await?;
    Ok(answer(input.millis))
}

export_plugin! {
    name: "test",
    nodes: [
        noop,
        echo,
        sleep,
        assert_equals,
        assert_exists,
        assert_false,
        assert_true,
        fail,
        Flaky,
        run_suite,
    ],
}

#[cfg(test)]
mod tests;
