//! Documents that nobody should write: they are answered with findings, and whatever is fit ends.

use patchbay_tests_support::TestHost;
use patchbay_tests_support::patchbay::RunOrder;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};

use super::{connect, node, refusal, run, with, workflow};

fn host() -> TestHost {
    TestHost::opened(&["control", "list", "string", "test", "var"], &[], |_| {})
}

#[test]
fn hostile_and_odd_documents_are_answered() {
    let host = host();
    hostile_documents_have_findings(&host);
    an_expression_that_fails_is_named(&host);
    whatever_is_fit_ends(&host);
}

fn hostile_documents_have_findings(host: &TestHost) {
    let deep = |open: &str, close: &str| {
        let depth = 50_000;
        format!(
            r#"{{"id":"w","name":"w","nodes":{}1{}}}"#,
            open.repeat(depth),
            close.repeat(depth)
        )
    };
    let mut parameters = json!("{{ 1 }}");
    for _ in 0..60 {
        parameters = json!({ "p": parameters });
    }
    let many: Vec<Json> = (0..100_001).map(|n| json!({ "id": n.to_string() })).collect();
    let mut nested = json!({ "nodes": [node("x", "test.noop", json!({}))] });
    for level in 0..40 {
        nested = json!({ "nodes": [node(&format!("l{level}"), "control.loop", json!({ "count": 1, "body": nested }))] });
    }
    let mut loops = workflow(&[], &[]);
    loops["nodes"] = nested["nodes"].clone();
    let unclosed = "(".repeat(10_000);
    let texts = [
        String::new(),
        "null".into(),
        "[]".into(),
        "{".into(),
        "\u{0}".into(),
        r#"{"nodes": 5}"#.into(),
        r#"{"id": "w", "id": "v", "nodes": []}"#.into(),
        deep("[", "]"),
        deep(r#"{"a":"#, "}"),
        json!({ "id": "w", "name": "w", "nodes": many }).to_string(),
        loops.to_string(),
        workflow(
            &[node(
                "a",
                "test.echo",
                json!({ "x": format!("{{{{ {unclosed} }}}}") }),
            )],
            &[],
        )
        .to_string(),
        workflow(&[node("a", "no.such", json!({}))], &[]).to_string(),
        workflow(
            &[
                node("a", "test.noop", json!({})),
                node("a", "test.noop", json!({})),
            ],
            &[],
        )
        .to_string(),
        workflow(&[node("a", "test.noop", json!({}))], &[("a", "a")]).to_string(),
        workflow(
            &[with(
                node("a", "test.noop", json!({})),
                json!({ "timeout": -1, "maxTries": 1e300 }),
            )],
            &[],
        )
        .to_string(),
    ];
    for text in texts {
        let shown: String = text.chars().take(120).collect();
        let findings = host.host().validate_workflow(&text, None);
        assert!(!findings.valid && findings.errors > 0, "{shown}: {findings:?}");
        assert!(findings.findings.len() <= 1_001, "{shown}");
        let refused = host.host().run_workflow(RunOrder::of(text)).unwrap_err();
        assert!(!refusal(&refused).is_empty(), "{shown}: {refused}");
    }
    // What is unknown is told, and does not hinder.
    let mut odd = workflow(
        &[with(node("a", "test.noop", json!({})), json!({ "colour": 1 }))],
        &[],
    );
    odd["flavour"] = json!("x");
    let findings = host.host().validate_workflow(&odd.to_string(), None);
    let codes: Vec<_> = findings
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect();
    assert!(findings.valid, "{findings:?}");
    assert_eq!(codes, ["UNKNOWN_FIELD", "UNKNOWN_FIELD"]);
    assert_eq!(
        run(host, &workflow(&[node("deep", "test.echo", parameters)], &[]))["status"],
        "success"
    );
}

fn an_expression_that_fails_is_named(host: &TestHost) {
    let cases = [
        (
            json!({ "a": { "b": "x {{ $json.no.name.trim() }}" } }),
            "$json.no.name.trim()",
            "/a/b",
        ),
        (
            json!({ "a": ["{{ (() => { throw new Error('boo') })() }}"] }),
            "boo",
            "/a/0",
        ),
        (
            json!({ "a": "{{ $utils.first(5).x.y() }}" }),
            "$utils.first",
            "/a",
        ),
    ];
    for (parameters, expression, pointer) in cases {
        let failed = run(host, &workflow(&[node("e", "test.echo", parameters)], &[]));
        let found = &failed["state"]["e"];
        assert_eq!(
            (&failed["status"], &found["errorCode"]),
            (&json!("error"), &json!("EXPRESSION_FAILED")),
            "{failed:#}"
        );
        let message = found["error"].as_str().unwrap();
        assert!(
            message.contains(expression) && message.contains(pointer),
            "{message}"
        );
        assert!(message.contains(" at character "), "{message}");
    }
    let endless = json!({ "a": "{{ (() => { for (;;) {} })() }}" });
    let failed = run(host, &workflow(&[node("e", "test.echo", endless)], &[]));
    assert_eq!(failed["status"], "error", "{failed:#}");
}

#[derive(Clone, Debug)]
struct Random {
    nodes: Vec<(usize, usize, usize)>,
    edges: Vec<(usize, usize, usize, bool)>,
    looped: bool,
}

fn random() -> impl Strategy<Value = Random> {
    let nodes = prop::collection::vec((0..10_usize, 0..8_usize, 0..8_usize), 1..7);
    let edges = prop::collection::vec((0..7_usize, 0..7_usize, 0..3_usize, any::<bool>()), 0..10);
    (nodes, edges, any::<bool>()).prop_map(|(nodes, edges, looped)| Random { nodes, edges, looped })
}

fn document_of(random: &Random) -> Json {
    let parameters = [
        json!({}),
        json!({ "value": "{{ $json.a }}", "name": "v" }),
        json!({ "value": "{{ $steps.n0.output.result }}!", "name": "v" }),
        json!({ "condition": "{{ $input }}", "array": [3, 1, "x"], "name": "v", "value": 1 }),
        json!({ "values": ["{{ $steps.n1.output }}", null, 2], "separator": "-", "failures": 1, "code": "TIMEOUT" }),
        json!({ "cases": [{ "value": 1 }, { "condition": "$value" }], "value": "{{ $index }}" }),
        json!({ "items": "{{ [1, 2] }}", "array": "{{ $json.list }}", "condition": "$item > 1" }),
        json!({ "value": "{{ $json.a.b.c() }}" }),
    ];
    let types = [
        "test.echo",
        "string.upper",
        "condition",
        "var.increment",
        "list.filter",
        "switch",
        "merge",
        "string.concat",
        "test.flaky",
        "test.noop",
    ];
    let more = [
        json!({}),
        json!({ "disabled": true }),
        json!({ "onError": "continueRegularOutput" }),
        json!({ "onError": "continueErrorOutput" }),
        json!({ "skipOnFail": true }),
        json!({ "maxTries": 2, "waitBetweenTries": 1 }),
        json!({ "errorRecoveryStrategy": { "strategy": "skip", "allowPartialOutput": true } }),
        json!({ "timeout": 5_000, "alwaysOutputData": true, "onError": "skip" }),
    ];
    let of = |(at, (kind, given, extra)): (usize, &(usize, usize, usize))| {
        with(
            node(&format!("n{at}"), types[*kind], parameters[*given].clone()),
            more[*extra].clone(),
        )
    };
    let mut nodes: Vec<Json> = random.nodes.iter().enumerate().map(of).collect();
    if random.looped {
        let body = json!({ "nodes": nodes, "connections": {} });
        nodes.push(node(
            "loop",
            "control.loop",
            json!({ "items": [1, "b"], "body": body }),
        ));
    }
    let mut document = workflow(&nodes, &[]);
    let count = random.nodes.len();
    for (from, to, output, forward) in &random.edges {
        let (from, to) = (from % count, to % count);
        let (from, to) = if *forward && from > to {
            (to, from)
        } else {
            (from, to)
        };
        connect(
            &mut document["connections"],
            &format!("n{from}"),
            *output,
            &format!("n{to}"),
        );
    }
    document
}

fn whatever_is_fit_ends(host: &TestHost) {
    let config = Config {
        cases: 150,
        failure_persistence: None,
        ..Config::default()
    };
    let fit = std::cell::Cell::new(0);
    let outcome = TestRunner::new(config).run(&random(), |random| {
        let document = document_of(&random);
        let text = document.to_string();
        let valid = host.host().validate_workflow(&text, None).valid;
        let mut order = RunOrder::of(text.as_str());
        order.timeout = Some(std::time::Duration::from_secs(20));
        match host.host().run_workflow(order) {
            Ok(run) => {
                prop_assert!(
                    matches!(run.status.as_str(), "success" | "error"),
                    "{} {text}",
                    run.status
                );
                prop_assert!(
                    run.state
                        .keys()
                        .all(|id| id.starts_with('n') || id.starts_with("loop"))
                );
                let order = run.execution_order.len() as u64;
                // Nodes of the rounds are counted, and are not in the order.
                prop_assert!(random.looped || order >= run.metrics.success_nodes, "{run:?}");
                fit.set(fit.get() + 1);
            }
            Err(error) => {
                prop_assert!(!refusal(&error).is_empty(), "{error}");
                prop_assert!(!valid, "{text} is valid, but refused: {:?}", refusal(&error));
            }
        }
        Ok(())
    });
    outcome.unwrap();
    assert!(fit.get() > 20, "{} of the documents were fit", fit.get());
}
