//! What a host remembers of its plugins, durably: revisions, what is live, pins, policies, rollouts, and who changed
//! what.
//!
//! Invariant: telling the state of a change never waits for a disk; changes reach the disk in the order in which they
//! were told, those that were told together all or none; and when [`State::settle`] or [`State::record`] has answered,
//! they are there after a kill and after a power failure, with the artifacts that they name.
//!
//! ```text
//! tell, record --> queue --> one thread --> artifacts synced --> one transaction for what waits --> answers
//!                                                                     |
//!            open: Remembered <-- revisions, live, pins, rollouts ----+---- audit: each record fixes all before it
//! ```
//!
//! The audit is a chain that [`verify`] walks, here or [exported](export). [`crash_loop`] and [`suspects`] are for the host that
//! starts after one that died. `host/docs/state.md` has the tables for admins.
#![forbid(unsafe_code)]

mod apply;
mod artifact;
mod audit;
mod boot;
mod config;
mod doctor;
mod error;
mod form;
mod keys;
mod loading;
mod reading;
mod record;
mod remember;
mod rows;
mod session;
mod sql;
mod state;
mod stats;
mod writer;

pub use audit::{
    AuditHead, Broken, GENESIS, GENESIS_TEXT, Verdict, Verified, What, export, verify, verify_export,
};
pub use boot::{CrashLimits, CrashLoop, Suspect, crash_loop, suspects};
pub use config::StateConfig;
pub use doctor::{Finding, Repaired, Severity, examine, repair};
pub use error::StateError;
pub use loading::Loading;
pub use patchbay_database::try_lock;
pub use reading::{AuditFilter, AuditRecord, Rows};
pub use record::{
    Boot, Entry, Evidence, GoodSet, HistoryLine, KnownPlugin, KnownRevision, Pin, Remembered, SeenFile,
    StoredRollout, Write,
};
pub use state::State;
pub use stats::StateStats;

/// How many changes of a plugin a host that starts is told of.
pub const HISTORY: u32 = 1_000;
/// How many boots a host that starts is told of.
pub const BOOTS: u32 = 20;
/// How many files a host remembers, those that were read last.
pub const FILES: u32 = 100_000;
/// How much of what a rollout saw and decided is kept.
pub const EVIDENCE: u32 = 10_000;

#[cfg(test)]
mod tests;
