//! Waking a plugin that sleeps: one load for all that wait for it.
//!
//! Invariant: of one revision at most one wake is under way, on a thread of its own, whoever asks; all who ask get its
//! result, or go when their time is up. After a failure it rests for a while, which grows, and gives the same answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use patchbay_dispatch::{PluginWaker, Served, StillAsleep};
use patchbay_registry::Mount;
use patchbay_vocab::{Explain, Explained, Monotonic, PluginName, RevisionNumber};

use crate::admit::mount_again;
use crate::error::LifecycleError;
use crate::event::EventKind;
use crate::lifecycle::Lifecycle;

const FIRST_REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(30);

type Key = (PluginName, RevisionNumber);

/// Sleeps and wakes in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SleepCounts {
    /// How often a plugin was put to sleep.
    pub sleeps: u64,
    /// How often one was woken.
    pub wakes: u64,
    /// How often one could not be woken.
    pub failed: u64,
    /// Calls that had to wait for a wake.
    pub waited: u64,
    /// How long the last wake took, in microseconds.
    pub last_micros: u64,
    /// How long the longest wake took, in microseconds.
    pub longest_micros: u64,
}

/// Wakes that are under way, and those that failed.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    running: Mutex<HashMap<Key, Arc<Waking>>>,
    failed: Mutex<HashMap<Key, Failure>>,
    sleeps: AtomicU64,
    wakes: AtomicU64,
    failures: AtomicU64,
    waited: AtomicU64,
    last_micros: AtomicU64,
    longest_micros: AtomicU64,
}

#[derive(Debug, Default)]
struct Waking {
    result: Mutex<Option<Result<(), Explained>>>,
    ended: Condvar,
}

impl Waking {
    fn wait(&self, within: Duration) -> Result<(), StillAsleep> {
        let until = Instant::now() + within;
        let mut result = self.result.lock();
        loop {
            match &*result {
                Some(Ok(())) => return Ok(()),
                Some(Err(why)) => return Err(StillAsleep::Failed(why.clone())),
                None => {}
            }
            if self.ended.wait_until(&mut result, until).timed_out() && result.is_none() {
                return Err(StillAsleep::TimedOut);
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Failure {
    why: Explained,
    until: Monotonic,
    rest: Duration,
}

impl Wakes {
    pub(crate) fn counts(&self) -> SleepCounts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SleepCounts {
            sleeps: count(&self.sleeps),
            wakes: count(&self.wakes),
            failed: count(&self.failures),
            waited: count(&self.waited),
            last_micros: count(&self.last_micros),
            longest_micros: count(&self.longest_micros),
        }
    }

    pub(crate) fn slept(&self) {
        self.sleeps.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn woke(&self, plugin: &PluginName, number: RevisionNumber, micros: u64) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
        self.last_micros.store(micros, Ordering::Relaxed);
        self.longest_micros.fetch_max(micros, Ordering::Relaxed);
        self.failed.lock().remove(&(plugin.clone(), number));
    }

    /// Why a revision could not be woken, as long as it has not been woken since.
    pub(crate) fn failure(&self, plugin: &PluginName, number: RevisionNumber) -> Option<Explained> {
        let failed = self.failed.lock();
        let failure = failed.get(&(plugin.clone(), number));
        failure.map(|failure| failure.why.clone())
    }

    fn resting(&self, key: &Key, now: Monotonic) -> Option<Explained> {
        let failed = self.failed.lock();
        let resting = failed.get(key).filter(|failure| now < failure.until);
        resting.map(|failure| failure.why.clone())
    }

    fn rest(&self, key: &Key, why: Explained, now: Monotonic) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let mut failed = self.failed.lock();
        let rest = failed
            .get(key)
            .map_or(FIRST_REST, |before| (before.rest * 2).min(LONGEST_REST));
        let until = Monotonic(now.0 + rest);
        failed.insert(key.clone(), Failure { why, until, rest });
    }

    /// Ends a wake: whoever waited goes on, and whoever comes now begins another.
    fn finish(&self, key: &Key, waking: &Waking, result: Result<(), Explained>) {
        self.running.lock().remove(key);
        *waking.result.lock() = Some(result);
        waking.ended.notify_all();
    }
}

impl PluginWaker for Lifecycle {
    fn wake(&self, asleep: &Arc<Mount<Served>>, within: Duration) -> Result<(), StillAsleep> {
        let key = (asleep.plugin().clone(), asleep.revision());
        if let Some(why) = self.wakes().resting(&key, self.clock().now()) {
            return Err(StillAsleep::Failed(why));
        }
        let (waking, begins) = {
            let mut running = self.wakes().running.lock();
            match running.get(&key) {
                Some(waking) => (Arc::clone(waking), false),
                // A wake that has just ended has routed to the fresh load before it took its entry away.
                None if !self.registry().is_asleep(asleep) => return Ok(()),
                None => {
                    let waking = Arc::new(Waking::default());
                    running.insert(key.clone(), Arc::clone(&waking));
                    (waking, true)
                }
            }
        };
        self.wakes().waited.fetch_add(1, Ordering::Relaxed);
        if begins {
            self.begin_wake(&key, &waking);
        }
        waking.wait(within)
    }
}

impl Lifecycle {
    /// On a thread of its own: code of the plugin runs when it is loaded, which must neither take a caller's time nor
    /// leave anything on a caller's thread.
    fn begin_wake(&self, key: &Key, waking: &Arc<Waking>) {
        let Some(me) = self.me() else {
            let ended = LifecycleError::Thread(std::io::Error::other("the host is ending"));
            return self.wakes().finish(key, waking, Err(ended.explained()));
        };
        let (job, theirs) = (key.clone(), Arc::clone(waking));
        let thread = std::thread::Builder::new().name("pb-wake".into());
        let spawned = thread.spawn(move || {
            let result = me.rouse(&job).map_err(|error| error.explained());
            me.wakes().finish(&job, &theirs, result);
        });
        if let Err(error) = spawned {
            let why = LifecycleError::Thread(error).explained();
            self.wakes().finish(key, waking, Err(why));
        }
    }

    fn rouse(&self, key: &Key) -> Result<(), LifecycleError> {
        let (plugin, number) = key;
        let turn = self.turn(plugin);
        let _turn = self.take(&turn, plugin)?;
        // Retired, quarantined or woken by somebody else meanwhile: the caller looks at the routes again.
        let asleep = self.registry().mounted(plugin, *number);
        if !asleep.is_some_and(|asleep| asleep.is_closed()) {
            return Ok(());
        }
        mount_again(self, plugin, *number).inspect_err(|error| {
            let why = error.explained();
            self.wakes().rest(key, why.clone(), self.clock().now());
            self.tell_about(plugin, *number, EventKind::WakeFailed(why));
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_failure_it_rests_for_longer_and_longer_until_it_has_been_woken() {
        let wakes = Wakes::default();
        let key: Key = ("a".parse().unwrap(), RevisionNumber(1));
        let why = Explained {
            code: "PB-X-001".into(),
            message: "no".into(),
            hint: "do so".into(),
        };
        let at = |millis| Monotonic(Duration::from_millis(millis));
        assert!(wakes.resting(&key, at(0)).is_none());
        wakes.rest(&key, why.clone(), at(0));
        assert!(wakes.resting(&key, at(99)).is_some());
        assert!(
            wakes.resting(&key, at(100)).is_none(),
            "the next call tries again"
        );
        assert!(wakes.failure(&key.0, key.1).is_some(), "and the plugin shows why");
        wakes.rest(&key, why.clone(), at(100));
        assert!(wakes.resting(&key, at(299)).is_some());
        for _ in 0..20 {
            wakes.rest(&key, why.clone(), at(1_000));
        }
        assert!(wakes.resting(&key, at(30_999)).is_some());
        assert!(wakes.resting(&key, at(31_000)).is_none());
        wakes.woke(&key.0, key.1, 7);
        assert!(wakes.failure(&key.0, key.1).is_none());
        assert_eq!((wakes.counts().failed, wakes.counts().longest_micros), (22, 7));
    }

    #[test]
    fn who_waits_for_a_wake_goes_when_the_time_is_up() {
        let waking = Waking::default();
        assert!(matches!(waking.wait(Duration::ZERO), Err(StillAsleep::TimedOut)));
        *waking.result.lock() = Some(Ok(()));
        assert!(waking.wait(Duration::ZERO).is_ok());
    }
}
