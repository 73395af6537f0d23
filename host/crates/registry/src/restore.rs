//! What was known before this process began.

use std::sync::Arc;

use patchbay_vocab::{PluginName, RevisionNumber, RevisionState};

use crate::book::{PluginRecord, RevisionRecord};
use crate::change::{Action, Change, HistoryEntry};
use crate::detour::PinScope;
use crate::error::RegistryError;
use crate::publish::Event;
use crate::registry::Registry;
use crate::snapshot::{Answering, Mounted, Snapshot};
use crate::witness::KnownRevision;

/// A plugin as it is remembered.
#[derive(Clone, Debug)]
pub struct KnownPlugin {
    /// Its name.
    pub plugin: PluginName,
    /// The highest number that a revision of it ever had; the next one is higher.
    pub highest: RevisionNumber,
    /// Its revisions.
    pub revisions: Vec<KnownRevision>,
    /// Every revision that ever was live, the latest first.
    pub live_order: Vec<RevisionNumber>,
    /// Who is held where.
    pub pins: Vec<(PinScope, RevisionNumber)>,
    /// What happened, oldest first.
    pub history: Vec<HistoryEntry>,
}

/// Whether what is live is what should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Desired,
    /// It took the place of what could not be.
    Instead,
}

impl<H: Mounted> Registry<H> {
    /// Takes in what is remembered; nothing of it is loaded or live. For a registry in which nothing has happened yet: what
    /// it knows of these plugins is replaced. Generations go on from `generation`.
    pub fn restore(&self, known: Vec<KnownPlugin>, generation: u64) {
        let mut book = self.book.lock();
        for known in known {
            let mut record = PluginRecord::new();
            record.highest = known.highest;
            for revision in known.revisions {
                let state = match revision.quarantined {
                    true => RevisionState::Quarantined,
                    false => RevisionState::Retired,
                };
                let number = revision.number;
                let revision = RevisionRecord {
                    plugin: known.plugin.clone(),
                    number,
                    version: revision.version,
                    digest: revision.digest,
                    nodes: revision.nodes,
                    dependencies: revision.dependencies,
                    origin: revision.origin,
                    admitted_at: revision.admitted_at,
                    state,
                    mount: None,
                    draining: Vec::new(),
                    past_calls: 0,
                };
                book.add_content(revision.digest);
                record.revisions.insert(number, revision);
            }
            let is_known = |number: &RevisionNumber| record.revisions.contains_key(number);
            record.live_order = known.live_order.into_iter().filter(is_known).collect();
            record.steering.pins = known.pins.into_iter().filter(|(_, to)| is_known(to)).collect();
            for line in known.history {
                record.remember(line);
            }
            book.plugins.insert(known.plugin, record);
        }
        self.current.store(Arc::new(Snapshot::empty(generation)));
    }

    /// Routes to these loaded revisions, all in one store, because they were live before this process began. It is no
    /// change: the history has it, and the witness is not told. Those that are not loaded, or whose node types another
    /// one of them has, are left out. Says which are live now.
    pub fn reinstate(
        &self,
        wanted: &[(PluginName, RevisionNumber, Standing)],
    ) -> Vec<(PluginName, RevisionNumber)> {
        let mut book = self.book.lock();
        let before = self.current.load_full();
        let mut taken = std::collections::HashMap::new();
        let mut live = Vec::new();
        for (plugin, number, standing) in wanted {
            let Ok(revision) = book.revision(plugin, *number) else {
                continue;
            };
            let is_open = revision.mount.as_ref().is_some_and(|mount| !mount.is_closed());
            let is_free = revision
                .nodes
                .iter()
                .all(|node| taken.get(node).is_none_or(|owner| owner == plugin));
            if !is_open || !is_free || revision.is_quarantined() {
                continue;
            }
            taken.extend(revision.nodes.iter().map(|node| (node.clone(), plugin.clone())));
            live.push((plugin.clone(), *number, *standing));
        }
        let answering = live.iter().filter_map(|(plugin, number, _)| {
            let record = book.plugins.get(plugin)?;
            Some(Answering {
                plugin,
                mount: record.revisions.get(number)?.mount.as_ref(),
                detours: record.detours(),
            })
        });
        let next = before.with(answering);
        self.current.store(Arc::new(next));
        for (plugin, number, standing) in &live {
            book.set_live(plugin, Some(*number));
            if let Some(record) = book.plugins.get_mut(plugin) {
                record.stands_in = *standing == Standing::Instead;
            }
        }
        live.into_iter()
            .map(|(plugin, number, _)| (plugin, number))
            .collect()
    }

    /// Forgets a revision that is neither loaded nor needed. The newest of a plugin stays.
    pub fn forget_revision(
        &self,
        plugin: &PluginName,
        number: RevisionNumber,
        change: &Change,
    ) -> Result<(), RegistryError> {
        let mut book = self.book.lock();
        let record = book.plugin(plugin)?;
        let revision = book.revision(plugin, number)?;
        let is_newest = record.revisions.last_key_value().map(|(last, _)| *last) == Some(number);
        let is_loaded = revision.mount.is_some() || !revision.draining.is_empty();
        if is_newest || is_loaded || record.live == Some(number) || record.steering.needs(number) {
            return Err(RegistryError::IsKept {
                plugin: plugin.clone(),
                revision: number,
                state: revision.state,
            });
        }
        self.record(&mut book, plugin, Event::to(number, Action::Forgotten), change);
        let record = book.plugin_mut(plugin)?;
        let gone = record.revisions.remove(&number);
        record.live_order.retain(|known| *known != number);
        if let Some(gone) = gone {
            book.remove_content(gone.digest);
        }
        Ok(())
    }
}
