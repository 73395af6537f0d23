//! The host's caches in numbers.

use patchbay_vocab::PluginName;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// All caches of the host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CachesView {
    /// Each cache in the numbers that all of them have.
    pub caches: Vec<CacheView>,
    /// Instances of nodes that keep state, in detail.
    pub instances: InstancesView,
    /// Mapped plugins, in detail.
    pub plugins: MappedPluginsView,
}

/// One cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CacheView {
    /// Its name.
    #[schema(example = "instances")]
    pub name: String,
    /// What it holds now.
    pub entries: u64,
    /// The memory that takes, in bytes; null where it is not counted.
    pub bytes: Option<u64>,
    /// Look-ups that found what they wanted.
    pub hits: u64,
    /// Look-ups for which it had to be made.
    pub misses: u64,
    /// Entries that were let go of, for being idle or too many.
    pub evictions: u64,
    /// Hits among all look-ups, from 0 to 1; null before the first.
    pub hit_rate: Option<f64>,
}

impl CacheView {
    /// A cache that lets go of nothing and does not count bytes.
    #[must_use]
    pub fn new(name: &str, entries: u64, hits: u64, misses: u64) -> Self {
        let all = hits.saturating_add(misses);
        Self {
            name: name.to_owned(),
            entries,
            bytes: None,
            hits,
            misses,
            evictions: 0,
            hit_rate: (all > 0).then(|| hits as f64 / all as f64),
        }
    }

    /// The same, with what it let go of.
    #[must_use]
    pub fn evicting(self, evictions: u64) -> Self {
        Self { evictions, ..self }
    }

    /// The same, with the memory it takes.
    #[must_use]
    pub fn of_bytes(self, bytes: u64) -> Self {
        Self {
            bytes: Some(bytes),
            ..self
        }
    }
}

/// Instances of nodes that keep state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstancesView {
    /// Instances there are.
    pub live: u64,
    /// States that are kept of instances that were idle and have ended.
    pub parked: u64,
    /// Bytes of these.
    pub parked_bytes: u64,
    /// Calls that found their instance.
    pub hits: u64,
    /// Calls for which it had to be made.
    pub misses: u64,
    /// Instances that were parked.
    pub evictions: u64,
    /// Instances that were made again with their parked state.
    pub restored: u64,
    /// The same for each plugin that has any, in the order of the names.
    pub plugins: Vec<PluginInstancesView>,
}

/// Instances of one plugin's nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginInstancesView {
    /// The plugin.
    #[schema(value_type = String, example = "counter")]
    pub plugin: PluginName,
    /// Instances there are.
    pub live: u64,
    /// States that are kept of instances that were idle and have ended.
    pub parked: u64,
    /// Bytes of these.
    pub parked_bytes: u64,
    /// Calls that found their instance.
    pub hits: u64,
    /// Calls for which it had to be made.
    pub misses: u64,
    /// Instances that were parked.
    pub evictions: u64,
    /// Instances that were made again with their parked state.
    pub restored: u64,
}

/// Mapped plugins: live and warm revisions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MappedPluginsView {
    /// Revisions that are mapped.
    pub awake: u64,
    /// Revisions that were unmapped for being idle, and are mapped again by the next call or promotion.
    pub asleep: u64,
    /// The address space that mapped revisions hold, in bytes, with those on their way out.
    pub mapped_bytes: u64,
    /// Calls that found their plugin mapped.
    pub hits: u64,
    /// Calls that had to wait for it.
    pub misses: u64,
    /// How often one was put to sleep.
    pub sleeps: u64,
    /// How often one was mapped again.
    pub wakes: u64,
    /// How often one could not be mapped again.
    pub failed_wakes: u64,
    /// How long the last wake took, in microseconds; null before the first.
    pub last_wake_micros: Option<u64>,
    /// How long the longest wake took, in microseconds; null before the first.
    pub longest_wake_micros: Option<u64>,
}
