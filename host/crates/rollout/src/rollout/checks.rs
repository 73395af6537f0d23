//! When a rollout's windows are judged, and what their verdicts add up to.

use serde::{Deserialize, Serialize};

use crate::analysis::{Analysis, NoData};
use crate::evidence::Evidence;
use crate::input::{Effect, Stage};
use crate::judge::{Verdict, judge};
use crate::measured::Window;

use super::Rollout;

/// What checks came to so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Checks {
    /// How long ago the last one was, or the stage's beginning.
    pub(super) since_ms: u64,
    /// How many passed in this stage.
    pub(super) passed_here: u64,
    /// How many failed since the last one that passed.
    pub(super) failed_in_row: u32,
    /// How many failed altogether.
    pub(super) failed_total: u32,
    /// What the last one said.
    pub(super) last: Option<Verdict>,
}

impl Checks {
    pub(super) fn count_time(&mut self, millis: u64) {
        self.since_ms = self.since_ms.saturating_add(millis);
    }

    pub(super) fn begin_anew(&mut self) {
        self.since_ms = 0;
    }

    pub(super) fn enter_stage(&mut self) {
        self.since_ms = 0;
        self.passed_here = 0;
        self.last = None;
    }

    /// Whether one is due, so much later.
    pub(super) fn is_due(&self, analysis: &Analysis, later_ms: u64) -> bool {
        self.since_ms.saturating_add(later_ms) >= analysis.interval_ms
    }

    /// Whether a step may end.
    pub(super) fn content(&self) -> bool {
        self.passed_here > 0 && self.failed_in_row == 0
    }

    /// Whether the last one that said anything has failed.
    pub(super) fn last_failed(&self) -> bool {
        self.failed_in_row > 0
    }

    fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Pass => {
                self.passed_here = self.passed_here.saturating_add(1);
                self.failed_in_row = 0;
            }
            Verdict::Fail => {
                self.failed_in_row = self.failed_in_row.saturating_add(1);
                self.failed_total = self.failed_total.saturating_add(1);
            }
            Verdict::NoData => {}
        }
    }

    fn too_many(&self, analysis: &Analysis) -> bool {
        let limits = analysis.failed_checks;
        limits
            .consecutive
            .is_some_and(|limit| self.failed_in_row >= limit)
            || limits.total.is_some_and(|limit| self.failed_total >= limit)
    }
}

impl Rollout {
    /// What windows are judged by, where they are.
    pub(super) fn analysis(&self) -> Option<&Analysis> {
        if self.ended.is_some() || !matches!(self.stage, Stage::Step(_) | Stage::Baking) {
            return None;
        }
        self.policy.canary()?.analysis.as_ref()
    }

    /// Judges a window, if one is due.
    pub(super) fn check(&mut self, mut window: Window, effects: &mut Vec<Effect>) {
        let Some(analysis) = self.analysis().filter(|analysis| self.checks.is_due(analysis, 0)) else {
            return;
        };
        if self.stage == Stage::Baking {
            // Nobody calls the stable version any more but those who are pinned to it, who may be another sort of people.
            if let Some(baseline) = &self.baseline {
                window.stable = baseline.clone();
            }
        }
        let check = judge(analysis, &window);
        let counted = match (check.verdict, analysis.no_data) {
            (Verdict::NoData, NoData::Pass) => Verdict::Pass,
            (Verdict::NoData, NoData::Fail) => Verdict::Fail,
            (verdict, _) => verdict,
        };
        let mut checks = self.checks.clone();
        checks.count(counted);
        checks.since_ms = 0;
        checks.last = Some(counted);
        let too_many = checks.too_many(analysis);
        let keeps_baseline = self.stage != Stage::Baking && window.stable.calls >= analysis.min_calls;
        let why = format!(
            "{} check(s) in a row failed, {} altogether: {}",
            checks.failed_in_row,
            checks.failed_total,
            check.reason()
        );
        // While it is held, or waits for calls, the same would be said again and again, without an end.
        let said = self.checks.last == Some(counted);
        let repeats = said && (self.held.is_some() || counted == Verdict::NoData);
        self.checks = checks;
        if keeps_baseline {
            self.baseline = Some(window.stable);
        }
        if !repeats || counted == Verdict::Fail {
            effects.push(Effect::Record(Evidence::Check {
                at: self.counted_to,
                phase: self.phase(),
                check,
            }));
        }
        if counted == Verdict::Fail && too_many {
            self.fail(&why, effects);
        } else if counted != Verdict::NoData {
            effects.push(Effect::Measure);
        }
    }
}
