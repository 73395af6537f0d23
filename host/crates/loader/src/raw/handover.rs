//! State on its way from one version of a plugin to another.
//!
//! Invariant: until [`HandOver::commit`], both versions are as they were: the old one has only been read, and what the
//! new one was given is put back when the hand-over is dropped. While it exists, no call is inside a stateful node of
//! the old version, so nothing that a call has changed is lost.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use parking_lot::{RwLock, RwLockWriteGuard};
use patchbay_lease::Pass;
use plugin_api::abi::status;
use plugin_api::shim::host::{Caller, HostServices, HostSink};
use plugin_api::value::ValueRef;

use super::instances::{ByTenant, Instance, Instances, Kept, Keyed, MAX_INSTANCES, NodeRuntime};
use super::plugin::LoadedPlugin;
use super::tally::Parked;
use crate::{CallFault, HandOverError};

/// How long new calls are held back at first while calls that are inside are waited for, and at most.
const FIRST_TURN: Duration = Duration::from_millis(2);
const LONGEST_TURN: Duration = Duration::from_millis(50);

/// One side of a hand-over: a version, and the proof of being inside it.
#[derive(Clone, Copy, Debug)]
pub struct Side<'p> {
    /// The version.
    pub plugin: &'p LoadedPlugin,
    /// A pass of its gate.
    pub pass: &'p Pass<'p>,
}

/// The version that hands over.
#[derive(Clone, Copy, Debug)]
pub enum Leaving<'p> {
    /// It serves: its instances are asked for their state.
    Awake(Side<'p>),
    /// It sleeps: its states were parked, and nothing of it is entered.
    Asleep(&'p LoadedPlugin),
}

impl<'p> Leaving<'p> {
    const fn plugin(self) -> &'p LoadedPlugin {
        match self {
            Self::Awake(side) => side.plugin,
            Self::Asleep(plugin) => plugin,
        }
    }
}

/// How a hand-over is to be done.
#[derive(Clone, Copy, Debug)]
pub struct HandOverLimits {
    /// How long calls that are inside stateful nodes are waited for; calls that come meanwhile wait, too.
    pub within: Duration,
    /// Bytes of one instance's encoded state.
    pub state_bytes: usize,
}

/// What a hand-over carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandedOver {
    /// Instances whose state the new version has now.
    pub instances: usize,
    /// Instances of node types that the new version does not have; they stay with the old one while it is loaded.
    pub dropped: usize,
    /// Bytes of encoded state.
    pub bytes: usize,
    /// How long calls of stateful nodes had to wait.
    pub paused: Duration,
}

/// The services that an instance of a tenant is made with: its node's place in the new version, and the tenant.
pub type ServicesFor<'s> = dyn Fn(usize, &str) -> Box<dyn HostServices + 's> + 's;

/// State that was saved by one version and loaded by another, before the swap between them.
#[derive(Debug)]
pub struct HandOver<'p> {
    /// The instances to be, until `install`; those that were there before, after it. Before `pause`, so that they are
    /// ended while nobody calls.
    maps: Vec<(usize, ByTenant)>,
    installed: bool,
    to: Side<'p>,
    began: Instant,
    done: HandedOver,
    /// None where the old version sleeps: nobody can be inside.
    _pause: Option<RwLockWriteGuard<'p, ()>>,
}

/// A pair of nodes: the one that has the state, and the one that shall have it.
struct Pair<'p> {
    from: &'p NodeRuntime,
    /// What a version that sleeps has of the node.
    asleep: Option<ByTenant>,
    to: Option<(usize, &'p NodeRuntime)>,
    made: Keyed<Made>,
    count: usize,
}

/// An instance of the new version.
struct Made {
    instance: Arc<Instance>,
    /// The parked state that it has been given.
    has: Option<Arc<Parked>>,
}

impl Made {
    /// Whether it is the one for what the old version has now.
    fn is_for(&self, kept: &Kept) -> bool {
        match (kept, &self.has) {
            (Kept::Live(_), None) => true,
            (Kept::Parked(parked), Some(has)) => Arc::ptr_eq(parked, has),
            _ => false,
        }
    }
}

/// What the old version has, and for whom.
struct Known {
    tenant: Box<str>,
    config: Box<[u8]>,
    kept: Kept,
}

impl<'p> HandOver<'p> {
    /// Makes the new version's instances, waits until no call is inside a stateful node of the old one, and carries
    /// the state of each instance over. Calls of the old version's stateful nodes wait from then on, until the
    /// hand-over is committed or dropped.
    ///
    /// # Errors
    /// Why the state cannot go over; both versions are as they were.
    pub fn prepare(
        from: Leaving<'p>,
        to: Side<'p>,
        limits: HandOverLimits,
        services: &ServicesFor<'_>,
    ) -> Result<Self, HandOverError> {
        let belongs = |side: Side<'_>| side.pass.belongs_to(side.plugin.gate());
        let from_belongs = match from {
            Leaving::Awake(side) => belongs(side),
            Leaving::Asleep(plugin) => plugin.asleep.lock().is_some(),
        };
        if !from_belongs || !belongs(to) {
            return Err(HandOverError::WrongPass);
        }
        let mut pairs = pairs(from, to.plugin)?;
        let mut out = HostSink::with_limit(limits.state_bytes);
        // Twice: what takes long is made while calls still go on, the rest is what came meanwhile.
        for pair in &mut pairs {
            pair.make(to.pass, services, &mut out)?;
        }
        let pause = match from {
            Leaving::Awake(side) => {
                let waited = limits.within;
                let pause = pause(&side.plugin.state, waited);
                Some(pause.ok_or(HandOverError::StillInside { waited })?)
            }
            Leaving::Asleep(_) => None,
        };
        let began = Instant::now();
        let mut done = HandedOver::default();
        let mut maps = Vec::new();
        for mut pair in pairs {
            pair.make(to.pass, services, &mut out)?;
            if let Some((at, _)) = pair.to {
                maps.push((at, pair.carry(&mut out, &mut done)?));
            } else {
                done.dropped += pair.known().len();
            }
        }
        Ok(Self {
            maps,
            installed: false,
            to,
            began,
            done,
            _pause: pause,
        })
    }

    /// Puts the instances in their place in the new version, for calls that come as soon as it is live.
    pub fn install(&mut self) {
        if !self.installed {
            self.exchange();
            self.installed = true;
        }
    }

    /// The new version is live: the state is its own now.
    #[must_use]
    pub fn commit(mut self) -> HandedOver {
        self.install();
        // What the new version had from an earlier time is replaced: not put back by the drop that follows, and ended
        // only when the calls go on.
        let replaced = std::mem::take(&mut self.maps);
        let done = HandedOver {
            paused: self.began.elapsed(),
            ..self.done
        };
        drop(self);
        drop(replaced);
        done
    }

    fn exchange(&mut self) {
        for (at, map) in &mut self.maps {
            if let Some(Instances::Many(many)) = self.to.plugin.nodes.get(*at).map(|node| &node.instances) {
                std::mem::swap(&mut *many.write(), map);
            }
        }
    }
}

impl Drop for HandOver<'_> {
    fn drop(&mut self) {
        if self.installed {
            self.exchange();
        }
    }
}

/// Waits until no call is inside, in turns with the calls: each wait holds new calls back, for longer and longer, and
/// between two waits they go in. So one long call costs the others moments, and not their time limits.
fn pause(state: &RwLock<()>, within: Duration) -> Option<RwLockWriteGuard<'_, ()>> {
    let until = Instant::now() + within;
    let mut turn = FIRST_TURN;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if let Some(pause) = state.try_write_for(turn.min(left)) {
            return Some(pause);
        }
        if left.is_zero() {
            return None;
        }
        // As long again for the calls that were held back.
        std::thread::sleep(turn.min(left));
        turn = (turn * 2).min(LONGEST_TURN);
    }
}

/// The stateful nodes of the old version, each with the node of the new one that answers to its name.
fn pairs<'p>(from: Leaving<'p>, to: &'p LoadedPlugin) -> Result<Vec<Pair<'p>>, HandOverError> {
    let asleep = match from {
        Leaving::Awake(_) => None,
        Leaving::Asleep(plugin) => plugin.asleep.lock().clone(),
    };
    let nodes = from.plugin().nodes.iter().enumerate();
    let stateful = nodes.filter(|(_, node)| node.entry.is_stateful());
    let pair = stateful.map(|(at, node)| {
        let asleep = asleep
            .as_ref()
            .map(|states| states.get(at).cloned().unwrap_or_default());
        let name = node.entry.node_type();
        let place = to
            .description()
            .names()
            .find(|(known, _)| known.as_str() == name)
            .and_then(|(_, at)| to.nodes.get(at).map(|node| (at, node)));
        Pair {
            from: node,
            asleep,
            to: place,
            made: HashMap::new(),
            count: 0,
        }
    });
    let pairs: Vec<Pair<'_>> = pair.collect();
    let mut taken = HashSet::new();
    for pair in &pairs {
        if let Some((at, _)) = pair.to
            && !taken.insert(at)
        {
            return Err(HandOverError::Merged { node: pair.node() });
        }
    }
    Ok(pairs)
}

impl Pair<'_> {
    fn node(&self) -> String {
        self.from.entry.node_type().to_owned()
    }

    /// Everything that the old node has.
    fn known(&self) -> Vec<Known> {
        let mut known = Vec::new();
        let mut add = |all: &ByTenant| {
            for (tenant, of_tenant) in all {
                known.extend(of_tenant.iter().map(|(config, kept)| Known {
                    tenant: tenant.clone(),
                    config: config.clone(),
                    kept: kept.clone(),
                }));
            }
        };
        match (&self.asleep, &self.from.instances) {
            (Some(states), _) => add(states),
            (None, Instances::Many(many)) => add(&many.read()),
            (None, Instances::One(..)) => {}
        }
        known
    }

    /// Makes what is missing of the new node's instances, and gives them the states that are parked.
    fn make(
        &mut self,
        pass: &Pass<'_>,
        services: &ServicesFor<'_>,
        out: &mut HostSink,
    ) -> Result<(), HandOverError> {
        let Some((at, to)) = self.to.filter(|(_, to)| to.entry.is_stateful()) else {
            return Ok(());
        };
        for Known { tenant, config, kept } in self.known() {
            let made = self.made.get(&tenant).and_then(|made| made.get(&config));
            if made.is_some_and(|made| made.is_for(&kept)) {
                continue;
            }
            let caller = Caller {
                tenant: &tenant,
                run: "hand-over",
                node: to.entry.node_type(),
                deadline: u64::MAX,
                cancel: None,
            };
            // An instance was made with it: it is a well-formed value.
            let value = ValueRef::assume_valid(&config);
            if self.count >= MAX_INSTANCES {
                return Err(HandOverError::Create {
                    node: self.node(),
                    tenant: tenant.to_string(),
                    reason: CallFault::TooManyInstances.to_string(),
                });
            }
            let instance = to.create(pass, value, &caller, &*services(at, &tenant), out);
            let instance = instance.map_err(|fault| HandOverError::Create {
                node: self.from.entry.node_type().to_owned(),
                tenant: tenant.to_string(),
                reason: fault.to_string(),
            })?;
            let has = match kept {
                Kept::Live(_) => None,
                Kept::Parked(parked) => {
                    self.load(to, &instance, &tenant, &parked.state, out)?;
                    instance.used.store(parked.used, Ordering::Relaxed);
                    Some(parked)
                }
            };
            let made = Made { instance, has };
            if self
                .made
                .entry(tenant)
                .or_default()
                .insert(config, made)
                .is_none()
            {
                self.count += 1;
            }
        }
        Ok(())
    }

    /// Carries the state over; gives the instances that have one.
    fn carry(mut self, out: &mut HostSink, done: &mut HandedOver) -> Result<ByTenant, HandOverError> {
        let mut carried = ByTenant::new();
        for Known { tenant, config, kept } in self.known() {
            let state = match &kept {
                Kept::Parked(parked) => Arc::clone(&parked.state),
                Kept::Live(old) => match self.save(old, &tenant, out)? {
                    Some(state) => state,
                    // Nothing to hand over.
                    None => continue,
                },
            };
            let made = self
                .made
                .get_mut(&tenant)
                .and_then(|of_tenant| of_tenant.remove(&config));
            let Some((new, (_, to))) = made.zip(self.to) else {
                return Err(HandOverError::KeepsNoState { node: self.node() });
            };
            if let Kept::Live(old) = &kept {
                self.load(to, &new.instance, &tenant, &state, out)?;
                let used = old.used.load(Ordering::Relaxed);
                new.instance.used.store(used, Ordering::Relaxed);
            }
            done.instances += 1;
            done.bytes += state.len();
            let of_tenant = carried.entry(tenant).or_default();
            of_tenant.insert(config, Kept::Live(new.instance));
        }
        Ok(carried)
    }

    /// The state of an instance of the old version; `None` when it has none.
    fn save(
        &self,
        old: &Instance,
        tenant: &str,
        out: &mut HostSink,
    ) -> Result<Option<Arc<[u8]>>, HandOverError> {
        out.clear();
        // SAFETY: (1) the hand-over's pass keeps the plugin loaded: a version that sleeps has no instance; (2) the
        // reference keeps the instance, which is one of this node.
        let answer = unsafe { self.from.entry.save_state(old.pointer, out) };
        match answer {
            status::OK => {}
            // A poisoned instance would have been replaced by a fresh one, too.
            status::ABSENT | status::POISONED => return Ok(None),
            answer => return Err(self.save_failed(tenant, &CallFault::of(answer, out))),
        }
        if let Err(fault) = CallFault::check_output(out) {
            return Err(self.save_failed(tenant, &fault));
        }
        Ok(Some(out.written().into()))
    }

    /// Gives an instance of the new version its state.
    fn load(
        &self,
        to: &NodeRuntime,
        new: &Instance,
        tenant: &str,
        state: &[u8],
        out: &mut HostSink,
    ) -> Result<(), HandOverError> {
        let value = ValueRef::assume_valid(state);
        // SAFETY: (1) the hand-over's pass keeps the plugin loaded; (2) the instance was made by `make` for this
        // hand-over alone, and nobody has called it.
        let answer = unsafe { to.entry.load_state(new.pointer, &self.from.version, value, out) };
        match answer {
            status::OK => Ok(()),
            status::UNSUPPORTED => Err(HandOverError::KeepsNoState { node: self.node() }),
            answer => Err(HandOverError::Load {
                node: self.node(),
                tenant: tenant.to_owned(),
                reason: CallFault::of(answer, out).to_string(),
            }),
        }
    }

    fn save_failed(&self, tenant: &str, fault: &CallFault) -> HandOverError {
        HandOverError::Save {
            node: self.node(),
            tenant: tenant.to_owned(),
            reason: fault.to_string(),
        }
    }
}
