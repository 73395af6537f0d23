//! Workflow documents: read, validated, planned.
//!
//! Invariant: a [`Plan`] is a finite graph without cycles whose every reference has been resolved; everything that can
//! be wrong with a document is said before there is one. Pure: no clock, no files, no plugins.
//!
//! ```text
//! JSON text --read--> Document --validate--> ValidWorkflow --plan--> Plan
//! ```
#![forbid(unsafe_code)]

mod catalogue;
mod finding;
mod plan;

pub use catalogue::{Catalogue, KnownNode, ParameterProblem};
pub use finding::{Finding, FindingCode, Findings, Level};
pub use plan::{
    Backoff, Edge, Limits, Loop, OnError, Plan, PlanNode, Policy, Port, RateLimit, Recovery, Retry,
    SavePolicy, SubWorkflow, Trigger, TriggerKind, TypeIndex, WhenLimited, Work,
};
