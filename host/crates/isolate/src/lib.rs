//! Trial loads in a child process.
//!
//! Invariant: no byte of a plugin is mapped into the host before a child of the host has mapped the same bytes, run
//! their constructors, compared the layout, read the metadata, made the examples' calls and unmapped them again. What
//! the child dies of is a verdict, not an accident: a crash, a hang, an `exit(0)` or a flood of output costs one child.
//!
//! ```text
//! Inspected --probe--> Probed            host: spawn the own executable, send the request, wait with a deadline
//!     child: attach the store -> inspect again -> copy -> limits, fence -> halt
//!            -> load (full check) -> examples -> unload -> compare the process with what it was -> verdict, halt
//! ```
//!
//! A verdict counts only when the kernel shows the child's main thread back where it halted before the plugin was mapped:
//! the plugin can say whatever the child can say, but not from there. Nothing else may have been said by then, by
//! whichever thread. Its content is for people; what is loaded for service is read and checked anew. A verdict names the
//! [`Layer`]s that the system did not give, and is kept for later only when there is none.
//!
//! The child is the host's own executable. A program that embeds the host calls [`serve_if_asked`] first in its
//! `main`.
#![forbid(unsafe_code)]

mod cache;
mod child;
mod error;
mod examples;
mod fence;
mod hearing;
mod probe;
mod surroundings;
mod trial;
mod verdict;
mod witness;

pub use cache::VerdictCache;
pub use child::{is_child, serve_if_asked};
pub use error::ProbeError;
pub use fence::Offence;
pub use probe::{ProbeConfig, Probed, probe, probe_in_full};
pub use verdict::{ExampleRun, Layer, NodeFacts, StageRun, Verdict};
