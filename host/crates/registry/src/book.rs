//! The records behind the snapshots: every revision ever admitted, what is loaded, and who changed what.
//!
//! Invariant: `live` names a revision whose state is live and whose mount the current snapshot routes; every
//! other revision is in another state.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use patchbay_vocab::{
    Digest, NodeType, PinReason, PluginName, RevisionNumber, RevisionState, UnixMillis, Version,
};

use crate::change::{Dependency, HistoryEntry, Selector};
use crate::detour::{PinScope, Split};
use crate::error::RegistryError;
use crate::snapshot::{Identity, Mount};
use crate::status::{PluginStatus, RevisionStatus};

/// How many changes of one plugin are remembered.
const HISTORY: usize = 1000;

pub(crate) struct Book<H> {
    pub(crate) plugins: BTreeMap<PluginName, PluginRecord<H>>,
    /// For each plugin, the plugins whose live revision names it as a dependency.
    pub(crate) needed_by: BTreeMap<PluginName, BTreeSet<PluginName>>,
    /// The content of every revision, with how many have it.
    pub(crate) contents: HashMap<Digest, usize>,
    /// Whether changes are told to nobody: the host ends, and what is desired stays.
    pub(crate) unwitnessed: bool,
}

pub(crate) struct PluginRecord<H> {
    pub(crate) revisions: BTreeMap<RevisionNumber, RevisionRecord<H>>,
    pub(crate) live: Option<RevisionNumber>,
    /// Every revision that ever was live, the latest first; a revision that goes live again moves to the front.
    pub(crate) live_order: Vec<RevisionNumber>,
    pub(crate) history: VecDeque<HistoryEntry>,
    /// The highest number that was ever given.
    pub(crate) highest: RevisionNumber,
    pub(crate) steering: Steering,
    /// What is live took the place of what should be, when the process began: whoever makes it live says something new.
    pub(crate) stands_in: bool,
}

/// What is said about calls that do not go to what is live, and about revisions that are kept loaded.
#[derive(Default)]
pub(crate) struct Steering {
    pub(crate) pins: BTreeMap<PinScope, RevisionNumber>,
    pub(crate) split: Option<Split>,
    /// Loaded and awake for rollouts, each with how many of them want it.
    pub(crate) held: BTreeMap<RevisionNumber, u32>,
}

impl Steering {
    /// Whether a revision has to stay loaded.
    pub(crate) fn needs(&self, number: RevisionNumber) -> bool {
        self.held.contains_key(&number)
            || self.split.as_ref().is_some_and(|split| split.to == number)
            || self.pins.values().any(|pinned| *pinned == number)
    }
}

pub(crate) struct RevisionRecord<H> {
    pub(crate) plugin: PluginName,
    pub(crate) number: RevisionNumber,
    pub(crate) version: Version,
    pub(crate) digest: Digest,
    pub(crate) nodes: Arc<[NodeType]>,
    pub(crate) dependencies: Arc<[Dependency]>,
    pub(crate) origin: Arc<str>,
    pub(crate) admitted_at: UnixMillis,
    pub(crate) state: RevisionState,
    /// The load that is, or could be, routed. With its gate closed it is asleep: `awake` puts a fresh load in its place.
    pub(crate) mount: Option<Arc<Mount<H>>>,
    /// Loads on their way out. A revision may come back, as a fresh load, before they are gone.
    pub(crate) draining: Vec<Draining<H>>,
    /// Calls of the loads that are gone.
    pub(crate) past_calls: u64,
}

pub(crate) struct Draining<H> {
    pub(crate) mount: Arc<Mount<H>>,
    pub(crate) pinned: Vec<PinReason>,
}

impl<H> Book<H> {
    pub(crate) fn new() -> Self {
        Self {
            plugins: BTreeMap::new(),
            needed_by: BTreeMap::new(),
            contents: HashMap::new(),
            unwitnessed: false,
        }
    }

    pub(crate) fn plugin(&self, plugin: &PluginName) -> Result<&PluginRecord<H>, RegistryError> {
        self.plugins
            .get(plugin)
            .ok_or_else(|| RegistryError::UnknownPlugin {
                plugin: plugin.clone(),
            })
    }

    pub(crate) fn plugin_mut(&mut self, plugin: &PluginName) -> Result<&mut PluginRecord<H>, RegistryError> {
        self.plugins
            .get_mut(plugin)
            .ok_or_else(|| RegistryError::UnknownPlugin {
                plugin: plugin.clone(),
            })
    }

    pub(crate) fn revision(
        &self,
        plugin: &PluginName,
        number: RevisionNumber,
    ) -> Result<&RevisionRecord<H>, RegistryError> {
        self.plugin(plugin)?
            .revisions
            .get(&number)
            .ok_or_else(|| unknown(plugin, number))
    }

    pub(crate) fn revision_mut(
        &mut self,
        plugin: &PluginName,
        number: RevisionNumber,
    ) -> Result<&mut RevisionRecord<H>, RegistryError> {
        self.plugin_mut(plugin)?
            .revisions
            .get_mut(&number)
            .ok_or_else(|| unknown(plugin, number))
    }

    /// A revision has this content from now on.
    pub(crate) fn add_content(&mut self, digest: Digest) {
        *self.contents.entry(digest).or_default() += 1;
    }

    /// A revision with this content is gone.
    pub(crate) fn remove_content(&mut self, digest: Digest) {
        if let Some(count) = self.contents.get_mut(&digest) {
            *count -= 1;
            if *count == 0 {
                self.contents.remove(&digest);
            }
        }
    }

    /// The live revision of a plugin.
    pub(crate) fn live(&self, plugin: &PluginName) -> Option<&RevisionRecord<H>> {
        self.plugins.get(plugin)?.live_record()
    }

    /// Of a plugin without a live revision, the newest that is loaded and may go live.
    pub(crate) fn would_be_live(&self, plugin: &PluginName) -> Option<&RevisionRecord<H>> {
        let revisions = self.plugins.get(plugin)?.revisions.values().rev();
        revisions
            .into_iter()
            .find(|revision| revision.mount.is_some() && !revision.is_quarantined())
    }

    /// Writes down what a publication has made true: `to` is live, or nothing is.
    pub(crate) fn set_live(&mut self, plugin: &PluginName, to: Option<RevisionNumber>) {
        let Some(record) = self.plugins.get_mut(plugin) else {
            return;
        };
        if let Some(old) = record.live.and_then(|number| record.revisions.get_mut(&number)) {
            for dependency in &*old.dependencies {
                if let Some(dependents) = self.needed_by.get_mut(&dependency.plugin) {
                    dependents.remove(plugin);
                }
            }
            if old.state == RevisionState::Live {
                old.state = RevisionState::Warm;
            }
        }
        if record.live != to {
            record.stands_in = false;
        }
        record.live = to;
        let Some(new) = to.and_then(|number| record.revisions.get_mut(&number)) else {
            return;
        };
        new.state = RevisionState::Live;
        for dependency in &*new.dependencies {
            self.needed_by
                .entry(dependency.plugin.clone())
                .or_default()
                .insert(plugin.clone());
        }
        let number = new.number;
        record.live_order.retain(|&known| known != number);
        record.live_order.insert(0, number);
    }
}

impl<H> PluginRecord<H> {
    pub(crate) fn new() -> Self {
        Self {
            revisions: BTreeMap::new(),
            live: None,
            live_order: Vec::new(),
            history: VecDeque::new(),
            highest: RevisionNumber(0),
            steering: Steering::default(),
            stands_in: false,
        }
    }

    pub(crate) fn live_record(&self) -> Option<&RevisionRecord<H>> {
        self.revisions.get(&self.live?)
    }

    pub(crate) fn next_number(&self) -> RevisionNumber {
        let last = self.revisions.last_key_value().map_or(0, |(last, _)| last.0);
        RevisionNumber(self.highest.0.max(last) + 1)
    }

    pub(crate) fn remember(&mut self, entry: HistoryEntry) {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(entry);
    }

    pub(crate) fn status(&self, plugin: &PluginName) -> PluginStatus {
        PluginStatus {
            plugin: plugin.clone(),
            live: self.live,
            stands_in: self.stands_in,
            pins: self
                .steering
                .pins
                .iter()
                .map(|(scope, to)| (scope.clone(), *to))
                .collect(),
            split: self.steering.split.as_ref().map(|split| (split.to, split.weight)),
            revisions: self.revisions.values().map(RevisionRecord::status).collect(),
        }
    }
}

impl<H> RevisionRecord<H> {
    pub(crate) fn identity(&self) -> Identity {
        Identity {
            plugin: self.plugin.clone(),
            version: self.version.clone(),
            revision: self.number,
            digest: self.digest,
            nodes: Arc::clone(&self.nodes),
            dependencies: Arc::clone(&self.dependencies),
        }
    }

    pub(crate) fn is_quarantined(&self) -> bool {
        self.state == RevisionState::Quarantined
    }

    fn status(&self) -> RevisionStatus {
        let loads = || {
            self.mount
                .iter()
                .chain(self.draining.iter().map(|draining| &draining.mount))
        };
        RevisionStatus {
            number: self.number,
            version: self.version.clone(),
            digest: self.digest,
            state: self.state,
            mounted: self.mount.is_some(),
            asleep: self.mount.as_ref().is_some_and(|mount| mount.is_closed()),
            draining: !self.draining.is_empty(),
            calls_in_flight: loads().map(|mount| mount.gate().in_flight()).sum(),
            calls_ever: self.past_calls + loads().map(|mount| mount.gate().entered()).sum::<u64>(),
            pinned: self
                .draining
                .iter()
                .flat_map(|draining| draining.pinned.iter().copied())
                .collect(),
            origin: Arc::clone(&self.origin),
            nodes: Arc::clone(&self.nodes),
            dependencies: Arc::clone(&self.dependencies),
            admitted_at: self.admitted_at,
        }
    }
}

pub(crate) fn unknown(plugin: &PluginName, number: RevisionNumber) -> RegistryError {
    RegistryError::UnknownRevision {
        plugin: plugin.clone(),
        wanted: Selector::Revision(number),
    }
}
