//! How a node says that it failed.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::value::{Value, ValueError};

/// A failure of a node: a stable code for machines, a message for people.
///
/// It is made from every `std::error::Error` by `?`, and for that reason does not implement that trait itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeError {
    /// Stable code; upper-case words, such as `EXECUTION_ERROR`.
    pub code: Cow<'static, str>,
    /// What happened.
    pub message: Cow<'static, str>,
    /// HTTP-like status, where there is one; retry policies look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// Whether trying again may help, where the node knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// More for machines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

/// Codes that the executor knows.
pub mod code {
    /// A parameter is missing, of the wrong type or out of range.
    pub const VALIDATION_FAILED: &str = "VALIDATION_FAILED";
    /// The node failed.
    pub const EXECUTION_ERROR: &str = "EXECUTION_ERROR";
    /// The deadline passed.
    pub const TIMEOUT: &str = "TIMEOUT";
    /// The caller gave up.
    pub const CANCELLED: &str = "CANCELLED";
    /// Something that may go away by itself.
    pub const TEMPORARY_FAILURE: &str = "TEMPORARY_FAILURE";
    /// A secret or credential is not there.
    pub const CREDENTIAL_MISSING: &str = "CREDENTIAL_MISSING";
    /// The node panicked.
    pub const PLUGIN_PANICKED: &str = "PLUGIN_PANICKED";
    /// A limit was hit.
    pub const LIMIT_EXCEEDED: &str = "LIMIT_EXCEEDED";
    /// The declared capabilities do not cover it.
    pub const NOT_ALLOWED: &str = "NOT_ALLOWED";
    /// The host does not offer it.
    pub const UNSUPPORTED: &str = "UNSUPPORTED";
}

impl NodeError {
    /// A failure with the code `EXECUTION_ERROR`.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self::with_code(code::EXECUTION_ERROR, message)
    }

    /// A failure with a code of the node's own.
    pub fn with_code(code: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            status_code: None,
            retryable: None,
            details: None,
        }
    }

    /// A parameter that is missing, of the wrong type or out of range.
    pub fn invalid(parameter: &str, why: impl fmt::Display) -> Self {
        Self::with_code(code::VALIDATION_FAILED, format!("parameter `{parameter}`: {why}"))
    }

    /// Says that trying again may help, or not.
    #[must_use]
    pub const fn retryable(mut self, retryable: bool) -> Self {
        self.retryable = Some(retryable);
        self
    }

    /// Adds an HTTP-like status.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status_code = Some(status);
        self
    }

    /// Adds a value for machines.
    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    pub(crate) fn bad_input(error: &ValueError) -> Self {
        Self::with_code(code::VALIDATION_FAILED, format!("parameters: {error}"))
    }
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl<E: std::error::Error> From<E> for NodeError {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        Self::new(message)
    }
}
