//! Several node types held at once, from one snapshot.
//!
//! Invariant: all routes of a set come from one snapshot, and none of their loads is unloaded before the set is
//! dropped.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use patchbay_lease::OwnedPass;
use patchbay_vocab::PluginName;

use crate::error::RegistryError;
use crate::snapshot::{Mount, NodeSlot, Route, Snapshot};

/// What a workflow run holds: its routes, and a pass for each load they lead to.
pub struct LeaseSet<H> {
    /// For each slot of the request, the position of its pass.
    slots: Box<[(NodeSlot, usize)]>,
    /// One for each distinct load, which the snapshot keeps alive.
    passes: Box<[OwnedPass]>,
    snapshot: Arc<Snapshot<H>>,
}

/// One route of a [`LeaseSet`], with the pass that keeps its load in place.
#[derive(Debug)]
pub struct Leased<'set, H> {
    /// Where the calls go.
    pub route: &'set Route<H>,
    /// Proof of being inside; [renew](OwnedPass::renew) it for each call.
    pub pass: &'set OwnedPass,
}

impl<H> LeaseSet<H> {
    pub(crate) fn take(source: &ArcSwap<Snapshot<H>>, slots: &[NodeSlot]) -> Result<Self, RegistryError> {
        let mut snapshot = source.load_full();
        loop {
            match Self::within(&snapshot, slots) {
                Ok(set) => return Ok(set),
                Err(refusal) => {
                    // At a swap a gate closes only after a snapshot without it was stored, so a newer one is there
                    // to be seen. When it is not, the load is asleep, which the caller can change, or the refusal
                    // is about something else: asking again would not help.
                    let newer = source.load_full();
                    if newer.generation() == snapshot.generation() {
                        return Err(refusal);
                    }
                    snapshot = newer;
                }
            }
        }
    }

    /// Leases from this very snapshot, which may be an old one or an [overlaid](Snapshot::overlaid) one.
    ///
    /// # Errors
    /// When a slot leads nowhere in it, or a load has closed its gate since; a newer snapshot has none of those.
    pub fn within(snapshot: &Arc<Snapshot<H>>, wanted: &[NodeSlot]) -> Result<Self, RegistryError> {
        Self::beginning_with(Vec::new(), snapshot, wanted)
    }

    /// As [`within`](Self::within), beginning with passes that somebody holds already: their loads are leased even when
    /// they have closed their gates since. All of them become the set's, whatever is wanted.
    ///
    /// # Errors
    /// As [`within`](Self::within).
    pub fn beginning_with(
        mut passes: Vec<OwnedPass>,
        snapshot: &Arc<Snapshot<H>>,
        wanted: &[NodeSlot],
    ) -> Result<Self, RegistryError> {
        // Resolved first, so that a slot that leads nowhere costs no one a pass.
        let routes: Result<Vec<_>, _> = wanted
            .iter()
            .map(|&slot| {
                Ok((
                    slot,
                    snapshot
                        .route(slot)
                        .ok_or(RegistryError::Unrouted { slot })?
                        .mount(),
                ))
            })
            .collect();
        let mut slots = Vec::with_capacity(wanted.len());
        for (slot, mount) in routes? {
            let held = passes.iter().position(|pass| pass.belongs_to(mount.gate()));
            let held = match held {
                Some(held) => held,
                None => {
                    passes.push(mount.enter_owned().ok_or_else(|| RegistryError::GateClosed {
                        plugin: mount.plugin().clone(),
                        revision: mount.revision(),
                    })?);
                    passes.len() - 1
                }
            };
            slots.push((slot, held));
        }
        Ok(Self {
            slots: slots.into(),
            passes: passes.into(),
            snapshot: Arc::clone(snapshot),
        })
    }

    /// The route of the slot at `position` of the request: an array index, for plans.
    #[inline]
    #[must_use]
    pub fn at(&self, position: usize) -> Option<Leased<'_, H>> {
        let &(slot, held) = self.slots.get(position)?;
        Some(Leased {
            route: self.snapshot.route(slot)?,
            pass: self.passes.get(held)?,
        })
    }

    /// The route of a slot that the request named.
    #[must_use]
    pub fn find(&self, slot: NodeSlot) -> Option<Leased<'_, H>> {
        self.at(self.slots.iter().position(|&(known, _)| known == slot)?)
    }

    /// The pass for a load, when the set holds one: other nodes of the same plugin may be called under it.
    #[must_use]
    pub fn pass_for(&self, mount: &Mount<H>) -> Option<&OwnedPass> {
        self.passes.iter().find(|pass| pass.belongs_to(mount.gate()))
    }

    /// All of them once more, for another set.
    pub fn passes_again(&self) -> impl Iterator<Item = OwnedPass> {
        self.passes.iter().map(OwnedPass::again)
    }

    /// The load of a plugin that the set holds, with its pass.
    #[must_use]
    pub fn of_plugin(&self, plugin: &PluginName) -> Option<(&Arc<Mount<H>>, &OwnedPass)> {
        let mount = self.snapshot.plugin(plugin.as_str())?;
        Some((mount, self.pass_for(mount)?))
    }

    /// The one snapshot that all of it comes from; loads that the set holds no pass for may be gone.
    #[must_use]
    pub fn snapshot(&self) -> &Arc<Snapshot<H>> {
        &self.snapshot
    }
}

impl<H> fmt::Debug for LeaseSet<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseSet")
            .field("generation", &self.snapshot.generation())
            .field("slots", &self.slots)
            .finish_non_exhaustive()
    }
}
