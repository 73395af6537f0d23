//! A loaded plugin: calls, instances, futures, and the way out.
//!
//! Invariant: every entry into plugin code holds a pass of `gate`, or comes from `load` before the plugin is shared,
//! or from `unload` after the gate showed itself idle. `unload` closes the library only when nothing is left:
//!
//! ```text
//! Serving --gate idle, instances ended, shutdown()--> ShutDown --threads 0, thread-locals 0, keys deleted--> Closed
//! ```

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::{ArcRwLockReadGuard, Mutex, RawRwLock, RwLock, RwLockReadGuard};
use patchbay_lease::{Gate, OwnedPass, Pass};
use patchbay_vocab::PinReason;
use plugin_api::NodeError;
use plugin_api::abi::{Status, status};
use plugin_api::shim::host::{AsyncCall, Caller, HostServices, HostSink, PluginEntry, PluginFuture};
use plugin_api::value::{Value, ValueRef, decode};

use super::instances::{Instance, Instances, NodeRuntime};
use super::library::{Closed, Mapped, can_unmap};
use super::parking::Asleep;
use crate::description::Description;
use crate::{CallFault, LoadError};

/// A plugin that is mapped and started.
#[derive(Debug)]
pub struct LoadedPlugin {
    gate: Arc<Gate>,
    description: Description,
    pub(super) nodes: Vec<NodeRuntime>,
    entry: PluginEntry,
    mapped_bytes: usize,
    stage: Mutex<Stage>,
    /// Read by calls of stateful nodes, written by a hand-over of their state.
    pub(super) state: Arc<RwLock<()>>,
    /// The states that its instances had when it was put to sleep.
    pub(super) asleep: Mutex<Option<Asleep>>,
}

#[derive(Debug)]
enum Stage {
    Serving(Mapped),
    ShutDown(Mapped),
    Kept,
    Closed,
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
        let version = description.version.to_string().into();
        let nodes = entry.nodes().iter().map(|node| NodeRuntime::make(node, &version));
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
            state: Arc::new(RwLock::new(())),
            asleep: Mutex::new(None),
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

    /// Whether instances of this node keep state.
    #[must_use]
    pub fn is_stateful(&self, node: usize) -> bool {
        self.nodes.get(node).is_some_and(|node| node.entry.is_stateful())
    }

    /// Whether any of its nodes keeps state.
    #[must_use]
    pub fn keeps_state(&self) -> bool {
        self.nodes.iter().any(|node| node.entry.is_stateful())
    }

    /// Holds the state of its nodes where it is for one call of a stateful node; waits while a hand-over takes it.
    /// `None` when the time is up.
    ///
    /// Who got it must look whether the version is still the one to call: a hand-over may have gone before.
    #[must_use]
    pub fn hold_state(&self, nested: Nested, most: Option<Duration>) -> Option<StateHold<'_>> {
        // A call that comes from within another one of this plugin must not wait for a hand-over that waits for
        // the outer one.
        let guard = match (nested, most) {
            (Nested::No, None) => Some(self.state.read()),
            (Nested::No, Some(most)) => self.state.try_read_for(most),
            (Nested::Yes, None) => Some(self.state.read_recursive()),
            (Nested::Yes, Some(most)) => self.state.try_read_recursive_for(most),
        };
        guard.map(|guard| StateHold { _guard: guard })
    }

    /// As [`hold_state`](Self::hold_state), for a call that comes from outside and outlives the borrow.
    #[must_use]
    pub fn hold_state_owned(&self, most: Option<Duration>) -> Option<OwnedStateHold> {
        let guard = match most {
            None => Some(self.state.read_arc()),
            Some(most) => self.state.try_read_arc_for(most),
        };
        guard.map(|guard| OwnedStateHold { _guard: guard })
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
        config: Option<ValueRef<'_>>,
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
                config,
            };
            runtime.instance(&inside, &call, &mut out)?
        };
        let place = runtime.entry.is_stateful().then(|| Place {
            plugin: Arc::clone(self),
            node,
            tenant: call.tenant.as_str().into(),
            config: config.unwrap_or(ValueRef::NULL).raw().into(),
        });
        // SAFETY: (1) `CallFuture` keeps the pass, which `unload` waits for, below the future; (2) it keeps the
        // instance below the future, too.
        let future = unsafe { runtime.entry.start(instance.pointer, call, output_limit) };
        let future = future.map_err(|answer| CallFault::of(answer, &out))?;
        Ok(CallFuture {
            future,
            instance,
            place,
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
                .map(|node| node.tally.objects.load(Ordering::Acquire))
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

/// Whether a call comes from within another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nested {
    /// It comes from outside.
    No,
    /// A node makes it.
    Yes,
}

/// Keeps the state of a plugin's nodes from being handed over while a call is inside one of them.
#[must_use = "dropping it lets a hand-over take the state"]
#[derive(Debug)]
pub struct StateHold<'p> {
    _guard: RwLockReadGuard<'p, ()>,
}

/// A [`StateHold`] that a task may keep.
#[must_use = "dropping it lets a hand-over take the state"]
#[derive(Debug)]
pub struct OwnedStateHold {
    _guard: ArcRwLockReadGuard<RawRwLock, ()>,
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

/// Where an instance that keeps state is known.
#[derive(Debug)]
struct Place {
    plugin: Arc<LoadedPlugin>,
    node: usize,
    tenant: Box<str>,
    config: Box<[u8]>,
}

impl Place {
    fn evict(&self, instance: &Arc<Instance>) {
        if let Some(node) = self.plugin.nodes.get(self.node) {
            node.evict(&self.tenant, ValueRef::assume_valid(&self.config), instance);
        }
    }
}

/// A running async call. Drops top to bottom: the plugin's future, then the instance it uses, then the pass that
/// keeps the plugin loaded.
#[derive(Debug)]
pub struct CallFuture {
    future: PluginFuture,
    instance: Arc<Instance>,
    place: Option<Place>,
    _pass: OwnedPass,
}

impl Future for CallFuture {
    type Output = Result<Value, CallFault>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let (answer, out) = ready!(Pin::new(&mut self.future).poll(task));
        if matches!(answer, status::PANICKED | status::POISONED)
            && let Some(place) = &self.place
        {
            place.evict(&self.instance);
        }
        Poll::Ready(if answer == status::OK {
            CallFault::check_output(&out).map(|value| value.to_value())
        } else {
            Err(CallFault::of(answer, &out))
        })
    }
}

impl CallFault {
    pub(super) fn check_output(out: &HostSink) -> Result<ValueRef<'_>, Self> {
        ValueRef::parse(out.written()).map_err(|error| Self::MalformedOutput(error.to_string()))
    }

    #[cold]
    pub(super) fn of(answer: Status, out: &HostSink) -> Self {
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
