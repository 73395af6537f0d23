//! Text templates in the manner of Jinja: `{{ }}` writes a value, `{% if %}`, `{% for %}` and `{% set %}` do what they say.
//! `{= =}` is the same as `{{ }}`, for templates that stand in a workflow's document, where `{{ }}` is the workflow's.
//!
//! Invariant: whatever a template says, it takes a bounded number of steps and bounded memory, and no part of reading or
//! running it calls itself more than a few dozen times: a template cannot fill the stack of the thread that runs it. It
//! sees the data that it is given and nothing else.
//!
//! ```text
//! text --lexer, expression, parser--> Program --machine--> text
//!                                        \--uses--> names of variables
//! ```
#![forbid(unsafe_code)]

mod block;
mod budget;
mod check;
mod datum;
mod expression;
mod filter;
mod filter_list;
mod filter_text;
mod inspection;
mod lexer;
mod machine;
mod operator;
mod parser;
mod program;
mod rendering;

use plugin_api::prelude::*;

use crate::inspection::{validate, variables};
use crate::rendering::render;

export_plugin! {
    name: "template",
    nodes: [
        render,
        validate,
        variables,
    ],
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_filters;
#[cfg(test)]
mod tests_language;
#[cfg(test)]
mod tests_limits;
