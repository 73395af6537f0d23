//! What is measured of a version's calls, and who sees copies of them.
//!
//! Invariant: a version that nobody observes costs a call one read. Latency is sampled, since reading the clock twice
//! costs more than finding the version; how often is the observer's to say. What is counted is never lost: counts are
//! kept by the gate and by [`Faults`](crate::Faults) for every call.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use patchbay_rollout::{BUCKETS, index};
use patchbay_vocab::TenantId;
use plugin_api::NodeError;
use plugin_api::value::{Value, ValueRef};

use crate::scope::NodeScope;
use crate::variables::Variables;

/// Threads beyond so many share their counters.
const SHARDS: usize = 16;

/// Of how many calls one is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Of none.
    Off,
    /// Of each `2^n`, one of each thread; at most `2^15`.
    OneIn(u8),
}

const TIMED: u32 = 1;
const TAPPED: u32 = 1 << 16;
const MASK: u32 = 0x7fff;

/// What an observer wants to know of the calls of one load.
#[derive(Default)]
pub struct Observed {
    /// Bit 0: calls are timed, bits 1 to 15: of which of them; bit 16: somebody sees copies.
    word: AtomicU32,
    latency: OnceLock<Box<[Shard]>>,
    tap: ArcSwapOption<Arc<dyn Tap>>,
}

/// A thread's counters, on cache lines of their own by their size.
struct Shard([AtomicU64; BUCKETS]);

thread_local! {
    static TICK: Cell<u32> = const { Cell::new(0) };
    static SHARD: usize = {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) as usize % SHARDS
    };
}

/// What is wanted of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watch(u32);

impl Watch {
    #[inline]
    pub(crate) const fn is_off(self) -> bool {
        self.0 == 0
    }

    /// Whether this call is to be timed.
    #[inline]
    pub(crate) fn times_this(self) -> bool {
        if self.0 & TIMED == 0 {
            return false;
        }
        let mask = (self.0 >> 1) & MASK;
        TICK.with(|tick| {
            let now = tick.get().wrapping_add(1);
            tick.set(now);
            now & mask == 0
        })
    }

    pub(crate) const fn is_timed(self) -> bool {
        self.0 & TIMED != 0
    }

    #[inline]
    pub(crate) const fn is_tapped(self) -> bool {
        self.0 & TAPPED != 0
    }
}

impl Observed {
    /// Has calls timed from now on.
    pub fn sample(&self, sampling: Sampling) {
        let timed = match sampling {
            Sampling::Off => 0,
            Sampling::OneIn(power) => {
                self.latency.get_or_init(|| {
                    let shard = || Shard([const { AtomicU64::new(0) }; BUCKETS]);
                    std::iter::repeat_with(shard).take(SHARDS).collect()
                });
                TIMED | (((1_u32 << power.min(14)) - 1) << 1)
            }
        };
        self.change(!TAPPED, timed);
    }

    /// Shows copies of calls to somebody from now on, or to nobody any more.
    pub fn tap(&self, tap: Option<Arc<dyn Tap>>) {
        let tapped = if tap.is_some() { TAPPED } else { 0 };
        self.tap.store(tap.map(Arc::new));
        self.change(TAPPED, tapped);
    }

    /// How many calls took how long, since the load was made: counts in the buckets of [`patchbay_rollout::index`].
    #[must_use]
    pub fn latency(&self) -> [u64; BUCKETS] {
        let mut sums = [0; BUCKETS];
        for shard in self.latency.get().into_iter().flatten() {
            for (sum, count) in sums.iter_mut().zip(&shard.0) {
                *sum += count.load(Ordering::Relaxed);
            }
        }
        sums
    }

    fn change(&self, bits: u32, to: u32) {
        let change = |word| Some((word & !bits) | to);
        let _ = self
            .word
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
    }

    #[inline]
    pub(crate) fn now(&self) -> Watch {
        Watch(self.word.load(Ordering::Relaxed))
    }

    pub(crate) fn tapped_by(&self) -> Option<Arc<dyn Tap>> {
        let tap = self.tap.load();
        tap.as_ref().map(|tap| Arc::clone(&**tap))
    }

    #[inline]
    pub(crate) fn took(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let shard = self
            .latency
            .get()
            .and_then(|shards| shards.get(SHARD.with(|mine| *mine)));
        if let Some(count) = shard.and_then(|shard| shard.0.get(index(nanos))) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observed").field(&self.now()).finish()
    }
}

/// Sees copies of a version's calls, each when it has been answered. Calls that keep state or act on the world are not
/// shown.
pub trait Tap: Send + Sync + 'static {
    /// A call was answered. On the caller's thread, before the caller has the answer: it must be quick.
    fn called(&self, call: &Tapped<'_>);
}

/// A call that was answered.
#[derive(Clone, Copy, Debug)]
pub struct Tapped<'t> {
    /// The node type.
    pub node_type: &'t str,
    /// Whose call it was.
    pub tenant: &'t TenantId,
    /// Its run.
    pub run: &'t str,
    /// The parameters.
    pub input: ValueRef<'t>,
    /// The run's variables.
    pub variables: Option<&'t Arc<Variables>>,
    /// Whether the answer depends on what a workflow lent the node: its inputs, outputs or expressions.
    pub asked: bool,
    /// Whether the parameters and the answer may be kept.
    pub keeps_contents: bool,
    /// The answer; `None` when there is none for a reason that is not the node's.
    pub answer: Option<Result<ValueRef<'t>, &'t NodeError>>,
}

/// A scope that notes whether anything was asked of it.
pub(crate) struct Noting<S> {
    inner: S,
    asked: AtomicBool,
}

impl<S> Noting<S> {
    pub(crate) const fn new(inner: S) -> Self {
        Self {
            inner,
            asked: AtomicBool::new(false),
        }
    }

    pub(crate) fn has_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    fn note(&self) -> &S {
        self.asked.store(true, Ordering::Relaxed);
        &self.inner
    }
}

impl<'s, S: std::ops::Deref<Target = dyn NodeScope + 's> + Send + Sync> NodeScope for Noting<S> {
    fn inputs(&self, index: u32) -> Option<Value> {
        self.note().inputs(index)
    }

    fn select_output(&self, output: u32) {
        self.note().select_output(output);
    }

    fn evaluate(&self, expression: &str, bindings: ValueRef<'_>) -> Result<Value, NodeError> {
        self.note().evaluate(expression, bindings)
    }

    fn render(&self, template: ValueRef<'_>, bindings: ValueRef<'_>) -> Result<Value, NodeError> {
        self.note().render(template, bindings)
    }

    fn touched(&self) {
        self.inner.touched();
    }

    fn keeps_contents(&self) -> bool {
        self.inner.keeps_contents()
    }

    fn shared(&self) -> Option<Arc<dyn NodeScope>> {
        self.inner.shared()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sampled_is_one_call_in_as_many_as_was_said() {
        let observed = Observed::default();
        assert!(observed.now().is_off() && !observed.now().times_this());
        for (power, expected) in [(0, 1024), (4, 64), (10, 1)] {
            observed.sample(Sampling::OneIn(power));
            let timed = (0..1024).filter(|_| observed.now().times_this()).count();
            assert_eq!(timed, expected);
        }
        observed.sample(Sampling::Off);
        assert!(observed.now().is_off());
    }

    #[test]
    fn what_calls_took_is_counted_once_and_a_tap_does_not_disturb_it() {
        struct Nobody;
        impl Tap for Nobody {
            fn called(&self, _: &Tapped<'_>) {}
        }
        let observed = Observed::default();
        observed.took(Duration::from_micros(1));
        assert_eq!(observed.latency().iter().sum::<u64>(), 0, "nobody asked");
        observed.sample(Sampling::OneIn(0));
        observed.tap(Some(Arc::new(Nobody)));
        assert!(observed.now().is_timed() && observed.now().is_tapped() && observed.tapped_by().is_some());
        for micros in [1, 1, 1000] {
            observed.took(Duration::from_micros(micros));
        }
        let latency = observed.latency();
        assert_eq!((latency[index(1000)], latency[index(1_000_000)]), (2, 1));
        observed.tap(None);
        assert!(observed.now().is_timed() && !observed.now().is_tapped() && observed.tapped_by().is_none());
    }
}
