//! The counts of a revision's calls, over all its loads.
//!
//! Invariant: counting costs calls nothing but a sampled look at the clock: entries are counted by the gate, faults where
//! they are made.

use patchbay_dispatch::{Mount, Sampling, Served};
use patchbay_registry::Registry;
use patchbay_rollout::{Histogram, Measured};
use patchbay_vocab::{PluginName, RevisionNumber};

/// Of the calls between two looks about so many are timed, on each side.
const SAMPLES: u64 = 1024;

/// What was counted of one load's calls, without how long they took.
pub(crate) fn faults(mount: &Mount<Served>) -> Measured {
    let faults = mount.handle().faults();
    // Faults first: a call that fails between the looks is then in neither, not in the faults alone.
    let (failed, panicked, timed_out) = (faults.failed(), faults.panicked(), faults.timed_out());
    let gate = mount.gate();
    Measured {
        calls: gate.entered().saturating_sub(gate.in_flight()),
        failed: failed + panicked + timed_out,
        panicked,
        timed_out,
        ..Measured::default()
    }
}

/// What was counted of a revision's calls since its loads were made.
pub(crate) fn count(registry: &Registry<Served>, plugin: &PluginName, number: RevisionNumber) -> Measured {
    let mut sum = Measured::default();
    for mount in registry.loads(plugin, number) {
        sum = sum.merge(&Measured {
            latency: Histogram::from_counts(mount.handle().observed().latency()),
            ..faults(&mount)
        });
    }
    sum
}

/// Has calls of a revision timed, so that about as many are as are wanted.
pub(crate) fn sample(
    registry: &Registry<Served>,
    plugin: &PluginName,
    number: RevisionNumber,
    calls_per_look: u64,
) {
    let power = (calls_per_look / SAMPLES)
        .checked_ilog2()
        .map_or(0, |log| log + 1);
    let power = u8::try_from(power.min(12)).unwrap_or(12);
    set(registry, plugin, number, Sampling::OneIn(power));
}

/// Has no call of a revision timed any more.
pub(crate) fn stop_sampling(registry: &Registry<Served>, plugin: &PluginName, number: RevisionNumber) {
    set(registry, plugin, number, Sampling::Off);
}

fn set(registry: &Registry<Served>, plugin: &PluginName, number: RevisionNumber, sampling: Sampling) {
    for mount in registry.loads(plugin, number) {
        mount.handle().observed().sample(sampling);
    }
}
