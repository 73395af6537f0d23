//! The conductor: drives each artifact from file event to unload.
//!
//! Invariant: an artifact reaches the registry only as [`Probed`](patchbay_isolate::Probed) evidence, in `admit`, the
//! one place that loads for service; and what leaves the registry is unloaded here, step by step, until it is gone or
//! known to be pinned.
//!
//! ```text
//! watcher --Settled--> vetting threads: stage, verify, inspect, probe --Vetted--> conductor: load, admit, mount, promote
//! admin's thread: (load, mount,) promote | rollback | quarantine --kick--> conductor: retire what is surplus, unload
//! ```
//!
//! What nobody calls is found by another thread: idle instances of nodes are parked, idle plugins put to sleep, and woken
//! by the first call on a thread of their own.
//!
//! The conductor is one thread that matches one event enum. A rollback does not wait for it: promoting a warm revision
//! happens on the admin's own thread, since the registry serialises its writers.
#![forbid(unsafe_code)]

mod admit;
mod caches;
mod conductor;
mod decide;
mod error;
mod event;
mod idle;
mod ledger;
mod lifecycle;
mod rejected;
mod replay;
mod restore;
mod steer;
mod swap;
mod vetting;
mod wake;
mod warm;

pub use decide::{Decision, OnDecided};
pub use error::LifecycleError;
pub use event::{Event, EventKind};
pub use idle::IdleConfig;
pub use ledger::{Ledger, LedgerError, Relaxed};
pub use lifecycle::{GoLive, Lifecycle, LifecycleConfig, Loading, OnDelete, Parts, Without};
pub use patchbay_dispatch::{HandedOver, InstanceCounts, ParkLimits};
pub use rejected::Rejection;
pub use restore::{Reinstated, Wanted};
pub use swap::WentLive;
pub use wake::SleepCounts;
