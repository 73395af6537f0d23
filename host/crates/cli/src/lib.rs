//! The command line; commands that talk to a server talk HTTP only.
//!
//! Invariant: what was asked for goes to stdout and nothing else does; every text that a plugin or a server wrote is
//! stripped of control characters before a terminal sees it; a closed pipe is the end of the output, not an error.
//!
//! [`run`] parses the arguments. Commands for a running host are carried out here and end as [`Outcome::Done`];
//! commands that need the host's own code come back as [`Outcome::Local`] for the binary to carry out, which prints
//! through [`Streams`] so that every command speaks alike.
#![forbid(unsafe_code)]

mod args;
mod audit;
mod catalogue;
mod client;
mod clock;
mod command;
mod error;
mod exit;
mod input;
mod order;
mod policy;
mod progress;
mod render;
mod rollouts;
mod run;
mod streams;
mod text;
mod watch;
mod workflows;

pub use args::{
    AuditSource, BenchArgs, BenchSubject, CheckArgs, DEFAULT_LISTEN, DevArgs, DoctorArgs, InspectArgs,
    KeygenArgs, Language, Local, NewArgs, PasswordArgs, RelaxArgs, RunArgs, SignArgs, TrustArgs, UpArgs,
    ValidateArgs, VerifyArgs,
};
pub use audit::print_verified;
pub use error::Refused;
pub use exit::Exit;
pub use progress::Progress;
pub use render::{
    render_check, render_dev, render_doctor, render_findings, render_inspect, render_key_pair, render_new,
    render_relaxed, render_signed, render_table,
};
pub use run::{Outcome, command, run, run_on};
pub use streams::{Format, Layout, Streams, with_process_streams};
pub use text::{line, lines};
pub use workflows::{
    Asked, CancelRemote, print_run, print_validation, read_document, read_run, run_remotely,
};

#[cfg(test)]
mod tests;
