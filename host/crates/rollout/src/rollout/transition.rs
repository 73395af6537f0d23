//! How a rollout goes from one stage to the next.

use crate::evidence::Evidence;
use crate::input::{Effect, Outcome, PauseReason, Phase, Stage};
use crate::measured::Window;
use crate::policy::{OnDeadline, Pause, Policy, Replay, Shadow, Then};

use super::Rollout;

/// The longest reason that is kept.
const LONGEST_REASON: usize = 500;

/// A text from outside, fit to be stored and shown.
pub(super) fn clipped(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_REASON)
        .collect()
}

/// Why something goes forward, and who ordered it.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    pub(super) why: String,
    pub(super) by: Option<String>,
}

impl Cause {
    pub(super) fn policy(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            by: None,
        }
    }
}

impl Rollout {
    pub(super) fn tick(&mut self, window: Option<Window>, effects: &mut Vec<Effect>) {
        if self.stage == Stage::Preparing {
            if self.held.is_none() {
                self.start(effects);
            }
            return;
        }
        if let Some(window) = window {
            self.check(window, effects);
        }
        self.go_on(effects);
    }

    pub(super) fn shadowed(&mut self, compared: u64, differing: u64, effects: &mut Vec<Effect>) {
        let Policy::Shadow(Shadow { max_differences, .. }) = self.policy else {
            return;
        };
        if self.stage != Stage::Shadow {
            return;
        }
        self.trial.compared = self.trial.compared.saturating_add(compared);
        self.trial.differing = self.trial.differing.saturating_add(differing.min(compared));
        self.hold_against(max_differences, "shadowed", effects);
        self.go_on(effects);
    }

    pub(super) fn replayed(&mut self, compared: u64, differing: u64, effects: &mut Vec<Effect>) {
        let Policy::Replay(Replay {
            max_differences,
            at_least,
            ..
        }) = self.policy
        else {
            return;
        };
        if self.stage != Stage::Replay || self.trial.replayed {
            return;
        }
        self.trial.compared = compared;
        self.trial.differing = differing.min(compared);
        self.trial.replayed = true;
        self.record_differences(max_differences, effects);
        if compared < u64::from(at_least) {
            let why = format!("only {compared} recorded call(s) could be made again, {at_least} are wanted");
            self.fail(&why, effects);
            return;
        }
        self.hold_against(max_differences, "recorded", effects);
        self.go_on(effects);
    }

    /// Fails when more answers differ than may.
    fn hold_against(&mut self, allowed: u64, calls: &str, effects: &mut Vec<Effect>) {
        let super::Trial {
            compared, differing, ..
        } = self.trial;
        if self.ended.is_none() && differing > allowed {
            if self.stage == Stage::Shadow {
                self.record_differences(allowed, effects);
            }
            let why = format!(
                "{differing} of {compared} {calls} calls were answered differently, {allowed} may be"
            );
            self.fail(&why, effects);
        }
    }

    fn record_differences(&self, allowed: u64, effects: &mut Vec<Effect>) {
        effects.push(Effect::Record(Evidence::Differences {
            at: self.counted_to,
            phase: self.phase(),
            compared: self.trial.compared,
            differing: self.trial.differing,
            allowed,
        }));
    }

    /// The candidate is ready.
    fn start(&mut self, effects: &mut Vec<Effect>) {
        let cause = Cause::policy("the candidate is ready");
        match &self.policy {
            Policy::Immediate => self.go_live(cause, effects),
            Policy::Manual => self.enter(Stage::Waiting, cause, effects),
            Policy::Canary(_) => self.enter_step(0, cause, effects),
            Policy::Shadow(_) => self.enter(Stage::Shadow, cause, effects),
            Policy::Replay(_) => self.enter(Stage::Replay, cause, effects),
        }
    }

    /// Goes on to the next stage if the policy is content with this one, or does what it says of deadlines.
    pub(super) fn go_on(&mut self, effects: &mut Vec<Effect>) {
        if self.held.is_some() || self.ended.is_some() {
            return;
        }
        if let Some(why) = self.content() {
            if let Policy::Shadow(shadow) = &self.policy
                && self.stage == Stage::Shadow
            {
                self.record_differences(shadow.max_differences, effects);
            }
            self.next(Cause::policy(why), effects);
        } else if self.deadline_ms().is_some_and(|limit| self.stalled_ms >= limit) {
            self.overdue(effects);
        }
    }

    /// Why this stage is done, if it is.
    fn content(&self) -> Option<&'static str> {
        match (self.stage, &self.policy) {
            (Stage::Replay, _) => self
                .trial
                .replayed
                .then_some("the recorded calls were answered alike"),
            (Stage::Shadow, Policy::Shadow(shadow)) => {
                (self.trial.compared >= shadow.calls).then_some("enough shadowed calls were answered alike")
            }
            (Stage::Step(step), policy) => {
                let canary = policy.canary()?;
                let Some(Pause::AfterMs(pause)) = canary.pause.at(step) else {
                    return None;
                };
                let checked = canary.analysis.is_none() || self.checks.content();
                (self.stage_ms >= pause && checked).then_some("the step's time is over")
            }
            (Stage::Baking, policy) => {
                let canary = policy.canary()?;
                let unharmed = canary.analysis.is_none() || !self.checks.last_failed();
                (self.stage_ms >= canary.bake_ms && unharmed).then_some("it has baked")
            }
            _ => None,
        }
    }

    pub(super) fn deadline_ms(&self) -> Option<u64> {
        match (self.stage, &self.policy) {
            (Stage::Replay, Policy::Replay(replay)) => Some(replay.deadline_ms),
            (Stage::Shadow, Policy::Shadow(shadow)) => Some(shadow.deadline_ms),
            (Stage::Step(_) | Stage::Baking, policy) => policy.canary().map(|canary| canary.deadline_ms),
            _ => None,
        }
    }

    fn overdue(&mut self, effects: &mut Vec<Effect>) {
        let why = format!(
            "no progress in {} ms: the deadline of `{}` is over",
            self.stalled_ms,
            self.phase()
        );
        let then = match (self.stage, self.policy.canary()) {
            (Stage::Step(_) | Stage::Baking, Some(canary)) => canary.on_deadline,
            _ => OnDeadline::Rollback,
        };
        match then {
            OnDeadline::Rollback => self.fail(&why, effects),
            OnDeadline::Pause => self.hold(PauseReason::Deadline, Cause::policy(why), effects),
            // To give more calls to what has just failed a check would be the opposite of what checks are for.
            OnDeadline::Promote if self.checks.last_failed() => {
                self.fail(&format!("{why}, and the last check has failed"), effects);
            }
            OnDeadline::Promote => self.next(Cause::policy(why), effects),
        }
    }

    /// To the next stage, whatever this one waits for.
    pub(super) fn next(&mut self, cause: Cause, effects: &mut Vec<Effect>) {
        match self.stage {
            Stage::Preparing => {}
            Stage::Replay | Stage::Shadow => {
                effects.push(Effect::StopTrial);
                let then = match &self.policy {
                    Policy::Shadow(Shadow { then, .. }) | Policy::Replay(Replay { then, .. }) => then,
                    _ => &Then::Promote,
                };
                match then {
                    Then::Promote => self.go_live(cause, effects),
                    Then::Manual => self.enter(Stage::Waiting, cause, effects),
                    Then::Canary(_) => self.enter_step(0, cause, effects),
                }
            }
            Stage::Waiting => self.go_live(cause, effects),
            Stage::Step(step) => self.enter_step(step + 1, cause, effects),
            Stage::Baking => self.finish(Outcome::Promoted, cause, effects),
        }
    }

    /// Into that step; past the last one, the candidate is live and bakes.
    fn enter_step(&mut self, step: usize, cause: Cause, effects: &mut Vec<Effect>) {
        let Some(canary) = self.policy.canary() else {
            return;
        };
        if step < canary.stages().len() {
            self.enter(Stage::Step(step), cause, effects);
        } else if canary.bake_ms > 0 {
            self.enter(Stage::Baking, cause, effects);
        } else {
            self.go_live(cause, effects);
        }
    }

    fn enter(&mut self, stage: Stage, cause: Cause, effects: &mut Vec<Effect>) {
        let from = self.phase();
        self.stage = stage;
        self.stage_ms = 0;
        self.stalled_ms = 0;
        self.checks.enter_stage();
        self.held = self.policy_holds();
        match stage {
            Stage::Preparing | Stage::Waiting => {}
            Stage::Replay => effects.push(Effect::StartReplay),
            Stage::Shadow => effects.push(Effect::StartShadow),
            Stage::Step(_) => effects.extend([Effect::SetWeight(self.weight()), Effect::Measure]),
            Stage::Baking => effects.extend([Effect::GoLive, Effect::Measure]),
        }
        self.record_decision(from, cause, effects);
    }

    /// Whether the policy itself wants an order where the rollout stands.
    pub(super) fn policy_holds(&self) -> Option<PauseReason> {
        let waits = match self.stage {
            Stage::Waiting => true,
            Stage::Step(step) => {
                let canary = self.policy.canary();
                canary.and_then(|canary| canary.pause.at(step)) == Some(Pause::Promote)
            }
            _ => false,
        };
        waits.then_some(PauseReason::Policy)
    }

    /// The candidate is live, and that is final.
    pub(super) fn go_live(&mut self, cause: Cause, effects: &mut Vec<Effect>) {
        effects.push(Effect::GoLive);
        self.finish(Outcome::Promoted, cause, effects);
    }

    pub(super) fn fail(&mut self, why: &str, effects: &mut Vec<Effect>) {
        let why = clipped(why);
        effects.push(Effect::RollBack { why: why.clone() });
        self.finish(Outcome::Failed { why: why.clone() }, Cause::policy(why), effects);
    }

    pub(super) fn finish(&mut self, outcome: Outcome, cause: Cause, effects: &mut Vec<Effect>) {
        let from = self.phase();
        self.ended = Some(outcome.clone());
        self.held = None;
        self.baseline = None;
        self.record_decision(from, cause, effects);
        effects.push(Effect::Finished(outcome));
    }

    pub(super) fn hold(&mut self, reason: PauseReason, cause: Cause, effects: &mut Vec<Effect>) {
        let from = self.phase();
        self.held = Some(reason);
        self.record_decision(from, cause, effects);
    }

    pub(super) fn record_decision(&mut self, from: Phase, cause: Cause, effects: &mut Vec<Effect>) {
        self.changed_at = self.counted_to;
        effects.push(Effect::Record(Evidence::Decision {
            at: self.counted_to,
            from,
            to: self.phase(),
            why: cause.why,
            by: cause.by,
        }));
    }
}
