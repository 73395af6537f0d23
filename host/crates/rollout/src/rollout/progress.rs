//! How far a rollout is, for people.

use serde::Serialize;

use crate::input::{Phase, Stage};
use crate::policy::Pause;
use crate::weight::Weight;

use super::Rollout;

/// How far a rollout is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Where it stands.
    pub phase: Phase,
    /// The candidate's share of the calls.
    pub weight: Weight,
    /// Which step it is in, counted from 1; 0 outside of steps.
    pub step: usize,
    /// How many steps below 100 % there are.
    pub steps: usize,
    /// How long it has been there, without pauses, in milliseconds.
    pub here_ms: u64,
    /// How long it stays there at least, in milliseconds; none when that is not a matter of time.
    pub at_least_ms: Option<u64>,
    /// In how many milliseconds the deadline is over; none when there is none, or while it is paused.
    pub deadline_in_ms: Option<u64>,
    /// Checks that passed here.
    pub passed_checks: u64,
    /// Checks that failed altogether.
    pub failed_checks: u32,
    /// Calls of the shadow or the replay.
    pub compared: u64,
    /// Those of them that were answered differently.
    pub differing: u64,
}

impl Rollout {
    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let canary = self.policy.canary();
        let at_least_ms = match self.stage {
            Stage::Step(step) => canary.and_then(|canary| match canary.pause.at(step) {
                Some(Pause::AfterMs(millis)) => Some(millis),
                _ => None,
            }),
            Stage::Baking => canary.map(|canary| canary.bake_ms),
            _ => None,
        };
        let runs = self.held.is_none() && self.ended.is_none();
        Progress {
            phase: self.phase(),
            weight: self.weight(),
            step: match self.stage {
                Stage::Step(step) if self.ended.is_none() => step + 1,
                _ => 0,
            },
            steps: canary.map_or(0, |canary| canary.stages().len()),
            here_ms: self.stage_ms,
            at_least_ms: at_least_ms.filter(|_| self.ended.is_none()),
            deadline_in_ms: self
                .deadline_ms()
                .filter(|_| runs)
                .map(|limit| limit.saturating_sub(self.stalled_ms)),
            passed_checks: self.checks.passed_here,
            failed_checks: self.checks.failed_total,
            compared: self.trial.compared,
            differing: self.trial.differing,
        }
    }
}
