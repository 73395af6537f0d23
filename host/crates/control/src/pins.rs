//! Pins, as the API and the command line order them.

use patchbay_registry::{PinScope, Pinning, Selector};
use patchbay_state::Entry;
use patchbay_vocab::PluginName;
use patchbay_wire as wire;
use serde_json::Value as Json;

use crate::once::Once;
use crate::patchbay::Order;
use crate::{ControlError, Patchbay};

impl Patchbay {
    /// Who is held where; of one plugin, if it is named.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn pins(&self, plugin: Option<&PluginName>) -> Result<Vec<wire::PinView>, ControlError> {
        let pins = self
            .inner
            .state
            .pins()
            .map_err(patchbay_delivery::DeliveryError::from)?;
        let of_plugin = |pin: &patchbay_state::Pin| plugin.is_none_or(|plugin| pin.plugin == *plugin);
        let view = |pin: patchbay_state::Pin| wire::PinView {
            to: self.revision_ref(&pin.plugin, pin.revision),
            plugin: pin.plugin,
            tenant: pin.tenant,
            workflow: pin.workflow,
            actor: pin.actor,
            reason: pin.reason,
            at: pin.at,
        };
        Ok(pins.into_iter().filter(of_plugin).map(view).collect())
    }

    /// Holds somebody's calls and runs at a revision, whatever is live.
    ///
    /// # Errors
    /// When there is no such revision, it cannot be loaded, or the plugin keeps state.
    pub fn pin(
        &self,
        plugin: &PluginName,
        to: &Selector,
        scope: PinScope,
        order: Order,
    ) -> Result<wire::PinnedView, ControlError> {
        let by = order.to_ordered();
        let is_it = |entry: &Entry, _: &Json| entry.action == "pin.set" && is_of(entry, &scope);
        let _under_way = match self.once(&by, "pin", plugin, is_it)? {
            Once::New(under_way) => under_way,
            Once::Done(_) => return self.pinned_before(plugin, scope),
        };
        let change = order.into_change(None).1;
        let pinning = self.inner.lifecycle.pin(plugin, to, scope.clone(), &change);
        let pinning = pinning.map_err(ControlError::from)?;
        self.unchanged(&by, "pin", plugin, pinning.now)?;
        self.settle()?;
        self.pinned(plugin, scope, &pinning)
    }

    /// Holds him no more; nothing changes when nothing held him.
    ///
    /// # Errors
    /// When there is no such plugin.
    pub fn unpin(
        &self,
        plugin: &PluginName,
        scope: PinScope,
        order: Order,
    ) -> Result<wire::PinnedView, ControlError> {
        let by = order.to_ordered();
        let is_it = |entry: &Entry, _: &Json| entry.action == "pin.removed" && is_of(entry, &scope);
        let _under_way = match self.once(&by, "unpin", plugin, is_it)? {
            Once::New(under_way) => under_way,
            Once::Done(_) => return self.pinned_before(plugin, scope),
        };
        let change = order.into_change(None).1;
        let pinning = self.inner.registry.unpin(plugin, &scope, &change)?;
        self.unchanged(&by, "unpin", plugin, pinning.before)?;
        self.settle()?;
        self.inner.lifecycle.tidy();
        self.pinned(plugin, scope, &pinning)
    }

    /// The answer to an order that was carried out before: how it is now, with nothing changed.
    fn pinned_before(&self, plugin: &PluginName, scope: PinScope) -> Result<wire::PinnedView, ControlError> {
        let status = self.inner.registry.plugin(plugin)?;
        let now = status
            .pins
            .iter()
            .find(|(known, _)| *known == scope)
            .map(|(_, to)| *to);
        let pinning = Pinning {
            before: now,
            now,
            generation: self.inner.registry.snapshot().generation(),
        };
        self.pinned(plugin, scope, &pinning)
    }

    fn pinned(
        &self,
        plugin: &PluginName,
        scope: PinScope,
        pinning: &Pinning,
    ) -> Result<wire::PinnedView, ControlError> {
        let pins = self.pins(Some(plugin))?;
        let PinScope { workflow, tenant } = scope;
        let mut of_scope = pins
            .into_iter()
            .filter(|pin| pin.tenant == tenant && pin.workflow == workflow);
        Ok(wire::PinnedView {
            pin: of_scope.next(),
            before: pinning.before.map(|number| self.revision_ref(plugin, number)),
            changed: pinning.before != pinning.now,
        })
    }
}

fn is_of(entry: &Entry, scope: &PinScope) -> bool {
    entry.tenant == scope.tenant && entry.workflow == scope.workflow
}
