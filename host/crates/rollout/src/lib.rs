//! Rollouts, decided.
//!
//! Invariant: a decision is a function of what was passed in. There is no clock, no file and no thread here: times and
//! measurements come as arguments, and what is to be done comes back as [`Effect`]s, each of which may be carried out
//! twice and is then as if carried out once. So a rollout that was stored, and whose host was killed, goes on as if
//! nothing had been.
//!
//! ```text
//! Policy --begin--> Rollout --advance(now, Input)--> [Effect]
//!                      ^            |
//!                      |            '-- Window --judge(Analysis)--> Check
//!                   resumed(now)
//! ```
//!
//! *Stable* is the revision that is live when a rollout begins, *candidate* the one that is rolled out. Whom a canary
//! takes along is said by [`bucket`], for a key, or [`Tickets`], for runs: both give a number below 10,000, and a
//! [`Weight`] admits those below it.
//!
//! ```
//! use patchbay_rollout::{Effect, Input, Outcome, Policy, Rollout};
//! use patchbay_vocab::UnixMillis;
//!
//! let mut rollout = Rollout::begin(Policy::Immediate, UnixMillis(0))?;
//! let effects = rollout.advance(UnixMillis(5), Input::Tick { window: None })?;
//! assert!(effects.contains(&Effect::GoLive));
//! assert!(effects.contains(&Effect::Finished(Outcome::Promoted)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod analysis;
mod compare;
mod error;
mod evidence;
mod histogram;
mod input;
mod judge;
mod measured;
pub mod nodes;
mod off;
mod path;
mod policy;
mod rollout;
pub mod schema;
mod statistics;
mod sticky;
mod time;
mod weight;

pub use analysis::{Analysis, FailedChecks, LatencyLimit, NoData};
pub use compare::{Difference, MOST_DIFFERENCES, compare};
pub use error::{OrderError, PathError, PolicyError, RestoreError};
pub use evidence::Evidence;
pub use histogram::{BUCKETS, Bounds, Histogram, bounds, index, quantile};
pub use input::{Effect, Input, Order, OrderKind, Outcome, PauseReason, Phase, Reach, Stage};
pub use judge::{Check, Finding, Metric, Verdict, judge};
pub use measured::{Measured, Window};
pub use path::IgnorePath;
pub use policy::{
    Canary, Comparing, OnDeadline, Pause, Pauses, Pieces, Policy, Replay, Shadow, Sticky, Then,
};
pub use rollout::{Progress, Rollout};
pub use sticky::{BUCKET_COUNT, Tickets, bucket};
pub use weight::Weight;
