//! How far a rollout is, for people.

use patchbay_vocab::UnixMillis;
use serde::Serialize;

use crate::input::{Outcome, PauseReason, Phase, Stage};
use crate::policy::{Pause, Policy};
use crate::time::about;
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

    /// When it goes on by itself, as far as that can be told: it may have to wait for calls. None when it waits for somebody or
    /// something else.
    #[must_use]
    pub fn next_at(&self) -> Option<UnixMillis> {
        if self.held.is_some() || self.ended.is_some() {
            return None;
        }
        let left = self.progress().at_least_ms?.saturating_sub(self.stage_ms);
        let unchecked = match self.stage {
            Stage::Baking => self.checks.last_failed(),
            _ => !self.checks.content(),
        };
        let check = self.analysis().filter(|_| unchecked);
        let to_check = check.map_or(0, |analysis| {
            analysis.interval_ms.saturating_sub(self.checks.since_ms)
        });
        Some(UnixMillis(self.counted_to.0.saturating_add(left.max(to_check))))
    }

    /// In words: what it waits for, or why it ended as it did.
    #[must_use]
    pub fn message(&self) -> String {
        if let Some(outcome) = &self.ended {
            return match outcome {
                Outcome::Promoted => "it is live".to_owned(),
                Outcome::Aborted { why } => format!("it was aborted: {why}"),
                Outcome::Failed { why } => format!("it failed: {why}"),
            };
        }
        let progress = self.progress();
        let place = match self.stage {
            Stage::Preparing => "the candidate is being prepared".to_owned(),
            Stage::Waiting => "it has no calls yet".to_owned(),
            Stage::Replay => "it answers recorded calls".to_owned(),
            Stage::Shadow => {
                let wanted = match &self.policy {
                    Policy::Shadow(shadow) => shadow.calls,
                    _ => 0,
                };
                format!(
                    "it answered {} of {wanted} shadowed calls, {} of them differently",
                    progress.compared, progress.differing
                )
            }
            Stage::Step(_) => format!(
                "step {} of {}: it has {} of the calls",
                progress.step, progress.steps, progress.weight
            ),
            Stage::Baking => "it is live, not yet finally".to_owned(),
        };
        let waits = match &self.held {
            Some(PauseReason::Order { by, reason }) if reason.is_empty() => format!("paused by {by}"),
            Some(PauseReason::Order { by, reason }) => format!("paused by {by}: {reason}"),
            Some(PauseReason::Policy) => "it waits for an order to promote".to_owned(),
            Some(PauseReason::Deadline) => "paused, since its deadline is over".to_owned(),
            None => match progress
                .at_least_ms
                .map(|least| least.saturating_sub(self.stage_ms))
            {
                Some(0) => "it waits for a check to pass".to_owned(),
                Some(left) => format!("{} to go", about(left)),
                None => return place,
            },
        };
        format!("{place}; {waits}")
    }
}
