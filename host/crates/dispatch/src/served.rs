//! A loaded plugin as the registry holds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use patchbay_lease::Gate;
use patchbay_loader::LoadedPlugin;
use patchbay_registry::Mounted;
use patchbay_vocab::NodeType;
use plugin_api::meta::Effect;

use crate::observed::Observed;

/// A loaded plugin, the names its nodes answer to, and what went wrong in it.
#[derive(Debug)]
pub struct Served {
    plugin: Arc<LoadedPlugin>,
    /// For each name of the registry's list, what a call needs to know of its node.
    places: Box<[Place]>,
    faults: Faults,
    observed: Observed,
}

/// A node, as a call needs it: one read instead of a walk through the metadata.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Its place in the plugin's table.
    pub(crate) node: usize,
    /// How long a call may take when the caller does not say.
    pub(crate) timeout: Option<Duration>,
    /// What a call does to the world.
    pub(crate) effect: Effect,
    /// Whether calls of it are polled.
    pub(crate) is_async: bool,
    /// Whether its instances keep state.
    pub(crate) is_stateful: bool,
}

impl Place {
    /// Whether copies of its calls may be made again: it neither keeps state nor acts on the world.
    pub(crate) const fn may_be_shown(self) -> bool {
        !self.is_stateful && !matches!(self.effect, Effect::Effectful)
    }
}

/// Counts of calls that gave no result.
#[derive(Debug, Default)]
pub struct Faults {
    failed: AtomicU64,
    panicked: AtomicU64,
    timed_out: AtomicU64,
}

impl Faults {
    /// Calls whose node said that it failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Calls that panicked.
    #[must_use]
    pub fn panicked(&self) -> u64 {
        self.panicked.load(Ordering::Relaxed)
    }

    /// Calls that were not answered in time.
    #[must_use]
    pub fn timed_out(&self) -> u64 {
        self.timed_out.load(Ordering::Relaxed)
    }

    pub(crate) fn count_timed_out(&self) {
        self.timed_out.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_panicked(&self) {
        self.panicked.fetch_add(1, Ordering::Relaxed);
    }
}

impl Served {
    /// Takes over a loaded plugin.
    #[must_use]
    pub fn new(plugin: LoadedPlugin) -> Self {
        let description = plugin.description();
        let places = description.names().map(|(_, node)| {
            let meta = description.nodes.get(node).map(|node| &node.meta);
            let millis = meta.map_or(0, |meta| meta.timeout_ms);
            let timeout = (millis > 0).then(|| Duration::from_millis(millis));
            Place {
                node,
                timeout,
                effect: meta.map_or_else(Effect::default, |meta| meta.effect),
                is_async: plugin.is_async(node),
                is_stateful: plugin.is_stateful(node),
            }
        });
        let places = places.collect();
        Self {
            plugin: Arc::new(plugin),
            places,
            faults: Faults::default(),
            observed: Observed::default(),
        }
    }

    /// The names of its nodes, in the order that [`Route::node`](patchbay_registry::Route::node) counts.
    #[must_use]
    pub fn names(&self) -> Vec<NodeType> {
        self.plugin
            .description()
            .names()
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The loaded plugin.
    #[inline]
    #[must_use]
    pub const fn plugin(&self) -> &Arc<LoadedPlugin> {
        &self.plugin
    }

    /// What went wrong in it.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What is measured of its calls, and who sees copies of them.
    #[inline]
    #[must_use]
    pub const fn observed(&self) -> &Observed {
        &self.observed
    }

    /// Whether it has nodes that keep state.
    #[must_use]
    pub fn keeps_state(&self) -> bool {
        self.plugin.keeps_state()
    }

    /// Its node types by their own names, each with what a call does to the world, and whether it keeps state.
    pub fn natures(&self) -> impl Iterator<Item = (&NodeType, Effect, bool)> {
        let nodes = self.plugin.description().nodes.iter().enumerate();
        nodes.map(|(place, node)| (&node.node_type, node.meta.effect, self.plugin.is_stateful(place)))
    }

    /// The node behind a name.
    #[inline]
    pub(crate) fn place(&self, name: u32) -> Option<Place> {
        self.places.get(name as usize).copied()
    }
}

impl Mounted for Served {
    fn gate(&self) -> &Arc<Gate> {
        self.plugin.gate()
    }
}
