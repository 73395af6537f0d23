//! The JSON that the outside sees: request and response bodies of the HTTP API.
//!
//! Invariant: every type here is a shape and nothing else. Field names are camelCase and only ever added to; a request
//! body refuses fields it does not know, an answer always carries all of its fields (`null` where there is nothing).
//! Texts that a plugin wrote pass through unchanged, so whoever shows them must treat them as hostile.
#![forbid(unsafe_code)]

mod audit;
mod author;
mod cache;
mod call;
mod change;
mod file;
mod host;
mod node;
mod plugin;
mod problem;
mod rollout;
mod run;
mod trust;

pub use audit::{
    ArtifactView, AuditVerifiedView, AuditView, CollectRequest, CollectedView, DoctorFindingView,
    DoctorRepairView, DoctorView,
};
pub use author::{DevEventView, ExampleOutcome, ExampleRunView, NewView};
pub use cache::{CacheView, CachesView, InstancesView, MappedPluginsView, PluginInstancesView};
pub use call::{CallReply, CallRequest};
pub use change::{ChangeRequest, HandedOverView, HistoryView, RevisionRef, SwapView};
pub use file::{CheckStageView, CheckView, FindingView, InspectView, Severity, SizeView};
pub use host::{EventView, StatusView, UnloadMode};
pub use node::{Capability, DependencyView, Effect, ExampleView, NodeView};
pub use plugin::{PluginView, RejectedView, RevisionView, ShareView};
pub use problem::ProblemView;
pub use rollout::{
    DependentView, EvidenceView, LeftOutView, PinRequest, PinView, PinnedView, PolicyRequest, PolicyView,
    QuarantinedView, RolloutOrder, RolloutPlanView, RolloutRequest, RolloutView, SchemaChangeView,
    TouchedWorkflowView,
};
pub use run::{
    DifferenceView, FailureCountView, NodeResultView, ReplayRequest, ReplayView, RunBegun, RunErrorView,
    RunEventView, RunListView, RunMetrics, RunRequest, RunSummaryView, RunView, TriggerView, ValidateView,
    WorkflowFindingView, WorkflowView,
};
pub use trust::{KeyPairView, RelaxedView, SignedView, SignerView};

#[cfg(test)]
mod tests;
