//! The dispatcher: finds the version, holds it, calls it.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::task::Waker;
use std::time::Duration;

use patchbay_lease::{OwnedPass, Pass};
use patchbay_loader::{CallFault, Nested, StateHold, SyncCall};
use patchbay_registry::{Mount, NodeSlot, Registry, RegistryError};
use patchbay_vocab::{Clock, Monotonic, RevisionNumber, TenantId};
use plugin_api::shim::host::{AsyncCall, Caller};
use plugin_api::value::ValueRef;

use crate::Output;
use crate::block::block_on;
use crate::error::{CallError, ServedBy};
use crate::nearest::nearest;
use crate::scope::NodeScope;
use crate::served::{Place, Served};
use crate::services::{OwnedServices, Services, nanos};
use crate::session::Session;
use crate::stores::TenantStores;
use crate::variables::Variables;
use crate::view::{RouteCache, Routes, View};
use crate::waker::Bell;

/// How often a call looks for an open version before it takes the host for closed.
const TRIES: u32 = 64;

/// What a call may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of an encoded output.
    pub output_bytes: usize,
    /// How deep nodes may call each other.
    pub depth: u32,
}

/// Who calls, and how.
#[derive(Clone, Copy, Debug)]
pub struct CallOptions<'c> {
    /// Whose data the call may see.
    pub tenant: &'c TenantId,
    /// The run it belongs to.
    pub run: &'c str,
    /// Id of the workflow's node, or the node type.
    pub node: &'c str,
    /// How long it may take; the node's own default when `None`.
    pub timeout: Option<Duration>,
    /// Set to other than 0 to cancel.
    pub cancel: Option<&'c Arc<AtomicU32>>,
    /// The run's variables.
    pub variables: Option<&'c Arc<Variables>>,
    /// The workflow that executes the node; none for a call outside one.
    pub scope: Option<&'c dyn NodeScope>,
    /// Configuration of a stateful node's instance.
    pub config: Option<ValueRef<'c>>,
    /// How many calls deep this one is; 0 from outside.
    pub depth: u32,
}

/// What a call gave.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'o> {
    /// The result, in the caller's buffer.
    pub value: ValueRef<'o>,
    /// The revision that gave it.
    pub revision: RevisionNumber,
}

/// Calls nodes through the registry.
#[derive(Debug)]
pub struct Dispatcher {
    id: u64,
    registry: Arc<Registry<Served>>,
    stores: TenantStores,
    clock: Arc<dyn Clock>,
    timers: tokio::runtime::Handle,
    limits: Limits,
    bell: Bell,
}

impl Dispatcher {
    /// A dispatcher over a registry; timers of async nodes run on `timers`.
    #[must_use]
    pub fn new(
        registry: Arc<Registry<Served>>,
        clock: Arc<dyn Clock>,
        timers: tokio::runtime::Handle,
        limits: Limits,
    ) -> Arc<Self> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self {
            id,
            registry,
            stores: TenantStores::default(),
            clock,
            timers,
            limits,
            bell: Bell::default(),
        })
    }

    /// The stores of the tenants.
    #[must_use]
    pub const fn stores(&self) -> &TenantStores {
        &self.stores
    }

    /// The limits of calls.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    pub(crate) const fn registry(&self) -> &Arc<Registry<Served>> {
        &self.registry
    }

    pub(crate) const fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    pub(crate) const fn bell(&self) -> &Bell {
        &self.bell
    }

    pub(crate) fn wake_after(&self, after: Duration, waker: Waker) {
        self.timers.spawn(async move {
            tokio::time::sleep(after).await;
            waker.wake();
        });
    }

    /// Finds a node type's slot; to be done once, the slot stays right for ever.
    ///
    /// # Errors
    /// When no live plugin has it.
    pub fn resolve(&self, node_type: &str) -> Result<NodeSlot, CallError> {
        let snapshot = self.registry.snapshot();
        snapshot
            .slot(node_type)
            .filter(|slot| snapshot.route(*slot).is_some())
            .ok_or_else(|| unknown(&snapshot, node_type))
    }

    /// Calls a node by its name.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn call_named<'o>(
        self: &Arc<Self>,
        node_type: &str,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        self.call(self.resolve(node_type)?, input, options, out)
    }

    /// Calls a node by its slot. An async node is driven on this thread.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn call<'o>(
        self: &Arc<Self>,
        slot: NodeSlot,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        self.call_seen(slot, input, options, out, |_| ())
    }

    /// As [`Dispatcher::call`], and says whose node answered.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn call_signed<'o>(
        self: &Arc<Self>,
        slot: NodeSlot,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<(Answer<'o>, ServedBy), CallError> {
        let mut signed = None;
        let answer = self.call_seen(slot, input, options, out, |mount| {
            let (plugin, version) = (mount.plugin().clone(), mount.version().clone());
            signed = Some(ServedBy { plugin, version });
        })?;
        Ok((answer, signed.ok_or(CallError::Closing)?))
    }

    #[inline]
    fn call_seen<'o>(
        self: &Arc<Self>,
        slot: NodeSlot,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
        seen: impl FnOnce(&Mount<Served>),
    ) -> Result<Answer<'o>, CallError> {
        if options.depth > self.limits.depth {
            return Err(CallError::TooDeep {
                limit: self.limits.depth,
            });
        }
        let mut view = View::take(self);
        // Nothing after this line: the result is written straight into the caller's place.
        self.call_with(view.routes(), slot, input, options, out, seen)
    }

    #[inline]
    fn call_with<'o>(
        self: &Arc<Self>,
        routes: &mut RouteCache,
        slot: NodeSlot,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
        seen: impl FnOnce(&Mount<Served>),
    ) -> Result<Answer<'o>, CallError> {
        let mut begun = None;
        for _ in 0..TRIES {
            let snapshot: &Arc<Routes> = routes.load();
            let Some(route) = snapshot.route(slot) else {
                return Err(unknown(snapshot, options.node));
            };
            let mount = route.mount();
            let Some(place) = mount.handle().place(route.node()) else {
                return Err(CallError::Closing);
            };
            if place.is_stateful {
                let mount = Arc::clone(mount);
                // Waiting counts: what is left of the time is the call's.
                let since = *begun.get_or_insert_with(|| self.clock.now());
                let (hold, left) = self.hold_state(&mount, place, options, since)?;
                let options = &CallOptions {
                    timeout: left,
                    ..*options
                };
                // A hand-over that ended before the hold has taken the state elsewhere.
                let now = routes.load().route(slot);
                if !now.is_some_and(|route| Arc::ptr_eq(route.mount(), &mount)) {
                    continue;
                }
                let Some(inside) = Inside::enter(&mount, place) else {
                    drop(hold);
                    self.await_open(routes, slot, &mount, place, options, &mut begun)?;
                    continue;
                };
                seen(&mount);
                return self.call_inside(inside, &mount, place, input, options, out);
            }
            // A version that closed between the load and these lines is no longer routed, or asleep: look again.
            if place.is_async || begun.is_some() {
                let mount = Arc::clone(mount);
                let Some(inside) = Inside::enter(&mount, place) else {
                    self.await_open(routes, slot, &mount, place, options, &mut begun)?;
                    continue;
                };
                seen(&mount);
                let left = begun.and_then(|begun| self.left(place, options, begun));
                let options = &CallOptions {
                    timeout: left.or(options.timeout),
                    ..*options
                };
                return self.call_inside(inside, &mount, place, input, options, out);
            }
            let Some(pass) = mount.enter() else {
                let mount = Arc::clone(mount);
                self.await_open(routes, slot, &mount, place, options, &mut begun)?;
                continue;
            };
            seen(mount);
            return self.call_sync(&pass, mount, place, input, options, out);
        }
        Err(CallError::Closing)
    }

    /// Keeps the state of a plugin's nodes where it is for one call that began at `begun`; waits while it is being
    /// handed over. Gives what is left of the call's time, too.
    #[cold]
    pub(crate) fn hold_state<'m>(
        &self,
        mount: &'m Mount<Served>,
        place: Place,
        options: &CallOptions<'_>,
        begun: Monotonic,
    ) -> Result<(StateHold<'m>, Option<Duration>), CallError> {
        let nested = if options.depth > 0 {
            Nested::Yes
        } else {
            Nested::No
        };
        let timeout = options.timeout.or(place.timeout);
        let left = || self.left(place, options, begun);
        let hold = mount.handle().plugin().hold_state(nested, left());
        hold.map(|hold| (hold, left()))
            .ok_or_else(|| CallError::TimedOut {
                node_type: name_of(mount, place.node),
                after: timeout.unwrap_or_default(),
            })
    }

    /// What is left of the time of a call that began at `begun`.
    pub(crate) fn left(&self, place: Place, options: &CallOptions<'_>, begun: Monotonic) -> Option<Duration> {
        let timeout = options.timeout.or(place.timeout)?;
        Some(timeout.saturating_sub(self.clock.now().since(begun)))
    }

    /// Calls under a pass that holds the version, whichever way the node is called.
    fn call_inside<'o>(
        self: &Arc<Self>,
        inside: Inside<'_>,
        mount: &Arc<Mount<Served>>,
        place: Place,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        match inside {
            Inside::Polled(pass) => self.call_async(pass, mount, place, input, options, out),
            Inside::Called(pass) => self.call_sync(&pass, mount, place, input, options, out),
        }
    }

    /// Calls under a pass that holds the version.
    #[inline]
    pub(crate) fn call_sync<'o>(
        self: &Arc<Self>,
        pass: &Pass<'_>,
        mount: &Mount<Served>,
        place: Place,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        let plugin = mount.handle().plugin();
        let timeout = options.timeout.or(place.timeout);
        let deadline = timeout.map(|after| Monotonic(self.clock.now().0.saturating_add(after)));
        let place = place.node;
        let services = Services {
            dispatcher: self,
            mount,
            place,
            options,
            deadline,
        };
        let caller = Caller {
            tenant: options.tenant.as_str(),
            run: options.run,
            node: options.node,
            deadline: deadline.map_or(u64::MAX, nanos),
            cancel: options.cancel.map(|flag| &**flag),
        };
        let call = SyncCall {
            caller,
            services: &services,
            config: options.config,
        };
        match plugin.execute(pass, place, input, &call, out) {
            Ok(value) => Ok(Answer {
                value,
                revision: mount.revision(),
            }),
            Err(fault) => Err(failed(mount, place, fault)),
        }
    }

    /// Begins an async call and drives it on this thread.
    #[cold]
    pub(crate) fn call_async<'o>(
        self: &Arc<Self>,
        pass: OwnedPass,
        mount: &Arc<Mount<Served>>,
        place: Place,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        let timeout = options.timeout.or(place.timeout);
        let deadline = timeout.map(|after| Monotonic(self.clock.now().0.saturating_add(after)));
        let place = place.node;
        let cancel = options.cancel.cloned().unwrap_or_default();
        let services = OwnedServices {
            dispatcher: Arc::clone(self),
            mount: Arc::clone(mount),
            place,
            tenant: options.tenant.clone(),
            run: options.run.to_owned(),
            node: options.node.to_owned(),
            variables: options.variables.cloned(),
            scope: options.scope.and_then(NodeScope::shared),
            deadline,
            cancel: Arc::clone(&cancel),
            depth: options.depth,
        };
        let call = AsyncCall {
            input: input.to_value(),
            tenant: options.tenant.as_str().to_owned(),
            run: options.run.to_owned(),
            node: options.node.to_owned(),
            deadline: deadline.map_or(u64::MAX, nanos),
            cancel,
            services: Box::new(services),
        };
        let plugin = mount.handle().plugin();
        let future = plugin.begin(pass, place, call, options.config, self.limits.output_bytes);
        let future = future.map_err(|fault| failed(mount, place, fault))?;
        match block_on(future, deadline, &*self.clock) {
            Some(Ok(value)) => {
                out.clear();
                if out.push(value.as_ref().raw()).is_err() {
                    return Err(failed(mount, place, CallFault::OutputLimit));
                }
                let value = ValueRef::assume_valid(out.written());
                Ok(Answer {
                    value,
                    revision: mount.revision(),
                })
            }
            Some(Err(fault)) => Err(failed(mount, place, fault)),
            None => Err(CallError::TimedOut {
                node_type: name_of(mount, place),
                after: timeout.unwrap_or_default(),
            }),
        }
    }

    /// Holds the versions of several nodes, all from one snapshot, for a run.
    ///
    /// # Errors
    /// When one of the node types is unknown.
    pub fn session(self: &Arc<Self>, node_types: &[&str]) -> Result<Session, CallError> {
        let slots = node_types
            .iter()
            .map(|name| self.resolve(name))
            .collect::<Result<Vec<_>, _>>()?;
        for _ in 0..TRIES {
            match self.registry.lease(&slots) {
                Ok(leases) => {
                    return Ok(Session {
                        dispatcher: Arc::clone(self),
                        leases,
                    });
                }
                Err(RegistryError::Unrouted { .. }) => {
                    return Err(CallError::UnknownNode {
                        node_type: node_types.join(", "),
                        nearest: None,
                    });
                }
                Err(RegistryError::GateClosed { plugin, .. }) => {
                    let live = self.registry.live(&plugin);
                    if let Some(asleep) = live.filter(|live| live.is_closed()) {
                        self.wake(&asleep, None, plugin.as_str(), None)?;
                    }
                }
                Err(_) => return Err(CallError::Closing),
            }
        }
        Err(CallError::Closing)
    }
}

/// A pass as the way of a call needs it.
enum Inside<'m> {
    /// The call may outlive the caller's frame.
    Polled(OwnedPass),
    /// It runs to its end in it.
    Called(Pass<'m>),
}

impl<'m> Inside<'m> {
    fn enter(mount: &'m Mount<Served>, place: Place) -> Option<Self> {
        match place.is_async {
            true => mount.enter_owned().map(Self::Polled),
            false => mount.enter().map(Self::Called),
        }
    }
}

fn name_of(mount: &Mount<Served>, place: usize) -> String {
    let nodes = &mount.handle().plugin().description().nodes;
    nodes
        .get(place)
        .map_or_else(String::new, |node| node.node_type.to_string())
}

#[cold]
fn failed(mount: &Mount<Served>, place: usize, fault: CallFault) -> CallError {
    let faults = mount.handle().faults();
    let node_type = name_of(mount, place);
    match fault {
        CallFault::Failed(error) => {
            faults.count_failed();
            CallError::Failed { node_type, error }
        }
        fault => {
            if matches!(fault, CallFault::Panicked(_)) {
                faults.count_panicked();
            }
            let (plugin, version) = (mount.plugin().clone(), mount.version().clone());
            tracing::warn!(%plugin, %version, node = node_type, fault = %fault, "a call met a fault");
            let served_by = Box::new(ServedBy { plugin, version });
            CallError::Fault {
                node_type,
                served_by,
                fault: Box::new(fault),
            }
        }
    }
}

#[cold]
fn unknown(snapshot: &Routes, node_type: &str) -> CallError {
    let known = snapshot.routes().map(|(name, _, _)| name.as_str());
    CallError::UnknownNode {
        node_type: node_type.chars().take(128).flat_map(char::escape_debug).collect(),
        nearest: nearest(node_type, known).map(str::to_owned),
    }
}
