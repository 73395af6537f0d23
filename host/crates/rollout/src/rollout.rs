//! One rollout, from its beginning to its one end.
//!
//! Invariant: a rollout ends exactly once, and nothing changes it afterwards. Its weight never sinks but by
//! [`Effect::RollBack`], and what was stored is all there is to know: it is continued from its JSON.
//!
//! ```text
//!              .-> replay --.
//! preparing ---+-> shadow --+-> step 1 -> step 2 ... -> baking -> promoted
//!              '------------'      \         \            /
//!    (waiting for an order:         '---------'----------'----> failed | aborted
//!     any of them may be paused)
//! ```

mod checks;
mod orders;
mod progress;
mod stored;
mod transition;

use patchbay_vocab::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::error::{OrderError, PolicyError, RestoreError};
use crate::input::{Effect, Input, Outcome, PauseReason, Phase, Stage};
use crate::measured::Measured;
use crate::policy::Policy;
use crate::weight::Weight;

use checks::Checks;
pub use progress::Progress;

/// A rollout under way, or ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "stored::Stored", into = "stored::Stored")]
pub struct Rollout {
    policy: Policy,
    stage: Stage,
    /// Why nothing goes forward, if so.
    held: Option<PauseReason>,
    ended: Option<Outcome>,
    started_at: UnixMillis,
    changed_at: UnixMillis,
    /// Up to when time was counted.
    counted_to: UnixMillis,
    /// How long the stage has lasted, without pauses and without the times in which the host was down.
    stage_ms: u64,
    /// The same, since anything went forward.
    stalled_ms: u64,
    checks: Checks,
    trial: Trial,
    /// What the stable version was last like, for when it has no calls any more.
    baseline: Option<Measured>,
}

/// What a shadow or a replay came to so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trial {
    compared: u64,
    differing: u64,
    /// Whether all recorded calls were made again.
    replayed: bool,
}

impl Rollout {
    /// A rollout that has not begun yet: its first [`Input::Tick`] says that the candidate is ready.
    pub fn begin(policy: Policy, now: UnixMillis) -> Result<Self, PolicyError> {
        policy.validate()?;
        Ok(Self {
            policy,
            stage: Stage::Preparing,
            held: None,
            ended: None,
            started_at: now,
            changed_at: now,
            counted_to: now,
            stage_ms: 0,
            stalled_ms: 0,
            checks: Checks::default(),
            trial: Trial::default(),
            baseline: None,
        })
    }

    /// Tells it something; answers what is to be done, in order. An order that is refused changes nothing; any other
    /// input that comes too late is passed over.
    ///
    /// `now` should come from a clock that does not jump. One that goes back counts as no time passed.
    pub fn advance(&mut self, now: UnixMillis, input: Input) -> Result<Vec<Effect>, OrderError> {
        if let Input::Order(order) = &input {
            self.accepts(order)?;
        }
        if self.ended.is_some() {
            return Ok(Vec::new());
        }
        self.count_time(now);
        let mut effects = Vec::new();
        match input {
            Input::Tick { window } => self.tick(window, &mut effects),
            Input::Shadowed { compared, differing } => self.shadowed(compared, differing, &mut effects),
            Input::Replayed { compared, differing } => self.replayed(compared, differing, &mut effects),
            Input::Order(order) => self.ordered(order, &mut effects),
            Input::CandidateLost(why) => self.fail(&format!("the candidate was lost: {why}"), &mut effects),
        }
        Ok(effects)
    }

    /// Continues after a restart, when the candidate can be called again: the time since it was stored is not counted,
    /// and a new window begins. Answers what has to be done anew, since detours and copies do not outlive a host.
    pub fn resumed(&mut self, now: UnixMillis) -> Vec<Effect> {
        if self.ended.is_some() {
            return Vec::new();
        }
        self.counted_to = now;
        self.checks.begin_anew();
        match self.stage {
            Stage::Preparing | Stage::Waiting => Vec::new(),
            Stage::Replay if self.trial.replayed => Vec::new(),
            Stage::Replay => vec![Effect::StartReplay],
            Stage::Shadow => vec![Effect::StartShadow],
            Stage::Step(_) => vec![Effect::SetWeight(self.weight()), Effect::Measure],
            Stage::Baking => vec![Effect::GoLive, Effect::Measure],
        }
    }

    /// From its stored JSON.
    pub fn restore(text: &str) -> Result<Self, RestoreError> {
        serde_json::from_str(text).map_err(|source| RestoreError::Unreadable { source })
    }

    /// Its policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match (&self.ended, &self.held) {
            (Some(Outcome::Promoted), _) => Phase::Promoted,
            (Some(Outcome::Aborted { .. }), _) => Phase::Aborted,
            (Some(Outcome::Failed { .. }), _) => Phase::Failed,
            (None, Some(reason)) => Phase::Paused {
                at: self.stage,
                reason: reason.clone(),
            },
            (None, None) => match self.stage {
                Stage::Preparing => Phase::Preparing,
                Stage::Replay => Phase::Replay,
                Stage::Shadow => Phase::Shadow,
                Stage::Step(step) => Phase::Step(step),
                Stage::Baking => Phase::Baking,
                Stage::Waiting => Phase::Paused {
                    at: Stage::Waiting,
                    reason: PauseReason::Policy,
                },
            },
        }
    }

    /// How it ended; nothing while it has not.
    #[must_use]
    pub const fn outcome(&self) -> Option<&Outcome> {
        self.ended.as_ref()
    }

    /// The candidate's share of the calls. All of them when it is live.
    #[must_use]
    pub fn weight(&self) -> Weight {
        match (&self.ended, self.stage) {
            (Some(Outcome::Promoted), _) | (None, Stage::Baking) => Weight::ALL,
            (None, Stage::Step(step)) => {
                let stages = self.policy.canary().map(super::policy::Canary::stages);
                stages
                    .and_then(|stages| stages.get(step))
                    .copied()
                    .unwrap_or_default()
            }
            _ => Weight::NONE,
        }
    }

    /// Whether a tick at that time looks at the window it brings.
    #[must_use]
    pub fn wants_window(&self, now: UnixMillis) -> bool {
        let since = now.0.saturating_sub(self.counted_to.0);
        self.analysis()
            .is_some_and(|analysis| self.checks.is_due(analysis, since))
    }

    /// When it began.
    #[must_use]
    pub const fn started_at(&self) -> UnixMillis {
        self.started_at
    }

    /// When it last went from one phase to another.
    #[must_use]
    pub const fn changed_at(&self) -> UnixMillis {
        self.changed_at
    }

    fn count_time(&mut self, now: UnixMillis) {
        let passed = now.0.saturating_sub(self.counted_to.0);
        self.counted_to = now;
        self.checks.count_time(passed);
        if self.held.is_none() {
            self.stage_ms = self.stage_ms.saturating_add(passed);
            self.stalled_ms = self.stalled_ms.saturating_add(passed);
        }
    }
}

#[cfg(test)]
mod proofs;
#[cfg(test)]
mod tests;
