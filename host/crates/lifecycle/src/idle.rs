//! The thread that looks for what is idle: instances of nodes are parked, plugins are put to sleep.
//!
//! Invariant: a plugin falls asleep only while nobody is inside, nobody changes what is live of it, and all its state has
//! been saved; and a call that comes in that very moment waits, and is answered.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use patchbay_dispatch::{ParkLimits, Party, Served};
use patchbay_loader::can_unmap;
use patchbay_registry::Mount;
use patchbay_vocab::{Monotonic, PluginName, RevisionNumber};

use crate::lifecycle::Lifecycle;

/// What becomes of what is idle.
#[derive(Clone, Copy, Debug)]
pub struct IdleConfig {
    /// When instances of stateful nodes are parked, and how much is kept for them.
    pub instances: ParkLimits,
    /// How long a plugin has to be without a call to be unmapped; `None` for never.
    pub plugins_after: Option<Duration>,
}

/// How many looks there are in the time that something has to be idle.
const LOOKS: u32 = 8;
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(1);

impl IdleConfig {
    /// How long the thread rests between two looks.
    fn rest(&self) -> Duration {
        let times = [self.instances.idle_after, self.plugins_after];
        let shortest = times.into_iter().flatten().min().unwrap_or(LONGEST * LOOKS);
        (shortest / LOOKS).clamp(SHORTEST, LONGEST)
    }

    /// The limits as a sweep takes them: a stamp of last use may be one look old.
    fn swept(&self) -> ParkLimits {
        let rest = self.rest();
        ParkLimits {
            idle_after: self.instances.idle_after.map(|after| after + rest),
            ..self.instances
        }
    }
}

/// Starts the thread; it ends when the other end of `end` is dropped.
pub(crate) fn start_thread(lifecycle: Arc<Lifecycle>, end: Receiver<()>) -> std::io::Result<JoinHandle<()>> {
    let rest = lifecycle.config().idle.rest();
    std::thread::Builder::new().name("pb-idle".into()).spawn(move || {
        let mut activity = Activity::default();
        while let Err(RecvTimeoutError::Timeout) = end.recv_timeout(rest) {
            look(&lifecycle, &mut activity);
            lifecycle.vetting().read_young();
        }
    })
}

fn look(lifecycle: &Lifecycle, activity: &mut Activity) {
    let config = lifecycle.config().idle;
    let loads = lifecycle.registry().awake_loads();
    activity.forget_all_but(&loads);
    for mount in &loads {
        let now = lifecycle.clock().now();
        if mount.handle().plugin().keeps_state()
            && let Some(pass) = mount.gate().visit()
        {
            let of = Party { mount, pass: &pass };
            lifecycle.dispatcher().sweep(of, now, &config.swept());
        }
        let Some(after) = config.plugins_after else {
            continue;
        };
        let gate = mount.gate();
        let key = (mount.plugin().clone(), mount.revision());
        if activity.idle_for(key, gate.entered(), gate.in_flight(), now) >= after {
            put_to_sleep(lifecycle, mount);
        }
    }
}

/// Closes an idle plugin's gate and has the conductor unmap it; leaves it as it is when anything is in the way.
fn put_to_sleep(lifecycle: &Lifecycle, mount: &Arc<Mount<Served>>) {
    let (name, number) = (mount.plugin(), mount.revision());
    let turn = lifecycle.turn(name);
    let Some(_turn) = turn.try_lock() else { return };
    let registry = lifecycle.registry();
    let plugin = mount.handle().plugin();
    // What would stay mapped must not be loaded beside itself again and again; and a plugin that runs threads of its own
    // is at work, called or not.
    let could_go = can_unmap() && plugin.threads() == (0, 0) && registry.loads(name, number).len() == 1;
    let is_kept = registry.is_steered(name, number) || registry.split_of(name).is_some();
    if !could_go || is_kept || lifecycle.waits_for_others(name, number) {
        return;
    }
    let Some(pass) = mount.gate().visit() else { return };
    if mount.gate().in_flight() > 1 {
        return;
    }
    let of = Party { mount, pass: &pass };
    let limits = lifecycle.config().idle.instances;
    // Parking takes its time: whoever came in meanwhile, with a session say, keeps the plugin awake.
    let close = || mount.gate().in_flight() <= 1 && registry.begin_sleep(mount).is_ok();
    let slept = lifecycle.dispatcher().fall_asleep(of, &limits, close);
    drop(pass);
    match slept {
        Ok(()) => lifecycle.fell_asleep(mount),
        Err(why) => tracing::debug!(plugin = %name, revision = %number, ?why, "an idle plugin stays awake"),
    }
}

type Key = (PluginName, RevisionNumber);

/// When each load was called last, as far as the looks can tell.
#[derive(Debug, Default)]
struct Activity {
    seen: HashMap<Key, Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    entered: u64,
    since: Monotonic,
}

impl Activity {
    /// Notes how many calls there have been and are, and says for how long there was none.
    fn idle_for(&mut self, load: Key, entered: u64, inside: u64, now: Monotonic) -> Duration {
        let seen = self.seen.entry(load).or_insert(Seen { entered, since: now });
        if seen.entered != entered || inside > 0 {
            *seen = Seen { entered, since: now };
        }
        now.since(seen.since)
    }

    /// A load that is gone, or asleep, is another one when it comes back.
    fn forget_all_but(&mut self, loads: &[Arc<Mount<Served>>]) {
        let are: std::collections::HashSet<_> = loads
            .iter()
            .map(|mount| (mount.plugin(), mount.revision()))
            .collect();
        self.seen
            .retain(|(plugin, number), _| are.contains(&(plugin, *number)));
    }
}

#[cfg(test)]
mod tests {
    use patchbay_vocab::{Clock, FakeClock};

    use super::*;

    fn config(instances: Option<u64>, plugins: Option<u64>) -> IdleConfig {
        let millis = |time: Option<u64>| time.map(Duration::from_millis);
        IdleConfig {
            instances: ParkLimits {
                idle_after: millis(instances),
                instances: 10,
                state_bytes: 10,
                parked_bytes: 10,
            },
            plugins_after: millis(plugins),
        }
    }

    #[test]
    fn a_load_is_idle_from_its_last_call_on_and_never_while_somebody_is_inside() {
        let (clock, mut activity) = (FakeClock::new(), Activity::default());
        let load = || ("a".parse().unwrap(), RevisionNumber(1));
        let mut idle = |entered, inside, later| {
            clock.advance(Duration::from_millis(later));
            let idle = activity.idle_for(load(), entered, inside, clock.now());
            u64::try_from(idle.as_millis()).unwrap()
        };
        assert_eq!(idle(5, 0, 10), 0, "as long as it has been known");
        assert_eq!(idle(5, 0, 10), 10);
        assert_eq!(idle(6, 0, 10), 0, "a call came and went between two looks");
        assert_eq!(idle(6, 0, 30), 30);
        assert_eq!(idle(6, 1, 30), 0, "a call is inside");
        assert_eq!(idle(6, 0, 7), 7);
    }

    #[test]
    fn the_looks_are_as_frequent_as_the_shortest_time_demands() {
        for (instances, plugins, expected) in [
            (None, None, 1_000),
            (Some(600_000), None, 1_000),
            (Some(600_000), Some(800), 100),
            (Some(4), Some(800), 1),
        ] {
            let rest = config(instances, plugins).rest();
            assert_eq!(rest, Duration::from_millis(expected), "{instances:?} {plugins:?}");
        }
        let swept = config(Some(800), None).swept().idle_after;
        assert_eq!(
            swept,
            Some(Duration::from_millis(900)),
            "a stamp may be one look old"
        );
    }
}
