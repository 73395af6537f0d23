//! Invariant: a text that a node builds has an upper size, and the error says which parameter led beyond it.

use std::fmt::Display;

use crate::error::code;
use crate::{NodeError, NodeResult};

/// A text that a node builds grows no longer than this many bytes.
pub const MAX_TEXT: usize = 64 << 20;

/// A text under construction.
#[derive(Debug, Default)]
pub struct Growing {
    text: String,
    /// Bytes that count as well.
    before: usize,
}

impl Growing {
    /// One of several texts, the others of which have `before` bytes.
    #[must_use]
    pub const fn after(before: usize) -> Self {
        let text = String::new();
        Self { text, before }
    }

    /// Adds `part`, which the caller got from `parameter`.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` when the text would become too long.
    pub fn push(&mut self, part: &str, parameter: &str) -> NodeResult<()> {
        if part.len()
            > MAX_TEXT
                .saturating_sub(self.before)
                .saturating_sub(self.text.len())
        {
            return Err(Self::too_long(parameter, format_args!("{} MiB", MAX_TEXT >> 20)));
        }
        self.text.push_str(part);
        Ok(())
    }

    /// The text.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    /// The error for a text that would be longer than a limit.
    #[must_use]
    pub fn too_long(parameter: &str, limit: impl Display) -> NodeError {
        let message = format!("parameter `{parameter}`: the result would be longer than {limit}");
        NodeError::with_code(code::LIMIT_EXCEEDED, message)
    }
}
