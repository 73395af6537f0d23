//! What the tests share: a host on temporary directories, real plugin files, and waiting for events.
//!
//! Invariant: nothing here waits by sleeping. A wait ends with the event it is for, or panics with all events seen and
//! all files refused until then.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what fails here fails the test that asked for it"
)]

mod built;
mod c_plugin;
mod chance;
mod host;
mod mortal;
mod native;
mod process;
mod served;
mod signer;
mod tape;

pub use built::{SAMPLES, binary, example, fixture, frozen, library, sample};
pub use c_plugin::{CPlugin, Extra, hostile};
pub use chance::Chance;
pub use host::{TestHost, deploy, name, stripped};
pub use mortal::{Answer, Client, Life, Site, files_below};
pub use native::Native;
pub use process::{fds, mappings, resident_kib, threads};
pub use served::{Finished, Up, run};
pub use signer::Signer;
pub use tape::{DEADLINE, Tape};

pub use patchbay;
