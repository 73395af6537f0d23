//! What a node type means to the executor itself.
//!
//! Invariant: which node types are the executor's own is said here alone; all others are calls of plugins.

use plugin_api::value::ValueRef;

/// The classes of nodes of the v3 shape: where `type` is one of them, `nodeType` says what runs.
const CLASSES: [&str; 10] = [
    "trigger",
    "operation",
    "action",
    "logic",
    "transformer",
    "iterator",
    "parallel",
    "wait",
    "webhook",
    "schedule",
];

/// What starts a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Manual,
    Schedule,
    Webhook,
    Other,
}

/// What running a node means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Call,
    Trigger(Start),
    Loop,
    SubWorkflow,
}

impl Role {
    /// Fields of a node that mean nothing to what the executor runs itself: what is inside is tried again, each node
    /// for itself, and a loop ends by its conditions.
    pub(crate) fn not_enforced(&self) -> &'static [&'static str] {
        match self {
            Self::Call | Self::Trigger(_) => &[],
            Self::Loop => &[
                "retryPolicy",
                "retryOnFail",
                "maxTries",
                "waitBetweenTries",
                "timeout",
            ],
            Self::SubWorkflow => &["retryPolicy", "retryOnFail", "maxTries", "waitBetweenTries"],
        }
    }
}

pub(crate) fn is_class(name: &str) -> bool {
    CLASSES.contains(&name)
}

/// The role of a node by its executor id, which is empty when the document names none, and its class.
pub(crate) fn role(node_type: &str, class: &str, parameters: Option<ValueRef<'_>>) -> Role {
    match node_type {
        "control.loop" | "loop" | "metabuilder.loop" | "n8n-nodes-base.splitInBatches" | "iterator" => {
            Role::Loop
        }
        "workflow.run" | "execute-workflow" | "sub-workflow" | "n8n-nodes-base.executeWorkflow" => {
            Role::SubWorkflow
        }
        "webhook-trigger" | "n8n-nodes-base.webhook" => Role::Trigger(Start::Webhook),
        "schedule-trigger" | "n8n-nodes-base.scheduleTrigger" | "n8n-nodes-base.cron" => {
            Role::Trigger(Start::Schedule)
        }
        "manual-trigger" | "n8n-nodes-base.manualTrigger" | "n8n-nodes-base.start" => {
            Role::Trigger(Start::Manual)
        }
        "metabuilder.trigger" | "trigger" => Role::Trigger(start_of(parameters)),
        "" => match class {
            "trigger" => Role::Trigger(start_of(parameters)),
            "webhook" => Role::Trigger(Start::Webhook),
            "schedule" => Role::Trigger(Start::Schedule),
            "iterator" => Role::Loop,
            _ => Role::Call,
        },
        "webhook" if class == "webhook" || class == "trigger" => Role::Trigger(Start::Webhook),
        "schedule" if class == "schedule" || class == "trigger" => Role::Trigger(Start::Schedule),
        "manual" if class == "trigger" => Role::Trigger(Start::Manual),
        other if class == "trigger" && other.to_ascii_lowercase().contains("trigger") => {
            Role::Trigger(Start::Other)
        }
        _ => Role::Call,
    }
}

/// A trigger whose type does not say how it starts a run tells it by its parameters.
fn start_of(parameters: Option<ValueRef<'_>>) -> Start {
    let text = |key| parameters.and_then(|p| p.get(key)).and_then(|v| v.as_str());
    match text("operation")
        .or_else(|| text("kind"))
        .or_else(|| text("triggerType"))
    {
        Some("webhook") => Start::Webhook,
        Some("schedule" | "cron") => Start::Schedule,
        Some("manual") => Start::Manual,
        Some(_) => Start::Other,
        None if text("cron").is_some() || text("cronExpression").is_some() => Start::Schedule,
        None if text("path").is_some() => Start::Webhook,
        None => Start::Manual,
    }
}

/// Which output of a loop leads into its body, and which is taken when it is done.
pub(crate) fn loop_outputs(node_type: &str, type_version: Option<f64>) -> (u16, u16) {
    // The second version of that node had them the other way round.
    if node_type == "n8n-nodes-base.splitInBatches" && type_version.is_some_and(|version| version < 3.0) {
        (0, 1)
    } else {
        (1, 0)
    }
}
