//! Invariant: at any instant each node type leads to at most one version, and every reader sees one finished
//! [`Snapshot`], never half of a change.
//!
//! ```text
//! admit -> vetted --mount--> warm --promote--> live --(another is promoted)--> warm --begin_retire--> draining
//!                             ^                                                                           |
//!                             +------------------- mount (a fresh load) ------- retired <----- retired ---+
//! any state --quarantine--> quarantined --promote with Force::Yes--> live
//! live | warm --begin_sleep--> the same, asleep --awake (a fresh load)--> the same, awake
//! warm --split--> canary --(unsplit, or another goes live)--> warm;  warm --hold--> shadow --let_go--> warm
//! ```
//!
//! Readers hold no lock: they take the snapshot (through an `arc_swap::Cache` on [`Registry::source`]), index
//! it with a [`NodeSlot`] that they resolved once, and enter the gate of the [`Mount`] they find. Writers are
//! serialised by one lock around the book of records; each builds the next snapshot completely, publishes it
//! with one pointer store, and only then writes down what it did. An operation that fails has changed nothing.
//!
//! # The promise of a swap
//!
//! A call that takes the snapshot after [`Registry::promote`] has returned finds the new version. A call that
//! took it before may still run the old one, whose gate stays open as long as it is warm; once
//! [`Registry::begin_retire`] has closed that gate, `enter` answers `None`, and the caller takes the snapshot
//! again. The gate is closed after the store, so the second look finds a newer snapshot.
//!
//! A load that sleeps is still routed, with a closed gate. A caller that finds it so, and no newer snapshot, has it
//! woken: [`Registry::awake`] routes to a fresh load of the same revision by the same one store.
//!
//! The registry says what is routed; it does not load, unload, or publish events. A mount whose gate is idle
//! may be unloaded even though old snapshots, cached by sleeping threads, still point at its records.
#![forbid(unsafe_code)]

mod chunked;
mod detour;
mod names;
mod snapshot;

mod admission;
mod book;
mod change;
mod error;
mod lease_set;
mod publish;
mod registry;
mod restore;
mod retire;
mod sleep;
mod status;
mod steer;
mod witness;

#[cfg(test)]
mod tests;

pub use change::{Action, Along, Candidate, Change, Dependency, Force, HistoryEntry, SameVersion, Selector};
pub use change::{Admission, BadSelector, Pinning, Quarantined, Removed, Swap};
pub use detour::{Caller, Detours, Draw, Leg, NotLoaded, PinScope, Split};
pub use error::RegistryError;
pub use lease_set::{LeaseSet, Leased};
pub use registry::Registry;
pub use restore::{KnownPlugin, Standing};
pub use snapshot::{Mount, Mounted, NodeSlot, Route, Snapshot};
pub use status::{PluginStatus, RevisionStatus};
pub use witness::{Changed, KnownRevision, Witness};
