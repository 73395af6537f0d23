//! Restarts, clocks, and what is stored and told.

use super::*;

#[test]
fn the_time_in_which_the_host_was_down_counts_for_nothing() {
    let (mut bench, _) = Bench::ready(Policy::Canary(canary()));
    bench.tick(4_100, good());
    bench.tick(900, None);
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
