//! A run sees what is its tenant's and nothing of another.

use patchbay_tests_support::TestHost;
use patchbay_tests_support::patchbay::RunOrder;
use serde_json::{Value as Json, json};

use super::{node, refusal, result, workflow};

fn document(tenant: &str, node: Json) -> Json {
    let mut document = workflow(&[node], &[]);
    document["tenantId"] = json!(tenant);
    document
}

#[test]
fn a_run_sees_neither_keys_nor_secrets_nor_workflows_of_another_tenant() {
    let host = TestHost::holding(&["echo-1-0"], |config| {
        config
            .secrets
            .push(("acme".parse().unwrap(), "token".into(), "acme-token".into()));
    });
    let run = |document: &Json| host.host().run_workflow(RunOrder::of(document.to_string()));
    let value = |document: &Json| {
        let run = serde_json::to_value(run(document).unwrap()).unwrap();
        assert_eq!(run["status"], "success", "{run:#}");
        result(&run, "n").clone()
    };
    let put = node("n", "fx.kv", json!({ "key": "k", "put": "acme's" }));
    let get = node("n", "fx.kv", json!({ "key": "k" }));
    assert_eq!(value(&document("acme", put)), "acme's");
    assert_eq!(value(&document("acme", get.clone())), "acme's");
    assert_eq!(value(&document("other", get)), Json::Null);

    let secret = node("n", "fx.secret", json!({ "name": "token" }));
    assert_eq!(value(&document("acme", secret.clone())), "acme-token");
    let refused = run(&document("other", secret)).unwrap_err();
    assert_eq!(refusal(&refused), ["CREDENTIAL_MISSING"], "{refused}");
    assert!(!format!("{refused:?}").contains("acme-token"));

    // A template reads no secret, and no variable of the environment that is not on the list.
    let peek = json!({ "a": "{{ $env.PATH }}", "b": "{{ $secrets }}", "c": "{{ $context.tenantId }}" });
    let peek = json!({ "a": peek["a"], "c": peek["c"] });
    let peeked = run(&document("other", node("n", "fx.echo", peek))).unwrap();
    let output = peeked.state["n"].output.as_ref().unwrap();
    assert_eq!(output.get(), r#"{"a":null,"c":"other"}"#);

    let mut order = RunOrder::of(document("acme", node("n", "fx.who", json!({}))).to_string());
    order.tenant = Some("other".parse().unwrap());
    let refused = host.host().run_workflow(order).unwrap_err();
    assert!(refused.to_string().contains("`acme`"), "{refused}");
}
