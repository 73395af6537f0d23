//! The gate: counts who is inside, and closes.

use std::fmt;
use std::sync::Arc;

use crossbeam_utils::CachePadded;

use crate::pass::{Idle, OwnedPass, Pass};
use crate::sync::{AtomicBool, AtomicU64, Ordering, shard_count, shard_hint, total_order};

/// Counts the calls inside one loaded version, and can be closed for ever.
///
/// The crate's documentation has the protocol and the proof.
pub struct Gate {
    shards: Box<[CachePadded<Shard>]>,
    /// `shards.len() - 1`; the length is a power of two.
    mask: usize,
    closed: AtomicBool,
    /// What is in `started` and is no call: calls that came after the close, and visits.
    uncounted: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Shard {
    started: AtomicU64,
    finished: AtomicU64,
}

impl Shard {
    /// Only for whoever has made `started` grow by one and has not called this yet.
    #[inline]
    pub(crate) fn leave(&self) {
        self.finished.fetch_add(1, Ordering::Release);
    }
}

impl Gate {
    /// An open gate with nobody inside.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "a gate belongs to one loaded version, there is no default one"
    )]
    pub fn new() -> Self {
        let shard = || {
            CachePadded::new(Shard {
                started: AtomicU64::new(0),
                finished: AtomicU64::new(0),
            })
        };
        let shards: Box<[_]> = std::iter::repeat_with(shard).take(shard_count()).collect();
        let mask = shards.len() - 1;
        Self {
            shards,
            mask,
            closed: AtomicBool::new(false),
            uncounted: AtomicU64::new(0),
        }
    }

    /// Begins a call; `None` when the gate is closed.
    #[inline]
    pub fn enter(&self) -> Option<Pass<'_>> {
        self.enter_on(shard_hint())
    }

    /// Begins a call that may outlive the borrow of the gate; `None` when the gate is closed.
    #[inline]
    pub fn enter_owned(self: &Arc<Self>) -> Option<OwnedPass> {
        let index = shard_hint();
        if self.admit(self.shard(index)) {
            Some(OwnedPass::new(Arc::clone(self), index))
        } else {
            None
        }
    }

    /// Begins something that is no call, such as the host's own look at what is idle: holds the version as a call does,
    /// and leaves [`Gate::entered`] as it is. `None` when the gate is closed.
    pub fn visit(&self) -> Option<Pass<'_>> {
        let pass = self.enter()?;
        self.uncounted.fetch_add(1, Ordering::Relaxed);
        Some(pass)
    }

    /// Refuses every call from now on, for ever. Calls that are inside stay.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        total_order();
    }

    /// Whether the gate has been closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// How many calls are inside, roughly: calls come and go while it counts.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.shards.iter().fold(0, |sum, shard| {
            // In this order the difference is never negative.
            let finished = shard.finished.load(Ordering::Acquire);
            sum + shard.started.load(Ordering::SeqCst).saturating_sub(finished)
        })
    }

    /// How many calls have ever begun, for statistics.
    #[must_use]
    pub fn entered(&self) -> u64 {
        let uncounted = self.uncounted.load(Ordering::Relaxed);
        let started: u64 = self
            .shards
            .iter()
            .map(|shard| shard.started.load(Ordering::Relaxed))
            .sum();
        started.saturating_sub(uncounted)
    }

    /// Evidence that the gate is closed and nobody is inside; `None` as long as that cannot be shown.
    #[must_use]
    pub fn idle(&self) -> Option<Idle<'_>> {
        if !self.is_closed() {
            return None;
        }
        total_order();
        let empty = self.shards.iter().all(|shard| {
            let finished = shard.finished.load(Ordering::Acquire);
            finished == shard.started.load(Ordering::SeqCst)
        });
        empty.then(|| Idle::new(self))
    }

    #[inline]
    pub(crate) fn enter_on(&self, index: usize) -> Option<Pass<'_>> {
        let shard = self.shard(index);
        if self.admit(shard) {
            Some(Pass::new(self, index))
        } else {
            None
        }
    }

    /// Begins a call inside another one, closed or not; the caller holds a pass that outlives the new one.
    #[inline]
    pub(crate) fn reenter(&self) -> Pass<'_> {
        let index = shard_hint();
        self.start_again(index);
        Pass::new(self, index)
    }

    /// Counts a call that begins inside another one; for a pass that outlives the other, on the other's shard.
    #[inline]
    pub(crate) fn start_again(&self, index: usize) {
        self.shard(index).started.fetch_add(1, Ordering::SeqCst);
    }

    #[inline]
    pub(crate) fn shard(&self, index: usize) -> &Shard {
        // Masked, so in bounds: the length is `mask + 1`.
        &self.shards[index & self.mask]
    }

    #[inline]
    fn admit(&self, shard: &Shard) -> bool {
        shard.started.fetch_add(1, Ordering::SeqCst);
        total_order();
        if self.closed.load(Ordering::SeqCst) {
            self.turn_away(shard);
            return false;
        }
        true
    }

    #[cold]
    fn turn_away(&self, shard: &Shard) {
        self.uncounted.fetch_add(1, Ordering::Relaxed);
        shard.leave();
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("closed", &self.is_closed())
            .field("in_flight", &self.in_flight())
            .field("entered", &self.entered())
            .finish_non_exhaustive()
    }
}
