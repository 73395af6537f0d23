//! The loop of a plugin author: makes a project, watches its sources, builds it.
//!
//! Invariant: a project appears completely or not at all; no two builds of one [`Build`]'s project run at a time, as long
//! as its owner asks the [`Cycle`]; where a build put its file is what the build says, never a guess. Nothing here knows
//! of hosts: what becomes of a linked file is the business of whoever runs the loop.
//!
//! ```text
//! NAME -> NewProject -> folder                                     create
//! folder -> Project;  save -> Change -> Cycle -> Build -> Built    the loop
//! ```
#![forbid(unsafe_code)]

mod build;
mod create;
mod cycle;
mod error;
mod project;
mod sdk;
mod sources;

pub use build::{Build, Built, Diagnostics, Said};
pub use create::{Created, Language, NewProject, create};
pub use cycle::{Cycle, Freshness};
pub use error::{DevError, NewError};
pub use project::Project;
pub use sdk::Sdk;
pub use sources::{Change, Sources};

/// What the system says of a file; [`Sources::observe`] says what it means.
pub use notify::Event as FileEvent;
