//! Workflows on this host: documents compiled once, runs on one snapshot of the registry, their journal, replays, and
//! what starts them.
//!
//! Invariant: a run holds one version of each plugin from its beginning to its end, whatever is deployed meanwhile; a
//! run that was acknowledged is in the journal, unless its document says that it is not to be kept.
//!
//! ```text
//! text --compile--> Compiled --bind(snapshot)--> Bound --begin--> Run --> Finished --> journal
//!         plans            validations, metadata
//! ```
//!
//! The executor knows no plugins; `HostHold` is where its calls become calls of a session. What a document comes
//! to on the registry is kept until one of the versions that its nodes lead to has changed.
#![forbid(unsafe_code)]

mod begun;
mod catalogue;
mod choice;
mod compiled;
mod config;
mod counted;
mod error;
mod failures;
mod family;
mod hold;
mod hook;
mod host;
mod launch;
mod lent;
mod live;
mod order;
mod overlay;
mod record;
mod recorded;
mod recorder;
mod replay;
mod results;
mod runs;
mod served;
mod shelf;
mod taken_over;
mod touched;
mod unbegun;
mod validation;

pub use begun::Begun;
pub use config::{RunsConfig, Triggers};
pub use counted::CacheNumbers;
pub use error::{RunsError, RunsErrorClass};
pub use hook::{Hook, HookBody, HookReply};
pub use live::Watch;
pub use order::Order;
pub use patchbay_dispatch::{BadNodePattern, NodePattern, NodeRules, TenantRules};
pub use patchbay_executor::{Finished, RunStatus};
pub use patchbay_journal::{JournalError, JournalStats, Retention, TriggerKind};
pub use patchbay_wire::TouchedWorkflowView as Touched;
pub use recorded::{Recorded, RecordedInputs};
pub use replay::{Replaying, Wanted};
pub use runs::{Parts, Runs};
pub use validation::validate_document;
