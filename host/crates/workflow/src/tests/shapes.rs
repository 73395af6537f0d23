//! What is found in documents, by code and path.

use super::{said, validated};
use crate::{CODES, Findings, Level, read};

/// A sound document with one part replaced.
fn document(nodes: &str, connections: &str, more: &str) -> String {
    format!(r#"{{"id":"w","name":"w","tenantId":"t","nodes":[{nodes}],"connections":{connections}{more}}}"#)
}

const A: &str = r#"{"id":"a","name":"a","type":"t"}"#;
const AB: &str = r#"{"id":"a","name":"a","type":"t"},{"id":"b","name":"b","type":"t"}"#;

#[test]
fn every_fault_has_its_code_at_its_place() {
    let node = |more: &str| {
        document(
            &format!(r#"{{"id":"a","name":"a","nodeType":"t"{more}}}"#),
            "{}",
            "",
        )
    };
    let whole = |more: &str| document(A, "{}", more);
    let joined = |connections: &str| document(AB, connections, "");
    let cases = [
        (node(r#","timeout":"x""#), "INVALID_FIELD", "nodes[0].timeout"),
        (node(r#","timeout":0"#), "INVALID_FIELD", "nodes[0].timeout"),
        (node(r#","maxTries":0"#), "INVALID_FIELD", "nodes[0].maxTries"),
        (node(r#","maxTries":1e99"#), "INVALID_FIELD", "nodes[0].maxTries"),
        (node(r#","disabled":"yes""#), "INVALID_FIELD", "nodes[0].disabled"),
        (
            node(r#","parameters":[]"#),
            "INVALID_FIELD",
            "nodes[0].parameters",
        ),
        (
            node(r#","onError":"explode""#),
            "INVALID_FIELD",
            "nodes[0].onError",
        ),
        (
            node(r#","retryPolicy":{"jitter":2}"#),
            "INVALID_FIELD",
            "nodes[0].retryPolicy.jitter",
        ),
        (
            node(r#","retryPolicy":{"maxTry":2}"#),
            "UNKNOWN_FIELD",
            "nodes[0].retryPolicy.maxTry",
        ),
        (
            node(r#","errorRecoveryStrategy":{}"#),
            "INVALID_FIELD",
            "nodes[0].errorRecoveryStrategy.strategy",
        ),
        (
            node(r#","errorRecoveryStrategy":{"strategy":"fallback"}"#),
            "UNKNOWN_FALLBACK",
            "nodes[0].errorRecoveryStrategy.fallbackNodeType",
        ),
        (node(r#","timeuot":5"#), "UNKNOWN_FIELD", "nodes[0].timeuot"),
        (
            node(r#","executeOnce":true"#),
            "UNSUPPORTED_SETTING",
            "nodes[0].executeOnce",
        ),
        (
            document(
                r#"{"id":"a","name":"a","nodeType":"loop","timeout":5000,
                    "parameters":{"maxIterations":1,"body":{"nodes":[],"connections":{}}}}"#,
                "{}",
                "",
            ),
            "UNSUPPORTED_SETTING",
            "nodes[0].timeout",
        ),
        (
            document(
                r#"{"id":"a","name":"a","nodeType":"workflow.run","maxTries":3,
                    "parameters":{"workflow":"other"}}"#,
                "{}",
                "",
            ),
            "UNSUPPORTED_SETTING",
            "nodes[0].maxTries",
        ),
        (
            node(r#","parameters":{"l":[1,{"k":"[object Object]"}]}"#),
            "OBJECT_SERIALIZATION_FAILURE",
            "nodes[0].parameters.l[1].k",
        ),
        (
            node(r#","parameters":{"k":"got [object Object]!"}"#),
            "OBJECT_SERIALIZATION_FAILURE",
            "nodes[0].parameters.k",
        ),
        (document("5", "{}", ""), "INVALID_FIELD", "nodes[0]"),
        (document("", "{}", ""), "NOT_A_WORKFLOW", "nodes"),
        (
            document(r#"{"type":"t"}"#, "{}", ""),
            "MISSING_NODE_ID",
            "nodes[0].id",
        ),
        (
            document(r#"{"name":"a","type":"t"}"#, "{}", ""),
            "MISSING_NODE_ID",
            "nodes[0].id",
        ),
        (
            document(r#"{"id":"a","type":"t"}"#, "{}", ""),
            "MISSING_NODE_NAME",
            "nodes[0].name",
        ),
        (
            document(r#"{"id":"a","name":"a","type":"action","plugin":"x"}"#, "{}", ""),
            "MISSING_NODE_TYPE",
            "nodes[0].nodeType",
        ),
        (whole(r#","settings":5"#), "INVALID_FIELD", "settings"),
        (
            whole(r#","settings":{"debugMode":true}"#),
            "UNSUPPORTED_SETTING",
            "settings.debugMode",
        ),
        (
            whole(r#","settings":{"dbugMode":true}"#),
            "UNKNOWN_FIELD",
            "settings.dbugMode",
        ),
        (
            whole(r#","settings":{"timezone":"Mars"}"#),
            "INVALID_SCHEDULE",
            "settings.timezone",
        ),
        (
            whole(r#","settings":{"saveDataErrorExecution":"some"}"#),
            "INVALID_FIELD",
            "settings.saveDataErrorExecution",
        ),
        (
            whole(r#","executionLimits":{"maxMemoryMb":5}"#),
            "UNSUPPORTED_SETTING",
            "executionLimits.maxMemoryMb",
        ),
        (whole(r#","locked":true"#), "UNSUPPORTED_SETTING", "locked"),
        (whole(r#","frobnicate":true"#), "UNKNOWN_FIELD", "frobnicate"),
        (
            whole(r#","rateLimiting":{"enabled":true}"#),
            "INVALID_FIELD",
            "rateLimiting.requestsPerWindow",
        ),
        (
            whole(r#","rateLimiting":{"requestsPerWindow":5,"onLimitExceeded":"cry"}"#),
            "INVALID_FIELD",
            "rateLimiting.onLimitExceeded",
        ),
        (
            whole(r#","multiTenancy":{"restrictNodeTypes":["t"]}"#),
            "UNSUPPORTED_SETTING",
            "multiTenancy.restrictNodeTypes",
        ),
        (
            whole(r#","multiTenancy":{"enforced":true,"restrictNodeTypes":["t"]}"#),
            "NODE_TYPE_NOT_ALLOWED",
            "nodes[0]",
        ),
        (
            whole(r#","errorHandling":{"nodeOverrides":{"aa":"skip"}}"#),
            "UNKNOWN_REFERENCE",
            "errorHandling.nodeOverrides.aa",
        ),
        (whole(r#","triggers":{}"#), "INVALID_FIELD", "triggers"),
        (
            whole(r#","triggers":[{"kind":"manual"}]"#),
            "UNKNOWN_TRIGGER_NODE",
            "triggers[0].nodeId",
        ),
        (
            whole(r#","triggers":[{"nodeId":"a","kind":"schedule","schedule":"* *"}]"#),
            "INVALID_SCHEDULE",
            "triggers[0]",
        ),
        (
            whole(r#","triggers":[{"nodeId":"a","kind":"schedule"}]"#),
            "INVALID_SCHEDULE",
            "triggers[0]",
        ),
        (
            whole(r#","triggers":[{"nodeId":"a","kind":"schedule","cron":"0 0 * * *","timezone":"X"}]"#),
            "INVALID_SCHEDULE",
            "triggers[0]",
        ),
        (
            whole(r#","triggers":[{"nodeId":"a","kind":"webhook","path":"../x"}]"#),
            "INVALID_WEBHOOK",
            "triggers[0]",
        ),
        (
            whole(r#","triggers":[{"nodeId":"a","kind":"webhook","webhookMethods":["BREW"]}]"#),
            "INVALID_WEBHOOK",
            "triggers[0]",
        ),
        (
            whole(r#","triggers":[{"nodeId":"a","kind":"webhook"},{"nodeId":"a","kind":"webhook"}]"#),
            "INVALID_WEBHOOK",
            "triggers[1]",
        ),
        (
            whole(r#","triggers":[{"nodeId":"a","kind":"smell"}]"#),
            "UNSUPPORTED_SETTING",
            "triggers[0]",
        ),
        (
            joined(r#"{"a":{"main":[["b"]]}}"#),
            "INVALID_CONNECTION_TARGET",
            "connections.a.main.0",
        ),
        (
            joined(r#"{"a":{"main":[["[object Object]"]]}}"#),
            "OBJECT_SERIALIZATION_FAILURE",
            "connections.a.main.0",
        ),
        (
            joined(r#"{"a":{"main":[[{"node":{"node":"b"}}]]}}"#),
            "OBJECT_SERIALIZATION_FAILURE",
            "connections.a.main.0",
        ),
        (
            joined(r#"{"a":{"main":[[{"node":"b","index":-1}]]}}"#),
            "INVALID_FIELD",
            "connections.a.main.0",
        ),
        (
            joined(r#"{"a":{"main":[[{"node":"b","conditional":true}]]}}"#),
            "INVALID_FIELD",
            "connections.a.main.0",
        ),
        (
            joined(r#"{"a":{"main":[[{"node":"b","condition":"$json.x"}]]}}"#),
            "UNSUPPORTED_SETTING",
            "connections.a.main.0",
        ),
        (
            joined(r#"{"a":{"main":{"70000":[]}}}"#),
            "INVALID_OUTPUT_INDEX",
            "connections.a.main.70000",
        ),
        (
            joined(r#"{"a":{"main":[[{"node":"a"}]]}}"#),
            "CYCLE",
            "connections.a.main.0",
        ),
    ];
    for (json, code, path) in cases {
        let found = said(&json);
        assert!(found.contains(&(code, path.to_owned())), "{json}: {found:?}");
    }
}

#[test]
fn faults_of_loops_have_their_codes() {
    let looped = |parameters: &str, connections: &str| {
        let repeat = format!(r#"{{"id":"l","name":"l","type":"loop","parameters":{parameters}}}"#);
        document(&format!("{AB},{repeat}"), connections, "")
    };
    let cases = [
        // No body, and an empty one.
        (looped("{}", "{}"), "nodes[2]"),
        (
            looped("{}", r#"{"l":{"main":[null,[{"node":"l"}]]}}"#),
            "nodes[2]",
        ),
        // A body that is entered from outside, and one that is left by another way.
        (
            looped(
                "{}",
                r#"{"l":{"main":[null,[{"node":"b"}]]},"a":{"main":[[{"node":"b"}]]}}"#,
            ),
            "connections.a.main.0",
        ),
        (
            looped(
                "{}",
                r#"{"l":{"main":[[{"node":"b"}],[{"node":"a"}]]},"a":{"main":[[{"node":"b"}]]}}"#,
            ),
            "connections.l.main.0",
        ),
        // Bounds.
        (
            looped(r#"{"body":{"nodes":[]},"maxIterations":-1}"#, "{}"),
            "nodes[2].parameters.maxIterations",
        ),
        (
            looped(r#"{"maxRounds":1000001}"#, "{}"),
            "nodes[2].parameters.maxRounds",
        ),
        (looped(r#"{"body":5}"#, "{}"), "nodes[2].parameters.body"),
    ];
    for (json, path) in cases {
        let found = said(&json);
        assert!(
            found.contains(&("INVALID_LOOP", path.to_owned())),
            "{json}: {found:?}"
        );
    }
    let inner = r#"{"body":{"nodes":[{"id":"x","name":"x","type":"t"},{"id":"x","name":"y","type":"t"}]}}"#;
    let found = said(&looped(inner, "{}"));
    assert!(
        found.contains(&(
            "DUPLICATE_NODE_ID",
            "nodes[2].parameters.body.nodes[1].id".to_owned()
        )),
        "{found:?}"
    );
}

#[test]
fn a_cycle_is_named_from_its_first_node_on() {
    let nodes = [
        A,
        r#"{"id":"b","name":"b","type":"t"}"#,
        r#"{"id":"c","name":"c","type":"t"}"#,
    ]
    .join(",");
    let connections =
        r#"{"a":{"main":[[{"node":"c"}]]},"c":{"main":[[{"node":"b"}]]},"b":{"main":[[{"node":"a"}]]}}"#;
    let findings = validated(&document(&nodes, connections, "")).expect_err("it is a cycle");
    let cycle = findings.errors().next().expect("there is one");
    assert_eq!(
        cycle.message,
        "the connections lead in a circle: a -> c -> b -> a"
    );
    assert_eq!(
        (cycle.path.as_str(), cycle.node.as_deref()),
        ("connections.b.main.0", Some("b"))
    );
}

#[test]
fn a_placeholder_is_no_tenant() {
    let json = document(A, "{}", "").replace(r#""tenantId":"t""#, r#""tenantId":"${TENANT_ID}""#);
    assert_eq!(said(&json), [("MISSING_TENANT_ID", "tenantId".to_owned())]);
    let strict = json.replace(r#""name":"w""#, r#""name":"w","multiTenancy":{"enforced":true}"#);
    let findings = validated(&strict).expect_err("it asks for a tenant");
    assert_eq!(findings.errors().count(), 1);
}

#[test]
fn nodes_that_no_trigger_leads_to_are_named() {
    let json = document(AB, "{}", r#","triggers":[{"nodeId":"b","kind":"manual"}]"#);
    assert_eq!(said(&json), [("UNREACHABLE_NODE", "nodes[0]".to_owned())]);
}

#[test]
fn what_is_no_workflow_at_all_is_refused_at_once() {
    let refused = |text: &[u8]| read(text).expect_err("it is refused").0.remove(0).code.0;
    assert_eq!(refused(b""), "INVALID_JSON");
    assert_eq!(refused(b"{"), "INVALID_JSON");
    assert_eq!(refused("[".repeat(200).as_bytes()), "INVALID_JSON");
    assert_eq!(refused(b"[]"), "NOT_A_WORKFLOW");
    assert_eq!(refused(&vec![b' '; crate::MAX_BYTES + 1]), "TOO_LARGE");
    let many = format!(r#"{{"nodes":[{}0]}}"#, "0,".repeat(crate::MAX_NODES));
    assert_eq!(refused(many.as_bytes()), "TOO_LARGE");
    let edges = format!(
        r#"{{"nodes":[],"connections":{{"a":{{"main":[[{}0]]}}}}}}"#,
        "0,".repeat(crate::MAX_EDGES)
    );
    assert_eq!(refused(edges.as_bytes()), "TOO_LARGE");
}

#[test]
fn findings_are_bounded_and_errors_are_not_lost() {
    let mut nodes = vec![r#"{"id":1,"type":"t"}"#; 5_000].join(",");
    nodes.push_str(r#",{"id":"z","name":"z","type":""}"#);
    let findings = validated(&document(&nodes, "{}", "")).expect_err("it is refused");
    assert_eq!(findings.0.len(), crate::notes::MOST + 1);
    let last = findings.0.last().expect("there are some");
    assert_eq!((last.code.0, last.level), ("TOO_MANY_FINDINGS", Level::Error));
    assert!(findings.0.iter().all(|finding| finding.message.len() < 1_000));
}

#[test]
fn merged_findings_keep_the_order_of_the_document() {
    let json = document(
        r#"{"id":"a","type":"t","x":1},{"id":"b","type":"t"}"#,
        r#"{"q":{}}"#,
        "",
    );
    let document = read(json.as_bytes()).expect("it is an object");
    let shape = document.findings().clone();
    assert_eq!(shape.0.len(), 3, "{shape:#?}");
    let all = crate::validate(document).expect_err("a source is not there");
    let (odd, even): (Vec<_>, Vec<_>) = all.0.iter().cloned().enumerate().partition(|(n, _)| n % 2 == 1);
    let part = |list: Vec<(usize, _)>| list.into_iter().map(|(_, finding)| finding).collect::<Findings>();
    let merged = part(odd).merged(part(even)).merged(shape);
    assert_eq!(merged.0.len(), all.0.len());
    assert!(merged.0.is_sorted_by_key(|finding| finding.place));
}

#[test]
fn every_code_is_in_the_documentation_as_it_is_here() {
    let text = include_str!("../../../../docs/workflow-findings.md");
    let (table, _) = text.split_once("\n## ").expect("there is a second part");
    let mut rows = table.lines().filter(|line| line.starts_with("| `"));
    for row in CODES {
        let expected = format!(
            "| `{}` | {} | {} | {} |",
            row.code, row.level, row.meaning, row.hint
        );
        assert_eq!(rows.next(), Some(expected.as_str()));
    }
    assert_eq!(rows.next(), None);
}
