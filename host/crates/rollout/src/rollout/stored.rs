//! The stored form of a rollout.
//!
//! Invariant: what is read is what a rollout may be: its policy is valid, and its stage is one of the policy's.

use patchbay_vocab::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::input::{Outcome, PauseReason, Stage};
use crate::measured::Measured;
use crate::policy::{Policy, Replay, Shadow, Then};

use super::checks::Checks;
use super::{Rollout, Trial};

/// The form that this program writes.
const FORM: u32 = 1;

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Stored {
    form: u32,
    policy: Policy,
    stage: Stage,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<PauseReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<Outcome>,
    started_at: UnixMillis,
    changed_at: UnixMillis,
    counted_to: UnixMillis,
    stage_ms: u64,
    stalled_ms: u64,
    checks: Checks,
    trial: Trial,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    baseline: Option<Measured>,
}

/// Why a stored rollout is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error("it has form {0}, and this program reads form {FORM}")]
    Form(u32),
    #[error("its policy is not valid: {0}")]
    Policy(String),
    #[error("its policy has no stage {0:?}")]
    Stage(Stage),
}

impl TryFrom<Stored> for Rollout {
    type Error = Unfit;

    fn try_from(stored: Stored) -> Result<Self, Unfit> {
        if stored.form != FORM {
            return Err(Unfit::Form(stored.form));
        }
        stored
            .policy
            .validate()
            .map_err(|error| Unfit::Policy(error.to_string()))?;
        if !belongs(stored.stage, &stored.policy) {
            return Err(Unfit::Stage(stored.stage));
        }
        Ok(Self {
            policy: stored.policy,
            stage: stored.stage,
            held: stored.held,
            ended: stored.ended,
            started_at: stored.started_at,
            changed_at: stored.changed_at,
            counted_to: stored.counted_to,
            stage_ms: stored.stage_ms,
            stalled_ms: stored.stalled_ms,
            checks: stored.checks,
            trial: stored.trial,
            baseline: stored.baseline,
        })
    }
}

fn belongs(stage: Stage, policy: &Policy) -> bool {
    match stage {
        Stage::Preparing => true,
        Stage::Replay => matches!(policy, Policy::Replay(_)),
        Stage::Shadow => matches!(policy, Policy::Shadow(_)),
        Stage::Waiting => matches!(
            policy,
            Policy::Manual
                | Policy::Shadow(Shadow {
                    then: Then::Manual,
                    ..
                })
                | Policy::Replay(Replay {
                    then: Then::Manual,
                    ..
                })
        ),
        Stage::Step(step) => policy.canary().is_some_and(|canary| step < canary.stages().len()),
        Stage::Baking => policy.canary().is_some(),
    }
}

impl From<Rollout> for Stored {
    fn from(rollout: Rollout) -> Self {
        Self {
            form: FORM,
            policy: rollout.policy,
            stage: rollout.stage,
            held: rollout.held,
            ended: rollout.ended,
            started_at: rollout.started_at,
            changed_at: rollout.changed_at,
            counted_to: rollout.counted_to,
            stage_ms: rollout.stage_ms,
            stalled_ms: rollout.stalled_ms,
            checks: rollout.checks,
            trial: rollout.trial,
            baseline: rollout.baseline,
        }
    }
}
