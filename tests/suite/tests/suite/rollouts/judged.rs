//! What is measured of a candidate decides about it: it goes on, or is taken back, by itself.

use patchbay_tests_support::patchbay::{Config, RolloutView};
use patchbay_tests_support::{TestHost, name};
use serde_json::{Value as Json, json};

use super::{canary, deed, holding, rollout, start, two, under_load, wait, wait_end};

/// A step that ends soon when its checks pass.
fn judged(analysis: &Json) -> Json {
    canary(json!({ "steps": [50], "pause": { "afterMs": 30 }, "analysis": analysis }))
}

/// The breaker is left out, which would be quicker.
fn without_breaker(config: &mut Config) {
    config.delivery.breaker.panics = 0;
    config.delivery.breaker.timeouts = 0;
    config.delivery.breaker.error_rate = 0.0;
}

const CALLERS: usize = 2;

/// Has 1.1.0 go wrong under load until its rollout has ended, and gives the rollout with its evidence.
fn gone_wrong(host: &TestHost, how: &str, analysis: &Json) -> RolloutView {
    let ((), load) = under_load(host, CALLERS, &deed(how), |load| {
        start(host, &judged(analysis));
        wait_end(host, "rollout.failed");
        assert_eq!(host.live("fickle"), "1.0.0");
        // Whoever calls from now on is answered; the callers may have been inside.
        let count = || load.failures().values().sum::<u64>();
        let failed = count();
        load.more(host, 100);
        assert!(count() <= failed + CALLERS as u64, "{failed} {load:?}");
    });
    assert!(load.answered_by("1.0.0") > 0);
    assert_eq!(load.failures().is_empty(), how == "slow", "{load:?}");
    host.until("it to be let go of", || host.host().status().rollouts == 0);
    rollout(host)
}

/// The checks of a rollout that failed, in the evidence.
fn failed_checks(view: &RolloutView) -> Vec<&Json> {
    let checks = view.evidence.iter().filter(|one| one.kind == "check");
    let failed = checks.filter(|one| one.body.to_string().contains("\"verdict\":\"fail\""));
    failed.map(|one| &one.body).collect()
}

#[test]
fn a_candidate_whose_calls_fail_is_taken_back_with_the_numbers_that_say_why() {
    let host = holding(&["fickle-1-0", "fickle-1-1"], without_breaker);
    let analysis = json!({ "intervalMs": 20, "minCalls": 30, "failedChecks": 2, "latency": [] });
    let view = gone_wrong(&host, "fail", &analysis);
    assert!(
        view.message.contains('%') && view.message.contains("fail"),
        "{}",
        view.message
    );
    assert!(failed_checks(&view).len() >= 2, "{:#?}", view.evidence);
    let history = host.host().history(&name("fickle")).unwrap();
    assert_eq!(
        history.last().map(|line| line.action.as_str()),
        Some("unweighted")
    );
}

#[test]
fn a_candidate_that_panics_is_taken_back_at_the_first_check() {
    let host = holding(&["fickle-1-0", "fickle-1-1"], without_breaker);
    let analysis = json!({
        "intervalMs": 20, "minCalls": 1_000_000, "failedChecks": 1, "latency": [], "maxErrorRateIncrease": "off",
    });
    let view = gone_wrong(&host, "panic", &analysis);
    assert!(view.message.contains("panicked"), "{}", view.message);
    assert_eq!(failed_checks(&view).len(), 1, "{:#?}", view.evidence);
}

#[test]
fn a_candidate_that_is_slower_than_it_may_be_is_taken_back() {
    let host = holding(&["fickle-1-0", "fickle-1-1"], without_breaker);
    let analysis = json!({
        "intervalMs": 50, "minCalls": 20, "failedChecks": 1, "maxErrorRateIncrease": "off", "maxPanics": "off",
        "latency": [{ "quantile": 0.5, "maxRatio": 3.0 }],
    });
    let view = gone_wrong(&host, "slow", &analysis);
    assert!(view.message.contains("quantile 0.5"), "{}", view.message);
}

#[test]
fn a_candidate_that_fails_once_it_is_live_is_rolled_back_while_it_bakes() {
    let host = holding(&["fickle-1-0", "fickle-1-1"], without_breaker);
    let analysis = json!({ "intervalMs": 20, "minCalls": 30, "failedChecks": 2, "latency": [] });
    let policy = canary(json!({
        "steps": [50], "pause": { "afterMs": 10 }, "bakeMs": 1_800_000, "analysis": analysis,
    }));
    let ((), _) = under_load(&host, 2, &json!({}), |_| {
        start(&host, &policy);
        wait(&host, 0, "rollout.baking");
    });
    assert_eq!(host.live("fickle"), "1.1.0");
    let ((), _) = under_load(&host, 2, &deed("fail"), |_| {
        wait_end(&host, "rollout.failed");
    });
    assert_eq!(host.live("fickle"), "1.0.0");
    let history = host.host().history(&name("fickle")).unwrap();
    assert!(
        history
            .iter()
            .any(|line| line.action == "rolled-back" && line.actor == "rollout")
    );
    assert!(failed_checks(&rollout(&host)).len() >= 2);
}

#[test]
fn a_candidate_that_does_as_well_passes_its_checks_and_goes_live() {
    let host = two();
    let analysis = json!({ "intervalMs": 20, "minCalls": 30, "latency": [] });
    let ((), load) = under_load(&host, 2, &json!({}), |_| {
        start(&host, &judged(&analysis));
        wait_end(&host, "rollout.promoted");
    });
    assert_eq!(load.failures(), std::collections::BTreeMap::new());
    let view = rollout(&host);
    let checks = view.evidence.iter().filter(|one| one.kind == "check").count();
    assert!(checks >= 1, "{:#?}", view.evidence);
}

#[test]
fn without_calls_the_policy_says_whether_it_waits_passes_or_fails() {
    let of =
        |no_data: &str| json!({ "intervalMs": 10, "minCalls": 50, "failedChecks": 2, "noData": no_data });
    let host = two();
    start(&host, &judged(&of("pass")));
    wait_end(&host, "rollout.promoted");

    let host = two();
    start(&host, &judged(&of("fail")));
    wait_end(&host, "rollout.failed");
    assert_eq!(host.live("fickle"), "1.0.0");

    // It waits for as long as nobody calls, and goes on when somebody does.
    let host = two();
    start(&host, &judged(&of("wait")));
    super::looks_pass(&host);
    let view = rollout(&host);
    assert_eq!((view.phase.as_str(), view.finished), ("stepping", false));
    let ((), _) = under_load(&host, 2, &json!({}), |_| {
        host.wait("rollout.promoted", "fickle", "1.1.0");
    });
}
