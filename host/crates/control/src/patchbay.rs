//! The host.

use std::sync::Arc;
use std::time::Duration;

use patchbay_dispatch::{Dispatcher, Served};
use patchbay_lifecycle::{HandedOver, Lifecycle};
use patchbay_registry::{Action, Change, Force, Registry, RegistryError, Selector};
use patchbay_runs::Runs;
use patchbay_vocab::{Clock, PluginName, RevisionNumber, TenantId};
use patchbay_wire::{
    CachesView, EventView, HandedOverView, HistoryView, NodeView, PluginView, RejectedView, RevisionRef,
    StatusView, SwapView,
};
use tokio::sync::broadcast;

use crate::listing::EventLog;
use crate::{Config, ControlError, OpenError};

/// How long dropping the last handle waits for plugins to be unloaded.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// A running host; clones are handles to the same one. The last handle to go closes it.
#[derive(Clone, Debug)]
pub struct Patchbay {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) runs: Arc<Runs>,
    pub(crate) registry: Arc<Registry<Served>>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) log: Arc<EventLog>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The contract this host speaks.
    pub(crate) contract: plugin_api::Contract,
    pub(crate) runtime: Option<tokio::runtime::Runtime>,
    /// Held until everything else is gone.
    pub(crate) _lock: std::fs::File,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inner")
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.runs.close(CLOSE_WITHIN);
        self.lifecycle.shut_down(CLOSE_WITHIN);
        if let Some(runtime) = self.runtime.take() {
            // Not a plain drop, which may not happen inside another runtime.
            runtime.shutdown_background();
        }
    }
}

/// Who wants a change, and why.
#[derive(Clone, Debug)]
pub struct Order {
    /// Who.
    pub actor: String,
    /// Why; may be empty.
    pub reason: String,
    /// Whether to override what may be overridden.
    pub force: Force,
}

impl Order {
    /// An order that overrides nothing.
    #[must_use]
    pub fn by(actor: &str, reason: &str) -> Self {
        Self {
            actor: actor.to_owned(),
            reason: reason.to_owned(),
            force: Force::No,
        }
    }

    fn into_change(self, action: Option<Action>) -> (Force, Change) {
        (
            self.force,
            Change {
                actor: self.actor.into(),
                reason: self.reason.into(),
                action,
            },
        )
    }
}

impl Patchbay {
    /// Opens a host: watches the directory, loads what is in it.
    ///
    /// Blocks until the files that are there have been dealt with, or [`Config::ready_within`] has passed.
    ///
    /// # Errors
    /// When a directory cannot be used, another host uses the data directory, or a thread cannot be started. A bad
    /// file in the directory is no error: see [`Patchbay::rejected`].
    pub fn open(config: Config) -> Result<Self, OpenError> {
        Ok(Self {
            inner: Arc::new(crate::open::open(config)?),
        })
    }

    /// Whether every file that was there at the start has been dealt with.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.inner.lifecycle.is_ready()
    }

    /// The host in numbers.
    #[must_use]
    pub fn status(&self) -> StatusView {
        crate::listing::status(&self.inner)
    }

    /// The host's caches in numbers.
    #[must_use]
    pub fn caches(&self) -> CachesView {
        crate::caches::caches(&self.inner)
    }

    /// All plugins with all their revisions.
    #[must_use]
    pub fn plugins(&self) -> Vec<PluginView> {
        let statuses = self.inner.registry.plugins();
        statuses
            .iter()
            .map(|status| crate::listing::plugin(&self.inner, status))
            .collect()
    }

    /// One plugin.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn plugin(&self, name: &PluginName) -> Result<PluginView, ControlError> {
        Ok(crate::listing::plugin(
            &self.inner,
            &self.inner.registry.plugin(name)?,
        ))
    }

    /// Files that were refused, with code, reason and hint.
    #[must_use]
    pub fn rejected(&self) -> Vec<RejectedView> {
        crate::listing::rejected(&self.inner)
    }

    /// The node types that can be called.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeView> {
        crate::listing::nodes(&self.inner)
    }

    /// One node type, by its name or an alias.
    ///
    /// # Errors
    /// When no live plugin has it.
    pub fn node(&self, node_type: &str) -> Result<NodeView, ControlError> {
        // Resolved by the dispatcher, whose error names the nearest.
        let slot = self.inner.dispatcher.resolve(node_type)?;
        crate::listing::node(&self.inner, slot).ok_or_else(|| {
            patchbay_dispatch::CallError::UnknownNode {
                node_type: node_type.to_owned(),
                nearest: None,
            }
            .into()
        })
    }

    /// What happened to a plugin, oldest first; the last 1,000 changes.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn history(&self, name: &PluginName) -> Result<Vec<HistoryView>, ControlError> {
        let status = self.inner.registry.plugin(name)?;
        let entries = self.inner.registry.history(name)?;
        let line = |entry| crate::listing::history(&self.inner, &status, entry);
        Ok(entries.iter().map(line).collect())
    }

    /// Makes a revision live.
    ///
    /// # Errors
    /// When a rule is in the way, or the stored artifact cannot be loaded.
    pub fn promote(
        &self,
        plugin: &PluginName,
        to: &Selector,
        order: Order,
    ) -> Result<SwapView, ControlError> {
        let begin = self.inner.clock.now();
        let (force, change) = order.into_change(None);
        let swap = self.inner.lifecycle.promote(plugin, to, force, &change);
        let live = swap.map_err(unwrap_registry)?;
        let swap = live.swap;
        Ok(SwapView {
            state: live.state.map(handed_over),
            ..self.swapped(plugin, swap.from, Some(swap.to), swap.generation, begin)
        })
    }

    /// Goes back to the revision that was live before, or to the one given.
    ///
    /// # Errors
    /// When there is none, or a rule is in the way.
    pub fn rollback(
        &self,
        plugin: &PluginName,
        to: Option<&Selector>,
        order: Order,
    ) -> Result<SwapView, ControlError> {
        let begin = self.inner.clock.now();
        let (force, change) = order.into_change(Some(Action::RolledBack));
        let swap = self.inner.lifecycle.roll_back(plugin, to, force, &change);
        let live = swap.map_err(unwrap_registry)?;
        let swap = live.swap;
        Ok(SwapView {
            state: live.state.map(handed_over),
            ..self.swapped(plugin, swap.from, Some(swap.to), swap.generation, begin)
        })
    }

    /// Takes a revision out of service, the live one when none is given; the previous one takes over.
    ///
    /// # Errors
    /// When there is no such revision.
    pub fn quarantine(
        &self,
        plugin: &PluginName,
        which: Option<&Selector>,
        order: Order,
    ) -> Result<SwapView, ControlError> {
        let begin = self.inner.clock.now();
        let (_, change) = order.into_change(None);
        let done = self.inner.lifecycle.quarantine(plugin, which, &change);
        let (number, done) = done.map_err(unwrap_registry)?;
        let to = done.fallback.as_ref().map(|swap| swap.to);
        Ok(self.swapped(plugin, Some(number), to, done.generation, begin))
    }

    fn swapped(
        &self,
        plugin: &PluginName,
        from: Option<RevisionNumber>,
        to: Option<RevisionNumber>,
        generation: u64,
        begin: patchbay_vocab::Monotonic,
    ) -> SwapView {
        let micros = u64::try_from(self.inner.clock.now().since(begin).as_micros()).ok();
        let named = |number: RevisionNumber| {
            let version = self.inner.registry.version(plugin, number)?;
            Some(RevisionRef {
                revision: number,
                version,
            })
        };
        SwapView {
            plugin: plugin.clone(),
            from: from.and_then(named),
            to: to.and_then(named),
            generation,
            micros,
            state: None,
        }
    }

    /// Events from now on. A subscriber that lags more than 1,024 behind is told how many it lost.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<EventView> {
        self.inner.log.subscribe()
    }

    /// Sets what the plugins of a tenant are told under a name, such as `files.folder`; of all tenants that have none of
    /// their own for `None`.
    pub fn set_setting(&self, tenant: Option<&TenantId>, name: &str, value: &str) {
        self.inner.dispatcher.stores().set_setting(tenant, name, value);
    }

    /// Sets a secret of a tenant; nodes read it by its name when they declared it.
    pub fn set_secret(&self, tenant: &TenantId, name: &str, value: &str) {
        self.inner.dispatcher.stores().set_secret(tenant, name, value);
    }

    /// Closes the host: takes every plugin out of the routes and unloads what can be unloaded within `most`.
    ///
    /// Other handles stay valid, but no call finds a node any more.
    pub fn close(self, most: Duration) {
        self.inner.runs.close(most);
        self.inner.lifecycle.shut_down(most);
    }
}

fn handed_over(state: HandedOver) -> HandedOverView {
    HandedOverView {
        instances: state.instances as u64,
        dropped: state.dropped as u64,
        bytes: state.bytes as u64,
        paused_micros: u64::try_from(state.paused.as_micros()).unwrap_or(u64::MAX),
    }
}

fn unwrap_registry(error: patchbay_lifecycle::LifecycleError) -> ControlError {
    match error {
        patchbay_lifecycle::LifecycleError::Registry(error @ RegistryError::UnknownPlugin { .. }) => {
            error.into()
        }
        error => error.into(),
    }
}
