//! The breaker: a version that fails too much is taken out of service, and the previous one serves.
//!
//! Invariant: nothing is taken out of service when there is nothing to take over, and of one plugin one version at a time. Panics and time-outs count at any time;
//! errors that nodes answer with count only against a version that has not been live for long, since a caller's bad input
//! is an error, too.

use std::collections::HashMap;
use std::time::Duration;

use patchbay_lifecycle::{LifecycleError, Without};
use patchbay_registry::{Action, Selector};
use patchbay_rollout::Measured;
use patchbay_vocab::{Explain, Monotonic, PluginName, RevisionNumber};

use crate::arms;
use crate::delivery::Delivery;
use crate::event::DeliveryEvent;
use crate::memory::by_itself;

/// When a version is taken out of service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerConfig {
    /// Over how long faults are counted.
    pub window: Duration,
    /// So many panics of one version within the window; 0 for never.
    pub panics: u64,
    /// So many calls that were not answered in time, although they had the time that the node says it needs; 0 for never.
    pub timeouts: u64,
    /// Panics and time-outs count when they are at least such a share of the version's calls, from 0 to 1.
    pub share: f64,
    /// Such a share of failed calls, from 0 to 1, of a version that is young; 0 for never.
    pub error_rate: f64,
    /// Of at least so many calls.
    pub min_calls: u64,
    /// How long a version is young, counted from when it was first live.
    pub young: Duration,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(60),
            panics: 5,
            timeouts: 20,
            share: 0.01,
            error_rate: 0.5,
            min_calls: 100,
            young: Duration::from_secs(600),
        }
    }
}

impl BreakerConfig {
    /// Why a version is taken out of service that came to this within the window.
    fn verdict(&self, seen: &Measured, is_young: impl FnOnce() -> bool) -> Option<String> {
        let within = format!("within {} s", self.window.as_secs());
        let is_many = |faults: u64| faults as f64 >= self.share * seen.calls as f64;
        if self.panics > 0 && seen.panicked >= self.panics && is_many(seen.panicked) {
            return Some(format!("{} of its calls panicked {within}", seen.panicked));
        }
        if self.timeouts > 0 && seen.timed_out >= self.timeouts && is_many(seen.timed_out) {
            return Some(format!(
                "{} of its calls were not answered in time {within}",
                seen.timed_out
            ));
        }
        let rate = seen.error_rate().unwrap_or(0.0);
        let is_burst =
            self.error_rate > 0.0 && seen.calls >= self.min_calls.max(1) && rate >= self.error_rate;
        (is_burst && is_young())
            .then(|| format!("{} of its {} calls failed {within}", seen.failures(), seen.calls))
    }
}

/// What each version came to, and since when that is counted.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    versions: HashMap<(PluginName, RevisionNumber), Since>,
    /// Until when a plugin's breaker rests: it has just taken a version out of service, and when the one before fails of
    /// the same calls, it is not the version.
    rests: HashMap<PluginName, Monotonic>,
}

#[derive(Debug)]
struct Since {
    begun: Monotonic,
    then: Measured,
    /// It would have been taken out of service, had there been another one.
    told: bool,
}

impl Delivery {
    /// Looks at what every version that serves has failed of.
    pub(crate) fn look_for_faults(&self) {
        let config = self.config().breaker;
        let (registry, now) = (&self.parts().registry, self.parts().clock.now());
        let loads = registry.awake_loads();
        let mut watched = self.watched().lock();
        let mut tripped = Vec::new();
        for mount in &loads {
            let key = (mount.plugin().clone(), mount.revision());
            let counted = arms::faults(mount);
            let since = watched.versions.entry(key.clone()).or_insert_with(|| Since {
                begun: now,
                then: Measured::default(),
                told: false,
            });
            // A load that is gone took its counts with it.
            if counted.calls < since.then.calls || now.since(since.begun) >= config.window {
                (since.begun, since.then) = (now, counted.clone());
            }
            if counted.failed == since.then.failed {
                continue;
            }
            let seen = counted.minus(&since.then);
            if let Some(why) = config.verdict(&seen, || self.is_young(&key.0, key.1)) {
                let is_new = !std::mem::replace(&mut since.told, true);
                tripped.push((key, why, is_new));
            }
        }
        if watched.versions.len() > loads.len() {
            let are: std::collections::HashSet<_> = loads
                .iter()
                .map(|mount| (mount.plugin(), mount.revision()))
                .collect();
            watched
                .versions
                .retain(|(plugin, number), _| are.contains(&(plugin, *number)));
        }
        drop(watched);
        for ((plugin, number), why, is_new) in tripped {
            let is_live = registry
                .live(&plugin)
                .is_some_and(|live| live.revision() == number);
            // What a run asked for by its version is that run's affair.
            if is_live || registry.is_steered(&plugin, number) {
                self.trip(&plugin, number, &why, is_new);
            }
        }
    }

    /// Whether a version has been live for the first time not long ago, or never was.
    fn is_young(&self, plugin: &PluginName, number: RevisionNumber) -> bool {
        let lines = self.parts().registry.history(plugin).unwrap_or_default();
        let first = lines.iter().find(|line| {
            let went_live = matches!(
                line.action,
                Action::Promoted | Action::RolledBack | Action::FellBack
            );
            line.revision == number && went_live
        });
        let young = u64::try_from(self.config().breaker.young.as_millis()).unwrap_or(u64::MAX);
        first.is_none_or(|line| self.now().0.saturating_sub(line.at.0) < young)
    }

    fn trip(&self, plugin: &PluginName, number: RevisionNumber, why: &str, is_new: bool) {
        let parts = self.parts();
        let version = parts.registry.version(plugin, number);
        let tell = |message: String, code| {
            self.tell(DeliveryEvent {
                kind: "breaker.opened",
                plugin: Some(plugin.clone()),
                version: version.clone(),
                revision: Some(number),
                message,
                code,
            });
        };
        let now = parts.clock.now();
        let rests = self.watched().lock().rests.get(plugin).copied();
        if rests.is_some_and(|until| now < until) {
            if is_new {
                tracing::error!(%plugin, revision = %number, why, "the version that took over fails, too");
                tell(
                    format!(
                        "{why}, as did the version before it: it goes on, since the calls may be to blame"
                    ),
                    None,
                );
            }
            return;
        }
        let change = by_itself("breaker", why);
        let which = Selector::Revision(number);
        match parts
            .lifecycle
            .quarantine(plugin, Some(&which), Without::Refuse, &change)
        {
            Ok((_, done)) => {
                let until = Monotonic(now.0.saturating_add(self.config().breaker.young));
                self.watched().lock().rests.insert(plugin.clone(), until);
                let instead = done.fallback.map_or_else(String::new, |swap| {
                    let version = parts.registry.version(plugin, swap.to);
                    version.map_or_else(String::new, |version| format!("; {version} serves"))
                });
                tracing::error!(%plugin, revision = %number, why, "a version was taken out of service");
                tell(format!("{why}{instead}"), None);
            }
            Err(LifecycleError::NoFallback { .. }) => {
                if is_new {
                    tracing::error!(%plugin, revision = %number, why, "a version fails, and there is no other one to take over");
                    tell(
                        format!("{why}; no other version can take over, so it goes on"),
                        None,
                    );
                }
            }
            Err(error) if is_new => {
                tracing::error!(%plugin, revision = %number, error = %error.chain(), "a version that fails could not be taken out of service");
                tell(error.explained().message, Some(error.code()));
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_and_timeouts_count_always_and_errors_only_of_the_young_with_enough_calls() {
        let config = BreakerConfig::default();
        let seen = |calls, failed, panicked, timed_out| Measured {
            calls,
            failed,
            panicked,
            timed_out,
            ..Measured::default()
        };
        assert_eq!(config.verdict(&seen(1000, 4, 4, 0), || true), None);
        assert!(
            config
                .verdict(&seen(500, 5, 5, 0), || false)
                .is_some_and(|why| why.contains("5 of its calls panicked"))
        );
        assert_eq!(
            config.verdict(&seen(1000, 9, 9, 0), || false),
            None,
            "a few of many"
        );
        assert!(config.verdict(&seen(20, 20, 0, 20), || false).is_some());
        assert!(config.verdict(&seen(100, 50, 0, 0), || true).is_some());
        assert_eq!(
            config.verdict(&seen(100, 50, 0, 0), || false),
            None,
            "it is not young"
        );
        assert_eq!(config.verdict(&seen(99, 99, 0, 0), || true), None, "too few");
        assert_eq!(config.verdict(&seen(100, 49, 0, 0), || true), None);
        let off = BreakerConfig {
            panics: 0,
            timeouts: 0,
            error_rate: 0.0,
            ..config
        };
        assert_eq!(off.verdict(&seen(1000, 1000, 1000, 1000), || true), None);
    }
}
