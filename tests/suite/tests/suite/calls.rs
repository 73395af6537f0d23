//! What a caller gets: values, errors with codes, limits, and nobody else's data.

use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use patchbay_tests_support::TestHost;
use patchbay_tests_support::patchbay::{Call, CallRequest, ControlError, Explain, NodeRules, TenantId};
use serde_json::{Value as Json, json};

fn echo() -> TestHost {
    TestHost::holding(&["echo-1-0"], |_| {})
}

fn tenant(text: &str) -> TenantId {
    text.parse().unwrap()
}

/// The code that the node itself gave.
fn node_code(error: &ControlError) -> String {
    match error {
        ControlError::Call(error) => error
            .node_error()
            .map(|error| error.code.to_string())
            .unwrap_or_default(),
        _ => String::new(),
    }
}

#[test]
fn values_go_through_unchanged() {
    let host = echo();
    for input in [
        json!({}),
        json!({"a": [1, -1, 0.5, true, null, "ümlaut \u{0}\n"], "b": {"c": {"d": []}}}),
        json!({"min": i64::MIN, "max": i64::MAX, "tiny": 5e-324, "large": 1.797e308}),
        json!([1, [2, [3, [4]]]]),
        json!("text"),
        json!(null),
        json!({"long": "x".repeat(1 << 20), "wide": vec![7; 10_000]}),
    ] {
        assert_eq!(host.try_call("fx.echo", input.clone()).unwrap().output, input);
    }
}

#[test]
fn a_reply_names_who_answered() {
    let host = echo();
    let reply = host.try_call("fx.version", json!({})).unwrap();
    assert_eq!(
        (reply.plugin.as_str(), reply.version.to_string().as_str()),
        ("echo", "1.0.0")
    );
    assert_eq!(Some(reply.revision), host.plugin("echo").live_revision);
}

#[test]
fn an_unknown_node_is_an_error_that_names_the_nearest() {
    let error = echo().try_call("fx.versoin", json!({})).unwrap_err();
    assert_eq!(error.code().0, "PB-CALL-001");
    assert!(error.help().contains("`fx.version`"), "{}", error.help());
}

#[test]
fn an_alias_is_another_name_of_the_same_node() {
    let host = echo();
    assert_eq!(host.call("fx.ver", json!({})), "1.0.0");
    assert_eq!(
        host.host().node("fx.ver").unwrap().node_type.as_str(),
        "fx.version"
    );
}

#[test]
fn a_nodes_own_error_comes_through_whole() {
    let error = echo()
        .try_call("fx.fail", json!({"code": "OUT_OF_TEA", "message": "no tea left"}))
        .unwrap_err();
    assert_eq!(
        (error.code().0, node_code(&error).as_str()),
        ("PB-CALL-002", "OUT_OF_TEA")
    );
    assert!(error.to_string().contains("no tea left"));
    let ControlError::Call(error) = error else {
        panic!("{error:?}")
    };
    let said = error.node_error().unwrap();
    assert_eq!((said.status_code, said.retryable), (Some(418), Some(false)));
}

#[test]
fn bad_parameters_are_refused_by_name() {
    let error = echo()
        .try_call("fx.fail", json!({"code": 1, "message": "x"}))
        .unwrap_err();
    assert_eq!(node_code(&error), "VALIDATION_FAILED");
    assert!(error.to_string().contains("code"), "{error}");
}

#[test]
fn a_panic_of_any_kind_is_an_error_and_the_host_serves_on() {
    let host = echo();
    for round in 0..20 {
        for (kind, said) in [
            ("text", "asked to panic: text"),
            ("number", "no text"),
            ("bomb", "no text"),
        ] {
            let error = host.try_call("fx.panic", json!({"kind": kind})).unwrap_err();
            assert_eq!(error.code().0, "PB-CALL-003", "round {round}: {error:?}");
            assert!(error.chain().contains(said), "{}", error.chain());
        }
        assert_eq!(host.version(), "1.0.0");
    }
}

#[test]
fn an_output_over_the_limit_is_an_error_and_one_under_it_is_not() {
    let host = TestHost::holding(&["echo-1-0"], |config| config.max_output_bytes = 100_000);
    for (bytes, fits) in [
        (10, true),
        (90_000, true),
        (100_001, false),
        (10_000_000, false),
        (20, true),
    ] {
        match host.try_call("fx.big", json!({"bytes": bytes})) {
            Ok(reply) => assert!(fits && reply.output["result"].as_str().unwrap().len() == bytes),
            Err(error) => assert!(!fits && error.code().0 == "PB-CALL-004", "{bytes}: {error:?}"),
        }
    }
}

#[test]
fn nodes_call_nodes_to_a_depth() {
    let host = TestHost::holding(&["echo-1-0"], |config| config.max_call_depth = 8);
    assert_eq!(host.call("fx.nested", json!({})), "1.0.0");
    assert_eq!(host.call("fx.nested", json!({"depth": 7})), "1.0.0");
    let error = host.try_call("fx.nested", json!({"depth": 8})).unwrap_err();
    assert_eq!(node_code(&error), "PB-CALL-007");
    assert_eq!(host.version(), "1.0.0");
}

#[test]
fn a_tenants_keys_are_its_own() {
    let host = echo();
    let kv = |of: &str, input: Json| host.call_for(of, "fx.kv", input).unwrap().output["result"].clone();
    assert_eq!(kv("acme", json!({"key": "k", "put": "of acme"})), "of acme");
    assert_eq!(kv("bolt", json!({"key": "k"})), Json::Null);
    assert_eq!(kv("bolt", json!({"key": "k", "put": "of bolt"})), "of bolt");
    assert_eq!(kv("acme", json!({"key": "k"})), "of acme");
}

#[test]
fn a_tenants_keys_outlive_the_version_that_wrote_them() {
    let host = echo();
    host.call("fx.kv", json!({"key": "k", "put": "kept"}));
    host.bring_in("echo-1-1");
    assert_eq!(host.call("fx.kv", json!({"key": "k"})), "kept");
}

#[test]
fn a_node_reads_the_secrets_it_declared_and_its_tenant_has() {
    let host = TestHost::holding(&["echo-1-0"], |config| {
        config.secrets = vec![
            (tenant("acme"), "token".into(), "s3cret".into()),
            (tenant("acme"), "other".into(), "no".into()),
        ];
    });
    let read = |of: &str, name: &str| host.call_for(of, "fx.secret", json!({"name": name}));
    assert_eq!(read("acme", "token").unwrap().output["result"], "s3cret");
    assert_eq!(node_code(&read("acme", "other").unwrap_err()), "NOT_ALLOWED");
    assert_eq!(
        node_code(&read("bolt", "token").unwrap_err()),
        "CREDENTIAL_MISSING"
    );
    host.host().set_secret(&tenant("bolt"), "token", "another");
    assert_eq!(read("bolt", "token").unwrap().output["result"], "another");
}

#[test]
fn a_call_knows_its_tenant() {
    let host = echo();
    assert_eq!(
        host.call_for("acme", "fx.who", json!({})).unwrap().output["result"][0],
        "acme"
    );
    assert_eq!(host.call("fx.who", json!({}))[0], "default");
}

#[test]
fn a_call_over_its_deadline_is_a_timeout_whether_polled_or_not() {
    let host = echo();
    let paths = json!({"began": host.scratch("began"), "until": host.scratch("never")});
    for (node, input) in [
        ("fx.sleep", json!({"millis": 3_600_000})),
        ("fx.await", paths.clone()),
        ("fx.block", paths),
    ] {
        let request = CallRequest {
            timeout_ms: Some(30),
            ..CallRequest::of(input)
        };
        let error = host.host().call_json(node, request).unwrap_err();
        assert!(
            error.code().0 == "PB-CALL-006" || node_code(&error) == "TIMEOUT",
            "{node}: {error:?}"
        );
        assert_eq!(
            error.class(),
            patchbay_tests_support::patchbay::ErrorClass::Timeout
        );
    }
}

#[test]
fn an_async_node_answers() {
    assert_eq!(echo().call("fx.sleep", json!({"millis": 5})), "1.0.0");
}

#[test]
fn a_cancelled_call_ends() {
    let host = echo();
    for node in ["fx.block", "fx.await"] {
        let began = host.scratch(&format!("{node}-began"));
        let input = json!({"began": began, "until": host.scratch("never")});
        let call = Call::of(tenant("default"));
        let error = std::thread::scope(|threads| {
            let running = threads.spawn(|| host.host().call_as(node, &input, &call).unwrap_err());
            host.until("the call to begin", || fs::exists(&began).unwrap());
            call.cancel.store(1, Ordering::SeqCst);
            running.join().unwrap()
        });
        assert_eq!(node_code(&error), "CANCELLED", "{node}");
    }
}

#[test]
fn a_node_knows_tenant_and_run_of_its_call() {
    let host = echo();
    let call = Call {
        timeout: Some(Duration::from_secs(60)),
        ..Call::of(tenant("acme"))
    };
    let who = host.host().call_as("fx.who", &json!({}), &call).unwrap();
    assert_eq!(
        who.as_ref().get("result").unwrap().to_json(),
        format!("[\"acme\",\"{}\"]", call.run)
    );
}

#[test]
fn a_variable_is_seen_by_the_calls_of_its_run_and_by_no_other() {
    let host = echo();
    let (run, other) = (Call::of(tenant("acme")), Call::of(tenant("acme")));
    let variable = |call: &Call, input: serde_json::Value| {
        let output = host.host().call_as("fx.variable", &input, call).unwrap();
        output.as_ref().get("result").unwrap().to_json()
    };
    assert_eq!(variable(&run, json!({"name": "v", "value": "set"})), "null");
    assert_eq!(variable(&run, json!({"name": "v"})), "\"set\"");
    assert_eq!(variable(&other, json!({"name": "v"})), "null");
}

#[test]
fn what_a_node_logs_reaches_the_hosts_log() {
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);
    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let host = echo();
    let kept = Kept::default();
    let writer = kept.clone();
    let log = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(log, || {
        host.try_call("fx.log", json!({"message": "hear this"})).unwrap()
    });
    let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    for word in [
        "WARN",
        "hear this",
        "plugin=echo",
        "version=1.0.0",
        "tenant=default",
    ] {
        assert!(text.contains(word), "{word} is not in {text}");
    }
}

#[test]
fn a_node_is_no_way_around_the_rules_of_a_tenant() {
    let host = TestHost::holding(&["echo-1-0"], |config| {
        let rules = NodeRules {
            allow: Vec::new(),
            deny: vec!["fx.version".parse().unwrap()],
        };
        config.workflows.rules.0.push((tenant("acme"), rules));
    });
    // `fx.nested` calls `fx.version` at its last step.
    for depth in [0, 2] {
        let input = json!({"depth": depth});
        let free = Call::of(tenant("bolt"));
        host.host().call_as("fx.nested", &input, &free).unwrap();
        let bound = Call::of(tenant("acme"));
        let error = host.host().call_as("fx.nested", &input, &bound).unwrap_err();
        assert_eq!(node_code(&error), "NODE_TYPE_NOT_ALLOWED", "{error}");
    }
}
