//! A policy in words, for whoever is about to start it.

use crate::analysis::Analysis;
use crate::time::written;

use super::{Canary, OnDeadline, Pause, Policy, Sticky, Then};

impl Policy {
    /// What would happen, step by step.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        match self {
            Self::Immediate => words.push("it goes live at once".to_owned()),
            Self::Manual => {
                words.push("it waits for an order to promote, without calls".to_owned());
                words.push("it goes live".to_owned());
            }
            Self::Canary(canary) => canary.say(&mut words),
            Self::Shadow(shadow) => {
                words.push(format!(
                    "it answers copies of {} of the calls, whose answers nobody sees, until {} were answered; more than {} \
                     different answer(s), or {} without enough calls, fail it",
                    shadow.sample,
                    shadow.calls,
                    shadow.max_differences,
                    written(shadow.deadline_ms)
                ));
                shadow.then.say(&mut words);
            }
            Self::Replay(replay) => {
                words.push(format!(
                    "it answers the last {} recorded calls; more than {} different answer(s), or fewer than {} call(s), fail it",
                    replay.last, replay.max_differences, replay.at_least
                ));
                replay.then.say(&mut words);
            }
        }
        words
    }
}

impl Then {
    fn say(&self, words: &mut Vec<String>) {
        match self {
            Self::Promote => words.push("it goes live".to_owned()),
            Self::Manual => {
                words.push("it waits for an order to promote, without calls".to_owned());
                words.push("it goes live".to_owned());
            }
            Self::Canary(canary) => canary.say(words),
        }
    }
}

impl Canary {
    fn say(&self, words: &mut Vec<String>) {
        let whose = match &self.sticky {
            Sticky::Run => "calls, run by run".to_owned(),
            Sticky::Tenant => "tenants".to_owned(),
            Sticky::Variable(name) => format!("values of the variable `{name}`"),
        };
        for (step, weight) in self.stages().iter().enumerate() {
            let until = match self.pause.at(step) {
                Some(Pause::AfterMs(millis)) if self.analysis.is_some() => {
                    format!("for {}, and until a check has passed", written(millis))
                }
                Some(Pause::AfterMs(millis)) => format!("for {}", written(millis)),
                Some(Pause::Promote) | None => "until an order to promote".to_owned(),
            };
            words.push(format!("it has {weight} of the {whose}, {until}"));
        }
        if self.bake_ms > 0 {
            words.push(format!(
                "it is live, and that is final after {}",
                written(self.bake_ms)
            ));
        } else {
            words.push("it goes live".to_owned());
        }
        if let Some(analysis) = &self.analysis {
            words.push(analysis.say());
        }
        let then = match self.on_deadline {
            OnDeadline::Rollback => "rolls it back",
            OnDeadline::Pause => "pauses it",
            OnDeadline::Promote => "takes it on",
        };
        words.push(format!("{} without progress {then}", written(self.deadline_ms)));
    }
}

impl Analysis {
    fn say(&self) -> String {
        let mut limits = Vec::new();
        if let Some(limit) = self.max_error_rate {
            limits.push(format!("more than {} % of its calls fail", limit * 100.0));
        }
        if let Some(limit) = self.max_error_rate_increase {
            limits.push(format!(
                "more than {} % more of its calls fail than before",
                limit * 100.0
            ));
        }
        for limit in &self.latency {
            limits.push(format!(
                "its calls take {} times as long at the quantile {}",
                limit.max_ratio, limit.quantile
            ));
        }
        if let Some(limit) = self.max_panics {
            limits.push(format!("more than {limit} panic"));
        }
        let many = match (self.failed_checks.consecutive, self.failed_checks.total) {
            (Some(row), Some(total)) => format!("{row} in a row, or {total} altogether, roll it back"),
            (Some(row), None) => format!("{row} in a row roll it back"),
            (None, Some(total)) => format!("{total} altogether roll it back"),
            (None, None) => "none rolls it back".to_owned(),
        };
        format!(
            "each {} a check fails when {}; {many}",
            written(self.interval_ms),
            limits.join(", or ")
        )
    }
}
