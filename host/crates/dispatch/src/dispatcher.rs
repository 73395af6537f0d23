//! The dispatcher: finds the version, holds it, calls it.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::Duration;

use patchbay_registry::{Caller, Detours, Leg, Mount, NodeSlot, Registry, Route};
use patchbay_vocab::{Clock, RevisionNumber, TenantId};
use plugin_api::value::ValueRef;

use crate::Output;
use crate::entry::{Inside, Target};
use crate::error::{CallError, ServedBy, shown};
use crate::nearest::nearest;
use crate::rules::TenantRules;
use crate::scope::NodeScope;
use crate::served::{Faults, Served};
use crate::stores::TenantStores;
use crate::variables::Variables;
use crate::view::{RouteCache, Routes, View};
use crate::waker::Bell;

/// How often a call looks for an open version before it takes the host for closed.
pub(crate) const TRIES: u32 = 64;

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
    rules: OnceLock<TenantRules>,
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
            rules: OnceLock::new(),
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

    /// Says which node types nodes may call for a tenant; once, before the first call. What a tenant's callers may call
    /// themselves is theirs to ask.
    pub fn set_rules(&self, rules: TenantRules) {
        // Set again, the first stay: rules never become laxer.
        let _ = self.rules.set(rules);
    }

    /// Whether a node may call another for a tenant.
    pub(crate) fn may_call(&self, tenant: &TenantId, routes: &Routes, node_type: &str) -> bool {
        let rules = self.rules.get();
        rules.is_none_or(|rules| rules.allows_node(tenant, routes, node_type))
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

    pub(crate) const fn timers(&self) -> &tokio::runtime::Handle {
        &self.timers
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

    /// Calls a node of one load of a plugin, live or not: that of another version, say, when the live one fails. What
    /// the node calls goes to what is live.
    ///
    /// # Errors
    /// Why there is no answer: [`CallError::UnknownNode`] when that version has no such node, [`CallError::Closing`] when
    /// it is on its way out.
    pub fn call_mount<'o>(
        self: &Arc<Self>,
        mount: &Arc<Mount<Served>>,
        node_type: &str,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        self.call_counted(mount, node_type, input, options, out, None)
    }

    /// Like [`Dispatcher::call_mount`], for a call that nobody waits for: what goes wrong of it is counted in `faults`,
    /// and not against the version.
    ///
    /// # Errors
    /// As [`Dispatcher::call_mount`].
    pub fn try_mount<'o>(
        self: &Arc<Self>,
        mount: &Arc<Mount<Served>>,
        node_type: &str,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
        faults: &Faults,
    ) -> Result<Answer<'o>, CallError> {
        self.call_counted(mount, node_type, input, options, out, Some(faults))
    }

    fn call_counted<'o>(
        self: &Arc<Self>,
        mount: &Arc<Mount<Served>>,
        node_type: &str,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
        faults: Option<&Faults>,
    ) -> Result<Answer<'o>, CallError> {
        let begun = self.clock.now();
        let (mount, pass, place) = self.enter_mount(mount, node_type, options.timeout)?;
        let hold = match place.is_stateful {
            true => Some(self.hold_state(&mount, place, options, begun)?),
            false => None,
        };
        let timeout = hold.as_ref().map_or(options.timeout, |(_, left)| *left);
        let options = CallOptions { timeout, ..*options };
        let target = Target {
            mount: &mount,
            place,
            held: None,
            trial: faults,
        };
        self.call_under(pass, target, input, &options, out)
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
            let Leg { mount, node } = leg(route, options)?;
            let Some(place) = mount.handle().place(node) else {
                return Err(CallError::Closing);
            };
            if place.is_stateful {
                let mount = Arc::clone(mount);
                // Waiting counts: what is left of the time is the call's.
                let since = *begun.get_or_insert_with(|| self.clock.now());
                let (hold, left) = self.hold_state(&mount, place, options, since)?;
                let rest = CallOptions {
                    timeout: left,
                    ..*options
                };
                // A hand-over that ended before the hold has taken the state elsewhere.
                let now = routes.load().route(slot);
                if !now.is_some_and(|route| leads_to(route, options, &mount)) {
                    continue;
                }
                let Some(inside) = Inside::enter(&mount, place) else {
                    drop(hold);
                    self.await_open(routes, slot, &mount, place, options, &mut begun)?;
                    continue;
                };
                seen(&mount);
                let target = Target {
                    mount: &mount,
                    place,
                    held: None,
                    trial: None,
                };
                return self.call_inside(inside, target, input, &rest, out);
            }
            // A version that closed between the load and these lines is no longer routed, or asleep: look again.
            if place.is_async || begun.is_some() {
                let mount = Arc::clone(mount);
                let Some(inside) = Inside::enter(&mount, place) else {
                    self.await_open(routes, slot, &mount, place, options, &mut begun)?;
                    continue;
                };
                seen(&mount);
                let timeout = options.timeout.or(place.timeout);
                let rest = CallOptions {
                    timeout: begun.map_or(timeout, |begun| self.left(timeout, begun)),
                    ..*options
                };
                let target = Target {
                    mount: &mount,
                    place,
                    held: None,
                    trial: None,
                };
                return self.call_inside(inside, target, input, &rest, out);
            }
            let Some(pass) = mount.enter() else {
                let mount = Arc::clone(mount);
                self.await_open(routes, slot, &mount, place, options, &mut begun)?;
                continue;
            };
            seen(mount);
            let target = Target {
                mount,
                place,
                held: None,
                trial: None,
            };
            return self.call_sync(&pass, target, input, options, out);
        }
        Err(CallError::Closing)
    }
}

/// Where a call goes: to what is live, or to where its caller is sent instead.
#[inline]
fn leg<'r>(route: &'r Route<Served>, options: &CallOptions<'_>) -> Result<Leg<'r, Served>, CallError> {
    match route.detours() {
        None => Ok(route.live()),
        Some(detours) => match route.dealt(options.tenant.as_str(), options.run) {
            Some(leg) => Ok(leg),
            None => detoured(route, detours, options),
        },
    }
}

#[inline(never)]
fn detoured<'r>(
    route: &'r Route<Served>,
    detours: &Detours<Served>,
    options: &CallOptions<'_>,
) -> Result<Leg<'r, Served>, CallError> {
    let value = detours.variable().and_then(|name| {
        let value = options.variables?.get(name)?;
        Some(Variables::key(&value))
    });
    let caller = Caller {
        tenant: options.tenant.as_str(),
        run: options.run,
        workflow: None,
        key: value.as_deref(),
    };
    let pinned = || CallError::PinnedAway {
        plugin: route.mount().plugin().clone(),
        node_type: shown(options.node),
    };
    route.leg(&caller).map_err(|_| pinned())
}

/// Whether a call goes to this very load.
pub(crate) fn leads_to(route: &Route<Served>, options: &CallOptions<'_>, mount: &Arc<Mount<Served>>) -> bool {
    leg(route, options).is_ok_and(|leg| Arc::ptr_eq(leg.mount, mount))
}

#[cold]
pub(crate) fn unknown(snapshot: &Routes, node_type: &str) -> CallError {
    let known = snapshot.routes().map(|(name, _, _)| name.as_str());
    CallError::UnknownNode {
        node_type: shown(node_type),
        nearest: nearest(node_type, known).map(str::to_owned),
    }
}
