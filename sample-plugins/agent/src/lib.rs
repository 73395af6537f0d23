//! Invariant: a node changes a conversation only by adding to its end; the answer of a model, and what a tool gave, are
//! hostile input that is checked and bounded before it becomes part of one; a model calls no node that nobody allowed.
//!
//! ```text
//! seedMessages -> appendContextMessage -> appendUserInstruction -> aiRequest -> runToolCalls -> appendToolResults -> aiRequest ...
//! ```
//!
//! A node takes its parameters as any node does. What it is not given it takes from a variable of the run, and what it
//! makes it leaves in one: `messages`, `sdlc_context`, `llm_response`, `tool_results`, `no_tool_calls`. Workflows that
//! hand results on by such names write `"$messages"`, and mean the variable.
#![forbid(unsafe_code)]

mod allowed;
mod answer;
mod context;
mod conversation;
mod opening;
mod request;
mod roadmap;
mod running;
mod stored;
mod tool_call;
mod tool_results;

use plugin_api::prelude::*;

use crate::context::load_context;
use crate::opening::{append_context_message, append_user_instruction, seed_messages};
use crate::request::ai_request;
use crate::roadmap::{check_mvp, update_roadmap};
use crate::running::run_tool_calls;
use crate::tool_results::append_tool_results;

export_plugin! {
    name: "agent",
    needs: "1.3",
    nodes: [
        ai_request,
        append_context_message,
        append_tool_results,
        append_user_instruction,
        check_mvp,
        load_context,
        run_tool_calls,
        seed_messages,
        update_roadmap,
    ],
}

#[cfg(test)]
mod tests;
