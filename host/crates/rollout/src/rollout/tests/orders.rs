//! What is ordered, and what is lost.

use super::*;

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
fn a_manual_pause_does_not_count_against_the_deadline() {
    let (mut bench, _) = Bench::ready(Policy::Canary(canary()));
    bench.tick(50_000, None);
    bench.order(OrderKind::Pause);
    assert_eq!(bench.tick(1_000_000, None), []);
    bench.order(OrderKind::Resume);
    assert_eq!(bench.tick(9_999, None), []);
    failed(&bench.tick(1, None));
}
