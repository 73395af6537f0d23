//! The instances of a plugin's nodes: made when they are first needed, ended when nobody needs them.
//!
//! Invariant: an instance is used only by a holder of its plugin's pass, and ended when the last of them has let go. For
//! a tenant and configuration there is one instance, or one parked state, and the calls see them one after another.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use patchbay_lease::Pass;
use plugin_api::NodeError;
use plugin_api::abi::{Status, status};
use plugin_api::error::code;
use plugin_api::shim::host::{Caller, HostServices, HostSink, InstancePtr, NodeEntry};
use plugin_api::value::ValueRef;

use super::plugin::SyncCall;
use super::tally::{Parked, Tally};
use crate::{CallFault, LoadError, Nothing};

/// Instances of one node that may live at the same time.
pub(super) const MAX_INSTANCES: usize = 100_000;

/// How long a call waits for a look at the instances before it looks at its time limit.
const LOOK: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct NodeRuntime {
    pub(super) entry: Arc<NodeEntry>,
    /// The version of its plugin, for states that it takes back.
    pub(super) version: Arc<str>,
    pub(super) tally: Arc<Tally>,
    pub(super) instances: Instances,
}

#[derive(Debug)]
pub(super) enum Instances {
    /// A node without state: one for everybody.
    One(RwLock<Option<Arc<Instance>>>, InstancePtr),
    /// One for each tenant and configuration.
    Many(RwLock<ByTenant>),
}

/// Something for each tenant, then for each encoded configuration.
pub(super) type Keyed<T> = HashMap<Box<str>, HashMap<Box<[u8]>, T>>;

pub(super) type ByTenant = Keyed<Kept>;

/// What there is for a tenant and configuration.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    /// An instance that calls enter.
    Live(Arc<Instance>),
    /// The state of one that was idle and has ended; the next call makes it again.
    Parked(Arc<Parked>),
}

/// An instance; ended when the last call inside it lets go. Never leaves this zone, where each holder either has a
/// pass or is `unload`.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) pointer: InstancePtr,
    entry: Arc<NodeEntry>,
    tally: Arc<Tally>,
    /// Calls that found it. Beside the count of its holders, which each of them writes, too.
    hits: AtomicU64,
    /// When it was used last, by the tally's coarse clock; 0 when that is not known.
    pub(super) used: AtomicU64,
    /// What `used` was when it could not be parked: it is not asked again before it was used again.
    pub(super) unfit: AtomicU64,
}

impl Instance {
    fn touch(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
        self.used
            .store(self.tally.clock.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    pub(super) fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: (1) the holder's pass, or `unload`, keeps the plugin loaded; (2) the last reference is going, so no
        // call or future uses the instance, and the pointer is not used again.
        unsafe { self.entry.destroy(self.pointer) };
        self.tally.past_hits.fetch_add(self.hits(), Ordering::Relaxed);
        self.tally.objects.fetch_sub(1, Ordering::Release);
    }
}

impl NodeRuntime {
    /// Only from `LoadedPlugin::start`, whose library is mapped.
    pub(super) fn make(entry: &NodeEntry, version: &Arc<str>) -> Result<Self, LoadError> {
        let entry = Arc::new(entry.clone());
        let tally = Arc::new(Tally::default());
        let version = Arc::clone(version);
        if entry.is_stateful() {
            let instances = Instances::Many(RwLock::new(HashMap::new()));
            return Ok(Self {
                entry,
                version,
                tally,
                instances,
            });
        }
        let mut out = HostSink::with_limit(1 << 20);
        let caller = Caller {
            tenant: "-",
            run: "-",
            node: entry.node_type(),
            deadline: u64::MAX,
            cancel: None,
        };
        // SAFETY: the library is mapped and started; `unload` ends the instance before it closes it.
        let made = unsafe { entry.create(ValueRef::NULL, &caller, &Nothing, &mut out) };
        let pointer = made.map_err(|answer| LoadError::CreateFailed {
            node: entry.node_type().to_owned(),
            reason: CallFault::of(answer, &out).to_string(),
        })?;
        let one = instance_of(pointer, &entry, &tally);
        Ok(Self {
            entry,
            version,
            tally,
            instances: Instances::One(RwLock::new(Some(one)), pointer),
        })
    }

    pub(super) fn execute_stateful(
        &self,
        pass: &Pass<'_>,
        input: ValueRef<'_>,
        call: &SyncCall<'_>,
        out: &mut HostSink,
    ) -> Result<Status, CallFault> {
        let mut fresh_tries = 3_u32;
        loop {
            let instance = self.instance(pass, call, out)?;
            // SAFETY: (1) the caller's pass keeps the plugin loaded; (2) the reference keeps the instance.
            let answer = unsafe {
                self.entry
                    .execute(instance.pointer, input, &call.caller, call.services, out)
            };
            if answer == status::PANICKED || answer == status::POISONED {
                let config = call.config.unwrap_or(ValueRef::NULL);
                self.evict(call.caller.tenant, config, &instance);
            }
            // Another call's panic ended the instance before this one began: begin with a fresh one.
            if answer == status::POISONED && fresh_tries > 0 {
                fresh_tries -= 1;
                continue;
            }
            return Ok(answer);
        }
    }

    /// The instance for a call's tenant and configuration, made when there is none.
    pub(super) fn instance(
        &self,
        pass: &Pass<'_>,
        call: &SyncCall<'_>,
        out: &mut HostSink,
    ) -> Result<Arc<Instance>, CallFault> {
        let many = match &self.instances {
            Instances::One(one, _) => return one.read().clone().ok_or(CallFault::NoSuchNode),
            Instances::Many(many) => many,
        };
        loop {
            let config = call.config.unwrap_or(ValueRef::NULL);
            let known = read_within(many, call)?
                .get(call.caller.tenant)
                .and_then(|of_tenant| of_tenant.get(config.raw()))
                .cloned();
            let parked = match known {
                Some(Kept::Live(instance)) => {
                    instance.touch();
                    return Ok(instance);
                }
                Some(Kept::Parked(parked)) => Some(parked),
                None => None,
            };
            if let Some(instance) = self.bring(pass, many, call, parked.as_ref(), out)? {
                self.tally.misses.fetch_add(1, Ordering::Relaxed);
                return Ok(instance);
            }
        }
    }

    /// Makes the instance for a call, with the state that was parked. `None` when what there is has changed meanwhile.
    #[cold]
    fn bring(
        &self,
        pass: &Pass<'_>,
        many: &RwLock<ByTenant>,
        call: &SyncCall<'_>,
        parked: Option<&Arc<Parked>>,
        out: &mut HostSink,
    ) -> Result<Option<Arc<Instance>>, CallFault> {
        if parked.is_none() && self.tally.known() >= MAX_INSTANCES as u64 {
            return Err(CallFault::TooManyInstances);
        }
        let config = call.config.unwrap_or(ValueRef::NULL);
        // Made outside the lock: `create` may take long, or call other nodes.
        let instance = self.create(pass, config, &call.caller, call.services, out)?;
        if let Some(parked) = parked {
            self.restore(pass, &instance, &parked.state, out)
                .map_err(CallFault::StateRefused)?;
        }
        let mut all = write_within(many, call)?;
        let of_tenant = all.entry(call.caller.tenant.into()).or_default();
        match (of_tenant.get(config.raw()), parked) {
            // Somebody else was quicker. Two that restored the same state at once: one of them is used.
            (Some(Kept::Live(first)), _) => {
                let first = Arc::clone(first);
                // The lock first: what ends the instance is the plugin's code.
                drop(all);
                return Ok(Some(first));
            }
            (None, None) => {}
            (Some(Kept::Parked(now)), Some(then)) if Arc::ptr_eq(now, then) => {}
            _ => {
                drop(all);
                return Ok(None);
            }
        }
        of_tenant.insert(config.raw().into(), Kept::Live(Arc::clone(&instance)));
        drop(all);
        if parked.is_some() {
            self.tally.restored.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Some(instance))
    }

    /// Makes an instance that nobody else knows yet; how many there may be is the caller's to see to.
    pub(super) fn create(
        &self,
        _pass: &Pass<'_>,
        config: ValueRef<'_>,
        caller: &Caller<'_>,
        services: &dyn HostServices,
        out: &mut HostSink,
    ) -> Result<Arc<Instance>, CallFault> {
        // SAFETY: the caller's pass keeps the plugin loaded; `unload` ends the instance before it closes it.
        let made = unsafe { self.entry.create(config, caller, services, out) };
        let pointer = made.map_err(|answer| CallFault::of(answer, out))?;
        Ok(instance_of(pointer, &self.entry, &self.tally))
    }

    /// Lets go of an instance that panicked, unless another one has its place already: the next call makes a fresh one.
    pub(super) fn evict(&self, tenant: &str, config: ValueRef<'_>, instance: &Arc<Instance>) {
        let Instances::Many(many) = &self.instances else {
            return;
        };
        let mut all = many.write();
        let Some(of_tenant) = all.get_mut(tenant) else {
            return;
        };
        if of_tenant
            .get(config.raw())
            .is_some_and(|kept| matches!(kept, Kept::Live(kept) if Arc::ptr_eq(kept, instance)))
        {
            of_tenant.remove(config.raw());
        }
    }

    /// Only from `unload`, after the gate was idle.
    pub(super) fn end_instances(&self) {
        match &self.instances {
            Instances::One(one, _) => drop(one.write().take()),
            Instances::Many(many) => drop(std::mem::take(&mut *many.write())),
        }
    }
}

fn instance_of(pointer: InstancePtr, entry: &Arc<NodeEntry>, tally: &Arc<Tally>) -> Arc<Instance> {
    tally.objects.fetch_add(1, Ordering::Relaxed);
    Arc::new(Instance {
        pointer,
        entry: Arc::clone(entry),
        tally: Arc::clone(tally),
        hits: AtomicU64::new(0),
        used: AtomicU64::new(tally.clock.load(Ordering::Relaxed)),
        unfit: AtomicU64::new(u64::MAX),
    })
}

/// Looks at the instances; while one of them is being parked, no longer than the call may take.
fn read_within<'m>(
    many: &'m RwLock<ByTenant>,
    call: &SyncCall<'_>,
) -> Result<RwLockReadGuard<'m, ByTenant>, CallFault> {
    match many.try_read() {
        Some(all) => Ok(all),
        None => within(call, || many.try_read_for(LOOK)),
    }
}

fn write_within<'m>(
    many: &'m RwLock<ByTenant>,
    call: &SyncCall<'_>,
) -> Result<RwLockWriteGuard<'m, ByTenant>, CallFault> {
    within(call, || many.try_write_for(LOOK))
}

#[cold]
fn within<T>(call: &SyncCall<'_>, mut look: impl FnMut() -> Option<T>) -> Result<T, CallFault> {
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if call.caller.deadline != u64::MAX && call.services.now() >= call.caller.deadline {
            let error = NodeError::with_code(code::TIMEOUT, "the state of another tenant was being saved");
            return Err(CallFault::Failed(Box::new(error)));
        }
    }
}
