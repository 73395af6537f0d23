//! Snapshots with other versions in place of live ones, for runs.
//!
//! Invariant: two runs that have the same loads in place of live ones at one generation see the very same snapshot, so
//! that what a document comes to on it is found out once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use patchbay_dispatch::{Mount, Routes, Served};
use patchbay_vocab::{PluginName, RevisionNumber};

use crate::compiled::{Seen, Stand};
use crate::counted::{CacheNumbers, Counted, Weighs};

/// Bytes of overlays that are kept.
const BYTES: u64 = 16 << 20;
/// What a snapshot takes beside its routes: it shares most of them with what is live.
const BESIDE: usize = 4 << 10;
/// A route, its name and its share of what is copied with it.
const ROUTE: usize = 256;

type Load = Arc<Mount<Served>>;
/// At which generation, and what is in place of live versions, in the order of the plugins.
type Key = (u64, Box<[(PluginName, RevisionNumber)]>);

#[derive(Clone)]
struct Overlay {
    routes: Arc<Routes>,
    stand: Stand,
    bytes: usize,
}

impl Weighs for Overlay {
    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The overlays of late.
pub(crate) struct Overlays {
    kept: Counted<Key, Overlay>,
    serial: AtomicU64,
}

impl Overlays {
    pub(crate) fn new() -> Self {
        Self {
            kept: Counted::new(BYTES, 1_000),
            serial: AtomicU64::new(0),
        }
    }

    /// What is live, with `mounts` in place of the live versions of their plugins.
    pub(crate) fn over(&self, live: Arc<Routes>, mounts: &[Load]) -> (Arc<Routes>, Seen) {
        let generation = live.generation();
        if mounts.is_empty() {
            return (live, Seen::Shared(Stand::live(generation)));
        }
        let key = key(generation, mounts);
        let known = self.kept.get(&key);
        // A revision may have been loaded anew meanwhile.
        let has = |routes: &Routes, mount: &Load| {
            let now = routes.plugin(mount.plugin().as_str());
            now.is_some_and(|now| Arc::ptr_eq(now, mount))
        };
        if let Some(known) = known.filter(|known| mounts.iter().all(|mount| has(&known.routes, mount))) {
            return (known.routes, Seen::Shared(known.stand));
        }
        // From 1: that what is live has 0 tells the two apart.
        let serial = self.serial.fetch_add(1, Ordering::Relaxed) + 1;
        let overlay = Overlay {
            routes: Arc::new(live.overlaid(mounts)),
            stand: Stand::new(generation, serial),
            bytes: BESIDE
                + mounts
                    .iter()
                    .map(|mount| mount.nodes().len() * ROUTE)
                    .sum::<usize>(),
        };
        self.kept.insert(key, overlay.clone());
        (overlay.routes, Seen::Shared(overlay.stand))
    }

    pub(crate) fn numbers(&self) -> CacheNumbers {
        self.kept.numbers()
    }
}

fn key(generation: u64, mounts: &[Load]) -> Key {
    let mut revisions: Box<[_]> = mounts
        .iter()
        .map(|mount| (mount.plugin().clone(), mount.revision()))
        .collect();
    revisions.sort_unstable();
    (generation, revisions)
}
