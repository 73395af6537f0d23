//! Instances that nobody uses are ended, and what they knew is kept: parked.
//!
//! Invariant: a state is parked only while no call is inside its instance and none can begin, and the instance ends only
//! when its state has been saved and is kept. Where that cannot be, the instance stays.
//!
//! ```text
//! Live --idle, alone, save_state--> Parked --the next call: create, load_state--> Live
//!                                      \--hand-over: the next version's create, load_state--> Live there
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use patchbay_lease::Pass;
use plugin_api::abi::status;
use plugin_api::shim::host::{Caller, HostServices, HostSink};
use plugin_api::value::ValueRef;

use super::handover::ServicesFor;
use super::instances::{ByTenant, Instance, Instances, Kept, NodeRuntime};
use super::plugin::LoadedPlugin;
use super::tally::{InstanceCounts, ParkLimits, Parked};
use crate::CallFault;

/// Why a plugin cannot be put to sleep now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaysAwake {
    /// Somebody is inside, or a hand-over is under way.
    Busy,
    /// An instance's state cannot be saved or kept.
    State,
    /// Whoever routes to it did not agree.
    Refused,
    /// The pass is for another version.
    WrongPass,
}

/// For each node the states it had when its plugin was put to sleep.
pub(super) type Asleep = Vec<ByTenant>;

/// An instance that might be parked.
struct Candidate {
    used: u64,
    tenant: Box<str>,
    config: Box<[u8]>,
}

/// What came of the attempt to park one.
enum Outcome {
    Parked,
    /// It is used, or was meanwhile.
    Busy,
    /// Its state cannot be saved or kept.
    Unfit,
    /// Before the first one, the node has to show that it takes this back.
    Unproven(Vec<u8>),
}

impl NodeRuntime {
    /// Gives an instance the state that was parked; says why it does not take it.
    pub(super) fn restore(
        &self,
        _pass: &Pass<'_>,
        instance: &Instance,
        state: &[u8],
        out: &mut HostSink,
    ) -> Result<(), String> {
        let value = ValueRef::assume_valid(state);
        // SAFETY: (1) the caller's pass keeps the plugin loaded; (2) the caller has just made the instance, and nobody
        // has called it.
        let answer = unsafe { self.entry.load_state(instance.pointer, &self.version, value, out) };
        match answer {
            status::OK => Ok(()),
            answer => Err(CallFault::of(answer, out).to_string()),
        }
    }

    /// Instances that could be parked, as far as can be seen from outside, and are `due` by the time of their last use.
    fn candidates(&self, due: impl Fn(u64) -> bool) -> Vec<Candidate> {
        let Instances::Many(many) = &self.instances else {
            return Vec::new();
        };
        if self.tally.is_refuted() {
            return Vec::new();
        }
        let now = self.tally.clock.load(Ordering::Relaxed);
        let mut found = Vec::new();
        for (tenant, of_tenant) in &*many.read() {
            for (config, kept) in of_tenant {
                let Kept::Live(instance) = kept else { continue };
                let used = instance.used.load(Ordering::Relaxed);
                if used == 0 {
                    // Made before the first sweep: idle from now on at the earliest.
                    let _ = instance
                        .used
                        .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
                } else if due(used) && instance.unfit.load(Ordering::Relaxed) != used {
                    found.push(Candidate {
                        used,
                        tenant: tenant.clone(),
                        config: config.clone(),
                    });
                }
            }
        }
        found
    }

    /// Parks an instance when it can be; `left` is how many bytes may be kept.
    fn park(&self, _pass: &Pass<'_>, candidate: &Candidate, left: usize, out: &mut HostSink) -> Outcome {
        let Instances::Many(many) = &self.instances else {
            return Outcome::Busy;
        };
        let mut all = many.write();
        let kept = all
            .get_mut(&candidate.tenant)
            .and_then(|of_tenant| of_tenant.get_mut(&candidate.config));
        let Some(kept) = kept else {
            return Outcome::Busy;
        };
        // Alone: whoever is inside holds a reference, and under the lock nobody can get one.
        let Kept::Live(instance) = kept else {
            return Outcome::Busy;
        };
        let Some(instance) = Arc::get_mut(instance) else {
            return Outcome::Busy;
        };
        let used = *instance.used.get_mut();
        if used != candidate.used {
            return Outcome::Busy;
        }
        // SAFETY: (1) the caller's pass keeps the plugin loaded; (2) the instance is in the map, and one of this node.
        let answer = unsafe { self.entry.save_state(instance.pointer, out) };
        let state = out.written();
        let keep = answer == status::OK && state.len() <= left && ValueRef::parse(state).is_ok();
        if !keep {
            *instance.unfit.get_mut() = used;
            return Outcome::Unfit;
        }
        if !self.tally.proven.load(Ordering::Relaxed) {
            return Outcome::Unproven(state.to_vec());
        }
        let parked = Parked::new(state.into(), used, &self.tally);
        let ended = std::mem::replace(kept, Kept::Parked(parked));
        // The lock first: what ends the instance is the plugin's code.
        drop(all);
        drop(ended);
        self.tally.evictions.fetch_add(1, Ordering::Relaxed);
        Outcome::Parked
    }

    /// Whether the node takes back what it saved: tried once on an instance that is ended again, since a node that only
    /// saves would lose its state here for good.
    fn prove(
        &self,
        pass: &Pass<'_>,
        candidate: &Candidate,
        state: &[u8],
        services: &dyn HostServices,
        out: &mut HostSink,
    ) -> bool {
        let caller = Caller {
            tenant: &candidate.tenant,
            run: "idle",
            node: self.entry.node_type(),
            deadline: u64::MAX,
            cancel: None,
        };
        // An instance was made with it: it is a well-formed value.
        let config = ValueRef::assume_valid(&candidate.config);
        let Ok(instance) = self.create(pass, config, &caller, services, out) else {
            return false;
        };
        match self.restore(pass, &instance, state, out) {
            Ok(()) => {
                self.tally.proven.store(true, Ordering::Relaxed);
                true
            }
            Err(reason) => {
                let node = self.entry.node_type();
                tracing::warn!(
                    node,
                    reason,
                    "does not take back what it saves: an idle instance stays"
                );
                self.tally.refusals.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }

    /// Parks an instance, after the node has shown that it takes its states back.
    fn park_proven(
        &self,
        pass: &Pass<'_>,
        candidate: &Candidate,
        left: usize,
        services: &dyn HostServices,
        out: &mut HostSink,
    ) -> Outcome {
        match self.park(pass, candidate, left, out) {
            Outcome::Unproven(state) if self.prove(pass, candidate, &state, services, out) => {
                self.park(pass, candidate, left, out)
            }
            Outcome::Unproven(_) => {
                self.note_unfit(candidate);
                Outcome::Unfit
            }
            outcome => outcome,
        }
    }

    /// Notes that an instance cannot be parked as it is.
    fn note_unfit(&self, candidate: &Candidate) {
        if let Instances::Many(many) = &self.instances
            && let Some(Kept::Live(instance)) = many
                .read()
                .get(&candidate.tenant)
                .and_then(|of_tenant| of_tenant.get(&candidate.config))
        {
            instance.unfit.store(candidate.used, Ordering::Relaxed);
        }
    }

    fn counts(&self) -> InstanceCounts {
        let Instances::Many(many) = &self.instances else {
            return InstanceCounts::default();
        };
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let all = many.read();
        let hits = all.values().flat_map(|of_tenant| of_tenant.values());
        let hits = hits.map(|kept| match kept {
            Kept::Live(instance) => instance.hits(),
            Kept::Parked(_) => 0,
        });
        InstanceCounts {
            live: count(&self.tally.objects),
            parked: count(&self.tally.parked),
            parked_bytes: count(&self.tally.parked_bytes),
            hits: count(&self.tally.past_hits) + hits.sum::<u64>(),
            misses: count(&self.tally.misses),
            evictions: count(&self.tally.evictions),
            restored: count(&self.tally.restored),
        }
    }
}

impl LoadedPlugin {
    /// The instances of its stateful nodes in numbers.
    #[must_use]
    pub fn instances(&self) -> InstanceCounts {
        let counts = self.nodes.iter().map(NodeRuntime::counts);
        counts.fold(InstanceCounts::default(), InstanceCounts::plus)
    }

    /// Moves the clock of the instances to `now`, in milliseconds, and parks those that are idle or too many; says how
    /// many. Calls go on meanwhile; those of one node wait while one of its states is saved.
    pub fn sweep(&self, pass: &Pass<'_>, now: u64, limits: &ParkLimits, services: &ServicesFor<'_>) -> usize {
        for node in &self.nodes {
            node.tally.clock.store(now.max(1), Ordering::Relaxed);
        }
        if !pass.belongs_to(self.gate()) {
            return 0;
        }
        let live: u64 = self
            .stateful()
            .map(|(_, node)| node.tally.objects.load(Ordering::Relaxed))
            .sum();
        let surplus = usize::try_from(live).map_or(0, |live| live.saturating_sub(limits.instances));
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let idle = |used: u64| {
            limits
                .idle_after
                .is_some_and(|after| now.saturating_sub(used) >= millis(after))
        };
        let mut due: Vec<_> = self
            .stateful()
            .flat_map(|(at, node)| {
                let due = node.candidates(|used| surplus > 0 || idle(used));
                due.into_iter().map(move |candidate| (at, node, candidate))
            })
            .collect();
        // The longest idle first.
        due.sort_by_key(|(.., candidate)| candidate.used);
        let mut out = HostSink::with_limit(limits.state_bytes.min(limits.parked_bytes));
        let mut parked = 0;
        for (at, node, candidate) in due {
            let left = self.room(limits);
            // A hand-over has the right of way: it holds all calls back.
            let Some(_still) = self.state.try_read() else {
                break;
            };
            if left == 0 || (parked >= surplus && !idle(candidate.used)) {
                break;
            }
            let services = services(at, &candidate.tenant);
            if let Outcome::Parked = node.park_proven(pass, &candidate, left, &*services, &mut out) {
                parked += 1;
            }
        }
        parked
    }

    /// Parks every instance, and has the plugin's gate closed by `close` while no call is inside a stateful node. From
    /// then on its states are for whoever takes its place: [`LoadedPlugin::take_over`], or a hand-over.
    ///
    /// # Errors
    /// Why it stays awake; nothing is lost then, and `close` has not been called or has refused.
    pub fn fall_asleep(
        &self,
        pass: &Pass<'_>,
        limits: &ParkLimits,
        services: &ServicesFor<'_>,
        close: impl FnOnce() -> bool,
    ) -> Result<(), StaysAwake> {
        if !pass.belongs_to(self.gate()) {
            return Err(StaysAwake::WrongPass);
        }
        let Some(_still) = self.state.try_write() else {
            return Err(StaysAwake::Busy);
        };
        if self.stateful().any(|(_, node)| node.has_unfit()) {
            return Err(StaysAwake::State);
        }
        let mut out = HostSink::with_limit(limits.state_bytes.min(limits.parked_bytes));
        for (at, node) in self.stateful() {
            for candidate in node.candidates(|_| true) {
                let services = services(at, &candidate.tenant);
                match node.park_proven(pass, &candidate, self.room(limits), &*services, &mut out) {
                    Outcome::Parked => {}
                    Outcome::Busy => return Err(StaysAwake::Busy),
                    Outcome::Unfit | Outcome::Unproven(_) => return Err(StaysAwake::State),
                }
            }
        }
        let states: Asleep = self.nodes.iter().map(NodeRuntime::known).collect();
        let all_parked = |of_tenant: &ByTenant| {
            let mut kept = of_tenant.values().flat_map(|of_tenant| of_tenant.values());
            kept.all(|kept| matches!(kept, Kept::Parked(_)))
        };
        // One that was never swept has no time of last use: the next attempt finds it.
        if !states.iter().all(all_parked) {
            return Err(StaysAwake::Busy);
        }
        *self.asleep.lock() = Some(states);
        if close() {
            return Ok(());
        }
        *self.asleep.lock() = None;
        Err(StaysAwake::Refused)
    }

    /// Takes the states of a load of the same artifact that sleeps, before anybody calls this one.
    pub fn take_over(&self, asleep: &Self) {
        let states = asleep.asleep.lock();
        let nodes = self.nodes.iter().zip(&asleep.nodes);
        for ((node, old), states) in nodes.zip(states.iter().flatten()) {
            let Instances::Many(many) = &node.instances else {
                continue;
            };
            let proven = old.tally.proven.load(Ordering::Relaxed);
            node.tally.proven.store(proven, Ordering::Relaxed);
            let mut all = many.write();
            for (tenant, config, parked) in parked_in(states) {
                let parked = Parked::new(Arc::clone(&parked.state), parked.used, &node.tally);
                let of_tenant = all.entry(tenant.clone()).or_default();
                of_tenant.insert(config.clone(), Kept::Parked(parked));
            }
        }
    }

    /// Lets go of the states it had when it was put to sleep: another load has them.
    pub fn forget_states(&self) {
        let states = self.asleep.lock().take();
        drop(states);
    }

    fn stateful(&self) -> impl Iterator<Item = (usize, &NodeRuntime)> {
        let all = self.nodes.iter().enumerate();
        all.filter(|(_, node)| matches!(node.instances, Instances::Many(_)))
    }

    /// Bytes that may still be kept.
    fn room(&self, limits: &ParkLimits) -> usize {
        let kept: u64 = self
            .stateful()
            .map(|(_, node)| node.tally.parked_bytes.load(Ordering::Relaxed))
            .sum();
        limits
            .parked_bytes
            .saturating_sub(usize::try_from(kept).unwrap_or(usize::MAX))
    }
}

impl NodeRuntime {
    /// What there is for each tenant and configuration.
    fn known(&self) -> ByTenant {
        match &self.instances {
            Instances::One(..) => ByTenant::new(),
            Instances::Many(many) => many.read().clone(),
        }
    }

    /// Whether one of its instances could not be parked since it was used last.
    fn has_unfit(&self) -> bool {
        let Instances::Many(many) = &self.instances else {
            return false;
        };
        let all = many.read();
        let mut kept = all.values().flat_map(|of_tenant| of_tenant.values());
        kept.any(|kept| match kept {
            Kept::Live(instance) => {
                let used = instance.used.load(Ordering::Relaxed);
                used != 0 && (self.tally.is_refuted() || instance.unfit.load(Ordering::Relaxed) == used)
            }
            Kept::Parked(_) => false,
        })
    }
}

/// The parked states among what there is.
pub(super) fn parked_in(all: &ByTenant) -> impl Iterator<Item = (&Box<str>, &Box<[u8]>, &Arc<Parked>)> {
    all.iter().flat_map(|(tenant, of_tenant)| {
        of_tenant.iter().filter_map(move |(config, kept)| match kept {
            Kept::Parked(parked) => Some((tenant, config, parked)),
            Kept::Live(_) => None,
        })
    })
}
