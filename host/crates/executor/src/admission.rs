//! How many runs of a workflow there may be at once, and how often it may run.
//!
//! Invariant: of a workflow of a tenant there are never more places out than its bound, and in no window more runs begin
//! than its limit for what they are counted by. Who has to wait is begun in order, on a thread of the pool.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use patchbay_vocab::{Clock, Monotonic, TenantId, WorkflowId};
use patchbay_workflow::{Plan, WhenLimited};

use crate::pool::Pool;
use crate::timers::Due;

/// Runs that may wait for a place.
const LONGEST_QUEUE: usize = 10_000;

/// Begins a run that has its place.
pub type Start = Box<dyn FnOnce(Place) + Send>;

/// Why a run may not begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is too often.
    #[error("the workflow may run {requests} times in {} ms", window.as_millis())]
    TooOften {
        /// How often it may run
        requests: u32,
        /// in so long.
        window: Duration,
        /// When it may run again.
        again: Duration,
    },
    /// Too many wait.
    #[error("{LONGEST_QUEUE} runs of the workflow wait already")]
    QueueFull,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It has begun.
    Begun,
    /// It will begin.
    Queued,
}

/// Counts runs.
pub(crate) struct Admission {
    books: Mutex<HashMap<Of, Books>>,
    clock: Arc<dyn Clock>,
}

/// Whose runs of which workflow.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Of {
    tenant: TenantId,
    workflow: WorkflowId,
}

/// What is known of the runs of one workflow of one tenant.
#[derive(Default)]
struct Books {
    running: u32,
    at_once: Option<u32>,
    rate: Option<(u32, Duration)>,
    /// When runs began, by what the rate is counted by.
    begun: HashMap<String, VecDeque<Monotonic>>,
    queue: VecDeque<(String, Start)>,
    /// A look at the books is due.
    armed: bool,
}

/// One run's place among those of its workflow; given back when it is dropped.
pub struct Place {
    /// `None` for workflows without limits.
    of: Option<(Arc<Admission>, Arc<Pool>, Of)>,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Place")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((admission, pool, of)) = self.of.take() else {
            return;
        };
        if let Some(books) = admission.books.lock().get_mut(&of) {
            books.running = books.running.saturating_sub(1);
        }
        admission.poke(&pool, &of);
    }
}

impl Books {
    /// Forgets what lies before the window.
    fn forget(&mut self, now: Monotonic) {
        let Some((_, window)) = self.rate else {
            self.begun.clear();
            return;
        };
        self.begun.retain(|_, begun| {
            while begun.front().is_some_and(|begun| now.since(*begun) >= window) {
                begun.pop_front();
            }
            !begun.is_empty()
        });
    }

    /// Whether one more may begin; else when to look again, where that is known.
    fn room(&self, key: &str, now: Monotonic) -> Result<(), Option<Duration>> {
        if self.at_once.is_some_and(|most| self.running >= most) {
            return Err(None);
        }
        let (Some((requests, window)), Some(begun)) = (self.rate, self.begun.get(key)) else {
            return Ok(());
        };
        let inside = begun.iter().filter(|begun| now.since(**begun) < window);
        if inside.clone().count() < requests as usize {
            return Ok(());
        }
        let oldest = inside.min();
        Err(Some(
            oldest.map_or(window, |begun| window.saturating_sub(now.since(*begun))),
        ))
    }

    fn take(&mut self, key: String, now: Monotonic) {
        self.running += 1;
        if self.rate.is_some() {
            self.begun.entry(key).or_default().push_back(now);
        }
    }

    /// The first in the queue that may begin; else how long until one may, where that is known.
    fn next(&mut self, now: Monotonic) -> Result<(String, Start), Option<Duration>> {
        let mut soonest = None;
        for at in 0..self.queue.len() {
            let Some((key, _)) = self.queue.get(at) else { break };
            match self.room(key, now) {
                Ok(()) => return self.queue.remove(at).ok_or(None),
                Err(None) => return Err(None),
                Err(Some(wait)) => {
                    soonest = Some(soonest.map_or(wait, |soonest: Duration| soonest.min(wait)));
                }
            }
        }
        Err(soonest)
    }
}

impl Admission {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            books: Mutex::default(),
            clock,
        })
    }

    pub(crate) fn admit(
        self: &Arc<Self>,
        pool: &Arc<Pool>,
        plan: &Plan,
        tenant: &TenantId,
        key: &str,
        start: Start,
    ) -> Result<Admitted, Refusal> {
        let of = Of {
            tenant: tenant.clone(),
            workflow: plan.id.clone(),
        };
        let now = self.clock.now();
        let mut all = self.books.lock();
        let books = all.entry(of.clone()).or_default();
        books.at_once = plan.limits.concurrent_runs;
        books.rate = plan.rate.as_ref().map(|rate| (rate.requests, rate.window));
        match books.room(key, now) {
            Ok(()) if books.queue.is_empty() => {
                books.take(key.to_owned(), now);
                // The window's books are looked at once more when it is over, and forgotten.
                let again = books.rate.map(|(_, window)| window);
                self.arm(pool, &of, books, again);
                drop(all);
                start(self.place(pool, of));
                Ok(Admitted::Begun)
            }
            room => {
                if let (Err(Some(again)), Some(rate)) = (room, &plan.rate)
                    && rate.when_limited == WhenLimited::Reject
                {
                    return Err(Refusal::TooOften {
                        requests: rate.requests,
                        window: rate.window,
                        again,
                    });
                }
                if books.queue.len() >= LONGEST_QUEUE {
                    return Err(Refusal::QueueFull);
                }
                books.queue.push_back((key.to_owned(), start));
                drop(all);
                self.poke(pool, &of);
                Ok(Admitted::Queued)
            }
        }
    }

    /// For workflows that have no limits.
    pub(crate) fn admit_unbounded(start: Start) -> Admitted {
        start(Place { of: None });
        Admitted::Begun
    }

    fn place(self: &Arc<Self>, pool: &Arc<Pool>, of: Of) -> Place {
        Place {
            of: Some((Arc::clone(self), Arc::clone(pool), of)),
        }
    }

    /// Begins what waits and may, on the pool's threads; sees to being called again, once.
    fn poke(self: &Arc<Self>, pool: &Arc<Pool>, of: &Of) {
        let now = self.clock.now();
        let mut all = self.books.lock();
        let Some(books) = all.get_mut(of) else { return };
        books.forget(now);
        loop {
            match books.next(now) {
                Ok((key, start)) => {
                    books.take(key, now);
                    let place = self.place(pool, of.clone());
                    pool.run(Box::new(move || start(place)));
                }
                Err(again) => {
                    let window = books
                        .rate
                        .map(|(_, window)| window)
                        .filter(|_| !books.begun.is_empty());
                    self.arm(pool, of, books, again.or(window));
                    break;
                }
            }
        }
        // Nothing is remembered of workflows that have no run, no queue and no window.
        if books.running == 0 && books.queue.is_empty() && books.begun.is_empty() && !books.armed {
            all.remove(of);
        }
    }

    /// Has the books looked at after a time, unless that is seen to already.
    fn arm(self: &Arc<Self>, pool: &Arc<Pool>, of: &Of, books: &mut Books, after: Option<Duration>) {
        let Some(after) = after.filter(|_| !books.armed) else {
            return;
        };
        books.armed = true;
        let (admission, again, of) = (Arc::downgrade(self), Arc::downgrade(pool), of.clone());
        let look = Box::new(move || {
            let (Some(admission), Some(pool)) = (admission.upgrade(), again.upgrade()) else {
                return;
            };
            if let Some(books) = admission.books.lock().get_mut(&of) {
                books.armed = false;
            }
            admission.poke(&pool, &of);
        });
        pool.timers.add(after, Due::Do(look));
    }

    /// Runs that wait, by all workflows.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.books.lock().is_empty()
    }

    /// Lets go of everything that waits.
    pub(crate) fn close(&self) {
        let waiting: Vec<_> = self.books.lock().drain().collect();
        drop(waiting);
    }
}
