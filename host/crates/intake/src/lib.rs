//! From a file event to an inspected artifact, without running a line of plugin code.
//!
//! Invariant: each stage consumes the evidence of the one before it, and only this crate can make that evidence.
//!
//! ```text
//! file event -> Settled -> Staged -> Vouched -> Inspected
//!               watch      stage     verify     inspect
//! ```
//!
//! * [`Watcher`] says which files in the plugin directory are complete; it never opens one.
//! * [`stage`] copies one into the private [`Store`] while hashing it; the hash decides what the file is.
//! * [`signature::verify`] finds out who stands behind those bytes, and whether this host believes them.
//! * [`inspect`] reads the private copy as hostile bytes and refuses whatever could harm the process that maps it.
//!
//! Every refusal has its own stable code and a hint for whoever has to mend the file.
#![forbid(unsafe_code)]

mod settle;
mod stamp;
mod watch;

mod stage;

pub mod signature;

mod inspect;

mod anatomy;

pub use anatomy::{Anatomy, dissect};
pub use inspect::{Entry, InspectError, InspectPolicy, Inspected, Platform, inspect};
pub use settle::Settled;
pub use stage::{KnownFile, OnKnown, StageConfig, StageError, Staged, Store, stage};
pub use watch::{WatchConfig, WatchError, WatchEvent, Watcher};
