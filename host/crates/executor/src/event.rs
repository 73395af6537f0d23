//! What happens in a run, for whoever watches.

use std::time::Duration;

use crate::{Failure, Metrics, RunStatus};

/// Something that happened to a node.
#[derive(Clone, Debug)]
pub struct Event {
    /// The node's id, after those of the loops it is in, joined by `/`.
    pub node: String,
    /// What happened.
    pub kind: EventKind,
}

/// What happened to a node.
#[derive(Clone, Debug)]
pub enum EventKind {
    /// A try began; 1 for the first.
    Started(u32),
    /// It gave an output after so long.
    Succeeded(Duration),
    /// It failed for good.
    Failed(Failure),
    /// It is tried again after so long.
    Retrying(Duration, Failure),
    /// It is not run.
    Skipped,
    /// A round of a loop began; 0 for the first.
    Round(u64),
}

/// Watches a run. Called from the threads that run nodes, in order for each node: it must not wait for anything.
pub trait Observer: Send + Sync {
    /// Whether anybody looks right now; asked before an event is put together.
    fn is_watching(&self) -> bool;
    /// Something happened.
    fn event(&self, event: &Event);
    /// The run ended.
    fn ended(&self, status: RunStatus, metrics: Metrics) {
        let _ = (status, metrics);
    }
}
