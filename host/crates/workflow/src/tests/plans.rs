//! What plans hold.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{planned, said, validated};
use crate::{Backoff, OnError, Plan, Port, Recovery, TriggerKind, WhenLimited, Work};

fn node(id: &str, node_type: &str) -> Json {
    json!({"id": id, "name": id, "type": "operation", "nodeType": node_type, "parameters": {}})
}

fn with(mut node: Json, more: Json) -> Json {
    let (Some(object), Json::Object(more)) = (node.as_object_mut(), more) else {
        panic!("objects")
    };
    object.extend(more);
    node
}

fn to(targets: &[&str]) -> Json {
    targets
        .iter()
        .map(|target| json!({"node": target, "type": "main", "index": 0}))
        .collect()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "callers write the values where they stand"
)]
fn workflow(nodes: &[Json], connections: Json, more: Json) -> String {
    let base = json!({"id": "w", "name": "w", "tenantId": "t", "nodes": nodes, "connections": connections});
    with(base, more).to_string()
}

fn ids(plan: &Plan, list: &[u32]) -> Vec<String> {
    list.iter()
        .map(|index| plan.nodes[*index as usize].id.to_string())
        .collect()
}

fn after(plan: &Plan, id: &str) -> Vec<(String, Port, u16, u16)> {
    let node = plan
        .nodes
        .iter()
        .find(|node| node.id.as_str() == id)
        .expect("the node is there");
    plan.edges[node.edges.start as usize..node.edges.end as usize]
        .iter()
        .map(|edge| {
            (
                plan.nodes[edge.to as usize].id.to_string(),
                edge.port,
                edge.output,
                edge.input,
            )
        })
        .collect()
}

fn body<'p>(plan: &'p Plan, id: &str) -> &'p crate::Loop {
    let node = plan
        .nodes
        .iter()
        .find(|node| node.id.as_str() == id)
        .expect("the node is there");
    match &node.work {
        Work::Loop(repeat) => repeat,
        other => panic!("{id} is {other:?}"),
    }
}

#[test]
fn all_spellings_of_connections_give_the_same_edges() {
    let nodes = [
        json!({"id": "1", "name": "First", "type": "t"}),
        json!({"id": "2", "name": "Second", "type": "t"}),
        json!({"id": "3", "name": "Third", "type": "t"}),
    ];
    let spellings = [
        json!({"1": {"main": {"0": [{"node": "2"}], "1": [{"node": "3", "index": 2}]}}}),
        json!({"First": {"main": {"1": [{"node": "Third", "index": 2}], "0": [{"node": "Second"}]}}}),
        json!({"First": {"main": [[{"node": "2", "type": "main", "index": 0}], [{"node": "3", "index": 2.0}]]}}),
        json!({"1": {"main": [[{"node": "2"}]]}, "First": {"main": [null, [{"node": "3", "index": 2}]]}}),
    ];
    for connections in spellings {
        let plan = planned(&workflow(&nodes, connections.clone(), json!({})));
        assert_eq!(
            after(&plan, "1"),
            [
                ("2".to_owned(), Port::Main, 0, 0),
                ("3".to_owned(), Port::Main, 1, 2)
            ],
            "{connections}"
        );
        assert_eq!(ids(&plan, &plan.starts), ["1"]);
    }
}

#[test]
fn names_are_found_ids_first() {
    let nodes = [
        json!({"id": "a", "name": "b", "type": "t"}),
        json!({"id": "b", "name": "c", "type": "t"}),
    ];
    let plan = planned(&workflow(
        &nodes,
        json!({"b": {"main": [[{"node": "a"}]]}}),
        json!({}),
    ));
    assert_eq!(after(&plan, "b").len(), 1);
    let names: Vec<_> = plan.names.iter().map(|(name, index)| (&**name, *index)).collect();
    assert_eq!(names, [("a", 0), ("b", 1), ("b", 0), ("c", 1)]);
}

#[test]
fn a_policy_is_the_nodes_then_the_workflows_then_the_standard() {
    let nodes = [
        node("plain", "t"),
        node("same", "t"),
        with(
            node("tries", "t"),
            json!({"maxTries": 2, "waitBetweenTries": 5, "timeout": 2000}),
        ),
        with(
            node("own", "t"),
            json!({"retryPolicy": {"maxAttempts": 7, "backoffType": "fibonacci", "jitter": true},
                   "onError": "continueErrorOutput", "continueOnFail": true}),
        ),
        with(
            node("never", "t"),
            json!({"retryPolicy": {"enabled": false, "maxAttempts": 7}}),
        ),
        with(node("go", "t"), json!({"continueOnError": true})),
        with(
            node("over", "t"),
            json!({"errorRecoveryStrategy": {"strategy": "fallback", "fallbackNodeType": "u"}}),
        ),
    ];
    let more = json!({
        "retryPolicy": {"maxAttempts": 4, "backoffType": "linear", "initialDelay": 10, "retryableErrors": ["X"]},
        "errorHandling": {"default": "skip", "nodeOverrides": {"over": "continueRegularOutput"}},
        "errorRecovery": {"strategy": "skip", "allowPartialOutput": true},
    });
    let plan = planned(&workflow(&nodes, json!({}), more));
    let policy = |at: usize| &plan.nodes[at].policy;
    assert!(Arc::ptr_eq(policy(0), policy(1)), "equal policies are one");
    assert_eq!(policy(0).retry.tries, 4);
    assert_eq!(policy(0).retry.backoff, Backoff::Linear);
    assert_eq!(policy(0).retry.initial, Duration::from_millis(10));
    assert_eq!(policy(0).retry.most, Duration::from_secs(60));
    assert_eq!(&*policy(0).retry.codes, [Box::from("X")]);
    assert_eq!(&*policy(0).retry.statuses, [408, 429, 500, 502, 503, 504]);
    assert_eq!(policy(0).on_error, OnError::Skip);
    assert_eq!(policy(0).recovery, Some(Recovery::Skip { partial_output: true }));
    assert_eq!(
        (policy(2).retry.tries, policy(2).retry.fixed),
        (2, Some(Duration::from_millis(5)))
    );
    assert_eq!(policy(2).timeout, Some(Duration::from_secs(2)));
    assert_eq!(
        (policy(3).retry.tries, policy(3).retry.backoff),
        (7, Backoff::Fibonacci)
    );
    assert!((policy(3).retry.jitter - 0.1).abs() < f64::EPSILON);
    assert_eq!(policy(3).on_error, OnError::ContinueError);
    assert_eq!(policy(4).retry.tries, 1);
    assert_eq!(policy(5).on_error, OnError::ContinueRegular);
    assert_eq!(policy(6).on_error, OnError::ContinueRegular);
    let Some(Recovery::Fallback(Some(index))) = policy(6).recovery else {
        panic!("{:?}", policy(6))
    };
    assert_eq!(&*plan.node_types[index.0 as usize], "u");
    assert_eq!(plan.node_types.len(), 2);
}

#[test]
fn nothing_written_means_one_try_and_stop() {
    let plan = planned(&workflow(&[node("a", "t")], json!({}), json!({})));
    let policy = &plan.nodes[0].policy;
    assert_eq!(
        (policy.retry.tries, policy.on_error, policy.timeout),
        (1, OnError::Stop, None)
    );
    assert_eq!(
        (policy.retry.initial, policy.recovery.clone()),
        (Duration::from_secs(1), None)
    );
    assert_eq!(
        &*policy.retry.codes,
        [Box::from("TIMEOUT"), Box::from("TEMPORARY_FAILURE")]
    );
    assert!(plan.active && plan.save.success && plan.save.failure && plan.save.contents);
    assert_eq!((plan.limits.time, plan.rate.clone()), (None, None));
    assert_eq!(plan.about.to_json(), r#"{"id":"w","name":"w","active":true}"#);
}

#[test]
fn limits_are_the_narrowest_that_are_written() {
    let more = json!({
        "active": false,
        "settings": {"executionTimeout": 60, "maxConcurrentExecutions": 3, "saveDataSuccessExecution": "none",
                     "saveExecutionData": "none"},
        "executionLimits": {"maxExecutionTime": 30, "maxNodeExecutions": 9, "maxDataSizeMb": 2, "maxArrayItems": 5},
        "rateLimiting": {"requestsPerWindow": 10, "windowMs": 500, "key": "user", "onLimitExceeded": "queue"},
        "variables": {"a": {"type": "number", "defaultValue": 3}, "b": {"type": "string", "required": true},
                      "c": {"type": "string"}},
    });
    let plan = planned(&workflow(&[node("a", "t")], json!({}), more));
    assert_eq!(plan.limits.time, Some(Duration::from_secs(30)));
    assert_eq!(
        (plan.limits.executions, plan.limits.array_items),
        (Some(9), Some(5))
    );
    assert_eq!(
        (plan.limits.total_bytes, plan.limits.concurrent_runs),
        (Some(2 << 20), Some(3))
    );
    let rate = plan.rate.as_ref().expect("there is a rate");
    assert_eq!(
        (rate.requests, rate.window, rate.when_limited),
        (10, Duration::from_millis(500), WhenLimited::Queue)
    );
    assert_eq!(rate.key, "user");
    assert!(!plan.active && !plan.save.success && plan.save.failure && !plan.save.contents);
    assert_eq!(plan.variables.to_json(), r#"{"a":3}"#);
    assert_eq!(&*plan.required_variables, [Box::from("b")]);
}

#[test]
fn enabled_triggers_say_where_runs_begin() {
    let nodes = [node("a", "t"), node("b", "t"), node("c", "t")];
    let connections = json!({"a": {"main": [to(&["b"])]}});
    let cases = [
        (json!([]), vec!["a", "c"]),
        (json!([{"nodeId": "b", "kind": "manual"}]), vec!["b"]),
        (
            json!([{"nodeId": "c", "kind": "manual"}, {"nodeId": "a", "kind": "manual"}]),
            vec!["c", "a"],
        ),
        (
            json!([{"nodeId": "b", "kind": "manual", "enabled": false}, {"nodeId": "c", "kind": "manual"}]),
            vec!["c"],
        ),
        // Switched off is not the same as not there.
        (
            json!([{"nodeId": "b", "kind": "manual", "enabled": false}]),
            vec![],
        ),
    ];
    for (triggers, expected) in cases {
        let plan = planned(&workflow(
            &nodes,
            connections.clone(),
            json!({"triggers": triggers}),
        ));
        assert_eq!(ids(&plan, &plan.starts), expected, "{triggers}");
    }
}

#[test]
fn triggers_are_listed_or_implied_by_the_type_of_a_node() {
    let nodes = [
        with(
            node("hook", "webhook-trigger"),
            json!({"parameters": {"path": "/x/y", "httpMethod": "put"}}),
        ),
        with(
            node("time", "schedule-trigger"),
            json!({"parameters": {"cronExpression": "0 9 * * *"}}),
        ),
        with(
            node("n8n", "n8n-nodes-base.scheduleTrigger"),
            json!({"parameters": {"rule": {"interval": [{"field": "hours"}, {"field": "minutes"}]}}}),
        ),
        json!({"id": "class", "name": "class", "type": "trigger"}),
        with(node("listed", "t"), json!({})),
    ];
    let triggers = json!([{"nodeId": "listed", "kind": "webhook", "webhookId": "wh", "webhookMethods": ["post", "GET"]}]);
    let more = json!({"triggers": triggers, "settings": {"timezone": "Europe/Berlin"}});
    let plan = planned(&workflow(&nodes, json!({}), more));
    let kinds: Vec<_> = plan
        .triggers
        .iter()
        .map(|trigger| (trigger.node, trigger.kind.clone()))
        .collect();
    let schedule = |cron: &str| TriggerKind::Schedule {
        cron: cron.to_owned(),
        timezone: "Europe/Berlin".to_owned(),
    };
    let webhook = |path: &str, methods: &[&str]| TriggerKind::Webhook {
        path: path.to_owned(),
        methods: methods.iter().map(|method| (*method).to_owned()).collect(),
    };
    assert_eq!(
        kinds,
        [
            (4, webhook("wh", &["POST", "GET"])),
            (0, webhook("x/y", &["PUT"])),
            (1, schedule("0 9 * * *")),
            (2, schedule("0 */1 * * *")),
            (2, schedule("*/5 * * * *")),
            (3, TriggerKind::Manual),
        ]
    );
    let works: Vec<bool> = plan
        .nodes
        .iter()
        .map(|node| matches!(node.work, Work::Trigger))
        .collect();
    assert_eq!(works, [true, true, true, true, false]);
}

#[test]
fn a_drawn_body_is_cut_out() {
    let nodes = [
        node("start", "t"),
        with(
            node("loop", "control.loop"),
            json!({"parameters": {"items": [1, 2], "max_iterations": 5}}),
        ),
        node("x", "t"),
        node("y", "t"),
        node("side", "t"),
        node("end", "t"),
    ];
    let connections = json!({
        "start": {"main": [to(&["loop"])]},
        "loop": {"main": [to(&["end"]), to(&["x"])]},
        "x": {"main": [to(&["y", "side"])]},
        "y": {"main": [to(&["loop"])]},
    });
    let plan = planned(&workflow(&nodes, connections, json!({})));
    assert_eq!(ids(&plan, &[0, 1, 2]), ["start", "loop", "end"]);
    assert_eq!(after(&plan, "loop"), [("end".to_owned(), Port::Main, 0, 0)]);
    let repeat = body(&plan, "loop");
    assert_eq!(repeat.bound, 5);
    assert_eq!(ids(&repeat.body, &[0, 1, 2]), ["x", "y", "side"]);
    assert_eq!(ids(&repeat.body, &repeat.body.starts), ["x"]);
    assert_eq!(after(&repeat.body, "y"), []);
    assert_eq!(
        plan.nodes[1].input.source().to_json(),
        r#"{"items":[1,2],"maxIterations":5}"#
    );
}

#[test]
fn drawn_bodies_nest() {
    let nodes = [
        node("inner", "loop"),
        with(
            node("outer", "loop"),
            json!({"parameters": {"count": 2, "until": "$value.done", "while": "true"}}),
        ),
        node("x", "t"),
        node("y", "t"),
        node("end", "t"),
    ];
    let connections = json!({
        "outer": {"main": [to(&["end"]), to(&["inner"])]},
        "inner": {"main": [to(&["y"]), to(&["x"])]},
        "x": {"main": [to(&["inner"])]},
        "y": {"main": [to(&["outer"])]},
    });
    let plan = planned(&workflow(&nodes, connections, json!({})));
    let outer = body(&plan, "outer");
    assert_eq!(
        outer.until.as_ref().map(patchbay_expression::Expression::source),
        Some("$value.done")
    );
    assert!(outer.while_.is_some());
    assert_eq!(outer.bound, 1_000);
    assert_eq!(ids(&outer.body, &[0, 1]), ["inner", "y"]);
    assert_eq!(ids(&body(&outer.body, "inner").body, &[0]), ["x"]);
    assert_eq!(plan.nodes[0].input.source().to_json(), r#"{"count":2}"#);
}

#[test]
fn the_older_batch_node_has_its_outputs_the_other_way_round() {
    for (version, into, done) in [(2, 0, 1), (3, 1, 0)] {
        let nodes = [
            with(
                node("loop", "n8n-nodes-base.splitInBatches"),
                json!({"typeVersion": version}),
            ),
            node("x", "t"),
            node("end", "t"),
        ];
        let mut outputs = vec![Json::Null; 2];
        outputs[into] = to(&["x"]);
        outputs[done] = to(&["end"]);
        let connections = json!({"loop": {"main": outputs}, "x": {"main": [to(&["loop"])]}});
        let plan = planned(&workflow(&nodes, connections, json!({})));
        assert_eq!(
            after(&plan, "loop"),
            [("end".to_owned(), Port::Main, 0, 0)],
            "version {version}"
        );
        assert_eq!(ids(&body(&plan, "loop").body, &[0]), ["x"]);
        assert_eq!(
            plan.nodes[0].input.source().to_json(),
            r#"{"items":"{{ $input }}"}"#
        );
    }
}

#[test]
fn a_body_may_be_a_parameter() {
    let inner =
        json!({"nodes": [node("x", "u"), node("y", "u")], "connections": {"x": {"main": [to(&["y"])]}}});
    let flat = json!({"nodes": inner["nodes"], "connections": inner["connections"], "count": 3});
    for parameters in [
        json!({"count": 3, "body": inner}),
        json!({"workflow": inner, "count": 3}),
        flat,
    ] {
        let nodes = [
            with(node("loop", "loop"), json!({"parameters": parameters})),
            node("end", "t"),
        ];
        let plan = planned(&workflow(
            &nodes,
            json!({"loop": {"main": [to(&["end"])]}}),
            json!({}),
        ));
        let repeat = body(&plan, "loop");
        assert_eq!(ids(&repeat.body, &[0, 1]), ["x", "y"]);
        assert_eq!(plan.nodes[0].input.source().to_json(), r#"{"count":3}"#);
        assert_eq!(plan.node_types.len(), 2);
    }
}

#[test]
fn another_workflow_is_planned_when_it_is_brought() {
    let brought = json!({"nodes": [node("x", "u")], "settings": {"executionTimeout": 3}});
    let nodes = [
        with(
            node("here", "workflow.run"),
            json!({"parameters": {"workflow": brought, "input": {"a": 1}}}),
        ),
        with(
            node("there", "n8n-nodes-base.executeWorkflow"),
            json!({"parameters": {"workflowId": {"__rl": true, "value": "other", "mode": "id"}}}),
        ),
    ];
    let plan = planned(&workflow(&nodes, json!({}), json!({})));
    let Work::SubWorkflow(here) = &plan.nodes[0].work else {
        panic!("{:?}", plan.nodes[0].work)
    };
    let inline = here.inline.as_ref().expect("it is brought");
    assert_eq!(
        (inline.id.as_str(), inline.limits.time),
        ("here", Some(Duration::from_secs(3)))
    );
    assert_eq!(inline.tenant, plan.tenant);
    assert!(Arc::ptr_eq(&inline.node_types, &plan.node_types));
    assert_eq!(plan.nodes[0].input.source().to_json(), r#"{"input":{"a":1}}"#);
    assert_eq!(
        plan.nodes[1].input.source().to_json(),
        r#"{"workflowId":"other"}"#
    );
}

#[test]
fn conditions_of_connections_are_compiled() {
    let connections = json!({"a": {"main": {"0": [
        {"node": "b", "conditional": true, "condition": "{{ $json.ok }}"},
        {"node": "b", "conditional": false, "condition": "$json.no"},
    ]}}});
    let plan = planned(&workflow(
        &[node("a", "t"), node("b", "t")],
        connections,
        json!({}),
    ));
    let conditions: Vec<bool> = plan.edges.iter().map(|edge| edge.condition.is_some()).collect();
    assert_eq!(conditions, [true, false]);
    assert_eq!(plan.nodes[1].incoming, 2);
}

#[test]
fn a_chain_of_a_hundred_thousand_nodes_is_planned() {
    let count = 100_000;
    let mut text = String::from(r#"{"name":"w","tenantId":"t","nodes":["#);
    for n in 0..count {
        let comma = if n == 0 { "" } else { "," };
        text += &format!(r#"{comma}{{"id":"{n}","type":"t"}}"#);
    }
    text += r#"],"connections":{"#;
    for n in 0..count - 1 {
        let comma = if n == 0 { "" } else { "," };
        text += &format!(r#"{comma}"{n}":{{"main":[[{{"node":"{}"}}]]}}"#, n + 1);
    }
    text += "}}";
    let valid = validated(&text).expect("it is sound");
    assert_eq!(
        valid.warnings().0.len(),
        crate::notes::MOST + 1,
        "missing names are counted"
    );
    assert_eq!(valid.document().node_count(), count);
    let plan = valid.plan();
    assert_eq!(plan.edges.len(), count - 1);
    super::check_plan(&plan);
}

#[test]
fn fifty_thousand_loops_in_one_another_are_refused() {
    let count = 50_000;
    let nodes: Vec<Json> = (0..count)
        .map(|n| json!({"id": n.to_string(), "name": n.to_string(), "type": "loop"}))
        .collect();
    let mut connections = serde_json::Map::new();
    for n in 0..count {
        let mut outputs = vec![Json::Null, to(&[&(n + 1).to_string()])];
        if n > 0 {
            outputs[0] = to(&[&(n - 1).to_string()]);
        }
        if n + 1 == count {
            outputs[1] = Json::Null;
        }
        connections.insert(n.to_string(), json!({"main": outputs}));
    }
    let codes = said(&workflow(&nodes, Json::Object(connections), json!({})));
    assert!(codes.iter().any(|(code, _)| *code == "INVALID_LOOP"));
}

#[test]
fn wait_is_a_class_and_a_node_type() {
    // Written without `nodeType`, as real files do, it was refused for naming nothing that runs.
    let nodes = [json!({"id": "w", "name": "w", "type": "wait", "parameters": {"duration": 1}})];
    let plan = planned(&workflow(&nodes, json!({}), json!({})));
    assert_eq!(&*plan.nodes[0].node_type, "wait");
    assert!(matches!(plan.nodes[0].work, Work::Call(_)));
}
