//! Runs that have not ended: who watches them, and how they are ended.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use patchbay_executor::{Event, EventKind, Metrics, Observer, Run, RunStatus};
use patchbay_vocab::{RunId, TenantId, UnixMillis, WorkflowId};
use patchbay_wire::{RunEventView, RunSummaryView};
use tokio::sync::broadcast;

use crate::launch::Launch;

/// Events a slow watcher may lag behind before it loses some.
const EVENTS_KEPT: usize = 4_096;

/// A run that has not ended.
pub(crate) struct Live {
    pub(crate) id: RunId,
    workflow: WorkflowId,
    name: Box<str>,
    tenant: TenantId,
    trigger: &'static str,
    parent: Option<RunId>,
    began: UnixMillis,
    /// Made for the first who watches: it is large, and most runs are not watched.
    events: OnceLock<broadcast::Sender<RunEventView>>,
    watchers: Arc<AtomicUsize>,
    state: Mutex<State>,
}

enum State {
    /// Waits for a place.
    Queued(Box<Launch>),
    /// Has its place, and is about to begin.
    Launching,
    Running(Arc<Run>),
    /// Was to be ended before it began.
    CancelledEarly,
    /// Has ended: its run, which knows who watches it, is let go of.
    Ended,
}

/// What became of a wish to end a run.
pub(crate) enum Cancelled {
    /// It has not had its place: whoever asked sees to its end, by what was kept of it.
    Waiting(Box<Launch>),
    /// It was told.
    Told,
    /// It had ended.
    Over,
}

/// Watches a run until it is dropped.
#[derive(Debug)]
pub struct Watch {
    events: broadcast::Receiver<RunEventView>,
    watchers: Arc<AtomicUsize>,
}

impl Watch {
    /// The next event; `None` when the run has ended. Events that came too quickly are left out.
    pub async fn next(&mut self) -> Option<RunEventView> {
        loop {
            match self.events.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// The next event, waited for on this thread.
    #[must_use]
    pub fn next_blocking(&mut self) -> Option<RunEventView> {
        loop {
            match self.events.blocking_recv() {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Who a run is, as lists show it.
pub(crate) struct Who {
    pub(crate) id: RunId,
    pub(crate) workflow: WorkflowId,
    pub(crate) name: Box<str>,
    pub(crate) tenant: TenantId,
    pub(crate) trigger: &'static str,
    pub(crate) parent: Option<RunId>,
}

impl Live {
    pub(crate) fn new(who: Who, began: UnixMillis, launch: Launch) -> Arc<Self> {
        Arc::new(Self {
            id: who.id,
            workflow: who.workflow,
            name: who.name,
            tenant: who.tenant,
            trigger: who.trigger,
            parent: who.parent,
            began,
            events: OnceLock::new(),
            watchers: Arc::default(),
            state: Mutex::new(State::Queued(Box::new(launch))),
        })
    }

    pub(crate) fn watch(&self) -> Watch {
        self.watchers.fetch_add(1, Ordering::Relaxed);
        Watch {
            events: self
                .events
                .get_or_init(|| broadcast::channel(EVENTS_KEPT).0)
                .subscribe(),
            watchers: Arc::clone(&self.watchers),
        }
    }

    /// Watches it, unless it has ended: its last event was sent then.
    pub(crate) fn watch_on(&self) -> Option<Watch> {
        let state = self.state.lock();
        (!matches!(*state, State::Ended)).then(|| self.watch())
    }

    /// When it was asked for.
    pub(crate) const fn began(&self) -> UnixMillis {
        self.began
    }

    /// What was kept of it until it had its place; `None` when it was ended meanwhile.
    pub(crate) fn launch(&self) -> Option<Box<Launch>> {
        self.leave_queue(State::Launching)
    }

    fn leave_queue(&self, for_: State) -> Option<Box<Launch>> {
        let mut state = self.state.lock();
        match std::mem::replace(&mut *state, for_) {
            State::Queued(launch) => Some(launch),
            other => {
                *state = other;
                None
            }
        }
    }

    /// The run has begun; ends it at once when it was to be ended before.
    pub(crate) fn begun(&self, run: &Arc<Run>) {
        let mut state = self.state.lock();
        let cancelled = matches!(*state, State::CancelledEarly);
        if matches!(*state, State::Ended) {
            return;
        }
        *state = State::Running(Arc::clone(run));
        drop(state);
        if cancelled {
            run.cancel(RunStatus::Cancelled);
        }
    }

    /// Ends it.
    #[must_use]
    pub(crate) fn cancel(&self) -> Cancelled {
        if let Some(waiting) = self.leave_queue(State::Ended) {
            return Cancelled::Waiting(waiting);
        }
        let mut state = self.state.lock();
        let run = match &*state {
            State::Running(run) => Some(Arc::clone(run)),
            State::Launching | State::CancelledEarly => {
                *state = State::CancelledEarly;
                None
            }
            State::Queued(_) | State::Ended => return Cancelled::Over,
        };
        drop(state);
        if let Some(run) = run {
            run.cancel(RunStatus::Cancelled);
        }
        Cancelled::Told
    }

    pub(crate) fn summary(&self, now: UnixMillis) -> RunSummaryView {
        let status = match &*self.state.lock() {
            State::Queued(_) => "queued",
            State::Launching | State::Running(_) | State::CancelledEarly | State::Ended => "running",
        };
        RunSummaryView {
            run_id: self.id.clone(),
            workflow_id: self.workflow.clone(),
            workflow: self.name.to_string(),
            tenant: self.tenant.clone(),
            status: status.to_owned(),
            error: None,
            started_at: self.began,
            duration: now.0.saturating_sub(self.began.0) as f64,
            nodes_executed: 0,
            trigger: self.trigger.to_owned(),
            parent: self.parent.clone(),
        }
    }

    fn send(&self, kind: &str, node: Option<String>, told: Told) {
        let Some(events) = self.events.get() else { return };
        // Nobody listening is fine.
        let _ = events.send(RunEventView {
            run_id: self.id.clone(),
            kind: kind.to_owned(),
            node,
            millis: told.millis,
            code: told.code,
            message: told.message,
        });
    }
}

#[derive(Default)]
struct Told {
    millis: Option<f64>,
    code: Option<String>,
    message: String,
}

fn millis(duration: Duration) -> Option<f64> {
    Some(duration.as_micros() as f64 / 1e3)
}

impl Observer for Live {
    fn is_watching(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }

    fn event(&self, event: &Event) {
        let plain = |message: &str| Told {
            message: message.to_owned(),
            ..Told::default()
        };
        let (kind, told) = match &event.kind {
            EventKind::Started(1) => ("node.started", plain("begun")),
            EventKind::Started(attempt) => ("node.started", plain(&format!("begun, try {attempt}"))),
            EventKind::Succeeded(took) => (
                "node.succeeded",
                Told {
                    millis: millis(*took),
                    ..plain("done")
                },
            ),
            EventKind::Failed(failure) => (
                "node.failed",
                Told {
                    code: Some(failure.error_code().to_owned()),
                    ..plain(&failure.message)
                },
            ),
            EventKind::Retrying(after, failure) => (
                "node.retrying",
                Told {
                    millis: millis(*after),
                    code: Some(failure.error_code().to_owned()),
                    ..plain(&failure.message)
                },
            ),
            EventKind::Skipped => ("node.skipped", plain("skipped")),
            EventKind::Round(round) => ("loop.round", plain(&format!("round {round}"))),
        };
        self.send(kind, Some(event.node.clone()), told);
    }

    fn ended(&self, status: RunStatus, metrics: Metrics) {
        let message = format!(
            "{}: {} nodes, {} failed, {} retries",
            status.as_str(),
            metrics.nodes_executed,
            metrics.failed_nodes,
            metrics.total_retries
        );
        let told = Told {
            message,
            code: (status != RunStatus::Success).then(|| status.as_str().to_uppercase()),
            ..Told::default()
        };
        // Under the lock: whoever watches from now on would wait for an event that was sent before.
        let mut state = self.state.lock();
        self.send("run.ended", None, told);
        let run = std::mem::replace(&mut *state, State::Ended);
        drop(state);
        drop(run);
    }
}
