//! Nodes for trying out a host and for testing workflows.
//!
//! Invariant: a node does and fails as its parameters say, and leaves nothing behind in the run.
#![forbid(unsafe_code)]

mod assertion;
mod failing;
mod suite;

use std::time::Duration;

use plugin_api::prelude::*;
use plugin_api::reading::Whole;

use crate::assertion::{assert_equals, assert_exists, assert_false, assert_true, assert_type};
use crate::failing::{Flaky, fail};
use crate::suite::run_suite;

/// Does nothing and answers null: what it costs is the cost of a call.
#[node(
    id = "test.noop",
    effect = "pure",
    example(title = "nothing", input = "{}", output = "null"),
    example(title = "whatever it is given", input = r#"{"a": 1}"#, output = "null")
)]
fn noop() {}

/// Gives its parameters back.
#[node(
    id = "test.echo",
    effect = "pure",
    example(title = "a map", input = r#"{"a": [1, 2]}"#, output = r#"{"a": [1, 2]}"#),
    example(title = "nothing", input = "{}", output = "{}")
)]
fn echo(input: ValueRef<'_>) -> ValueRef<'_> {
    input
}

#[parameters]
struct Sleep {
    /// How long, in milliseconds.
    #[schemars(range(min = 0))]
    millis: Whole,
}

/// Waits without holding a thread.
#[node(
    id = "test.sleep",
    effect = "pure",
    example(title = "a moment", input = r#"{"millis": 1}"#, output = r#"{"result": 1}"#),
    example(title = "no time", input = r#"{"millis": "0"}"#, output = r#"{"result": 0}"#)
)]
async fn sleep(input: Sleep, ctx: Ctx<'_>) -> NodeResult<Answer<u64>> {
    let millis = input.millis.count("millis")? as u64;
    ctx.sleep(Duration::from_millis(millis)).await?;
    Ok(answer(millis))
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
        assert_type,
        fail,
        Flaky,
        run_suite,
    ],
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_laws;
#[cfg(test)]
mod tests_nodes;
#[cfg(test)]
mod tests_refusals;
