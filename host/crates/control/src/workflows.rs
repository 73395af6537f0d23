//! Workflows: validating, running, watching, replaying.

use std::sync::Arc;
use std::time::Duration;

use patchbay_runs::{
    Begun, Hook, HookReply, JournalStats, Order, Replaying, RunsError, TriggerKind, Wanted, Watch,
};
use patchbay_vocab::{RunId, TenantId, WorkflowId};
use patchbay_wire::{
    FailureCountView, ReplayRequest, ReplayView, RunListView, RunRequest, RunView, ValidateView, WorkflowView,
};
use plugin_api::value::Value;

use crate::{ControlError, Patchbay};

impl Patchbay {
    /// Everything that is wrong, or odd, with a workflow document, on the plugins that are live.
    #[must_use]
    pub fn validate_workflow(&self, text: &str, tenant: Option<&TenantId>) -> ValidateView {
        self.inner.runs.validate(text, tenant)
    }

    /// Begins a run; [`Begun::wait`] and [`Begun::ended`] wait for its end.
    ///
    /// # Errors
    /// When the document cannot be run, or not now.
    pub fn begin_run(&self, order: Order) -> Result<Begun, ControlError> {
        Ok(self.inner.runs.begin(order)?)
    }

    /// Begins a run that is watched from its very beginning.
    ///
    /// # Errors
    /// When the document cannot be run, or not now.
    pub fn begin_watched_run(&self, order: Order) -> Result<(Begun, Watch), ControlError> {
        Ok(self.inner.runs.begin_watched(order)?)
    }

    /// Runs a workflow to its end.
    ///
    /// # Errors
    /// When the document cannot be run, or not now. A run whose nodes fail is no error: see its status.
    pub fn run_workflow(&self, order: Order) -> Result<RunView, ControlError> {
        Ok(self.inner.runs.begin(order)?.wait()?)
    }

    /// An order out of a request of the API.
    ///
    /// # Errors
    /// When it names no workflow, or its parts are not what they should be.
    pub fn order_of(&self, mut request: RunRequest) -> Result<Order, ControlError> {
        let text: Arc<str> = match (request.workflow.take(), request.workflow_id.take()) {
            (Some(document), None) => document.get().into(),
            (None, Some(id)) => self.inner.runs.served_text(&id)?,
            _ => return Err(RunsError::WhichWorkflow.into()),
        };
        order_of_parts(text, request)
    }

    /// An order to run the document `text`, whatever that is, out of the rest of a request.
    ///
    /// # Errors
    /// When parts of the request are not what they should be, or it names a workflow itself.
    pub fn order_of_text(
        &self,
        text: impl Into<Arc<str>>,
        request: RunRequest,
    ) -> Result<Order, ControlError> {
        match (&request.workflow, &request.workflow_id) {
            (None, None) => order_of_parts(text.into(), request),
            _ => Err(RunsError::WhichWorkflow.into()),
        }
    }

    /// Watches a run that has not ended.
    ///
    /// # Errors
    /// When it has ended, or is unknown.
    pub fn watch_run(&self, run: &RunId) -> Result<Watch, ControlError> {
        Ok(self.inner.runs.watch(run)?)
    }

    /// Ends a run: nothing new starts in it, and what runs is told.
    ///
    /// # Errors
    /// When it has ended, or is unknown.
    pub fn cancel_run(&self, run: &RunId) -> Result<(), ControlError> {
        Ok(self.inner.runs.cancel(run)?)
    }

    /// Runs, the newest first.
    ///
    /// # Errors
    /// When the journal cannot be read, or the question is none.
    pub fn runs(&self, wanted: &Wanted) -> Result<RunListView, ControlError> {
        Ok(self.inner.runs.list(wanted)?)
    }

    /// One run with its nodes.
    ///
    /// # Errors
    /// When there is none, or the journal cannot be read.
    pub fn run(&self, run: &RunId) -> Result<RunView, ControlError> {
        Ok(self.inner.runs.show(run)?)
    }

    /// The document that a run ran.
    ///
    /// # Errors
    /// When there is no such run, or the journal cannot be read.
    pub fn run_document(&self, run: &RunId) -> Result<Arc<str>, ControlError> {
        Ok(self.inner.runs.document_of(run)?)
    }

    /// Does a run again and compares what comes of it with what came of it then.
    ///
    /// # Errors
    /// When it cannot be done again.
    pub fn replay_run(&self, run: &RunId, request: &ReplayRequest) -> Result<ReplayView, ControlError> {
        Ok(self.begin_replay(run, request)?.wait()?)
    }

    /// Begins to do a run again; [`Replaying::wait`] and [`Replaying::ended`] wait for its end and compare.
    ///
    /// # Errors
    /// When it cannot be done again.
    pub fn begin_replay(&self, run: &RunId, request: &ReplayRequest) -> Result<Replaying, ControlError> {
        Ok(self.inner.runs.begin_replay(run, request)?)
    }

    /// The workflows that the host serves.
    #[must_use]
    pub fn workflows(&self) -> Vec<WorkflowView> {
        self.inner.runs.workflows()
    }

    /// One of them.
    ///
    /// # Errors
    /// When there is none of that id.
    pub fn workflow(&self, id: &WorkflowId) -> Result<WorkflowView, ControlError> {
        Ok(self.inner.runs.workflow(id)?)
    }

    /// Runs the workflow that a webhook starts, and gives what it answers.
    ///
    /// # Errors
    /// When no workflow has that webhook, or its run could not begin.
    pub fn hook(&self, hook: &Hook) -> Result<HookReply, ControlError> {
        Ok(HookReply::of(&self.begin_hook(hook)?.wait()?))
    }

    /// Begins the run that a webhook starts; [`HookReply::of`] says what to answer when it has ended.
    ///
    /// # Errors
    /// When no workflow has that webhook, or its run could not begin.
    pub fn begin_hook(&self, hook: &Hook) -> Result<Begun, ControlError> {
        Ok(self.inner.runs.begin_hook(hook)?)
    }

    /// Waits until every run that has ended so far is on disk.
    ///
    /// # Errors
    /// When the journal cannot write, or it takes longer than `within`.
    pub fn sync_runs(&self, within: Duration) -> Result<(), ControlError> {
        Ok(self.inner.runs.sync(within)?)
    }

    /// How often nodes of workflows failed since the host began, by kind, node type and version, and how recovery went.
    #[must_use]
    pub fn failures(&self) -> Vec<FailureCountView> {
        self.inner.runs.failures()
    }

    /// The journal of runs in numbers.
    #[must_use]
    pub fn journal(&self) -> JournalStats {
        self.inner.runs.journal_stats()
    }
}

fn order_of_parts(text: Arc<str>, request: RunRequest) -> Result<Order, ControlError> {
    let value = |what: &'static str, json: Option<Box<serde_json::value::RawValue>>| {
        let read = json.map(|json| Value::from_json(json.get()));
        read.transpose().map_err(|error| RunsError::Input {
            what,
            why: error.to_string(),
        })
    };
    let mut order = Order::of(text);
    if let Some(input) = value("the input", request.input)? {
        order.trigger = input;
    }
    order.variables = value("variables", request.variables)?;
    order.user = value("the user", request.user)?;
    order.tenant = request.tenant;
    order.timeout = request.timeout_ms.map(Duration::from_millis);
    order.versions = request.versions;
    order.kind = TriggerKind::Manual;
    Ok(order)
}
