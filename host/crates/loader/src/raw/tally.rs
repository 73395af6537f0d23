//! What is counted of a node's instances, and the states that are kept of those that have ended.
//!
//! Invariant: a parked state is counted exactly as long as somebody has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Instances that do not take back what they saved, after which their node is believed to only save.
const REFUSALS: u64 = 8;

/// When instances are parked, and how much is kept for them.
#[derive(Clone, Copy, Debug)]
pub struct ParkLimits {
    /// How long an instance has to be idle; `None` for never.
    pub idle_after: Option<Duration>,
    /// How many instances of a plugin may stay; beyond it, those that were used longest ago are parked.
    pub instances: usize,
    /// Bytes of one instance's encoded state.
    pub state_bytes: usize,
    /// Bytes that are kept for one plugin.
    pub parked_bytes: usize,
}

/// A plugin's instances in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InstanceCounts {
    /// Instances there are.
    pub live: u64,
    /// States that are kept for instances that have ended.
    pub parked: u64,
    /// Bytes of these.
    pub parked_bytes: u64,
    /// Calls that found their instance.
    pub hits: u64,
    /// Calls for which it had to be made.
    pub misses: u64,
    /// Instances that were parked.
    pub evictions: u64,
    /// Parked states that an instance was made for again.
    pub restored: u64,
}

impl InstanceCounts {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            live: self.live + other.live,
            parked: self.parked + other.parked,
            parked_bytes: self.parked_bytes + other.parked_bytes,
            hits: self.hits + other.hits,
            misses: self.misses + other.misses,
            evictions: self.evictions + other.evictions,
            restored: self.restored + other.restored,
        }
    }
}

/// What is counted for one node.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// A coarse clock in milliseconds, moved by the sweeps: calls read it instead of the real one. 0 before the first.
    pub(super) clock: AtomicU64,
    /// Instances that have not been destroyed.
    pub(super) objects: AtomicU64,
    pub(super) parked: AtomicU64,
    pub(super) parked_bytes: AtomicU64,
    /// Hits of instances that have ended.
    pub(super) past_hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) evictions: AtomicU64,
    pub(super) restored: AtomicU64,
    /// Whether the node has shown that it takes back what it saves.
    pub(super) proven: AtomicBool,
    /// How often it has not, before it ever did.
    pub(super) refusals: AtomicU64,
}

impl Tally {
    /// Whether it is not to be asked any more.
    pub(super) fn is_refuted(&self) -> bool {
        self.refusals.load(Ordering::Relaxed) >= REFUSALS && !self.proven.load(Ordering::Relaxed)
    }

    /// Tenants and configurations that there is something for.
    pub(super) fn known(&self) -> u64 {
        self.objects.load(Ordering::Relaxed) + self.parked.load(Ordering::Relaxed)
    }
}

/// The state of an instance that has ended; counted as long as it is there.
#[derive(Debug)]
pub(super) struct Parked {
    pub(super) state: Arc<[u8]>,
    /// When the instance was used last.
    pub(super) used: u64,
    tally: Arc<Tally>,
}

impl Parked {
    pub(super) fn new(state: Arc<[u8]>, used: u64, tally: &Arc<Tally>) -> Arc<Self> {
        tally.parked.fetch_add(1, Ordering::Relaxed);
        tally
            .parked_bytes
            .fetch_add(state.len() as u64, Ordering::Relaxed);
        let tally = Arc::clone(tally);
        Arc::new(Self { state, used, tally })
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        let bytes = self.state.len() as u64;
        self.tally.parked_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.tally.parked.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parked_state_is_counted_once_and_as_long_as_somebody_has_it() {
        let tally = Arc::new(Tally::default());
        let kept = || {
            let bytes = tally.parked_bytes.load(Ordering::Relaxed);
            (tally.parked.load(Ordering::Relaxed), bytes)
        };
        let first = Parked::new([1, 2, 3].as_slice().into(), 5, &tally);
        let again = Arc::clone(&first);
        assert_eq!((kept(), tally.known()), ((1, 3), 1));
        drop(first);
        assert_eq!(kept(), (1, 3), "a hand-over still has it");
        drop(again);
        assert_eq!((kept(), tally.known()), ((0, 0), 0));
    }

    #[test]
    fn a_node_that_never_takes_its_state_back_is_asked_eight_times() {
        let tally = Tally::default();
        tally.refusals.store(REFUSALS - 1, Ordering::Relaxed);
        assert!(!tally.is_refuted());
        tally.refusals.store(REFUSALS, Ordering::Relaxed);
        assert!(tally.is_refuted());
        tally.proven.store(true, Ordering::Relaxed);
        assert!(!tally.is_refuted(), "it was that one instance's fault");
    }

    #[test]
    fn the_counts_of_two_loads_are_one_plugins() {
        let one = InstanceCounts {
            live: 1,
            parked: 2,
            parked_bytes: 3,
            hits: 4,
            misses: 5,
            evictions: 6,
            restored: 7,
        };
        let two = one.plus(one);
        assert_eq!((two.live, two.parked, two.parked_bytes), (2, 4, 6));
        assert_eq!(
            (two.hits, two.misses, two.evictions, two.restored),
            (8, 10, 12, 14)
        );
    }
}
