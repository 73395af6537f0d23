//! Runs documents and counts what goes wrong.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use patchbay::{Begun, ControlError, Finished, Patchbay, RunOrder, RunStatus, RunsError, Value};

use super::super::BenchError;

/// How long anything may take before the bench gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Runs documents on a host, and remembers whether a run did not succeed.
pub(super) struct Runner<'h> {
    host: &'h Patchbay,
    failed: Cell<u64>,
}

impl<'h> Runner<'h> {
    pub(super) const fn on(host: &'h Patchbay) -> Self {
        Self {
            host,
            failed: Cell::new(0),
        }
    }

    pub(super) const fn host(&self) -> &'h Patchbay {
        self.host
    }

    /// Runs it once, whatever comes of it.
    pub(super) fn once(&self, order: &RunOrder) {
        self.many(order, 1);
    }

    /// Begins so many runs, then waits for all.
    pub(super) fn many(&self, order: &RunOrder, runs: usize) {
        let begun: Vec<_> = (0..runs).map(|_| begin(self.host, order)).collect();
        for begun in begun {
            let ended = begun.ok().and_then(|begun| begun.wait_status().ok());
            if !ended.is_some_and(|(status, _)| status == RunStatus::Success) {
                self.failed.set(self.failed.get() + 1);
            }
        }
    }

    /// Waits until what ran is on disk.
    pub(super) fn sync(&self) {
        if self.host.sync_runs(PATIENCE).is_err() {
            self.failed.set(self.failed.get() + 1);
        }
    }

    /// Runs it once and compares the output of a node.
    pub(super) fn check(
        &self,
        order: &RunOrder,
        node: &str,
        gives: &str,
    ) -> Result<Arc<Finished>, BenchError> {
        let begun = begin(self.host, order)?;
        let (status, finished) = begun.wait_status().map_err(BenchError::new)?;
        let got = finished.output_of(node).map(|output| output.to_json());
        if status != RunStatus::Success || got.as_deref() != Some(gives) {
            let why = finished.error.as_ref().map(|(_, failure)| &*failure.message);
            return Err(BenchError::new(format!(
                "a run ended as {}, `{node}` gave {}: {}",
                status.as_str(),
                got.unwrap_or_default(),
                why.unwrap_or_default()
            )));
        }
        Ok(finished)
    }

    /// Whether every run has succeeded so far.
    pub(super) fn verdict(&self) -> Result<(), BenchError> {
        match self.failed.get() {
            0 => Ok(()),
            failed => Err(BenchError::new(format!(
                "{failed} runs failed while they were measured"
            ))),
        }
    }
}

/// A run of the text with a trigger.
pub(super) fn order(text: Arc<str>, trigger: &str) -> Result<RunOrder, BenchError> {
    let mut order = RunOrder::of(text);
    order.trigger = Value::from_json(trigger).map_err(BenchError::new)?;
    Ok(order)
}

/// Begins a run; waits for the journal where that is behind.
pub(super) fn begin(host: &Patchbay, order: &RunOrder) -> Result<Begun, BenchError> {
    loop {
        match host.begin_run(order.clone()) {
            Err(ControlError::Runs(RunsError::Behind)) => {
                host.sync_runs(PATIENCE).map_err(BenchError::new)?;
            }
            other => return other.map_err(BenchError::new),
        }
    }
}
