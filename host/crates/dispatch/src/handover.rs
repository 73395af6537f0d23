//! Handing the state of one version to another, or parking it, with the host's services for the instances that are made
//! for that.

use std::sync::Arc;
use std::task::Waker;

use patchbay_lease::Pass;
use patchbay_loader::{HandOver, HandOverError, HandOverLimits, Leaving, ParkLimits, Side, StaysAwake};
use patchbay_registry::Mount;
use patchbay_vocab::{Monotonic, TenantId};
use plugin_api::NodeError;
use plugin_api::error::code;
use plugin_api::shim::host::{Evaluation, HostServices, Refusal, Replaced, Store};
use plugin_api::value::{Value, ValueRef};

use crate::dispatcher::Dispatcher;
use crate::served::Served;
use crate::services::{OwnedServices, nanos};

/// A version as it is given to a hand-over: the mount, and the proof of being inside it.
#[derive(Clone, Copy, Debug)]
pub struct Party<'p> {
    /// The mount.
    pub mount: &'p Arc<Mount<Served>>,
    /// A pass of its gate.
    pub pass: &'p Pass<'p>,
}

/// The version that hands its state over.
#[derive(Clone, Copy, Debug)]
pub enum Giver<'p> {
    /// It serves.
    Awake(Party<'p>),
    /// It sleeps; nothing of it is entered.
    Asleep(&'p Arc<Mount<Served>>),
}

impl<'p> Party<'p> {
    fn side(self) -> Side<'p> {
        Side {
            plugin: self.mount.handle().plugin(),
            pass: self.pass,
        }
    }
}

impl Dispatcher {
    /// Prepares the hand-over of the state of `from` to `to`; see [`HandOver::prepare`].
    ///
    /// # Errors
    /// Why the state cannot go over; both versions are as they were.
    pub fn hand_over<'p>(
        self: &Arc<Self>,
        from: Giver<'p>,
        to: Party<'p>,
        limits: HandOverLimits,
    ) -> Result<HandOver<'p>, HandOverError> {
        let from = match from {
            Giver::Awake(party) => Leaving::Awake(party.side()),
            Giver::Asleep(mount) => Leaving::Asleep(mount.handle().plugin()),
        };
        let services = |place: usize, tenant: &str| self.create_services(to.mount, place, tenant);
        HandOver::prepare(from, to.side(), limits, &services)
    }

    /// Parks instances that are idle at `now`, or too many; see [`LoadedPlugin::sweep`](patchbay_loader::LoadedPlugin::sweep).
    pub fn sweep(self: &Arc<Self>, of: Party<'_>, now: Monotonic, limits: &ParkLimits) -> usize {
        let now = u64::try_from(now.0.as_millis()).unwrap_or(u64::MAX);
        let services = |place: usize, tenant: &str| self.create_services(of.mount, place, tenant);
        let plugin = of.mount.handle().plugin();
        plugin.sweep(of.pass, now, limits, &services)
    }

    /// Parks every instance and has the gate closed; see
    /// [`LoadedPlugin::fall_asleep`](patchbay_loader::LoadedPlugin::fall_asleep).
    ///
    /// # Errors
    /// Why it stays awake.
    pub fn fall_asleep(
        self: &Arc<Self>,
        of: Party<'_>,
        limits: &ParkLimits,
        close: impl FnOnce() -> bool,
    ) -> Result<(), StaysAwake> {
        let services = |place: usize, tenant: &str| self.create_services(of.mount, place, tenant);
        let plugin = of.mount.handle().plugin();
        plugin.fall_asleep(of.pass, limits, &services, close)
    }

    fn create_services(
        self: &Arc<Self>,
        mount: &Arc<Mount<Served>>,
        place: usize,
        tenant: &str,
    ) -> Box<dyn HostServices> {
        let Ok(tenant) = tenant.parse() else {
            // Instances are made for tenants alone.
            return Box::new(patchbay_loader::Nothing);
        };
        Box::new(CreateServices(self.owned_services(mount, place, tenant)))
    }

    fn owned_services(
        self: &Arc<Self>,
        mount: &Arc<Mount<Served>>,
        place: usize,
        tenant: TenantId,
    ) -> OwnedServices {
        OwnedServices {
            dispatcher: Arc::clone(self),
            mount: Arc::clone(mount),
            place,
            held: None,
            tenant,
            run: "hand-over".to_owned(),
            node: String::new(),
            variables: None,
            scope: None,
            deadline: None,
            cancel: Arc::default(),
            depth: 0,
        }
    }
}

/// What the host does for `create` during a hand-over or a sweep: everything but calls, which could come to wait for the very
/// hand-over that they are part of.
struct CreateServices(OwnedServices);

impl HostServices for CreateServices {
    fn now(&self) -> u64 {
        nanos(self.0.dispatcher.clock().now())
    }

    fn wall_clock(&self) -> u64 {
        self.0.wall_clock()
    }

    fn log(&self, level: u32, message: &str, fields: Option<ValueRef<'_>>) {
        self.0.log(level, message, fields);
    }

    fn read(&self, store: Store, key: &str) -> Result<Option<Value>, Refusal> {
        self.0.read(store, key)
    }

    fn write(&self, store: Store, key: &str, value: ValueRef<'_>) -> Result<(), Refusal> {
        self.0.write(store, key, value)
    }

    fn remove(&self, store: Store, key: &str) -> Result<bool, Refusal> {
        self.0.remove(store, key)
    }

    fn list(&self, store: Store) -> Result<Value, Refusal> {
        self.0.list(store)
    }

    fn replace(
        &self,
        store: Store,
        key: &str,
        expected: Option<ValueRef<'_>>,
        value: Option<ValueRef<'_>>,
    ) -> Result<Replaced, Refusal> {
        self.0.replace(store, key, expected, value)
    }

    fn select_output(&self, output: u32) -> Result<(), Refusal> {
        self.0.select_output(output)
    }

    fn evaluate(
        &self,
        what: Evaluation<'_>,
        bindings: ValueRef<'_>,
    ) -> Result<Result<Value, NodeError>, Refusal> {
        self.0.evaluate(what, bindings)
    }

    fn call(&self, node_type: &str, _input: ValueRef<'_>) -> Result<Value, NodeError> {
        Err(NodeError::with_code(
            code::UNSUPPORTED,
            format!("`{node_type}` cannot be called while state is handed over or parked"),
        ))
    }

    fn wake_after(&self, nanos: u64, waker: Waker) -> Result<(), Refusal> {
        self.0.wake_after(nanos, waker)
    }
}
