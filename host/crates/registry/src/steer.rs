//! The operations that send somebody elsewhere than to what is live.

use std::sync::Arc;

use patchbay_rollout::Weight;
use patchbay_vocab::{PluginName, RevisionNumber, RevisionState};

use crate::admission;
use crate::book::{Book, PluginRecord, RevisionRecord};
use crate::change::{Action, Change, Force, Pinning};
use crate::detour::{Detours, PinScope, Split, Tenants};
use crate::error::RegistryError;
use crate::publish::Event;
use crate::registry::Registry;
use crate::snapshot::Mounted;

impl<H: Mounted> Registry<H> {
    /// Holds somebody at a loaded revision: from now on his calls and runs go there, whatever is live.
    ///
    /// # Errors
    /// When the revision is unknown, quarantined or not loaded, or nothing of the plugin is live.
    pub fn pin(
        &self,
        plugin: &PluginName,
        scope: PinScope,
        number: RevisionNumber,
        change: &Change,
    ) -> Result<Pinning, RegistryError> {
        let mut book = self.book.lock();
        check_loaded(&book, plugin, number)?;
        let record = book.plugin_mut(plugin)?;
        let before = record.steering.pins.insert(scope.clone(), number);
        if before == Some(number) {
            let generation = self.current.load().generation();
            return Ok(Pinning {
                before,
                now: before,
                generation,
            });
        }
        let generation = self.republish(&mut book, plugin);
        let event = Event {
            scope: Some(scope),
            ..Event::to(number, Action::Pinned).from(before)
        };
        self.record(&mut book, plugin, event, change);
        Ok(Pinning {
            before,
            now: Some(number),
            generation,
        })
    }

    /// Holds him no more; nothing changes when nothing held him.
    ///
    /// # Errors
    /// When the plugin is unknown.
    pub fn unpin(
        &self,
        plugin: &PluginName,
        scope: &PinScope,
        change: &Change,
    ) -> Result<Pinning, RegistryError> {
        let mut book = self.book.lock();
        let before = book.plugin_mut(plugin)?.steering.pins.remove(scope);
        let generation = match before {
            None => self.current.load().generation(),
            Some(number) => {
                let generation = self.republish(&mut book, plugin);
                let event = Event {
                    scope: Some(scope.clone()),
                    ..Event::to(number, Action::Unpinned)
                };
                self.record(&mut book, plugin, event, change);
                generation
            }
        };
        Ok(Pinning {
            before,
            now: None,
            generation,
        })
    }

    /// Gives a loaded revision a share of the calls, or another share than it had. It takes the place of the one that had
    /// one. What is live stays so.
    ///
    /// # Errors
    /// When the revision could not be promoted, or nothing of the plugin is live, or it is live itself.
    pub fn split(
        &self,
        plugin: &PluginName,
        split: Split,
        force: Force,
        change: &Change,
    ) -> Result<u64, RegistryError> {
        let mut book = self.book.lock();
        let number = split.to;
        admission::check_promote(&book, &self.current.load(), plugin, number, force)?;
        check_loaded(&book, plugin, number)?;
        let record = book.plugin_mut(plugin)?;
        if record.live == Some(number) {
            return Err(RegistryError::IsLive {
                plugin: plugin.clone(),
                revision: number,
            });
        }
        record.end_split();
        record.steering.split = Some(split);
        if let Some(revision) = record.revisions.get_mut(&number) {
            revision.state = RevisionState::Canary;
        }
        let generation = self.republish(&mut book, plugin);
        self.record(&mut book, plugin, Event::to(number, Action::Weighted), change);
        Ok(generation)
    }

    /// Takes a candidate's share away; says whether there was one.
    ///
    /// # Errors
    /// When the plugin is unknown.
    pub fn unsplit(&self, plugin: &PluginName, change: &Change) -> Result<bool, RegistryError> {
        let mut book = self.book.lock();
        let Some(number) = book.plugin_mut(plugin)?.end_split() else {
            return Ok(false);
        };
        self.republish(&mut book, plugin);
        self.record(&mut book, plugin, Event::to(number, Action::Unweighted), change);
        Ok(true)
    }

    /// Keeps a loaded revision loaded and awake for a rollout, until it is let go as often as it was held.
    ///
    /// # Errors
    /// When it is unknown, quarantined or not loaded.
    pub fn hold(&self, plugin: &PluginName, number: RevisionNumber) -> Result<(), RegistryError> {
        let mut book = self.book.lock();
        check_loaded(&book, plugin, number)?;
        *book.plugin_mut(plugin)?.steering.held.entry(number).or_default() += 1;
        let revision = book.revision_mut(plugin, number)?;
        if revision.state == RevisionState::Warm {
            revision.state = RevisionState::Shadow;
        }
        Ok(())
    }

    /// Ends what [`hold`](Self::hold) began.
    pub fn let_go(&self, plugin: &PluginName, number: RevisionNumber) {
        let mut book = self.book.lock();
        let Some(record) = book.plugins.get_mut(plugin) else {
            return;
        };
        if let Some(count) = record.steering.held.get_mut(&number) {
            *count -= 1;
            if *count > 0 {
                return;
            }
            record.steering.held.remove(&number);
        }
        if let Some(revision) = record.revisions.get_mut(&number)
            && revision.state == RevisionState::Shadow
        {
            revision.state = RevisionState::Warm;
        }
    }

    /// Puts a revision behind all others that a rollback without a name, or a fallback, would go to: it did not do. Told
    /// with the next change of what is live.
    pub fn put_last(&self, plugin: &PluginName, number: RevisionNumber) {
        let mut book = self.book.lock();
        if let Some(record) = book.plugins.get_mut(plugin)
            && let Some(at) = record.live_order.iter().position(|known| *known == number)
        {
            let number = record.live_order.remove(at);
            record.live_order.push(number);
        }
    }

    /// The share that a candidate of a plugin has.
    #[must_use]
    pub fn split_of(&self, plugin: &PluginName) -> Option<(RevisionNumber, Weight)> {
        let book = self.book.lock();
        let split = book.plugins.get(plugin)?.steering.split.as_ref()?;
        Some((split.to, split.weight))
    }

    /// Whether a revision has to stay loaded and awake: it is pinned, or part of a rollout.
    #[must_use]
    pub fn is_steered(&self, plugin: &PluginName, number: RevisionNumber) -> bool {
        let book = self.book.lock();
        let record = book.plugins.get(plugin);
        record.is_some_and(|record| record.steering.needs(number))
    }

    /// Stores a snapshot with what is live as it is, and the detours as they have become.
    pub(crate) fn republish(&self, book: &mut Book<H>, plugin: &PluginName) -> u64 {
        let before = self.current.load_full();
        let live = book.plugins.get(plugin).and_then(|record| record.live);
        self.publish(book, &before, plugin, live)
    }
}

fn check_loaded<H: Mounted>(
    book: &Book<H>,
    plugin: &PluginName,
    number: RevisionNumber,
) -> Result<(), RegistryError> {
    let revision = book.revision(plugin, number)?;
    if revision.is_quarantined() {
        return Err(RegistryError::Quarantined {
            plugin: plugin.clone(),
            revision: number,
        });
    }
    if book.plugin(plugin)?.live.is_none() {
        return Err(RegistryError::NotLive {
            plugin: plugin.clone(),
        });
    }
    match &revision.mount {
        Some(_) => Ok(()),
        None => Err(RegistryError::NotMounted {
            plugin: plugin.clone(),
            revision: number,
            state: revision.state,
        }),
    }
}

impl<H> PluginRecord<H> {
    /// Takes a candidate's share away, and says whose it was. The caller publishes.
    pub(crate) fn end_split(&mut self) -> Option<RevisionNumber> {
        let number = self.steering.split.take()?.to;
        if let Some(revision) = self.revisions.get_mut(&number)
            && revision.state == RevisionState::Canary
        {
            revision.state = RevisionState::Warm;
        }
        Some(number)
    }

    /// The detours as readers see them; none when all calls go to what is live.
    pub(crate) fn detours(&self) -> Option<Arc<Detours<H>>> {
        let steering = &self.steering;
        if steering.pins.is_empty() && steering.split.is_none() {
            return None;
        }
        let mut numbers = Vec::new();
        let mut place_of = |number: RevisionNumber| {
            let known = numbers.iter().position(|known| *known == number);
            known.unwrap_or_else(|| {
                numbers.push(number);
                numbers.len() - 1
            })
        };
        let (mut everyone, mut by_tenant, mut by_workflow) = (None, Vec::new(), Vec::new());
        for (scope, number) in &steering.pins {
            // What is out of service holds nobody.
            if self
                .revisions
                .get(number)
                .is_none_or(RevisionRecord::is_quarantined)
            {
                continue;
            }
            let place = place_of(*number);
            match (&scope.workflow, &scope.tenant) {
                (Some(workflow), tenant) => by_workflow.push((workflow.clone(), tenant.clone(), place)),
                (None, Some(tenant)) => by_tenant.push((tenant.clone(), place)),
                (None, None) => everyone = Some(place),
            }
        }
        let split = steering.split.clone().map(|split| {
            let place = place_of(split.to);
            (split, place)
        });
        by_workflow.sort();
        let target = |number: &RevisionNumber| self.revisions.get(number)?.mount.clone();
        Some(Arc::new(Detours {
            targets: numbers.iter().map(target).collect(),
            everyone,
            by_tenant: Tenants::new(by_tenant),
            by_workflow: by_workflow.into(),
            split,
        }))
    }
}
