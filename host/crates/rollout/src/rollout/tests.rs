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

#[test]
fn immediate_goes_live_when_the_candidate_is_ready() {
    let (bench, effects) = Bench::ready(Policy::Immediate);
    assert_eq!(done(effects), [Effect::GoLive, promoted()]);
    assert_eq!(bench.phase(), "promoted");
    assert_eq!(bench.rollout.weight(), Weight::ALL);
}

#[test]
fn manual_waits_for_an_order_without_calls() {
    let (mut bench, effects) = Bench::ready(Policy::Manual);
    assert_eq!(done(effects), []);
    assert_eq!(bench.phase(), "paused");
    assert_eq!(bench.rollout.weight(), Weight::NONE);
    assert_eq!(done(bench.tick(1 << 40, None)), []);
    assert_eq!(
        done(bench.order(OrderKind::Promote(Reach::Next))),
        [Effect::GoLive, promoted()]
    );
}

#[test]
fn a_canary_goes_through_its_steps_and_bakes() {
    let (mut bench, effects) = Bench::ready(Policy::Canary(canary()));
    assert_eq!(done(effects), [weight(500), Effect::Measure]);
    assert_eq!(bench.rollout.phase(), Phase::Step(0));
    assert!(!bench.rollout.wants_window(UnixMillis(bench.now + 999)));
    assert!(bench.rollout.wants_window(UnixMillis(bench.now + 1_000)));
    let effects = bench.tick(1_000, good());
    assert!(matches!(
        &effects[..],
        [Effect::Record(Evidence::Check { check, .. }), Effect::Measure] if check.verdict == Verdict::Pass
    ));
    assert_eq!(bench.tick(8_999, None), []);
    assert_eq!(bench.rollout.next_at(), Some(UnixMillis(bench.now + 1)));
    assert_eq!(done(bench.tick(1, None)), [weight(5_000), Effect::Measure]);
    assert_eq!(bench.rollout.phase(), Phase::Step(1));
    assert_eq!(
        done(bench.tick(10_000, good())),
        [Effect::Measure, Effect::GoLive, Effect::Measure]
    );
    assert_eq!(bench.phase(), "baking");
    assert_eq!(bench.rollout.weight(), Weight::ALL);
    assert_eq!(done(bench.tick(9_999, good())), [Effect::Measure]);
    assert_eq!(done(bench.tick(1, None)), [promoted()]);
    assert_eq!(bench.phase(), "promoted");
}

#[test]
fn a_step_does_not_end_before_a_check_has_passed_in_it() {
    let (mut bench, _) = Bench::ready(Policy::Canary(canary()));
    assert_eq!(bench.tick(10_000, None), []);
    assert_eq!(
        bench.rollout.message(),
        "step 1 of 2: it has 5 % of the calls; it waits for a check to pass"
    );
    // Too few calls: the window grows, which is said once.
    assert_eq!(bench.tick(1_000, window((9, 0), (9, 0))).len(), 1);
    assert_eq!(bench.tick(1_000, window((18, 0), (18, 0))), []);
    assert_eq!(
        done(bench.tick(1_000, window((60, 0), (60, 0)))),
        [Effect::Measure, weight(5_000), Effect::Measure]
    );
}

#[test]
fn missing_calls_pass_or_fail_where_the_policy_says_so() {
    let with = |no_data| {
        let mut canary = canary();
        canary.analysis = canary.analysis.map(|analysis| Analysis { no_data, ..analysis });
        Bench::ready(Policy::Canary(canary)).0
    };
    let none = || window((0, 0), (0, 0));
    let mut passing = with(NoData::Pass);
    assert_eq!(
        done(passing.tick(10_000, none())),
        [Effect::Measure, weight(5_000), Effect::Measure]
    );
    let mut failing = with(NoData::Fail);
    assert_eq!(done(failing.tick(1_000, none())), [Effect::Measure]);
    assert!(failed(&failing.tick(1_000, none())).contains("0 call(s) of the candidate"));
}

#[test]
fn failed_checks_in_a_row_roll_back_and_one_alone_does_not() {
    let (mut bench, _) = Bench::ready(Policy::Canary(canary()));
    assert_eq!(done(bench.tick(1_000, bad())), [Effect::Measure]);
    assert_eq!(done(bench.tick(1_000, good())), [Effect::Measure]);
    assert_eq!(done(bench.tick(1_000, bad())), [Effect::Measure]);
    // While the last check has failed, a step does not end.
    assert_eq!(done(bench.tick(900, None)), []);
    let effects = bench.tick(10_000, bad());
    assert!(
        failed(&effects).contains("50.00 % of its calls fail"),
        "{effects:?}"
    );
    assert_eq!(bench.phase(), "failed");
    assert_eq!(bench.rollout.weight(), Weight::NONE);
    assert!(
        bench
            .rollout
            .message()
            .starts_with("it failed: 2 check(s) in a row failed, 3 altogether")
    );
}

#[test]
fn failed_checks_are_counted_altogether_where_the_policy_says_so() {
    let mut canary = canary();
    let total = FailedChecks {
        consecutive: None,
        total: Some(2),
    };
    canary.analysis = canary.analysis.map(|analysis| Analysis {
        failed_checks: total,
        ..analysis
    });
    let (mut bench, _) = Bench::ready(Policy::Canary(canary));
    assert_eq!(done(bench.tick(1_000, bad())), [Effect::Measure]);
    assert_eq!(done(bench.tick(1_000, good())), [Effect::Measure]);
    failed(&bench.tick(1_000, bad()));
}

#[test]
fn a_failed_bake_rolls_back_against_what_the_stable_version_was_like() {
    let (mut bench, _) = Bench::ready(Policy::Canary(canary()));
    bench.tick(10_000, window((1_000, 100), (1_000, 100)));
    bench.tick(10_000, window((1_000, 100), (1_000, 100)));
    assert_eq!(bench.phase(), "baking");
    // The stable version has no calls any more, or those of a few who are pinned to it.
    assert_eq!(
        done(bench.tick(1_000, window((0, 0), (1_000, 100)))),
        [Effect::Measure]
    );
    assert_eq!(
        done(bench.tick(1_000, window((60, 60), (1_000, 300)))),
        [Effect::Measure]
    );
    failed(&bench.tick(1_000, window((60, 60), (1_000, 300))));
}

#[test]
fn a_bake_without_calls_ends_in_time() {
    let (mut bench, _) = Bench::ready(Policy::Canary(canary()));
    bench.tick(10_000, good());
    bench.tick(10_000, good());
    assert_eq!(done(bench.tick(9_000, window((0, 0), (0, 0)))), []);
    assert_eq!(done(bench.tick(1_000, window((0, 0), (0, 0)))), [promoted()]);
}

#[test]
fn a_step_of_a_hundred_percent_is_the_bake() {
    let steps = vec![Weight::ALL];
    let (bench, effects) = Bench::ready(Policy::Canary(Canary {
        steps: steps.clone(),
        ..canary()
    }));
    assert_eq!(done(effects), [Effect::GoLive, Effect::Measure]);
    assert_eq!(bench.phase(), "baking");
    let (_, effects) = Bench::ready(Policy::Canary(Canary {
        steps,
        bake_ms: 0,
        ..canary()
    }));
    assert_eq!(done(effects), [Effect::GoLive, promoted()]);
}

#[test]
fn a_pause_stops_the_time_and_not_the_checks() {
    let (mut bench, _) = Bench::ready(Policy::Canary(canary()));
    bench.tick(5_000, good());
    assert_eq!(done(bench.order(OrderKind::Pause)), []);
    assert_eq!(
        bench.order(OrderKind::Pause),
        [],
        "pausing what is paused does nothing"
    );
    assert!(matches!(
        bench.rollout.phase(),
        Phase::Paused { at: Stage::Step(0), reason: PauseReason::Order { by, .. } } if by == "ada"
    ));
    assert_eq!(
        bench.rollout.message(),
        "step 1 of 2: it has 5 % of the calls; paused by ada: because"
    );
    assert_eq!(bench.rollout.next_at(), None);
    assert_eq!(done(bench.tick(3_600_000, good())), [Effect::Measure]);
    assert_eq!(
        bench.tick(1_000, good()),
        [Effect::Measure],
        "the same is not said again and again"
    );
    assert_eq!(bench.order(OrderKind::Resume).len(), 1);
    assert_eq!(
        bench.order(OrderKind::Resume),
        [],
        "resuming what runs does nothing"
    );
    assert_eq!(done(bench.tick(4_999, None)), []);
    assert_eq!(done(bench.tick(1, None)), [weight(5_000), Effect::Measure]);

    bench.order(OrderKind::Pause);
    assert_eq!(done(bench.tick(1_000, bad())), [Effect::Measure]);
    failed(&bench.tick(1_000, bad()));
}

#[test]
fn a_step_may_wait_for_an_order() {
    let pause = Pauses::Each(vec![Pause::Promote, Pause::AfterMs(0)]);
    let (mut bench, effects) = Bench::ready(Policy::Canary(Canary { pause, ..unchecked() }));
    assert_eq!(done(effects), [weight(500), Effect::Measure]);
    assert_eq!(bench.phase(), "paused");
    assert_eq!(
        done(bench.tick(1 << 40, None)),
        [],
        "no deadline while somebody is waited for"
    );
    assert_eq!(bench.refused(OrderKind::Resume), "PB-ROLLOUT-011");
    assert_eq!(
        done(bench.order(OrderKind::Promote(Reach::Next))),
        [weight(5_000), Effect::Measure]
    );
    assert_eq!(done(bench.tick(0, None)), [Effect::GoLive, Effect::Measure]);
}

#[test]
fn an_order_to_promote_goes_one_step_or_all_the_way() {
    let (mut bench, _) = Bench::ready(Policy::Canary(canary()));
    bench.order(OrderKind::Pause);
    assert_eq!(
        done(bench.order(OrderKind::Promote(Reach::Next))),
        [weight(5_000), Effect::Measure]
    );
    assert_eq!(
        bench.rollout.phase(),
        Phase::Step(1),
        "and is not paused any more"
    );
    assert_eq!(
        done(bench.order(OrderKind::Promote(Reach::Next))),
        [Effect::GoLive, Effect::Measure]
    );
    assert_eq!(done(bench.order(OrderKind::Promote(Reach::Next))), [promoted()]);

    let (mut bench, _) = Bench::ready(Policy::Canary(canary()));
    assert_eq!(
        done(bench.order(OrderKind::Promote(Reach::Full))),
        [Effect::GoLive, promoted()]
    );
    let (mut bench, _) = Bench::ready(Policy::Shadow(Shadow::default()));
    assert_eq!(
        done(bench.order(OrderKind::Promote(Reach::Full))),
        [Effect::StopTrial, Effect::GoLive, promoted()]
    );
    assert_eq!(
        Bench::new(Policy::Immediate).refused(OrderKind::Promote(Reach::Full)),
        "PB-ROLLOUT-013"
    );
}

#[test]
fn an_abort_rolls_back_wherever_it_comes() {
    for policy in [
        Policy::Manual,
        Policy::Canary(canary()),
        Policy::Shadow(Shadow::default()),
    ] {
        let (mut bench, _) = Bench::ready(policy);
        let effects = bench.order(OrderKind::Abort);
        let why = "because".to_owned();
        assert_eq!(
            done(effects),
            [
                Effect::RollBack { why: why.clone() },
                Effect::Finished(Outcome::Aborted { why })
            ]
        );
        assert_eq!(bench.rollout.weight(), Weight::NONE);
        assert_eq!(bench.rollout.message(), "it was aborted: because");
        for kind in [
            OrderKind::Pause,
            OrderKind::Resume,
            OrderKind::Abort,
            OrderKind::Promote(Reach::Next),
        ] {
            assert_eq!(bench.refused(kind), "PB-ROLLOUT-010");
        }
        assert_eq!(bench.tick(1 << 30, bad()), []);
    }
    let mut early = Bench::new(Policy::Canary(canary()));
    early.order(OrderKind::Pause);
    assert_eq!(early.tick(1_000, None), [], "a paused one does not begin");
    assert!(matches!(
        early.order(OrderKind::Abort)[0],
        Effect::RollBack { .. }
    ));
}

#[test]
fn a_candidate_that_is_lost_fails_wherever_it_stands() {
    let (mut bench, _) = Bench::ready(Policy::Canary(canary()));
    bench.order(OrderKind::Pause);
    let effects = bench.after(0, Input::CandidateLost("quarantined\u{1b}[2J".repeat(100)));
    let why = failed(&effects);
    assert!(
        why.starts_with("the candidate was lost: quarantined[2J") && why.chars().count() <= 500,
        "{why}"
    );
}

#[test]
fn a_deadline_does_what_the_policy_says() {
    let with = |on_deadline| {
        Bench::ready(Policy::Canary(Canary {
            on_deadline,
            ..canary()
        }))
        .0
    };
    let mut rollback = with(OnDeadline::Rollback);
    assert_eq!(rollback.tick(59_999, None), []);
    assert_eq!(rollback.rollout.progress().deadline_in_ms, Some(1));
    assert!(failed(&rollback.tick(1, None)).contains("deadline"));

    let mut pause = with(OnDeadline::Pause);
    assert_eq!(done(pause.tick(60_000, None)), []);
    assert_eq!(pause.phase(), "paused");
    assert!(
        pause
            .rollout
            .message()
            .ends_with("paused, since its deadline is over")
    );
    pause.order(OrderKind::Resume);
    assert_eq!(
        pause.tick(59_999, None),
        [],
        "whoever resumes it gives it as much time again"
    );
    assert_eq!(pause.tick(1, None).len(), 1);
    assert_eq!(pause.phase(), "paused");

    let mut promote = with(OnDeadline::Promote);
    assert_eq!(done(promote.tick(60_000, None)), [weight(5_000), Effect::Measure]);
}

#[test]
fn a_manual_pause_does_not_count_against_the_deadline() {
    let (mut bench, _) = Bench::ready(Policy::Canary(canary()));
    bench.tick(50_000, None);
    bench.order(OrderKind::Pause);
    assert_eq!(bench.tick(1_000_000, None), []);
    bench.order(OrderKind::Resume);
    assert_eq!(bench.tick(9_999, None), []);
    failed(&bench.tick(1, None));
}

#[test]
fn a_shadow_ends_with_enough_calls_alike_or_one_too_many_different() {
    let shadow = |then| {
        Policy::Shadow(Shadow {
            calls: 10,
            max_differences: 1,
            deadline_ms: 5_000,
            then,
            ..Shadow::default()
        })
    };
    let (mut bench, effects) = Bench::ready(shadow(Then::Canary(Box::new(canary()))));
    assert_eq!(done(effects), [Effect::StartShadow]);
    assert_eq!(
        bench.after(
            1,
            Input::Shadowed {
                compared: 9,
                differing: 1
            }
        ),
        []
    );
    assert_eq!(
        bench.rollout.message(),
        "it answered 9 of 10 shadowed calls, 1 of them differently"
    );
    assert_eq!(
        done(bench.after(
            1,
            Input::Shadowed {
                compared: 1,
                differing: 0
            }
        )),
        [Effect::StopTrial, weight(500), Effect::Measure]
    );
    assert_eq!(
        bench.after(
            1,
            Input::Shadowed {
                compared: 9,
                differing: 9
            }
        ),
        [],
        "a late one is passed over"
    );

    let (mut bench, _) = Bench::ready(shadow(Then::Promote));
    let effects = bench.after(
        1,
        Input::Shadowed {
            compared: 3,
            differing: 2,
        },
    );
    assert_eq!(
        failed(&effects),
        "2 of 3 shadowed calls were answered differently, 1 may be"
    );
    assert!(matches!(
        effects[0],
        Effect::Record(Evidence::Differences {
            compared: 3,
            differing: 2,
            allowed: 1,
            ..
        })
    ));

    let (mut bench, _) = Bench::ready(shadow(Then::Promote));
    bench.order(OrderKind::Pause);
    assert_eq!(
        bench.after(
            1,
            Input::Shadowed {
                compared: 10,
                differing: 0
            }
        ),
        [],
        "a paused one does not go on"
    );
    assert_eq!(
        done(bench.order(OrderKind::Resume)),
        [Effect::StopTrial, Effect::GoLive, promoted()]
    );

    let (mut bench, _) = Bench::ready(shadow(Then::Promote));
    failed(&bench.tick(5_000, None));
}

#[test]
fn a_replay_ends_when_all_was_made_again() {
    let replay = |then| {
        Policy::Replay(Replay {
            last: 5,
            at_least: 2,
            then,
            ..Replay::default()
        })
    };
    let (mut bench, effects) = Bench::ready(replay(Then::Manual));
    assert_eq!(done(effects), [Effect::StartReplay]);
    assert_eq!(
        done(bench.after(
            1,
            Input::Replayed {
                compared: 5,
                differing: 0
            }
        )),
        [Effect::StopTrial]
    );
    assert_eq!(bench.phase(), "paused");
    assert_eq!(
        bench.after(
            1,
            Input::Replayed {
                compared: 5,
                differing: 5
            }
        ),
        []
    );
    assert_eq!(
        done(bench.order(OrderKind::Promote(Reach::Next))),
        [Effect::GoLive, promoted()]
    );

    let (mut bench, _) = Bench::ready(replay(Then::Promote));
    failed(&bench.after(
        1,
        Input::Replayed {
            compared: 5,
            differing: 1,
        },
    ));
    let (mut bench, _) = Bench::ready(replay(Then::Promote));
    let effects = bench.after(
        1,
        Input::Replayed {
            compared: 1,
            differing: 0,
        },
    );
    assert_eq!(
        failed(&effects),
        "only 1 recorded call(s) could be made again, 2 are wanted"
    );
    let (mut bench, _) = Bench::ready(replay(Then::Promote));
    failed(&bench.tick(600_000, None));
}

#[test]
fn the_time_in_which_the_host_was_down_counts_for_nothing() {
    let (mut bench, _) = Bench::ready(Policy::Canary(canary()));
    bench.tick(5_000, good());
    bench.now += 3_600_000;
    assert_eq!(
        bench.rollout.resumed(UnixMillis(bench.now)),
        [weight(500), Effect::Measure]
    );
    assert!(
        !bench.rollout.wants_window(UnixMillis(bench.now + 999)),
        "a window begins anew"
    );
    assert_eq!(bench.tick(4_999, None), []);
    assert_eq!(done(bench.tick(1, None)), [weight(5_000), Effect::Measure]);

    bench.tick(10_000, good());
    assert_eq!(
        bench.rollout.resumed(UnixMillis(bench.now)),
        [Effect::GoLive, Effect::Measure]
    );
    bench.tick(10_000, None);
    assert_eq!(
        bench.rollout.resumed(UnixMillis(bench.now)),
        [],
        "what is over stays so"
    );

    let (mut shadow, _) = Bench::ready(Policy::Shadow(Shadow::default()));
    shadow.after(
        0,
        Input::Shadowed {
            compared: 60,
            differing: 0,
        },
    );
    assert_eq!(
        shadow.rollout.resumed(UnixMillis(shadow.now)),
        [Effect::StartShadow]
    );
    assert_eq!(shadow.rollout.progress().compared, 60);
    let (mut replay, _) = Bench::ready(Policy::Replay(Replay::default()));
    assert_eq!(
        replay.rollout.resumed(UnixMillis(replay.now)),
        [Effect::StartReplay]
    );
}

#[test]
fn a_clock_that_goes_back_counts_as_no_time() {
    let (mut bench, _) = Bench::ready(Policy::Canary(unchecked()));
    bench.tick(5_000, None);
    bench.now -= 4_000;
    assert_eq!(bench.tick(0, None), []);
    assert_eq!(bench.tick(4_999, None), []);
    assert_eq!(done(bench.tick(1, None)), [weight(5_000), Effect::Measure]);
}

#[test]
fn a_stored_rollout_that_cannot_be_is_refused() {
    let (bench, _) = Bench::ready(Policy::Canary(canary()));
    let stored = serde_json::to_value(&bench.rollout).expect("JSON");
    for (place, value, part) in [
        ("form", serde_json::json!(2), "form 2"),
        ("stage", serde_json::json!({"step": 2}), "no stage"),
        ("stage", serde_json::json!("shadow"), "no stage"),
        ("stage", serde_json::json!("waiting"), "no stage"),
        (
            "policy",
            serde_json::json!({"canary": {"steps": []}}),
            "not valid",
        ),
        ("policy", serde_json::json!(5), "expected value"),
        ("more", serde_json::json!(5), "unknown field"),
    ] {
        let mut wrong = stored.clone();
        wrong[place] = value;
        let error = Rollout::restore(&wrong.to_string()).expect_err(place);
        assert_eq!(error.code().0, "PB-ROLLOUT-012");
        assert!(error.chain().contains(part), "{}", error.chain());
        assert!(!error.help().is_empty());
    }
}

#[test]
fn what_is_told_of_a_rollout_has_a_stable_form() {
    let (mut bench, effects) = Bench::ready(Policy::Canary(canary()));
    let [.., Effect::Record(evidence)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(
        serde_json::to_value(evidence).expect("JSON"),
        serde_json::json!({"kind": "decision", "at": 1_000, "from": "preparing", "to": {"step": 0}, "why": "the candidate is ready"})
    );
    assert_eq!((evidence.kind(), evidence.at()), ("decision", UnixMillis(1_000)));
    bench.tick(4_000, good());
    let progress = serde_json::to_value(bench.rollout.progress()).expect("JSON");
    assert_eq!(
        progress,
        serde_json::json!({
            "phase": {"step": 0}, "weight": 5, "step": 1, "steps": 2, "hereMs": 4_000, "atLeastMs": 10_000,
            "deadlineInMs": 56_000, "passedChecks": 1, "failedChecks": 0, "compared": 0, "differing": 0,
        })
    );
    assert_eq!(
        bench.rollout.message(),
        "step 1 of 2: it has 5 % of the calls; 6s to go"
    );
    assert_eq!(bench.rollout.changed_at(), UnixMillis(1_000));
}
