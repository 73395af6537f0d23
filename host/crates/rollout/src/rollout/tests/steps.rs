//! Steps, checks, bakes and deadlines.

use super::*;

#[test]
fn immediate_goes_live_when_the_candidate_is_ready() {
    let (bench, effects) = Bench::ready(Policy::Immediate);
    assert_eq!(done(effects), [Effect::GoLive, promoted()]);
    assert_eq!(bench.phase(), "promoted");
    assert_eq!(bench.rollout.weight(), Weight::ALL);
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
fn a_deadline_does_not_promote_what_has_just_failed_a_check() {
    let (mut bench, _) = Bench::ready(Policy::Canary(Canary {
        on_deadline: OnDeadline::Promote,
        ..canary()
    }));
    assert_eq!(done(bench.tick(1_000, bad())), [Effect::Measure]);
    assert!(failed(&bench.tick(59_000, None)).ends_with("the last check has failed"));
}

#[test]
fn neither_a_step_nor_a_bake_ends_while_the_last_check_has_failed() {
    let (mut bench, _) = Bench::ready(Policy::Canary(canary()));
    bench.tick(1_000, good());
    assert_eq!(done(bench.tick(1_000, bad())), [Effect::Measure]);
    assert_eq!(done(bench.tick(20_000, None)), []);
    assert_eq!(
        done(bench.tick(1_000, good())),
        [Effect::Measure, weight(5_000), Effect::Measure]
    );
    bench.tick(10_000, good());
    assert_eq!(bench.phase(), "baking");
    assert_eq!(done(bench.tick(1_000, bad())), [Effect::Measure]);
    assert_eq!(done(bench.tick(20_000, None)), []);
    assert_eq!(done(bench.tick(1_000, good())), [Effect::Measure, promoted()]);
}
