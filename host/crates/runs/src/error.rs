//! Why there is no run, or none to show.

use std::time::Duration;

use patchbay_dispatch::CallError;
use patchbay_journal::JournalError;
use patchbay_lifecycle::LifecycleError;
use patchbay_registry::RegistryError;
use patchbay_vocab::{Code, Explain, PluginName, RunId, TenantId, Version, WorkflowId};
use patchbay_wire::WorkflowFindingView;
use patchbay_workflow::Findings;

/// What kind of failure it is, for whoever has to choose a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunsErrorClass {
    /// What was named is not there.
    NotFound,
    /// What was sent is wrong.
    Invalid,
    /// The present state is in the way.
    Conflict,
    /// It is too often, or too much.
    TooMany,
    /// The host cannot do it now.
    Unavailable,
    /// The host is at fault.
    Internal,
}

/// Why there is no run, or none to show.
#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    /// The document cannot be run.
    #[error("{}", unfit(findings))]
    Refused {
        /// Everything that was found.
        findings: Box<Findings>,
    },
    /// No such run.
    #[error("there is no run `{0}`")]
    UnknownRun(RunId),
    /// No such workflow.
    #[error("the host serves no workflow `{0}`")]
    UnknownWorkflow(WorkflowId),
    /// No webhook is there.
    #[error("no workflow that is served has the webhook {method} {path}")]
    NoHook {
        /// The method.
        method: String,
        /// The path.
        path: String,
    },
    /// A request names neither a document nor a workflow, or both.
    #[error("name either `workflow` (a document) or `workflowId`")]
    WhichWorkflow,
    /// A request's parts do not fit.
    #[error("{what} cannot be used: {why}")]
    Input {
        /// Which part.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// The document is of another tenant.
    #[error("the workflow is of tenant `{document}`, and the run is asked for `{asked}`")]
    OtherTenant {
        /// Whose it is.
        document: TenantId,
        /// For whom it is asked.
        asked: TenantId,
    },
    /// A variable that the document demands is missing.
    #[error("the workflow needs the variable `{0}`")]
    VariableMissing(String),
    /// A version that was asked for cannot be had.
    #[error("the run cannot have {plugin} {version}")]
    Version {
        /// The plugin.
        plugin: String,
        /// What was asked for.
        version: String,
        /// Why.
        #[source]
        cause: Box<LifecycleError>,
    },
    /// The run is pinned to a version that cannot answer.
    #[error("the run is pinned to a version of {plugin} that is not loaded")]
    PinnedAway {
        /// The plugin.
        plugin: PluginName,
    },
    /// The run is pinned to a version that its document does not want.
    #[error("the run is pinned to {plugin} {version}, and its workflow asks for {ranges}")]
    PinnedOutside {
        /// The plugin.
        plugin: PluginName,
        /// The version that the pin holds.
        version: Version,
        /// What the document asks for.
        ranges: String,
    },
    /// The host is in safe mode.
    #[error("the host starts no runs by webhooks or schedules: it is in safe mode")]
    TriggersOff,
    /// The versions could not be held.
    #[error("the versions of the run could not be held")]
    Hold(#[source] CallError),
    /// The workflow may not run so often.
    #[error("the workflow may run {requests} times in {} s", window.as_secs_f64())]
    TooOften {
        /// How often it may run
        requests: u32,
        /// in so long.
        window: Duration,
        /// When it may run again.
        again: Duration,
    },
    /// Too many runs wait for their turn.
    #[error("too many runs of the workflow wait already")]
    QueueFull,
    /// The journal is behind.
    #[error("the journal of runs is behind, so no run may begin")]
    Behind,
    /// The run has ended.
    #[error("the run `{0}` has ended")]
    Ended(RunId),
    /// The run cannot be done again.
    #[error("the run `{run}` cannot be replayed: {why}")]
    NotReplayable {
        /// Which.
        run: RunId,
        /// Why.
        why: String,
    },
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The host is shutting down, or could not start what it needs.
    #[error("the host cannot run workflows: {0}")]
    Unavailable(String),
}

/// That a document cannot be run, and the first reason.
pub(crate) fn unfit(findings: &Findings) -> String {
    let count = findings.errors().count();
    let first = findings.errors().next().map_or_else(String::new, |finding| {
        let at = if finding.path.is_empty() { "" } else { " at " };
        format!("{}{at}{}: {}", finding.code, finding.path, finding.message)
    });
    match count {
        1 => format!("the workflow cannot be run: {first}"),
        _ => format!("the workflow cannot be run: {count} errors, the first one {first}"),
    }
}

/// Whether what was asked for is not there at all.
fn is_unknown(cause: &LifecycleError) -> bool {
    matches!(
        cause,
        LifecycleError::Registry(RegistryError::UnknownPlugin { .. } | RegistryError::UnknownRevision { .. })
    )
}

impl RunsError {
    pub(crate) fn pinned_away(plugin: &PluginName) -> Self {
        Self::PinnedAway {
            plugin: plugin.clone(),
        }
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn class(&self) -> RunsErrorClass {
        match self {
            Self::UnknownRun(_) | Self::UnknownWorkflow(_) | Self::NoHook { .. } => RunsErrorClass::NotFound,
            Self::Refused { .. }
            | Self::WhichWorkflow
            | Self::Input { .. }
            | Self::OtherTenant { .. }
            | Self::VariableMissing(_) => RunsErrorClass::Invalid,
            Self::Version { cause, .. } if is_unknown(cause) => RunsErrorClass::NotFound,
            Self::Version { .. }
            | Self::PinnedOutside { .. }
            | Self::Ended(_)
            | Self::NotReplayable { .. } => RunsErrorClass::Conflict,
            Self::TooOften { .. } | Self::QueueFull => RunsErrorClass::TooMany,
            Self::Hold(_)
            | Self::PinnedAway { .. }
            | Self::TriggersOff
            | Self::Behind
            | Self::Unavailable(_) => RunsErrorClass::Unavailable,
            Self::Journal(_) => RunsErrorClass::Internal,
        }
    }

    /// What was found in the document, when that is the reason.
    #[must_use]
    pub fn findings(&self) -> Option<&Findings> {
        match self {
            Self::Refused { findings } => Some(findings),
            _ => None,
        }
    }

    /// The same, as the outside sees it; empty when the document is not the reason.
    #[must_use]
    pub fn finding_views(&self) -> Vec<WorkflowFindingView> {
        self.findings().map(crate::record::findings).unwrap_or_default()
    }
}

impl Explain for RunsError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Refused { .. } => "PB-RUN-001",
            Self::UnknownRun(_) => "PB-RUN-002",
            Self::UnknownWorkflow(_) => "PB-RUN-003",
            Self::WhichWorkflow => "PB-RUN-004",
            Self::Input { .. } => "PB-RUN-005",
            Self::OtherTenant { .. } => "PB-RUN-006",
            Self::VariableMissing(_) => "PB-RUN-007",
            Self::Version { .. } => "PB-RUN-008",
            Self::Hold(_) => "PB-RUN-009",
            Self::TooOften { .. } => "PB-RUN-010",
            Self::QueueFull => "PB-RUN-011",
            Self::Behind => "PB-RUN-012",
            Self::Ended(_) => "PB-RUN-013",
            Self::NotReplayable { .. } => "PB-RUN-014",
            Self::Unavailable(_) => "PB-RUN-015",
            Self::NoHook { .. } => "PB-RUN-016",
            Self::PinnedAway { .. } => "PB-RUN-017",
            Self::PinnedOutside { .. } => "PB-RUN-018",
            Self::TriggersOff => "PB-RUN-019",
            Self::Journal(error) => return error.code(),
        })
    }

    fn help(&self) -> String {
        match self {
            Self::Refused { .. } => "mend what the findings name; `patchbay validate` lists them all".into(),
            Self::UnknownRun(_) => "see `patchbay runs` for those that are kept".into(),
            Self::UnknownWorkflow(_) => "see `patchbay workflows` for those that the host serves".into(),
            Self::NoHook { .. } => {
                "see `patchbay workflows` for the webhooks there are; a workflow has to be active".into()
            }
            Self::WhichWorkflow => "send one of the two".into(),
            Self::Input { .. } => "correct it as the message says; `patchbay run --help` has examples".into(),
            Self::OtherTenant { document, .. } => format!("run it for `{document}`, or change its tenantId"),
            Self::VariableMissing(name) => format!("give it with --variables '{{\"{name}\": ...}}'"),
            Self::Version { plugin, .. } => format!("see `patchbay plugins {plugin}` for what there is"),
            Self::PinnedAway { plugin } => {
                format!("look at `patchbay pins {plugin}`, and unpin, or promote a version that loads")
            }
            Self::PinnedOutside { plugin, .. } => format!(
                "look at `patchbay pins {plugin}`; unpin, pin a version in the range, or change the range"
            ),
            Self::TriggersOff => "start the host without --safe-mode; runs can be ordered meanwhile".into(),
            Self::Hold(error) => error.help(),
            Self::TooOften { again, .. } => {
                format!(
                    "try again in {} s, or raise rateLimiting in the document",
                    again.as_secs_f64().ceil()
                )
            }
            Self::QueueFull => "wait until some have ended, or raise maxConcurrentExecutions".into(),
            Self::Behind => {
                "see whether the disk of the data directory is full; runs go on when it has caught up".into()
            }
            Self::Ended(run) => format!("see what became of it with `patchbay runs {run}`"),
            Self::NotReplayable { .. } => "replay a run that was kept with its contents".into(),
            Self::Unavailable(_) => "see the log, and start the host again".into(),
            Self::Journal(error) => error.help(),
        }
    }
}
