//! A loaded plugin: calls, instances, futures, and the way out.
//!
//! Invariant: every entry into plugin code holds a pass of `gate`, or comes from `load` before the plugin is shared,
//! or from `unload` after the gate showed itself idle. `unload` closes the library only when nothing is left:
//!
//! ```text
//! Serving --gate idle, instances ended, shutdown()--> ShutDown --threads 0, thread-locals 0, keys deleted--> Closed
//! ```

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use parking_lot::{Mutex, RwLock};
use patchbay_lease::{Gate, OwnedPass, Pass};
use patchbay_vocab::PinReason;
use plugin_api::NodeError;
use plugin_api::abi::{Status, status};
use plugin_api::shim::host::{
    AsyncCall, Caller, HostServices, HostSink, InstancePtr, NodeEntry, PluginEntry, PluginFuture,
};
use plugin_api::value::{Value, ValueRef, decode};

use super::library::{Closed, Mapped, can_unmap};
use crate::description::Description;
use crate::{CallFault, LoadError, Nothing};

/// Instances of one node that may live at the same time.
const MAX_INSTANCES: usize = 100_000;

/// A plugin that is mapped and started.
#[derive(Debug)]
pub struct LoadedPlugin {
    gate: Arc<Gate>,
    description: Description,
    nodes: Vec<NodeRuntime>,
    entry: PluginEntry,
    mapped_bytes: usize,
    stage: Mutex<Stage>,
}

#[derive(Debug)]
enum Stage {
    Serving(Mapped),
    ShutDown(Mapped),
    Kept,
    Closed,
}

#[derive(Debug)]
struct NodeRuntime {
    entry: Arc<NodeEntry>,
    objects: Arc<AtomicU64>,
    instances: Instances,
}

#[derive(Debug)]
enum Instances {
    /// A node without state: one for everybody.
    One(RwLock<Option<Arc<Instance>>>, InstancePtr),
    /// One for each tenant and configuration.
    Many(RwLock<ByTenant>),
}

/// Instances by tenant, then by encoded configuration.
type ByTenant = HashMap<Box<str>, HashMap<Box<[u8]>, Arc<Instance>>>;

/// An instance; ended when the last call inside it lets go. Never leaves this module, where each holder either has a
/// pass or is `unload`.
#[derive(Debug)]
struct Instance {
    pointer: InstancePtr,
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

/// How an unload went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unloaded {
    /// The library is gone: its addresses are free and its file is removed.
    Unmapped,
    /// Something keeps it mapped for now; ask again later.
    Pinned(Vec<PinReason>),
    /// It stays mapped until the process ends.
    Kept(PinReason),
}

impl LoadedPlugin {
    /// Takes over a mapped library.
    pub(crate) fn start(
        mapped: Mapped,
        entry: PluginEntry,
        description: Description,
    ) -> Result<Self, LoadError> {
        // SAFETY: the library is mapped and owned by this function; called once.
        let answer = unsafe { entry.start() };
        if answer != status::OK {
            give_up(mapped);
            return Err(LoadError::StartFailed { status: answer });
        }
        let nodes = entry.nodes().iter().map(NodeRuntime::make);
        let nodes = match nodes.collect::<Result<Vec<_>, _>>() {
            Ok(nodes) => nodes,
            Err(error) => {
                // SAFETY: the library is mapped; it was started, and the instances that were made are ended.
                let _ = unsafe { entry.shutdown() };
                give_up(mapped);
                return Err(error);
            }
        };
        Ok(Self {
            gate: Arc::new(Gate::new()),
            description,
            nodes,
            entry,
            mapped_bytes: mapped.bytes(),
            stage: Mutex::new(Stage::Serving(mapped)),
        })
    }

    /// The gate that calls enter.
    #[must_use]
    pub const fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// What the plugin says of itself.
    #[must_use]
    pub const fn description(&self) -> &Description {
        &self.description
    }

    /// Bytes of address space it takes; 0 once it is unmapped.
    #[must_use]
    pub fn mapped_bytes(&self) -> usize {
        if matches!(*self.stage.lock(), Stage::Closed) {
            0
        } else {
            self.mapped_bytes
        }
    }

    /// Threads it started that have not ended, and thread-local destructors that have not run.
    #[must_use]
    pub fn threads(&self) -> (u64, u64) {
        match &*self.stage.lock() {
            Stage::Serving(mapped) | Stage::ShutDown(mapped) => (mapped.threads(), mapped.thread_locals()),
            Stage::Kept | Stage::Closed => (0, 0),
        }
    }

    /// Thread-specific keys it made that are alive.
    #[must_use]
    pub fn keys(&self) -> usize {
        match &*self.stage.lock() {
            Stage::Serving(mapped) | Stage::ShutDown(mapped) => mapped.keys(),
            Stage::Kept | Stage::Closed => 0,
        }
    }

    /// Whether calls of this node are polled.
    #[must_use]
    pub fn is_async(&self, node: usize) -> bool {
        self.nodes.get(node).is_some_and(|node| node.entry.is_async())
    }

    /// Runs one call to its end and gives the result, which lies in `out`.
    ///
    /// # Errors
    /// Why there is no result.
    #[inline]
    pub fn execute<'o>(
        &self,
        pass: &Pass<'_>,
        node: usize,
        input: ValueRef<'_>,
        call: &SyncCall<'_>,
        out: &'o mut HostSink,
    ) -> Result<ValueRef<'o>, CallFault> {
        if !pass.belongs_to(&self.gate) {
            return Err(CallFault::WrongPass);
        }
        let runtime = self.nodes.get(node).ok_or(CallFault::NoSuchNode)?;
        let answer = match &runtime.instances {
            // SAFETY: (1) the pass was checked above and outlives the call: `unload` needs the gate idle;
            // (2) the instance is this node's, and is ended by `unload` alone.
            Instances::One(_, pointer) => unsafe {
                runtime
                    .entry
                    .execute(*pointer, input, &call.caller, call.services, out)
            },
            Instances::Many(_) => runtime.execute_stateful(pass, input, call, out)?,
        };
        if answer == status::OK {
            CallFault::check_output(out)
        } else {
            Err(CallFault::of(answer, out))
        }
    }

    /// Begins an async call.
    ///
    /// # Errors
    /// Why it could not begin.
    pub fn begin(
        self: &Arc<Self>,
        pass: OwnedPass,
        node: usize,
        call: AsyncCall,
        output_limit: usize,
    ) -> Result<CallFuture, CallFault> {
        if !pass.belongs_to(&self.gate) {
            return Err(CallFault::WrongPass);
        }
        let runtime = self.nodes.get(node).ok_or(CallFault::NoSuchNode)?;
        let mut out = HostSink::with_limit(output_limit);
        let instance = {
            let inside = pass.renew();
            let caller = Caller {
                tenant: &call.tenant,
                run: &call.run,
                node: &call.node,
                deadline: call.deadline,
                cancel: Some(&call.cancel),
            };
            let call = SyncCall {
                caller,
                services: &*call.services,
                config: None,
            };
            runtime.instance(&inside, &call, &mut out)?
        };
        // SAFETY: (1) `CallFuture` keeps the pass, which `unload` waits for, below the future; (2) it keeps the
        // instance below the future, too.
        let future = unsafe { runtime.entry.start(instance.pointer, call, output_limit) };
        let future = future.map_err(|answer| CallFault::of(answer, &out))?;
        Ok(CallFuture {
            future,
            _instance: instance,
            _pass: pass,
        })
    }

    /// Takes the next steps of unloading; to be called again while it answers `Pinned`.
    ///
    /// The gate must have been closed. In an executable without the interposers the library stays mapped.
    pub fn unload(&self) -> Unloaded {
        let mut stage = self.stage.lock();
        if self.gate.idle().is_none() {
            return Unloaded::Pinned(vec![PinReason::Calls(self.gate.in_flight())]);
        }
        if let Stage::Serving(_) = &*stage {
            for node in &self.nodes {
                node.end_instances();
            }
            let objects: u64 = self
                .nodes
                .iter()
                .map(|node| node.objects.load(Ordering::Acquire))
                .sum();
            if objects > 0 {
                return Unloaded::Pinned(vec![PinReason::Objects(objects)]);
            }
            // SAFETY: the library is mapped, for `stage` holds it; the gate is idle and the instances are gone, so
            // nothing is left; the stage changes here, so this happens once.
            let answer = unsafe { self.entry.shutdown() };
            if answer != status::OK {
                let plugin = &self.description.name;
                tracing::warn!(%plugin, version = %self.description.version, status = answer, "shutdown failed");
            }
            if let Stage::Serving(mapped) = std::mem::replace(&mut *stage, Stage::Closed) {
                *stage = Stage::ShutDown(mapped);
            }
        }
        let mapped = match std::mem::replace(&mut *stage, Stage::Closed) {
            Stage::ShutDown(mapped) => mapped,
            Stage::Kept => {
                *stage = Stage::Kept;
                return Unloaded::Kept(PinReason::KeepMapped);
            }
            Stage::Serving(mapped) => {
                *stage = Stage::Serving(mapped);
                return Unloaded::Pinned(Vec::new());
            }
            Stage::Closed => return Unloaded::Unmapped,
        };
        if !can_unmap() {
            mapped.abandon();
            *stage = Stage::Kept;
            return Unloaded::Kept(PinReason::KeepMapped);
        }
        let pins = pins_of(&mapped);
        if !pins.is_empty() {
            *stage = Stage::ShutDown(mapped);
            return Unloaded::Pinned(pins);
        }
        // SAFETY: (1) no call or instance (`ShutDown`), thread, thread-local or key (`pins_of`) is left, and only
        // those could enter the library again; (2) `entry` and `nodes` are not used in the stage `Closed`.
        match unsafe { mapped.close() } {
            Closed::Unmapped => Unloaded::Unmapped,
            Closed::StillMapped => {
                *stage = Stage::Kept;
                Unloaded::Kept(PinReason::StillMapped)
            }
        }
    }
}

/// What still needs the library mapped. Threads and thread-locals first: with none of them left, nobody can make a
/// key after the keys are deleted.
fn pins_of(mapped: &Mapped) -> Vec<PinReason> {
    let mut pins = Vec::new();
    match mapped.threads() {
        0 => {}
        threads => pins.push(PinReason::Threads(threads)),
    }
    match mapped.thread_locals() {
        0 => {}
        pending => pins.push(PinReason::ThreadLocals(pending)),
    }
    if pins.is_empty() {
        match mapped.delete_keys() {
            0 => {}
            running => pins.push(PinReason::ThreadLocals(running)),
        }
    }
    pins
}

/// Lets go of a library that did not become a plugin: unmaps it, unless something of it runs or may run. Then it stays
/// mapped, and its slot taken, until the process ends.
pub(crate) fn give_up(mapped: Mapped) {
    let pins = pins_of(&mapped);
    if !can_unmap() || !pins.is_empty() {
        tracing::warn!(?mapped, ?pins, "a library that could not be used stays mapped");
        mapped.abandon();
        return;
    }
    // SAFETY: (1) no instance was made or all are ended, and no thread, thread-local or key is left (`pins_of`);
    // (2) its tables are dropped by the caller unused.
    unsafe { mapped.close() };
}

impl Drop for LoadedPlugin {
    fn drop(&mut self) {
        // Unloading is `unload`'s work. What was not unloaded stays mapped: a plain drop knows nothing of threads,
        // and instances must not be ended without a pass.
        let stage = std::mem::replace(self.stage.get_mut(), Stage::Closed);
        match stage {
            Stage::Serving(mapped) => {
                for node in self.nodes.drain(..) {
                    std::mem::forget(node);
                }
                mapped.abandon();
            }
            Stage::ShutDown(mapped) => mapped.abandon(),
            Stage::Kept | Stage::Closed => {}
        }
    }
}

/// Who calls, and what the host does for the node.
#[derive(Clone, Copy)]
pub struct SyncCall<'c> {
    /// Who calls, until when.
    pub caller: Caller<'c>,
    /// The host's services for this call.
    pub services: &'c dyn HostServices,
    /// The configuration of a stateful node's instance, encoded; `None` for null.
    pub config: Option<ValueRef<'c>>,
}

impl std::fmt::Debug for SyncCall<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SyncCall")
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}

impl NodeRuntime {
    /// Only from `LoadedPlugin::start`, whose library is mapped.
    fn make(entry: &NodeEntry) -> Result<Self, LoadError> {
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

    fn execute_stateful(
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
                self.evict(call, &instance);
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
    fn instance(
        &self,
        _pass: &Pass<'_>,
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
        // SAFETY: the caller's pass keeps the plugin loaded; `unload` ends the instance before it closes it.
        let made = unsafe { self.entry.create(config, &call.caller, call.services, out) };
        let pointer = made.map_err(|answer| CallFault::of(answer, out))?;
        self.objects.fetch_add(1, Ordering::Relaxed);
        let instance = Instance {
            pointer,
            entry: Arc::clone(&self.entry),
            objects: Arc::clone(&self.objects),
        };
        let mut all = many.write();
        let of_tenant = all.entry(call.caller.tenant.into()).or_default();
        let first = of_tenant
            .entry(config.raw().into())
            .or_insert_with(|| Arc::new(instance));
        Ok(Arc::clone(first))
    }

    fn evict(&self, call: &SyncCall<'_>, instance: &Arc<Instance>) {
        let Instances::Many(many) = &self.instances else {
            return;
        };
        let config = call.config.unwrap_or(ValueRef::NULL);
        let mut all = many.write();
        let Some(of_tenant) = all.get_mut(call.caller.tenant) else {
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
    fn end_instances(&self) {
        match &self.instances {
            Instances::One(one, _) => drop(one.write().take()),
            Instances::Many(many) => drop(std::mem::take(&mut *many.write())),
        }
    }
}

/// A running async call. Drops top to bottom: the plugin's future, then the instance it uses, then the pass that
/// keeps the plugin loaded.
#[derive(Debug)]
pub struct CallFuture {
    future: PluginFuture,
    _instance: Arc<Instance>,
    _pass: OwnedPass,
}

impl Future for CallFuture {
    type Output = Result<Value, CallFault>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let (answer, out) = ready!(Pin::new(&mut self.future).poll(task));
        Poll::Ready(if answer == status::OK {
            CallFault::check_output(&out).map(|value| value.to_value())
        } else {
            Err(CallFault::of(answer, &out))
        })
    }
}

impl CallFault {
    fn check_output(out: &HostSink) -> Result<ValueRef<'_>, Self> {
        ValueRef::parse(out.written()).map_err(|error| Self::MalformedOutput(error.to_string()))
    }

    #[cold]
    fn of(answer: Status, out: &HostSink) -> Self {
        let error = || {
            let written = ValueRef::parse(out.written()).ok();
            written
                .and_then(|value| decode::<NodeError>(value).ok())
                .unwrap_or_else(|| {
                    NodeError::new(format!(
                        "the node answered with status {answer} and no readable error"
                    ))
                })
        };
        match answer {
            status::PANICKED => Self::Panicked(error().message.into_owned()),
            status::POISONED => Self::Panicked("an earlier call of this instance panicked".to_owned()),
            status::OUTPUT_LIMIT => Self::OutputLimit,
            _ => Self::Failed(Box::new(error())),
        }
    }
}
