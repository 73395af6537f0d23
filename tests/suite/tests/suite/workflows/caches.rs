//! What is remembered between runs, and what makes it be forgotten.

use std::time::Duration;

use patchbay_tests_support::TestHost;
use patchbay_tests_support::patchbay::CacheView;
use serde_json::{Value as Json, json};

use super::{node, result, succeed, workflow};

fn cache(host: &TestHost, name: &str) -> CacheView {
    let caches = host.host().caches().caches;
    caches.into_iter().find(|cache| cache.name == name).unwrap()
}

#[test]
fn results_of_pure_nodes_that_take_long_are_remembered_unless_they_ask_their_run() {
    let host = TestHost::holding(&["steady-1-0"], |config| {
        config.workflows.result_from = Duration::ZERO;
    });
    let counted = |document: &Json| {
        let before = cache(&host, "results");
        let run = succeed(&host, document);
        let after = cache(&host, "results");
        (after.hits - before.hits, after.misses - before.misses, run)
    };
    let long = workflow(&[node("n", "fx.long", json!({ "value": 7 }))], &[]);
    // Two calls in turn show that the node takes long, the next one is remembered.
    for _ in 0..2 {
        assert_eq!(counted(&long).0, 0);
    }
    let (hits, misses, second) = counted(&long);
    assert_eq!((hits, misses), (0, 1));
    let (hits, misses, third) = counted(&long);
    assert_eq!((hits, misses), (1, 0));
    assert_eq!(result(&second, "n"), 7);
    assert_eq!(third["state"]["n"]["output"], second["state"]["n"]["output"]);
    let other = workflow(&[node("n", "fx.long", json!({ "value": 8 }))], &[]);
    assert_eq!(result(&counted(&other).2, "n"), 8);

    // The same parameters, another run: what it evaluates is another value.
    let parameters = json!({ "expression": "$workflow.variables.x" });
    let asking = |x: i64| {
        let mut document = workflow(&[node("n", "fx.long", parameters.clone())], &[]);
        document["variables"] = json!({ "x": { "name": "x", "type": "number", "defaultValue": x } });
        document
    };
    for x in 0..3 {
        let (hits, _, run) = counted(&asking(x));
        assert_eq!((hits, result(&run, "n")), (0, &json!(x)));
    }
}

#[test]
fn a_document_is_compiled_once_and_judged_again_when_a_plugin_that_it_uses_changes() {
    let host = TestHost::holding(&["echo-1-0", "steady-1-0"], |_| {});
    let document = workflow(&[node("v", "fx.version", json!({}))], &[]);
    let counted = || {
        let before = (cache(&host, "plans"), cache(&host, "validations"));
        let run = succeed(&host, &document);
        let after = (cache(&host, "plans"), cache(&host, "validations"));
        let missed = (after.0.misses - before.0.misses, after.1.misses - before.1.misses);
        assert!(missed.0 > 0 || after.0.hits > before.0.hits);
        assert!(missed.1 > 0 || after.1.hits > before.1.hits);
        (missed, result(&run, "v").clone())
    };
    assert_eq!(counted(), ((1, 1), json!("1.0.0")));
    assert_eq!(counted(), ((0, 0), json!("1.0.0")));
    host.bring_in("steady-1-1");
    assert_eq!(counted(), ((0, 0), json!("1.0.0")));
    host.bring_in("echo-1-1");
    assert_eq!(counted(), ((0, 1), json!("1.1.0")));
    assert_eq!(counted(), ((0, 0), json!("1.1.0")));
}
