//! Invariant: a fault becomes an error with its expression and its position in characters, whatever made it.

use crate::lexer::Flaw;
use crate::{CompileError, EvalError, EvalErrorKind};

/// What went wrong, before it is known in which expression.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: EvalErrorKind,
    /// In bytes from 0.
    pub(crate) at: usize,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn failed(at: u32, message: impl Into<String>) -> Self {
        Self {
            kind: EvalErrorKind::Failed,
            at: at as usize,
            message: message.into(),
        }
    }

    pub(crate) fn size(at: u32, limit: usize) -> Self {
        Self {
            kind: EvalErrorKind::Size,
            at: at as usize,
            message: format!("the result is larger than {limit} bytes"),
        }
    }

    pub(crate) fn into_error(self, source: &str) -> EvalError {
        EvalError {
            kind: self.kind,
            expression: cut(source),
            position: position(source, self.at),
            message: self.message,
            pointer: String::new(),
        }
    }
}

impl Flaw {
    pub(crate) fn into_error(self, source: &str) -> CompileError {
        CompileError {
            expression: cut(source),
            position: position(source, self.at),
            message: self.message,
            pointer: String::new(),
        }
    }
}

fn cut(source: &str) -> String {
    source.chars().take(200).collect()
}

/// Bytes from 0 as characters from 1.
fn position(source: &str, at: usize) -> usize {
    source.char_indices().take_while(|(byte, _)| *byte < at).count() + 1
}
