//! Workflow documents: read, validated, planned.
//!
//! Invariant: a [`Plan`] is a finite graph without cycles whose every reference has been resolved; everything that can
//! be wrong with a document is said before there is one. Pure: no clock, no files, no plugins.
//!
//! ```text
//! JSON text --read--> Document --validate--> ValidWorkflow --plan--> Plan
//!                        '-----check(Catalogue)--> Findings
//! ```
//!
//! ```
//! let text = br#"{"name": "w", "nodes": [{"id": "a", "name": "a", "nodeType": "string.upper"}], "connections": {}}"#;
//! let valid = patchbay_workflow::validate(patchbay_workflow::read(text)?)?;
//! assert_eq!(valid.warnings().0[0].code.0, "MISSING_TENANT_ID");
//! assert_eq!(valid.plan().nodes.len(), 1);
//! # Ok::<(), patchbay_workflow::Findings>(())
//! ```
#![forbid(unsafe_code)]

mod assembly;
mod beside;
mod catalogue;
mod code;
mod connection;
mod cycle;
mod document;
mod expressions;
mod field;
mod finding;
mod frame;
mod graph;
mod layout;
mod notes;
mod parameters;
mod plan;
mod policy;
mod range;
mod registry_check;
mod role;
mod schedule;
mod settings;
mod spelling;
mod start;
mod trigger;
mod types;
mod variable;
mod view;
mod ways;
mod webhook;
mod work;

pub use catalogue::{Catalogue, KnownNode, ParameterProblem};
pub use code::{CODES, CodeRow};
pub use document::{Document, MAX_BYTES, MAX_EDGES, MAX_NODES, ValidWorkflow, read, validate};
pub use finding::{Finding, FindingCode, Findings, Level};
pub use plan::{
    Backoff, Edge, Limits, Loop, OnError, Plan, PlanNode, Policy, Port, RateLimit, Recovery, Retry,
    SavePolicy, SubWorkflow, Trigger, TriggerKind, TypeIndex, WhenLimited, Work,
};
pub use range::{VersionRange, no_version};
pub use registry_check::check;
pub use schedule::next_time;

#[cfg(test)]
mod tests;
