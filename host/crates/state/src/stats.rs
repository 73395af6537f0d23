//! What the state counts of itself.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

/// What the state counts of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateStats {
    /// Changes that wait to be written; what was told together counts once.
    pub queued: u64,
    /// Their bytes.
    pub queued_bytes: usize,
    /// Changes that were written since the start.
    pub written: u64,
    /// Transactions since the start; each waited for the disk.
    pub syncs: u64,
    /// Attempts at writing that failed and were, or will be, repeated.
    pub failed: u64,
    /// Changes that are refused however often they are tried; each is in the log.
    pub refused: u64,
    /// Why the last attempt failed; `None` when it did not.
    pub failing: Option<String>,
    /// The length of the database and its write-ahead log.
    pub database_bytes: u64,
    /// The median time that a transaction took, in microseconds, of the last 512.
    pub write_micros_p50: u64,
    /// The time that 95 of 100 transactions stayed below.
    pub write_micros_p95: u64,
}

/// How many transactions are remembered.
const WINDOW: usize = 512;

/// What the writer's thread and the callers share.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    queued: AtomicU64,
    queued_bytes: AtomicUsize,
    written: AtomicU64,
    syncs: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
    failing: Mutex<Option<String>>,
    times: Mutex<Times>,
}

#[derive(Debug, Default)]
struct Times {
    micros: Vec<u64>,
    next: usize,
}

impl Gauges {
    pub(crate) fn enqueued(&self, bytes: usize) {
        self.queued.fetch_add(1, Ordering::Relaxed);
        self.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes what was written, or refused for good, out of the count of what waits.
    pub(crate) fn left(&self, changes: u64, bytes: usize) {
        self.queued.fetch_sub(changes, Ordering::Relaxed);
        self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn written(&self, changes: u64, micros: u64) {
        self.written.fetch_add(changes, Ordering::Relaxed);
        self.syncs.fetch_add(1, Ordering::Relaxed);
        let mut times = self.times.lock();
        let next = times.next;
        match times.micros.get_mut(next) {
            Some(slot) => *slot = micros,
            None => times.micros.push(micros),
        }
        times.next = (next + 1) % WINDOW;
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self, why: String) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        *self.failing.lock() = Some(why);
    }

    pub(crate) fn recovered(&self) {
        *self.failing.lock() = None;
    }

    pub(crate) fn queued(&self) -> u64 {
        self.queued.load(Ordering::Relaxed)
    }

    pub(crate) fn failing(&self) -> Option<String> {
        self.failing.lock().clone()
    }

    pub(crate) fn read(&self, database_bytes: u64) -> StateStats {
        let mut micros = self.times.lock().micros.clone();
        micros.sort_unstable();
        let at = |percent: usize| {
            let index = (micros.len() * percent / 100).min(micros.len().saturating_sub(1));
            micros.get(index).copied().unwrap_or(0)
        };
        StateStats {
            queued: self.queued(),
            queued_bytes: self.queued_bytes.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            syncs: self.syncs.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            failing: self.failing(),
            database_bytes,
            write_micros_p50: at(50),
            write_micros_p95: at(95),
        }
    }
}
