mod orders;
mod steps;
mod stored;
mod trials;

use std::time::Duration;

use patchbay_vocab::Explain;

use super::*;
use crate::analysis::{Analysis, FailedChecks, NoData};
use crate::evidence::Evidence;
use crate::input::{Order, OrderKind, Reach};
use crate::judge::Verdict;
use crate::measured::Window;
use crate::policy::{Canary, OnDeadline, Pause, Pauses, Replay, Shadow, Then};

/// A rollout and the time, moved by hand.
struct Bench {
    rollout: Rollout,
    now: u64,
}

impl Bench {
    fn new(policy: Policy) -> Self {
        let rollout = Rollout::begin(policy, UnixMillis(1_000)).expect("a valid policy");
        Self { rollout, now: 1_000 }
    }

    fn ready(policy: Policy) -> (Self, Vec<Effect>) {
        let mut bench = Self::new(policy);
        let effects = bench.tick(0, None);
        (bench, effects)
    }

    fn after(&mut self, millis: u64, input: Input) -> Vec<Effect> {
        self.now += millis;
        // As after a kill at any moment: what was stored is all there is.
        let text = serde_json::to_string(&self.rollout).expect("JSON");
        let restored = Rollout::restore(&text).expect("a stored rollout");
        assert_eq!(restored, self.rollout);
        self.rollout = restored;
        self.rollout
            .advance(UnixMillis(self.now), input)
            .expect("no refusal")
    }

    fn tick(&mut self, millis: u64, window: Option<Window>) -> Vec<Effect> {
        self.after(millis, Input::Tick { window })
    }

    fn order(&mut self, kind: OrderKind) -> Vec<Effect> {
        self.after(0, order(kind))
    }

    fn refused(&mut self, kind: OrderKind) -> &'static str {
        let before = self.rollout.clone();
        let error = self
            .rollout
            .advance(UnixMillis(self.now), order(kind))
            .expect_err("a refusal");
        assert_eq!(self.rollout, before, "a refused order changes nothing");
        assert!(!error.help().is_empty());
        error.code().0
    }

    fn phase(&self) -> &'static str {
        self.rollout.phase().as_str()
    }
}

fn order(kind: OrderKind) -> Input {
    Input::Order(Order {
        kind,
        by: "ada".into(),
        reason: "because".into(),
    })
}

fn measured(calls: u64, failed: u64) -> Measured {
    Measured {
        calls,
        failed,
        ..Measured::default()
    }
}

fn window(stable: (u64, u64), candidate: (u64, u64)) -> Option<Window> {
    Some(Window {
        stable: measured(stable.0, stable.1),
        candidate: measured(candidate.0, candidate.1),
        span: Duration::from_secs(1),
    })
}

fn good() -> Option<Window> {
    window((1_000, 0), (1_000, 0))
}

fn bad() -> Option<Window> {
    window((1_000, 0), (1_000, 500))
}

/// Steps of 5 % and 50 %, ten seconds each, a check each second, ten seconds of baking.
fn canary() -> Canary {
    Canary {
        steps: [500, 5_000]
            .into_iter()
            .filter_map(Weight::from_basis_points)
            .collect(),
        pause: Pauses::Same(Pause::AfterMs(10_000)),
        bake_ms: 10_000,
        deadline_ms: 60_000,
        analysis: Some(Analysis {
            interval_ms: 1_000,
            ..Analysis::default()
        }),
        ..Canary::default()
    }
}

fn unchecked() -> Canary {
    Canary {
        analysis: None,
        ..canary()
    }
}

/// Effects without what goes on record.
fn done(effects: Vec<Effect>) -> Vec<Effect> {
    effects
        .into_iter()
        .filter(|effect| !matches!(effect, Effect::Record(_)))
        .collect()
}

fn weight(points: u16) -> Effect {
    Effect::SetWeight(Weight::from_basis_points(points).expect("a weight"))
}

fn promoted() -> Effect {
    Effect::Finished(Outcome::Promoted)
}

fn failed(effects: &[Effect]) -> &str {
    match effects {
        [
            ..,
            Effect::RollBack { why },
            Effect::Record(_),
            Effect::Finished(Outcome::Failed { why: again }),
        ] => {
            assert_eq!(why, again);
            why
        }
        other => panic!("{other:?}"),
    }
}
