//! Copies of calls go to the candidate, and their answers to nobody.

use patchbay_tests_support::{TestHost, name};
use serde_json::{Value as Json, json};

use super::{by_ada, deed, holding, kinds, refused, rollout, start, try_start, two, wait_end};

/// A shadow after which the candidate waits, so that every caller is answered by the stable version.
fn shadow(fields: Json) -> Json {
    let mut shadow = json!({ "calls": 40, "ignore": ["$.by"], "then": "manual" });
    let (Some(all), Json::Object(fields)) = (shadow.as_object_mut(), fields) else {
        panic!("both are objects");
    };
    all.extend(fields);
    json!({ "shadow": shadow })
}

/// Calls until the rollout stands where it is wanted; each call is to be answered by 1.0.0, with 7.
fn call_until(host: &TestHost, node: &str, input: &Json, phase: &str) {
    host.until(phase, || {
        let reply = host.try_call(node, input.clone()).unwrap();
        assert_eq!(reply.version.to_string(), "1.0.0");
        assert_eq!(
            (&reply.output["result"], &reply.output["by"]),
            (&json!(7), &json!("1.0.0"))
        );
        rollout(host).phase == phase
    });
}

/// What differed, as it is kept.
fn differences(host: &TestHost) -> Vec<Json> {
    let view = rollout(host);
    let kept = view.evidence.into_iter().map(|one| one.body);
    kept.filter(|body| body.get("nodeType").is_some()).collect()
}

#[test]
fn a_candidate_that_answers_alike_but_for_what_is_ignored_gets_through() {
    let host = two();
    let begun = start(&host, &shadow(json!({})));
    assert_eq!((begun.phase.as_str(), begun.weight), ("shadowing", 0.0));
    call_until(&host, "fk.do", &deed(""), "paused");
    assert!(differences(&host).is_empty());
    assert_eq!(host.live("fickle"), "1.0.0");
    assert_eq!(kinds(&host), ["rollout.shadowing", "rollout.paused"]);
}

#[test]
fn after_the_shadow_the_candidate_goes_live_or_gets_a_share_as_the_policy_says() {
    let host = two();
    start(&host, &shadow(json!({ "then": "promote" })));
    host.until("the candidate to go live", || {
        host.try_call("fk.do", deed("")).unwrap();
        host.live("fickle") == "1.1.0"
    });
    wait_end(&host, "rollout.promoted");

    let host = two();
    let steps = json!({ "steps": [30], "pause": "promote", "bakeMs": 0, "analysis": "off" });
    start(&host, &shadow(json!({ "then": { "canary": steps } })));
    host.until("the candidate to have a share", || {
        host.try_call("fk.do", deed("")).unwrap();
        rollout(&host).weight == 30.0
    });
}

#[test]
fn a_candidate_that_answers_differently_fails_and_the_differences_are_shown() {
    let host = two();
    start(&host, &shadow(json!({})));
    call_until(&host, "fk.do", &deed("differ"), "failed");
    let view = rollout(&host);
    assert!(view.message.contains("differently"), "{}", view.message);
    host.until("the difference to be kept", || !differences(&host).is_empty());
    let kept = differences(&host);
    assert_eq!(kept[0]["nodeType"], "fk.do");
    assert!(kept[0]["input"].as_str().unwrap().contains("differ"), "{kept:#?}");
    let paths: Vec<_> = kept[0]["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["path"].as_str().unwrap())
        .collect();
    assert!(paths.iter().any(|path| path.contains("result")), "{paths:?}");
    assert!(paths.iter().any(|path| path.contains("parts")), "{paths:?}");
    assert!(
        !paths.iter().any(|path| path.contains("by")),
        "it is ignored: {paths:?}"
    );
    assert!(super::compared(&view).is_some(), "{:#?}", view.evidence);
}

#[test]
fn what_is_not_ignored_counts() {
    let host = two();
    start(&host, &shadow(json!({ "ignore": [] })));
    call_until(&host, "fk.do", &deed(""), "failed");
}

#[test]
fn as_many_differences_as_are_allowed_are_no_failure_and_only_so_many_are_kept() {
    let host = two();
    start(
        &host,
        &shadow(json!({ "calls": 120, "maxDifferences": 1_000_000 })),
    );
    call_until(&host, "fk.do", &deed("differ"), "paused");
    host.until("the differences to be kept", || differences(&host).len() >= 50);
    assert_eq!(differences(&host).len(), 50);
    let view = rollout(&host);
    let (_, differing) = super::compared(&view).unwrap();
    assert!(differing >= 120, "all are counted: {view:?}");
}

#[test]
fn without_comparison_it_is_enough_that_the_candidate_answers() {
    let host = two();
    start(&host, &shadow(json!({ "compare": false, "ignore": [] })));
    call_until(&host, "fk.do", &deed("differ"), "paused");
    let host = two();
    start(&host, &shadow(json!({ "compare": false })));
    call_until(&host, "fk.do", &deed("fail"), "failed");
}

#[test]
fn a_candidate_that_panics_differs_and_no_caller_hears_of_it() {
    let host = two();
    start(&host, &shadow(json!({})));
    call_until(&host, "fk.do", &deed("panic"), "failed");
    host.until("the difference to be kept", || !differences(&host).is_empty());
    let kept = differences(&host);
    let found = &kept[0]["differences"][0];
    assert_eq!(found["stable"], "an answer");
    assert!(
        found["candidate"].as_str().unwrap().starts_with("error "),
        "{kept:#?}"
    );
    assert_eq!(host.live("fickle"), "1.0.0");
}

#[test]
fn a_candidate_that_hangs_holds_up_no_caller() {
    let host = two();
    let end = host.scratch("end");
    start(&host, &shadow(json!({ "calls": 2_000 })));
    let input = deed(&format!("await:{}", end.display()));
    // More than there is room for.
    for _ in 0..1_000 {
        let reply = host.try_call("fk.do", input.clone()).unwrap();
        assert_eq!(reply.version.to_string(), "1.0.0");
    }
    assert_eq!(rollout(&host).phase, "shadowing");
    host.host().rollout_abort(&name("fickle"), by_ada()).unwrap();
    std::fs::write(end, "").unwrap();
}

#[test]
fn errors_of_both_versions_are_alike() {
    let host = two();
    start(&host, &shadow(json!({})));
    let input = json!({ "in": ["1.0.0", "1.1.0"], "how": "fail" });
    host.until("enough copies", || {
        let error = host.try_call("fk.do", input.clone()).unwrap_err();
        assert_eq!(super::Explain::code(&error).0, "PB-CALL-002");
        rollout(&host).phase == "paused"
    });
}

#[test]
fn nodes_that_are_polled_are_compared_like_any_other() {
    let host = two();
    start(&host, &shadow(json!({ "calls": 10 })));
    call_until(&host, "fk.later", &deed(""), "paused");
    let host = two();
    start(&host, &shadow(json!({})));
    call_until(&host, "fk.later", &deed("differ"), "failed");
}

#[test]
fn a_node_that_acts_is_left_out_said_to_be_so_and_called_once() {
    let host = two();
    let begun = start(&host, &shadow(json!({ "calls": 10 })));
    let left: Vec<_> = begun
        .left_out
        .iter()
        .map(|node| (node.node_type.as_str(), node.why.as_str()))
        .collect();
    assert_eq!(left, [("fk.act", "it acts on the world")]);
    let file = host.scratch("deeds");
    for _ in 0..20 {
        host.try_call("fk.act", json!({ "file": file })).unwrap();
    }
    call_until(&host, "fk.do", &deed(""), "paused");
    let lines = std::fs::read_to_string(file).unwrap();
    assert_eq!(lines.lines().collect::<Vec<_>>(), ["1.0.0"; 20]);
}

#[test]
fn a_plugin_all_of_whose_nodes_act_or_keep_state_is_not_tried_by_copies() {
    let host = holding(&["counter-1-0", "counter-1-1"], |_| {});
    for policy in [json!({ "shadow": {} }), json!({ "replay": {} })] {
        let error = try_start(&host, "counter", "1.1.0", &policy).unwrap_err();
        assert!(super::Explain::chain(&error).contains("fx.count"), "{error:?}");
        assert_eq!(refused::<()>(Err(error)), "PB-DELIVERY-006");
    }
    assert_eq!(host.host().status().rollouts, 0);
}

#[test]
fn a_shadow_that_nobody_calls_fails_when_its_time_is_over() {
    let host = two();
    start(&host, &shadow(json!({ "deadlineMs": 40 })));
    let end = wait_end(&host, "rollout.failed");
    assert!(end.message.contains("deadline"), "{end:?}");
}
