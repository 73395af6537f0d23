//! How many runs of a workflow there may be at once, and how often it may run.
//!
//! Invariant: of a workflow and key there are never more places out than its bound, and in no window more runs begin
//! than its limit. Who has to wait is begun in order.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use patchbay_vocab::{Clock, Monotonic};
use patchbay_workflow::{Plan, WhenLimited};

use crate::timers::{Due, Timers};

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
    entries: Mutex<HashMap<Key, Entry>>,
    clock: Arc<dyn Clock>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    workflow: String,
    of: String,
}

#[derive(Default)]
struct Entry {
    running: u32,
    begun: VecDeque<Monotonic>,
    queue: VecDeque<Start>,
    bounds: Bounds,
}

#[derive(Clone, Copy, Default)]
struct Bounds {
    at_once: Option<u32>,
    rate: Option<(u32, Duration)>,
}

/// One run's place among those of its workflow; given back when it is dropped.
pub struct Place {
    admission: Arc<Admission>,
    timers: Arc<crate::pool::Pool>,
    key: Key,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Place")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(entry) = self.admission.entries.lock().get_mut(&self.key) {
            entry.running = entry.running.saturating_sub(1);
        }
        self.admission.poke(&self.timers, &self.key);
    }
}

impl Entry {
    /// Whether one more may begin; else when to look again, where that is known.
    fn room(&mut self, now: Monotonic) -> Result<(), Option<Duration>> {
        if self.bounds.at_once.is_some_and(|most| self.running >= most) {
            return Err(None);
        }
        let Some((requests, window)) = self.bounds.rate else {
            return Ok(());
        };
        while self
            .begun
            .front()
            .is_some_and(|begun| now.since(*begun) >= window)
        {
            self.begun.pop_front();
        }
        if self.begun.len() < requests as usize {
            return Ok(());
        }
        let again = self
            .begun
            .front()
            .map_or(window, |begun| window.saturating_sub(now.since(*begun)));
        Err(Some(again))
    }

    fn take(&mut self, now: Monotonic) {
        self.running += 1;
        if self.bounds.rate.is_some() {
            self.begun.push_back(now);
        }
    }
}

impl Admission {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            entries: Mutex::default(),
            clock,
        })
    }

    pub(crate) fn admit(
        self: &Arc<Self>,
        pool: &Arc<crate::pool::Pool>,
        plan: &Plan,
        of: &str,
        start: Start,
    ) -> Result<Admitted, Refusal> {
        let key = Key {
            workflow: plan.id.as_str().to_owned(),
            of: of.to_owned(),
        };
        let now = self.clock.now();
        let mut entries = self.entries.lock();
        let entry = entries.entry(key.clone()).or_default();
        entry.bounds = Bounds {
            at_once: plan.limits.concurrent_runs,
            rate: plan.rate.as_ref().map(|rate| (rate.requests, rate.window)),
        };
        match entry.room(now) {
            Ok(()) if entry.queue.is_empty() => {
                entry.take(now);
                drop(entries);
                start(self.place(pool, key));
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
                if entry.queue.len() >= LONGEST_QUEUE {
                    return Err(Refusal::QueueFull);
                }
                entry.queue.push_back(start);
                drop(entries);
                self.poke(pool, &key);
                Ok(Admitted::Queued)
            }
        }
    }

    /// For workflows that have no limits.
    pub(crate) fn admit_unbounded(
        self: &Arc<Self>,
        pool: &Arc<crate::pool::Pool>,
        start: Start,
    ) -> Result<Admitted, Refusal> {
        let key = Key {
            workflow: String::new(),
            of: String::new(),
        };
        start(self.place(pool, key));
        Ok(Admitted::Begun)
    }

    fn place(self: &Arc<Self>, pool: &Arc<crate::pool::Pool>, key: Key) -> Place {
        Place {
            admission: Arc::clone(self),
            timers: Arc::clone(pool),
            key,
        }
    }

    /// Begins what waits and may; sees to being called again.
    fn poke(self: &Arc<Self>, pool: &Arc<crate::pool::Pool>, key: &Key) {
        loop {
            let now = self.clock.now();
            let mut entries = self.entries.lock();
            let Some(entry) = entries.get_mut(key) else { return };
            if entry.queue.is_empty() {
                // Nothing is remembered of workflows that have no run and no window.
                if entry.running == 0 && entry.room(now).is_ok() && entry.begun.is_empty() {
                    entries.remove(key);
                }
                return;
            }
            match entry.room(now) {
                Ok(()) => {
                    let Some(start) = entry.queue.pop_front() else {
                        return;
                    };
                    entry.take(now);
                    drop(entries);
                    start(self.place(pool, key.clone()));
                }
                Err(again) => {
                    drop(entries);
                    if let Some(again) = again {
                        later(&pool.timers, again, self, pool, key);
                    }
                    return;
                }
            }
        }
    }
}

fn later(
    timers: &Timers,
    after: Duration,
    admission: &Arc<Admission>,
    pool: &Arc<crate::pool::Pool>,
    key: &Key,
) {
    let (admission, pool, key) = (Arc::clone(admission), Arc::clone(pool), key.clone());
    let poke = Box::new(move || admission.poke(&pool, &key));
    timers.add(after, Due::Do(poke));
}
