//! What a host remembers of its workflow runs, in SQLite.
//!
//! Invariant: telling the journal of a run never waits for a disk, and what it was told is never dropped while the
//! process lives: it is in the database, or in the queue, in the order in which it was told. A run in the database is
//! whole: its row and the rows of its nodes come in one transaction.
//!
//! ```text
//! begin, finish --> queue (bytes counted) --> one thread --> one transaction for many runs --> runs, nodes, documents
//!                        |                                                                         ^
//!                   is_behind()                              runs(), run(): connections of their own, read only
//! ```
//!
//! The queue has no lid of its own: runs that were admitted have to be recorded. Whoever admits runs asks
//! [`Journal::is_behind`] first, and admits none while it is. `host/docs/journal.md` has the tables for admins.
#![forbid(unsafe_code)]

mod config;
mod error;
mod insert;
mod journal;
mod migration;
mod pruning;
mod reading;
mod record;
mod session;
mod stats;
mod stored;
mod usage;
mod writer;

pub use config::{JournalConfig, Retention};
pub use error::JournalError;
pub use journal::Journal;
pub use record::{
    Metrics, NodeError, NodeRecord, NodeRecovery, NodeStatus, Replay, RunError, RunRecord, RunStart,
    RunStatus, TriggerKind,
};
pub use stats::JournalStats;
pub use stored::{Json, RunCursor, RunFilter, RunSummary, StoredNode, StoredRun};
pub use usage::{InputFilter, StoredInput, StoredInputs};

#[cfg(test)]
mod tests;
