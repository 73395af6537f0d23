//! The instances of a plugin's nodes: made when they are first needed, ended when nobody needs them.
//!
//! Invariant: an instance is used only by a holder of its plugin's pass, and ended when the last of them has let go.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use patchbay_lease::Pass;
use plugin_api::abi::{Status, status};
use plugin_api::shim::host::{Caller, HostServices, HostSink, InstancePtr, NodeEntry};
use plugin_api::value::ValueRef;

use super::plugin::SyncCall;
use crate::{CallFault, LoadError, Nothing};

/// Instances of one node that may live at the same time.
pub(super) const MAX_INSTANCES: usize = 100_000;

#[derive(Debug)]
pub(super) struct NodeRuntime {
    pub(super) entry: Arc<NodeEntry>,
    pub(super) objects: Arc<AtomicU64>,
    pub(super) instances: Instances,
}

#[derive(Debug)]
pub(super) enum Instances {
    /// A node without state: one for everybody.
    One(RwLock<Option<Arc<Instance>>>, InstancePtr),
    /// One for each tenant and configuration.
    Many(RwLock<ByTenant>),
}

/// Instances by tenant, then by encoded configuration.
pub(super) type ByTenant = HashMap<Box<str>, HashMap<Box<[u8]>, Arc<Instance>>>;

/// An instance; ended when the last call inside it lets go. Never leaves this zone, where each holder either has a
/// pass or is `unload`.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) pointer: InstancePtr,
    entry: Arc<NodeEntry>,
    objects: Arc<AtomicU64>,
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: (1) the holder's pass, or `unload`, keeps the plugin loaded; (2) the last reference is going, so no
        // call or future uses the instance, and the pointer is not used again.
        unsafe { self.entry.destroy(self.pointer) };
        self.objects.fetch_sub(1, Ordering::Release);
    }
}

impl NodeRuntime {
    /// Only from `LoadedPlugin::start`, whose library is mapped.
    pub(super) fn make(entry: &NodeEntry) -> Result<Self, LoadError> {
        let entry = Arc::new(entry.clone());
        let objects = Arc::new(AtomicU64::new(0));
        if entry.is_stateful() {
            let instances = Instances::Many(RwLock::new(HashMap::new()));
            return Ok(Self {
                entry,
                objects,
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
        objects.fetch_add(1, Ordering::Relaxed);
        let one = Arc::new(Instance {
            pointer,
            entry: Arc::clone(&entry),
            objects: Arc::clone(&objects),
        });
        Ok(Self {
            entry,
            objects,
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
        let config = call.config.unwrap_or(ValueRef::NULL);
        let known = |all: &ByTenant| {
            all.get(call.caller.tenant)
                .and_then(|of_tenant| of_tenant.get(config.raw()))
                .cloned()
        };
        if let Some(instance) = known(&many.read()) {
            return Ok(instance);
        }
        if self.objects.load(Ordering::Relaxed) as usize >= MAX_INSTANCES {
            return Err(CallFault::TooManyInstances);
        }
        // Made outside the lock: `create` may take long, or call other nodes.
        let instance = self.create(pass, config, &call.caller, call.services, out)?;
        let mut all = many.write();
        let of_tenant = all.entry(call.caller.tenant.into()).or_default();
        let first = of_tenant.entry(config.raw().into()).or_insert(instance);
        Ok(Arc::clone(first))
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
        self.objects.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(Instance {
            pointer,
            entry: Arc::clone(&self.entry),
            objects: Arc::clone(&self.objects),
        }))
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
            .is_some_and(|kept| Arc::ptr_eq(kept, instance))
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
