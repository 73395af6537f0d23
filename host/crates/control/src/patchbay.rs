//! The host.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use patchbay_delivery::{Delivery, Ordered};
use patchbay_dispatch::{Dispatcher, Served};
use patchbay_lifecycle::{HandedOver, Lifecycle, WentLive, Without};
use patchbay_registry::{Action, Change, Force, PluginStatus, Registry, Selector};
use patchbay_rollout::OrderKind;
use patchbay_runs::Runs;
use patchbay_state::{AuditRecord, Entry, State};
use patchbay_vocab::{Clock, Explain, PluginName, RevisionNumber, TenantId};
use patchbay_wire::{
    CachesView, EventView, HandedOverView, HistoryView, NodeView, PluginView, RejectedView, RevisionRef,
    StatusView, SwapView,
};
use serde_json::Value as Json;
use tokio::sync::broadcast;

use crate::listing::EventLog;
use crate::once::{Keys, Once, order_of};
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
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) state: Arc<State>,
    /// Keys of orders that are under way.
    pub(crate) keys: Keys,
    /// Whether it was closed by order: dropping it has nothing left to do.
    pub(crate) closed: AtomicBool,
    /// `normal`, `safe` or `recovered`.
    pub(crate) mode: &'static str,
    /// Of plugins that did not come back as they should: what should be live, and what was instead.
    pub(crate) instead: BTreeMap<PluginName, (RevisionNumber, Option<RevisionNumber>)>,
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
        self.close(CLOSE_WITHIN);
        if let Some(runtime) = self.runtime.take() {
            // Not a plain drop, which may not happen inside another runtime.
            runtime.shutdown_background();
        }
    }
}

impl Inner {
    /// What should be live of a plugin: what is, unless it came back as another one and nobody has changed that since.
    pub(crate) fn desired(&self, status: &PluginStatus) -> Option<RevisionNumber> {
        match self.instead.get(&status.plugin) {
            Some((desired, instead))
                if *instead == status.live && (status.stands_in || instead.is_none()) =>
            {
                Some(*desired)
            }
            _ => status.live,
        }
    }

    /// Ends everything in the order in which it depends on each other; what is desired stays remembered.
    fn close(&self, most: Duration) {
        if self.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        self.runs.close(most);
        self.delivery.stop();
        self.lifecycle.shut_down(most);
        if let Err(error) = self.state.end_clean(CLOSE_WITHIN) {
            tracing::warn!(error = %error.chain(), "the end of the host could not be remembered");
        }
        self.state.close();
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
    /// A name under which the same order may come again without being carried out twice.
    pub key: Option<String>,
}

impl Order {
    /// An order that overrides nothing.
    #[must_use]
    pub fn by(actor: &str, reason: &str) -> Self {
        Self {
            actor: actor.to_owned(),
            reason: reason.to_owned(),
            force: Force::No,
            key: None,
        }
    }

    pub(crate) fn to_ordered(&self) -> Ordered {
        Ordered {
            actor: self.actor.clone(),
            reason: self.reason.clone(),
            key: self.key.clone(),
            what: None,
        }
    }

    pub(crate) fn into_ordered(self) -> Ordered {
        Ordered {
            actor: self.actor,
            reason: self.reason,
            key: self.key,
            what: None,
        }
    }

    pub(crate) fn into_change(self, action: Option<Action>) -> (Force, Change) {
        (
            self.force,
            Change {
                actor: self.actor.into(),
                reason: self.reason.into(),
                action,
                key: self.key.map(Into::into),
                along: None,
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
        let by = order.to_ordered();
        let is_it = |entry: &Entry, _: &Json| entry.action == "plugin.promoted";
        let _under_way = match self.once(&by, "promote", plugin, is_it)? {
            Once::New(under_way) => under_way,
            Once::Done(done) => return Ok(self.swapped_before(plugin, &done)),
        };
        let begin = self.inner.clock.now();
        let (force, change) = order.into_change(None);
        let live = self.inner.lifecycle.promote(plugin, to, force, &change)?;
        let view = self.went_live(plugin, &live, begin);
        self.unchanged(&by, "promote", plugin, Some(live.swap.to))?;
        self.settle()?;
        Ok(view)
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
        let by = Ordered {
            what: Some("rollback"),
            ..order.to_ordered()
        };
        let is_it = |entry: &Entry, detail: &Json| {
            entry.action == "plugin.rolled-back" || order_of(detail) == Some("rollback")
        };
        let _under_way = match self.once(&by, "rollback", plugin, is_it)? {
            Once::New(under_way) => under_way,
            Once::Done(done) => return Ok(self.swapped_before(plugin, &done)),
        };
        let begin = self.inner.clock.now();
        // Whoever wants to go back while a candidate has a share of the calls means the candidate.
        if to.is_none() && self.inner.registry.split_of(plugin).is_some() {
            let ended = self.inner.delivery.order(plugin, OrderKind::Abort, &by)?;
            let (from, to) = (Some(ended.stored.to), ended.stored.from);
            let generation = self.inner.registry.snapshot().generation();
            return Ok(self.swapped(plugin, from, to, generation, begin));
        }
        let (force, change) = order.into_change(Some(Action::RolledBack));
        let live = self.inner.lifecycle.roll_back(plugin, to, force, &change)?;
        let view = self.went_live(plugin, &live, begin);
        self.unchanged(&by, "rollback", plugin, Some(live.swap.to))?;
        self.settle()?;
        Ok(view)
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
        let by = order.to_ordered();
        let is_it = |entry: &Entry, _: &Json| entry.action == "plugin.quarantined";
        let _under_way = match self.once(&by, "quarantine", plugin, is_it)? {
            Once::New(under_way) => under_way,
            Once::Done(done) => return Ok(self.swapped_before(plugin, &done)),
        };
        let begin = self.inner.clock.now();
        let (_, change) = order.into_change(None);
        let (number, done) = self
            .inner
            .lifecycle
            .quarantine(plugin, which, Without::TakeOut, &change)?;
        let to = done.fallback.as_ref().map(|swap| swap.to);
        let view = self.swapped(plugin, Some(number), to, done.generation, begin);
        self.unchanged(&by, "quarantine", plugin, Some(number))?;
        self.settle()?;
        Ok(view)
    }

    fn went_live(&self, plugin: &PluginName, live: &WentLive, begin: patchbay_vocab::Monotonic) -> SwapView {
        let swap = &live.swap;
        SwapView {
            state: live.state.map(handed_over),
            ..self.swapped(plugin, swap.from, Some(swap.to), swap.generation, begin)
        }
    }

    /// What an order did that was carried out before, as its record in the audit has it.
    fn swapped_before(&self, plugin: &PluginName, done: &AuditRecord) -> SwapView {
        let entry = &done.entry;
        let detail: Json = serde_json::from_str(&entry.detail).unwrap_or_default();
        let number = |field: &str| detail.get(field).and_then(Json::as_u64).map(RevisionNumber);
        let (from, to) = match &*entry.action {
            "plugin.quarantined" => (entry.revision, number("live")),
            // The candidate lost its share to what was live all the time.
            action if action.starts_with("rollout.") => (entry.revision, number("from")),
            _ => (number("from"), entry.revision),
        };
        let generation = detail.get("generation").and_then(Json::as_u64);
        SwapView {
            plugin: plugin.clone(),
            from: from.map(|from| self.revision_ref(plugin, from)),
            to: to.map(|to| self.revision_ref(plugin, to)),
            generation: generation.unwrap_or_else(|| self.inner.registry.snapshot().generation()),
            micros: None,
            state: None,
        }
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
        self.inner.close(most);
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
