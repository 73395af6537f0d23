//! The one shape of every error.

use patchbay_vocab::{Code, Explained};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::WorkflowFindingView;

/// What went wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemView {
    /// The stable code.
    #[schema(example = "PB-HTTP-001")]
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The request it belongs to, as the host's log names it; null outside the HTTP API.
    #[serde(default)]
    pub request_id: Option<String>,
    /// What was found in the document, when that is the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<WorkflowFindingView>,
}

impl ProblemView {
    /// A problem that belongs to no request yet.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code: code.0.into(),
            message: message.into(),
            hint: hint.into(),
            request_id: None,
            findings: Vec::new(),
        }
    }
}

impl From<Explained> for ProblemView {
    fn from(explained: Explained) -> Self {
        let Explained { code, message, hint } = explained;
        Self {
            code,
            message,
            hint,
            request_id: None,
            findings: Vec::new(),
        }
    }
}
