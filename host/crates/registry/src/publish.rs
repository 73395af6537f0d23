//! The operations that change what is live: check, build the next snapshot, store it, write it down.

use std::sync::Arc;

use patchbay_vocab::{PluginName, RevisionNumber, RevisionState};

use crate::admission;
use crate::book::{Book, PluginRecord};
use crate::change::{Action, Change, Force, HistoryEntry, Quarantined, Removed, Swap};
use crate::detour::PinScope;
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::snapshot::{Answering, Mounted, Snapshot};
use crate::witness::Changed;

impl<H: Mounted> Registry<H> {
    /// Makes a warm revision the live one. The live one stays what it is, and `from == Some(to)` says so.
    pub fn promote(
        &self,
        plugin: &PluginName,
        number: RevisionNumber,
        force: Force,
        change: &Change,
    ) -> Result<Swap, RegistryError> {
        let mut book = self.book.lock();
        let before = self.current.load_full();
        admission::check_promote(&book, &before, plugin, number, force)?;
        let from = book.plugin(plugin)?.live;
        if from == Some(number) {
            if std::mem::replace(&mut book.plugin_mut(plugin)?.stands_in, false) {
                let action = change.action.unwrap_or(Action::Promoted);
                self.record(&mut book, plugin, Event::to(number, action), change);
            }
            let plugin = plugin.clone();
            return Ok(Swap {
                plugin,
                from,
                to: number,
                generation: before.generation(),
            });
        }
        let released = book.revision(plugin, number)?.is_quarantined();
        if released {
            // Who is pinned to it is held there again, in the same store.
            book.revision_mut(plugin, number)?.state = RevisionState::Warm;
        }
        let next = self.publish(&mut book, &before, plugin, Some(number));
        let released = released.then(|| Event::to(number, Action::Released));
        let action = change.action.unwrap_or(Action::Promoted);
        let promoted = Event::to(number, action).from(from);
        self.record_all(&mut book, plugin, released.into_iter().chain([promoted]), change);
        Ok(Swap {
            plugin: plugin.clone(),
            from,
            to: number,
            generation: next,
        })
    }

    /// Takes a revision out of service. When it is live, the most recently live revision that is loaded and may
    /// go live takes over in the same store; without one, the plugin's node types stop resolving.
    pub fn quarantine(
        &self,
        plugin: &PluginName,
        number: RevisionNumber,
        change: &Change,
    ) -> Result<Quarantined, RegistryError> {
        let mut book = self.book.lock();
        let before = self.current.load_full();
        let revision = book.revision(plugin, number)?;
        let mut generation = before.generation();
        if revision.is_quarantined() {
            return Ok(Quarantined {
                was_live: false,
                fallback: None,
                generation,
            });
        }
        let was_live = revision.state == RevisionState::Live;
        let record = book.plugin(plugin)?;
        let takes_over = was_live.then(|| {
            let mut loaded = admission::fallbacks(&book, &before, record).filter(|revision| {
                revision
                    .mount
                    .as_ref()
                    .is_some_and(|mount| !mount.gate().is_closed())
            });
            loaded.next().map(|revision| revision.number)
        });
        let record = book.plugin_mut(plugin)?;
        // Nobody is sent there any more, not even who is pinned to it.
        let is_steered = record.steering.needs(number);
        record.steering.held.remove(&number);
        if record
            .steering
            .split
            .as_ref()
            .is_some_and(|split| split.to == number)
        {
            record.end_split();
        }
        let live = record.live;
        book.revision_mut(plugin, number)?.state = RevisionState::Quarantined;
        if was_live || (is_steered && live.is_some()) {
            generation = self.publish(&mut book, &before, plugin, takes_over.unwrap_or(live));
        }
        let takes_over = takes_over.flatten();
        let fell_back = takes_over.map(|to| Event::to(to, Action::FellBack).from(Some(number)));
        let quarantined = Event::to(number, Action::Quarantined);
        self.record_all(
            &mut book,
            plugin,
            [quarantined].into_iter().chain(fell_back),
            change,
        );
        let fallback = takes_over.map(|to| Swap {
            plugin: plugin.clone(),
            from: Some(number),
            to,
            generation,
        });
        Ok(Quarantined {
            was_live,
            fallback,
            generation,
        })
    }

    /// The revisions that could take over if `number` were quarantined now and they were loaded, the first first: load it.
    /// Empty when `number` is not live.
    #[must_use]
    pub fn fallbacks_for(&self, plugin: &PluginName, number: RevisionNumber) -> Vec<RevisionNumber> {
        let book = self.book.lock();
        let record = book.plugins.get(plugin);
        let Some(record) = record.filter(|record| record.live == Some(number)) else {
            return Vec::new();
        };
        admission::fallbacks(&book, &self.current.load(), record)
            .map(|revision| revision.number)
            .collect()
    }

    /// Takes a plugin out of the routes; its live revision becomes warm.
    pub fn remove_live(
        &self,
        plugin: &PluginName,
        force: Force,
        change: &Change,
    ) -> Result<Removed, RegistryError> {
        let mut book = self.book.lock();
        let live = book.plugin(plugin)?.live;
        let from = live.ok_or_else(|| RegistryError::NotLive {
            plugin: plugin.clone(),
        })?;
        let dependents = admission::dependents_where(&book, plugin, |_| true);
        if force == Force::No && !dependents.is_empty() {
            return Err(RegistryError::StillNeeded {
                plugin: plugin.clone(),
                dependents,
            });
        }
        let before = self.current.load_full();
        let generation = self.publish(&mut book, &before, plugin, None);
        self.record(&mut book, plugin, Event::to(from, Action::Removed), change);
        Ok(Removed {
            plugin: plugin.clone(),
            from,
            generation,
        })
    }

    /// Stores the next snapshot of a plugin: whatever can fail has been done before. A share of the calls ends when what is
    /// live changes.
    pub(crate) fn publish(
        &self,
        book: &mut Book<H>,
        before: &Snapshot<H>,
        plugin: &PluginName,
        to: Option<RevisionNumber>,
    ) -> u64 {
        if let Some(record) = book.plugins.get_mut(plugin)
            && record.live != to
        {
            record.end_split();
        }
        let record = book.plugins.get(plugin);
        let live = record.and_then(|record| record.revisions.get(&to?));
        let next = before.with([Answering {
            plugin,
            mount: live.and_then(|revision| revision.mount.as_ref()),
            detours: record.and_then(PluginRecord::detours),
        }]);
        let generation = next.generation();
        self.current.store(Arc::new(next));
        book.set_live(plugin, to);
        generation
    }

    /// Adds a line to a plugin's history, and tells the witness; after the store, so that it has the new generation.
    pub(crate) fn record(&self, book: &mut Book<H>, plugin: &PluginName, event: Event, change: &Change) {
        self.record_all(book, plugin, [event], change);
    }

    /// Adds lines about what has become true at once, and tells the witness of all of it together.
    pub(crate) fn record_all(
        &self,
        book: &mut Book<H>,
        plugin: &PluginName,
        events: impl IntoIterator<Item = Event>,
        change: &Change,
    ) {
        let witness = self.witness.get().filter(|_| !book.unwitnessed);
        let Some(record) = book.plugins.get_mut(plugin) else {
            return;
        };
        let (at, generation) = (self.clock.wall(), self.current.load().generation());
        let events = events.into_iter().filter_map(|event| {
            let revision = record.revisions.get(&event.revision)?;
            let line = HistoryEntry {
                at,
                generation,
                action: event.action,
                revision: revision.number,
                version: revision.version.clone(),
                from: event.from,
                actor: Arc::clone(&change.actor),
                reason: Arc::clone(&change.reason),
            };
            Some((line, event.scope))
        });
        let lines: Vec<_> = events.collect();
        if let Some(witness) = witness {
            let changes = lines.iter().filter_map(|(line, scope)| {
                Some(Changed {
                    plugin,
                    line,
                    revision: record.revisions.get(&line.revision)?,
                    live: record.live,
                    live_order: &record.live_order,
                    scope: scope.as_ref(),
                    // What an order leads to beside itself does not answer for it.
                    key: change
                        .key
                        .as_deref()
                        .filter(|_| !matches!(line.action, Action::Released | Action::FellBack)),
                    along: change.along.as_ref(),
                })
            });
            witness.changed(&changes.collect::<Vec<_>>());
        }
        for (line, _) in lines {
            record.remember(line);
        }
    }
}

/// What a history line says happened.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) action: Action,
    pub(crate) revision: RevisionNumber,
    pub(crate) from: Option<RevisionNumber>,
    /// Whom a pin is about.
    pub(crate) scope: Option<PinScope>,
}

impl Event {
    pub(crate) fn to(revision: RevisionNumber, action: Action) -> Self {
        Self {
            action,
            revision,
            from: None,
            scope: None,
        }
    }

    pub(crate) fn from(self, from: Option<RevisionNumber>) -> Self {
        Self { from, ..self }
    }
}
