//! How a host begins: with what was live, or, when that kept killing it, with what was last known to be good.
//!
//! Invariant: what is suspected is named, taken out of service and told of; nothing else changes.

use patchbay_lifecycle::Wanted;
use patchbay_registry::{Change, Registry, RegistryError};
use patchbay_state::{CrashLimits, CrashLoop, Remembered, crash_loop};
use patchbay_vocab::{PluginName, RevisionNumber, UnixMillis, Version};

use crate::config::Mode;
use crate::memory::{by_itself, known};
use patchbay_dispatch::Served;

/// What a host begins with.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// What is to be live, and loaded beside it.
    pub wanted: Vec<Wanted>,
    /// What is taken for the reason that the host kept ending.
    pub suspects: Vec<Suspect>,
    /// In words, why it does not begin with what was live.
    pub why: Option<String>,
    /// Whether files that nobody knows are left alone: one that was being loaded may be the reason.
    pub leaves_directory_alone: bool,
}

/// A revision that is taken for the reason that the host kept ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The plugin.
    pub plugin: PluginName,
    /// Its revision.
    pub revision: RevisionNumber,
    /// Its version; none for a file that had no revision yet.
    pub version: Option<Version>,
    /// In words, why.
    pub why: String,
}

/// Fills the registry with what is remembered, and says what to load. For a registry in which nothing has happened.
#[must_use]
pub fn begin(registry: &Registry<Served>, remembered: &Remembered, mode: Mode, now: UnixMillis) -> Start {
    registry.restore(known(remembered), remembered.generation);
    let looping = crash_loop(&remembered.boots, now, CrashLimits::default());
    let suspects = match &looping {
        Some(looping) => suspects(remembered, looping),
        None => Vec::new(),
    };
    let is_by_hand = mode == Mode::Safe;
    let good = remembered
        .good
        .as_ref()
        .filter(|_| looping.is_some() || is_by_hand);
    let why = match (&looping, is_by_hand) {
        (Some(looping), _) => Some(format!(
            "the host ended {} times in a row without being told to",
            looping.boots
        )),
        (None, true) => Some("somebody ordered the safe mode".to_owned()),
        (None, false) => None,
    };
    let good = good.map(|good| &good.live);
    Start {
        wanted: wanted(
            remembered,
            |plugin| {
                // Who is not suspected goes on as it was, unless somebody wants all of it as it was.
                let is_suspected = suspects.iter().any(|suspect| suspect.plugin == *plugin);
                good.filter(|_| is_by_hand || is_suspected)?.get(plugin).copied()
            },
            &suspects,
        ),
        leaves_directory_alone: is_by_hand || suspects.iter().any(|suspect| suspect.version.is_none()),
        suspects,
        why,
    }
}

/// What was being loaded when the host died; else what has changed since it was well.
fn suspects(remembered: &Remembered, looping: &CrashLoop) -> Vec<Suspect> {
    let version = |plugin: &PluginName, number: RevisionNumber| {
        let plugin = remembered.plugins.iter().find(|known| known.name == *plugin)?;
        let revision = plugin.revisions.iter().find(|known| known.number == number)?;
        Some(revision.version.clone())
    };
    let loading: Vec<_> = remembered
        .loading
        .iter()
        .map(|(plugin, number)| Suspect {
            plugin: plugin.clone(),
            revision: *number,
            version: version(plugin, *number),
            why: format!(
                "it was being loaded when the host ended, which it did {} times in a row",
                looping.boots
            ),
        })
        .collect();
    if !loading.is_empty() {
        return loading;
    }
    let good = remembered.good.as_ref().map(|good| &good.live);
    let changed = remembered.plugins.iter().filter_map(|plugin| {
        let live = plugin.live?;
        let before = good.and_then(|good| good.get(&plugin.name));
        (before != Some(&live)).then(|| Suspect {
            plugin: plugin.name.clone(),
            revision: live,
            version: version(&plugin.name, live),
            why: format!(
                "the host ended {} times in a row, and this went live since it was last known to be well",
                looping.boots
            ),
        })
    });
    let candidates = remembered.rollouts.iter().map(|rollout| Suspect {
        plugin: rollout.plugin.clone(),
        revision: rollout.to,
        version: version(&rollout.plugin, rollout.to),
        why: format!(
            "the host ended {} times in a row while it was rolled out",
            looping.boots
        ),
    });
    let since = remembered.good.as_ref().map(|good| good.at);
    let pinned = remembered
        .pins
        .iter()
        .filter(|pin| since.is_some_and(|since| pin.at > since));
    let pinned = pinned.map(|pin| Suspect {
        plugin: pin.plugin.clone(),
        revision: pin.revision,
        version: version(&pin.plugin, pin.revision),
        why: format!(
            "the host ended {} times in a row, and somebody was pinned to this since it was last known to be well",
            looping.boots
        ),
    });
    // Without a set that was good there is nothing that could have changed: everything would be a suspect.
    let mut all: Vec<_> = good.map(|_| changed.collect()).unwrap_or_default();
    for candidate in candidates.chain(pinned) {
        let is_known =
            |known: &Suspect| (&known.plugin, known.revision) == (&candidate.plugin, candidate.revision);
        if !all.iter().any(is_known) {
            all.push(candidate);
        }
    }
    all
}

fn wanted(
    remembered: &Remembered,
    good: impl Fn(&PluginName) -> Option<RevisionNumber>,
    suspects: &[Suspect],
) -> Vec<Wanted> {
    let plugins = remembered.plugins.iter().map(|plugin| {
        let is_fit = |number: &RevisionNumber| {
            let known = plugin.revisions.iter().find(|known| known.number == *number);
            let suspected = suspects
                .iter()
                .any(|suspect| suspect.plugin == plugin.name && suspect.revision == *number);
            known.is_some_and(|known| !known.quarantined) && !suspected
        };
        let first = good(&plugin.name);
        let mut live: Vec<_> = first.into_iter().chain(plugin.live).collect();
        live.extend(plugin.live_order.iter().copied());
        if plugin.live.is_none() {
            // Somebody took it out of the routes.
            live.clear();
        }
        let mut seen = std::collections::BTreeSet::new();
        live.retain(|number| is_fit(number) && seen.insert(*number));
        let pinned = remembered.pins.iter().filter(|pin| pin.plugin == plugin.name);
        let candidates = remembered
            .rollouts
            .iter()
            .filter(|rollout| rollout.plugin == plugin.name);
        let mut beside: Vec<_> = pinned
            .map(|pin| pin.revision)
            .chain(candidates.flat_map(|rollout| rollout.from.into_iter().chain([rollout.to])))
            .filter(is_fit)
            .collect();
        beside.sort_unstable();
        beside.dedup();
        Wanted {
            plugin: plugin.name.clone(),
            desired: plugin.live,
            live,
            beside,
        }
    });
    plugins.collect()
}

impl Start {
    /// Takes the suspects out of service, now that the rest is live.
    pub fn quarantine_suspects(&self, registry: &Registry<Served>) {
        for suspect in &self.suspects {
            let change: Change = by_itself("host", &suspect.why);
            match registry.quarantine(&suspect.plugin, suspect.revision, &change) {
                Ok(_) => {
                    tracing::error!(plugin = %suspect.plugin, revision = %suspect.revision, why = suspect.why, "taken out of service at the start");
                }
                Err(RegistryError::UnknownPlugin { .. } | RegistryError::UnknownRevision { .. }) => {}
                Err(error) => {
                    tracing::error!(plugin = %suspect.plugin, %error, "a suspect could not be taken out of service");
                }
            }
        }
    }
}
