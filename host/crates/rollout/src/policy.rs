//! How a version comes to be live: at once, by hand, or in steps that are watched.
//!
//! Invariant: what [`Policy::validate`] lets pass can be carried out: it has an end, and every number in it is within
//! bounds. JSON is written in camelCase; snake_case, as TOML has it, is read as well. Unknown fields are refused.

mod form;
mod pieces;
mod validate;
mod words;

use serde::{Deserialize, Serialize};

use crate::analysis::Analysis;
use crate::path::IgnorePath;
use crate::weight::Weight;

pub use form::{Pause, Pauses, Sticky};
pub use pieces::Pieces;

/// How a candidate becomes live.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Policy {
    /// At once.
    #[default]
    Immediate,
    /// When somebody orders it.
    Manual,
    /// In steps, each with a larger share of the calls.
    Canary(Canary),
    /// It answers copies of calls first, whose answers nobody sees.
    Shadow(Shadow),
    /// It answers recorded calls first.
    Replay(Replay),
}

/// A rollout in steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Canary {
    /// The shares of the calls, ascending. After the last one the candidate is live; a last step of 100 % says so
    /// explicitly and means the same. Standard: 5, 25, 50.
    pub steps: Vec<Weight>,
    /// What ends each step. Standard: five minutes.
    pub pause: Pauses,
    /// How long the candidate is live before that is final, in milliseconds. Meanwhile a failed analysis rolls back.
    /// Standard: ten minutes.
    #[serde(alias = "bake_ms")]
    pub bake_ms: u64,
    /// What is kept on one version: each run by itself, or all runs of a tenant or of a variable's value. Standard: run.
    pub sticky: Sticky,
    /// How candidate and stable are compared; `None` (written `"off"`) when they are not. Standard: as
    /// [`Analysis::default`].
    #[serde(with = "crate::off")]
    pub analysis: Option<Analysis>,
    /// How long a step, or the bake, may take at most, in milliseconds; time in which somebody has paused it is not
    /// counted. Standard: one hour.
    #[serde(alias = "deadline_ms")]
    pub deadline_ms: u64,
    /// What happens then. Standard: rollback.
    #[serde(alias = "on_deadline")]
    pub on_deadline: OnDeadline,
}

/// What a deadline does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDeadline {
    /// The rollout fails.
    #[default]
    Rollback,
    /// The rollout waits for an order.
    Pause,
    /// The rollout goes on to its next step, unless its last check has failed: then it fails.
    Promote,
}

/// A rollout that begins with copies of calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Shadow {
    /// Of how many calls a copy is made. Standard: 100 %.
    pub sample: Weight,
    /// Whether the answers are compared. Standard: true.
    pub compare: Comparing,
    /// Where answers may differ.
    pub ignore: Vec<IgnorePath>,
    /// How many calls are enough. Standard: 100.
    pub calls: u64,
    /// How many of them may differ. Standard: 0.
    #[serde(alias = "max_differences")]
    pub max_differences: u64,
    /// How long this may take, in milliseconds, before the rollout fails. Standard: one hour.
    #[serde(alias = "deadline_ms")]
    pub deadline_ms: u64,
    /// What comes after it. Standard: promote.
    pub then: Then,
}

/// Whether answers are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum Comparing {
    /// They are compared.
    #[default]
    Yes,
    /// It is enough that the candidate answers.
    No,
}

/// A rollout that begins with recorded calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Replay {
    /// How many of the last recorded calls are made again. Standard: 100.
    pub last: u32,
    /// How many there must be; fewer fail the rollout. Standard: 1.
    #[serde(alias = "at_least")]
    pub at_least: u32,
    /// Where answers may differ.
    pub ignore: Vec<IgnorePath>,
    /// How many may differ. Standard: 0.
    #[serde(alias = "max_differences")]
    pub max_differences: u64,
    /// How long this may take, in milliseconds, before the rollout fails. Standard: ten minutes.
    #[serde(alias = "deadline_ms")]
    pub deadline_ms: u64,
    /// What comes after it. Standard: promote.
    pub then: Then,
}

/// What follows a shadow or a replay that went well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Then {
    /// The candidate goes live.
    #[default]
    Promote,
    /// It waits for an order.
    Manual,
    /// Steps.
    Canary(Box<Canary>),
}

impl Default for Canary {
    fn default() -> Self {
        Self {
            steps: [500, 2_500, 5_000]
                .into_iter()
                .filter_map(Weight::from_basis_points)
                .collect(),
            pause: Pauses::default(),
            bake_ms: 600_000,
            sticky: Sticky::Run,
            analysis: Some(Analysis::default()),
            deadline_ms: 3_600_000,
            on_deadline: OnDeadline::Rollback,
        }
    }
}

impl Canary {
    /// The steps below 100 %.
    #[must_use]
    pub fn stages(&self) -> &[Weight] {
        match self.steps.split_last() {
            Some((&Weight::ALL, before)) => before,
            _ => &self.steps,
        }
    }
}

impl Default for Shadow {
    fn default() -> Self {
        Self {
            sample: Weight::ALL,
            compare: Comparing::Yes,
            ignore: Vec::new(),
            calls: 100,
            max_differences: 0,
            deadline_ms: 3_600_000,
            then: Then::Promote,
        }
    }
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            last: 100,
            at_least: 1,
            ignore: Vec::new(),
            max_differences: 0,
            deadline_ms: 600_000,
            then: Then::Promote,
        }
    }
}

impl From<bool> for Comparing {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl From<Comparing> for bool {
    fn from(comparing: Comparing) -> Self {
        comparing == Comparing::Yes
    }
}

impl Policy {
    /// The word for its kind: `immediate`, `manual`, `canary`, `shadow`, `replay`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Manual => "manual",
            Self::Canary(_) => "canary",
            Self::Shadow(_) => "shadow",
            Self::Replay(_) => "replay",
        }
    }

    /// Its steps, wherever in it they stand.
    #[must_use]
    pub fn canary(&self) -> Option<&Canary> {
        match self {
            Self::Canary(canary) => Some(canary),
            Self::Shadow(Shadow { then, .. }) | Self::Replay(Replay { then, .. }) => match then {
                Then::Canary(canary) => Some(canary),
                Then::Promote | Then::Manual => None,
            },
            Self::Immediate | Self::Manual => None,
        }
    }

    /// Whether it makes calls a second time, which nodes with effects refuse.
    #[must_use]
    pub const fn repeats_calls(&self) -> bool {
        matches!(self, Self::Shadow(_) | Self::Replay(_))
    }
}

#[cfg(test)]
mod tests;
