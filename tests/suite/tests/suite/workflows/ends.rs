//! How runs end that do not come to their end by themselves, and when they may begin.

use std::time::Duration;

use patchbay_tests_support::TestHost;
use patchbay_tests_support::patchbay::{ControlError, Explain, RunOrder};
use serde_json::json;

use super::{begin, ended, files, let_end, node, result, run, succeed, wait_begun, with, workflow};

#[test]
fn a_run_ends_when_it_is_told_to_or_its_time_is_over() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    for node_type in ["fx.await", "fx.block"] {
        let files = files(&host, &format!("cancel-{node_type}"));
        let nodes = [
            node("w", node_type, files.clone()),
            node("never", "fx.version", json!({})),
        ];
        let document = workflow(&nodes, &[("w", "never")]);
        let begun = begin(&host, &document);
        let id = begun.id().clone();
        wait_begun(&host, &files);
        host.host().cancel_run(&id).unwrap();
        let cancelled = ended(begun);
        assert_eq!(cancelled["status"], "cancelled", "{cancelled:#}");
        assert_eq!(cancelled["state"]["w"]["errorCode"], "CANCELLED", "{cancelled:#}");
        assert_eq!(cancelled["state"]["never"]["status"], "skipped", "{cancelled:#}");
        let kept = serde_json::to_value(host.host().run(&id).unwrap()).unwrap();
        assert_eq!(
            (&kept["status"], &kept["error"]["code"]),
            (&json!("cancelled"), &json!("CANCELLED"))
        );
        assert!(host.host().cancel_run(&id).is_err());

        let mut document = document;
        document["settings"] = json!({ "executionTimeout": 0.1 });
        let late = run(&host, &document);
        assert_eq!(
            (&late["status"], &late["error"]["code"]),
            (&json!("timeout"), &json!("TIMEOUT")),
            "{late:#}"
        );
        assert_eq!(late["state"]["never"]["status"], "skipped", "{late:#}");
    }
}

#[test]
fn a_node_that_hangs_is_given_up_and_its_thread_replaced() {
    let host = TestHost::holding(&["steady-1-0", "echo-1-0"], |config| config.workflows.threads = 1);
    let files = files(&host, "hang");
    let hang = with(
        node("hang", "fx.hang", files.clone()),
        json!({ "timeout": 50, "onError": "continueRegularOutput" }),
    );
    let nodes = [hang, node("after", "fx.version", json!({}))];
    let document = workflow(&nodes, &[("hang", "after")]);
    let given_up = succeed(&host, &document);
    assert_eq!(given_up["state"]["hang"]["errorCode"], "TIMEOUT", "{given_up:#}");
    assert_eq!(result(&given_up, "after"), "1.0.0");
    // The one thread hangs in the node still; others run.
    for _ in 0..3 {
        succeed(&host, &workflow(&[node("v", "fx.version", json!({}))], &[]));
    }
    let_end(&files);
}

#[test]
fn a_document_says_how_often_it_runs_at_once_and_in_a_while() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    let files = files(&host, "one");
    let mut one = workflow(&[node("w", "fx.await", files.clone())], &[]);
    one["settings"] = json!({ "maxConcurrentExecutions": 1 });
    let (first, second) = (begin(&host, &one), begin(&host, &one));
    assert!(!first.is_queued() && second.is_queued());
    wait_begun(&host, &files);
    let_end(&files);
    assert_eq!(ended(first)["status"], "success");
    assert_eq!(ended(second)["status"], "success");

    let mut few = workflow(&[node("v", "fx.version", json!({}))], &[]);
    few["rateLimiting"] = json!({ "requestsPerWindow": 2, "windowSeconds": 3600 });
    few["id"] = json!("few");
    succeed(&host, &few);
    succeed(&host, &few);
    let refused = host
        .host()
        .run_workflow(RunOrder::of(few.to_string()))
        .unwrap_err();
    assert!(matches!(refused, ControlError::Runs(_)) && !refused.help().is_empty());
    assert!(refused.to_string().contains("2 times"), "{refused}");
}

#[test]
fn what_a_document_keeps_to_itself_is_not_in_the_journal() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    let mut document = workflow(
        &[node("e", "fx.echo", json!({ "key": "hunter2 {{ $json.more }}" }))],
        &[],
    );
    document["settings"] = json!({ "saveExecutionData": "none" });
    let mut order = RunOrder::of(document.to_string());
    order.trigger = patchbay_tests_support::patchbay::Value::from_json(r#"{"more": "hunter3"}"#).unwrap();
    let ran = host.host().run_workflow(order).unwrap();
    assert_eq!(
        ran.state["e"].output.as_ref().unwrap().get(),
        r#"{"key":"hunter2 hunter3"}"#
    );
    let kept = serde_json::to_value(host.host().run(&ran.run_id).unwrap()).unwrap();
    assert_eq!(
        (&kept["status"], &kept["state"]["e"]["status"]),
        (&json!("success"), &json!("success"))
    );
    assert!(!kept.to_string().contains("hunter"), "{kept:#}");

    document["settings"] = json!({ "saveDataSuccessExecution": "none" });
    let unkept = host
        .host()
        .run_workflow(RunOrder::of(document.to_string()))
        .unwrap();
    host.host().sync_runs(Duration::from_secs(30)).unwrap();
    assert!(host.host().run(&unkept.run_id).is_err());
}
