//! One execution of a workflow.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use patchbay_vocab::{Monotonic, RunId, TenantId, UnixMillis};
use patchbay_workflow::Limits;
use plugin_api::value::Value;

use crate::admission::Place;
use crate::event::Observer;
use crate::executor::Shop;
use crate::failure::Class;
use crate::frame::Frame;
use crate::graph::Ending;
use crate::port::Hold;
use crate::prepared::Prepared;
use crate::record::{Finished, Metrics, RunStatus, Status};
use crate::timers::{Due, Ticket};
use crate::{Failure, ServedBy};

/// Told when a run has ended; once.
pub type OnEnd = Box<dyn FnOnce(Finished) + Send>;

/// A node whose result is known from an earlier run.
#[derive(Clone, Debug)]
pub struct Given {
    /// The node's place in the plan.
    pub node: u32,
    /// How it ended.
    pub status: Status,
    /// What it gave, or gave on.
    pub output: Option<Value>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Its edges that fired, as places in the plan's list; others died.
    pub fired: Vec<u32>,
}

/// What a run is asked for.
pub struct RunRequest {
    /// Its id.
    pub id: RunId,
    /// The workflow.
    pub prepared: Arc<Prepared>,
    /// Whose data it may see.
    pub tenant: TenantId,
    /// What it holds of the host.
    pub hold: Arc<dyn Hold>,
    /// `$json`.
    pub trigger: Value,
    /// `$context` without its variables.
    pub context: Value,
    /// Where it begins; where the plan says, when `None`.
    pub starts: Option<Vec<u32>>,
    /// Results that are known already.
    pub given: Vec<Given>,
    /// How long it may take; the shorter of this and the plan's counts.
    pub timeout: Option<Duration>,
    /// Whether waits between tries are spread at random where the plan says so; off in replays.
    pub jitter: Jitter,
    /// Who watches.
    pub observer: Option<Arc<dyn Observer>>,
    /// Who is told of runs that this one begins: sub-workflows.
    pub children: Option<Arc<dyn Children>>,
    /// The run that began this one.
    pub parent: Option<RunId>,
    /// How deep in sub-workflows it is; 0 for a run of its own.
    pub depth: u32,
    /// Its place among the runs of its workflow.
    pub place: Option<Place>,
}

impl std::fmt::Debug for RunRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunRequest")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Whether waits are spread at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Where the plan says so.
    AsPlanned,
    /// Never.
    Off,
}

/// Told of the runs of sub-workflows.
pub trait Children: Send + Sync {
    /// A new id for one.
    fn id(&self) -> RunId;
    /// One has ended.
    fn ended(&self, finished: &Finished);
}

const RUNNING: u8 = 0;
const CANCELLED: u8 = 1;
const OUT_OF_TIME: u8 = 2;

/// One execution of a workflow.
pub struct Run {
    pub(crate) id: RunId,
    pub(crate) tenant: TenantId,
    pub(crate) parent: Option<RunId>,
    pub(crate) depth: u32,
    pub(crate) trigger: Value,
    pub(crate) context: Value,
    pub(crate) jitter: Jitter,
    pub(crate) shop: Arc<Shop>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) children: Option<Arc<dyn Children>>,
    pub(crate) cancel: Arc<AtomicU32>,
    how: AtomicU8,
    hold: Mutex<Option<Arc<dyn Hold>>>,
    /// Executions of nodes so far; counted only where the plan bounds them.
    pub(crate) executions: AtomicU64,
    /// Bytes of outputs so far; counted only where the plan bounds them.
    pub(crate) bytes: AtomicU64,
    began: u64,
    started_at: UnixMillis,
    deadline: Mutex<Option<Ticket>>,
    frame: Mutex<Option<Arc<Frame>>>,
    on_end: Mutex<Option<OnEnd>>,
    place: Mutex<Option<Place>>,
    /// Counts over the nodes of rounds that are over.
    pub(crate) rounds: Mutex<Metrics>,
    /// The bounds of the workflow, for bodies of loops as well.
    pub(crate) limits: Limits,
}

impl Run {
    /// Begins a run: nothing of it has happened when this returns, and everything will.
    pub(crate) fn begin(shop: &Arc<Shop>, request: RunRequest, on_end: OnEnd) -> Arc<Self> {
        let timeout = [request.timeout, request.prepared.plan().limits.time]
            .into_iter()
            .flatten()
            .min();
        let run = Arc::new(Self {
            id: request.id,
            tenant: request.tenant,
            parent: request.parent,
            depth: request.depth,
            trigger: request.trigger,
            context: request.context,
            jitter: request.jitter,
            observer: request.observer,
            children: request.children,
            cancel: Arc::default(),
            how: AtomicU8::new(RUNNING),
            hold: Mutex::new(Some(request.hold)),
            executions: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            began: shop.nanos(),
            started_at: shop.clock.wall(),
            deadline: Mutex::new(None),
            frame: Mutex::new(None),
            on_end: Mutex::new(Some(on_end)),
            place: Mutex::new(request.place),
            rounds: Mutex::default(),
            limits: request.prepared.plan().limits.clone(),
            shop: Arc::clone(shop),
        });
        let plan = Arc::clone(request.prepared.plan());
        let starts = request.starts.as_deref().unwrap_or(&plan.starts);
        let frame = Frame::new(
            Arc::clone(&run),
            Arc::clone(&request.prepared),
            starts,
            crate::frame::Owner::Run,
            None,
        );
        frame.preset(&request.given);
        *run.frame.lock() = Some(Arc::clone(&frame));
        if let Some(timeout) = timeout {
            let ticket = shop.pool.timers.add(timeout, Due::Run(Arc::clone(&frame)));
            *run.deadline.lock() = Some(ticket);
        }
        shop.pool.submit(frame);
        run
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &RunId {
        &self.id
    }

    /// Whose data it may see.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The run that began it.
    #[must_use]
    pub const fn parent(&self) -> Option<&RunId> {
        self.parent.as_ref()
    }

    /// What triggered it.
    #[must_use]
    pub const fn trigger(&self) -> &Value {
        &self.trigger
    }

    /// Ends it: nothing new starts, what runs is told, and given up when it does not listen.
    pub fn cancel(&self, as_: RunStatus) {
        let how = match as_ {
            RunStatus::Timeout => OUT_OF_TIME,
            _ => CANCELLED,
        };
        if self
            .how
            .compare_exchange(RUNNING, how, Ordering::SeqCst, Ordering::SeqCst)
            .is_err()
        {
            return;
        }
        self.cancel.store(1, Ordering::SeqCst);
        let Some(frame) = self.frame.lock().clone() else {
            return;
        };
        let grace = self.shop.config.grace;
        self.shop.pool.timers.add(grace, Due::Grace(Arc::clone(&frame)));
        self.shop.pool.submit(frame);
    }

    #[inline]
    pub(crate) fn is_cancelled(&self) -> bool {
        self.how.load(Ordering::Relaxed) != RUNNING
    }

    pub(crate) fn cancelled_as(&self) -> Ending {
        let status = match self.how.load(Ordering::SeqCst) {
            OUT_OF_TIME => RunStatus::Timeout,
            _ => RunStatus::Cancelled,
        };
        Ending { status, error: None }
    }

    /// The failure of nodes that the end of the run cuts short.
    pub(crate) fn ended_failure(&self, status: RunStatus) -> Failure {
        match status {
            RunStatus::Timeout => Failure::new(Class::Timeout, "the run took longer than it may"),
            RunStatus::Cancelled => Failure::new(Class::Cancelled, "the run was cancelled"),
            _ => Failure::new(Class::Cancelled, "another node ended the run"),
        }
    }

    pub(crate) fn hold(&self) -> Option<Arc<dyn Hold>> {
        self.hold.lock().clone()
    }

    /// Nanoseconds since it began.
    pub(crate) fn since_start(&self) -> u64 {
        self.since(self.shop.nanos())
    }

    #[inline]
    pub(crate) const fn since(&self, nanos: u64) -> u64 {
        nanos.saturating_sub(self.began)
    }

    /// How long it may still take.
    pub(crate) fn left(&self) -> Option<Duration> {
        let (at, _) = (*self.deadline.lock())?;
        Some(at.since(Monotonic(Duration::from_nanos(self.shop.nanos()))))
    }

    pub(crate) fn end(&self, frame: &Arc<Frame>, ending: Option<Ending>, order: Vec<u32>) {
        let took = Duration::from_nanos(self.since_start());
        if let Some(ticket) = self.deadline.lock().take() {
            self.shop.pool.timers.remove(ticket);
        }
        drop(self.frame.lock().take());
        // The next run of the workflow need not wait for whoever looks at this one.
        drop(self.place.lock().take());
        let hold = self.hold.lock().take();
        let (variables, served) = hold.map_or_else(
            || (Value::null(), Vec::new()),
            |hold| {
                let types = 0..frame.prepared.plan().node_types.len() as u32;
                let served: Vec<Option<ServedBy>> = types
                    .map(|at| hold.served_by(patchbay_workflow::TypeIndex(at)))
                    .collect();
                (hold.board().all(), served)
            },
        );
        let Some(on_end) = self.on_end.lock().take() else {
            return;
        };
        let ending = ending.unwrap_or(Ending {
            status: RunStatus::Success,
            error: None,
        });
        let finished = Finished {
            frame: Arc::clone(frame),
            status: ending.status,
            error: ending.error,
            variables,
            started_at: self.started_at,
            took,
            served: served.into(),
            order,
        };
        if let Some(observer) = &self.observer {
            observer.ended(finished.status, finished.metrics());
        }
        on_end(finished);
    }
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
