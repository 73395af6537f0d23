//! The file that every native subject loads.
//!
//! Invariant: what is a node here for Patchbay is an exported function for hot-lib-reloader and libloading, with the same
//! work in it. Two marks in the file ([`marks`]) are bytes that a variant of it has others in: which generation it
//! is, and what its constructor does.

#[expect(
    unsafe_code,
    reason = "names that others look up, a constructor, and a deed that is meant to crash"
)]
pub mod exported;
mod marks;

use plugin_api::prelude::*;

/// Does nothing.
#[node(
    id = "peer.noop",
    effect = "pure",
    example(title = "nothing", input = "{}", output = "null")
)]
fn noop() {}

/// Gives its parameters back.
#[node(
    id = "peer.echo",
    effect = "pure",
    example(title = "a map", input = r#"{"a": 1}"#, output = r#"{"a": 1}"#)
)]
fn echo(input: ValueRef<'_>) -> ValueRef<'_> {
    input
}

/// Says which generation of the file this is.
#[node(id = "peer.generation", effect = "pure")]
fn generation() -> Answer<u64> {
    answer(marks::generation())
}

#[cfg(not(feature = "changed"))]
#[parameters]
struct Scale {
    /// What is made ten times as much.
    value: u64,
}

#[cfg(feature = "changed")]
#[parameters]
struct Scale {
    /// What is made more.
    value: u64,
    /// How many times as much.
    factor: u64,
}

/// Makes more of a number.
#[node(id = "peer.scale", effect = "pure")]
fn scale(input: Scale) -> Answer<u64> {
    #[cfg(not(feature = "changed"))]
    let factor = 10;
    #[cfg(feature = "changed")]
    let factor = input.factor;
    answer(input.value.wrapping_mul(factor))
}

export_plugin! {
    name: "peer",
    nodes: [noop, echo, generation, scale],
}
