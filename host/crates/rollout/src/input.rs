//! What a rollout is told, what it answers, and where it may stand.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::evidence::Evidence;
use crate::measured::Window;
use crate::weight::Weight;

/// What a rollout is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Time has passed. The first one says that the candidate is ready.
    Tick {
        /// What was counted since the last [`Effect::Measure`]; looked at when [`Rollout::wants_window`] says so.
        ///
        /// [`Rollout::wants_window`]: crate::Rollout::wants_window
        window: Option<Window>,
    },
    /// Shadowed calls were compared since the last such input.
    Shadowed {
        /// How many.
        compared: u64,
        /// How many of them differ. A candidate that fails where the stable version answers differs, too.
        differing: u64,
    },
    /// The recorded calls were made again, all of them.
    Replayed {
        /// How many.
        compared: u64,
        /// How many of them differ.
        differing: u64,
    },
    /// Somebody wants something.
    Order(Order),
    /// The candidate can no longer be called: it was quarantined, or its load was lost.
    CandidateLost(String),
}

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What.
    pub kind: OrderKind,
    /// Who.
    pub by: String,
    /// Why; may be empty.
    pub reason: String,
}

/// What may be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKind {
    /// Nothing goes forward until it is resumed. Checks go on, and a failed one rolls back.
    Pause,
    /// It goes on.
    Resume,
    /// It goes forward now, whatever the policy waits for.
    Promote(Reach),
    /// It ends, and the stable version has all calls.
    Abort,
}

/// How far an order to promote goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To the next step.
    Next,
    /// To the end: the candidate is live, finally.
    Full,
}

impl OrderKind {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Promote(_) => "promote",
            Self::Abort => "abort",
        }
    }
}

/// What is to be done. Each may be carried out twice, and is then as if carried out once; they are carried out in
/// order, and the rollout is stored with them.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// The candidate gets this share of the calls.
    SetWeight(Weight),
    /// Copies of calls go to the candidate, as the policy's `shadow` says.
    StartShadow,
    /// Recorded calls go to the candidate, as the policy's `replay` says; one that is under way begins anew.
    StartReplay,
    /// Copies and recorded calls go to the candidate no longer.
    StopTrial,
    /// A new window begins: what counts from now on is what comes after now.
    Measure,
    /// The candidate is live. A detour to it is over, since everybody is there.
    GoLive,
    /// The stable version has all calls again: the candidate's weight is 0, shadow and replay end, and if the candidate
    /// is live, the stable version is made live.
    RollBack {
        /// Why.
        why: String,
    },
    /// A reason goes on record.
    Record(Evidence),
    /// The rollout is over; nothing comes after it.
    Finished(Outcome),
}

/// How a rollout ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum Outcome {
    /// The candidate is live.
    Promoted,
    /// Somebody ended it.
    Aborted {
        /// Why.
        why: String,
    },
    /// The candidate was not good enough.
    Failed {
        /// Why.
        why: String,
    },
}

/// How far a rollout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// The candidate is not ready yet.
    Preparing,
    /// It answers recorded calls.
    Replay,
    /// It answers copies of calls.
    Shadow,
    /// It waits for an order, with no calls.
    Waiting,
    /// It has the share of this step, counted from 0.
    Step(usize),
    /// It is live, not yet finally.
    Baking,
}

/// What a paused rollout waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "camelCase")]
pub enum PauseReason {
    /// Somebody paused it.
    Order {
        /// Who.
        by: String,
        /// Why; may be empty.
        reason: String,
    },
    /// The policy wants an order to promote.
    Policy,
    /// A deadline passed, and the policy says to pause then.
    Deadline,
}

/// Where a rollout stands, as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// The candidate is not ready yet.
    Preparing,
    /// It answers recorded calls.
    Replay,
    /// It answers copies of calls.
    Shadow,
    /// It has the share of this step, counted from 0.
    Step(usize),
    /// Nothing goes forward.
    Paused {
        /// Where it stands.
        at: Stage,
        /// What it waits for.
        reason: PauseReason,
    },
    /// It is live, not yet finally.
    Baking,
    /// It is live, and the rollout is over.
    Promoted,
    /// Somebody ended it.
    Aborted,
    /// The candidate was not good enough.
    Failed,
}

impl Phase {
    /// Its word, for listings: `preparing`, `replaying`, `shadowing`, `stepping`, `paused`, `baking`, `promoted`, `aborted`, `failed`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Replay => "replaying",
            Self::Shadow => "shadowing",
            Self::Step(_) => "stepping",
            Self::Paused { .. } => "paused",
            Self::Baking => "baking",
            Self::Promoted => "promoted",
            Self::Aborted => "aborted",
            Self::Failed => "failed",
        }
    }

    /// Whether the rollout is over.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        matches!(self, Self::Promoted | Self::Aborted | Self::Failed)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => write!(f, "step {}", step + 1),
            other => f.write_str(other.as_str()),
        }
    }
}
