use super::*;

fn calls_of(node_types: &[&'static str], output: &'static str) -> (Calls, Harness) {
    let calls = Calls::default();
    let harness = node_types.iter().fold(Harness::new(), |harness, node_type| {
        calls.answer(harness, node_type, output)
    });
    (calls, harness)
}

#[test]
fn passwords_and_tokens_are_the_plugins_for_cryptography() {
    let (calls, harness) = calls_of(
        &[
            "crypto.bcryptHash",
            "crypto.bcryptCompare",
            "crypto.jwtSign",
            "crypto.jwtVerify",
        ],
        r#"{"result": "made"}"#,
    );
    for (input, node_type, asked) in [
        (
            r#"{"operation": "bcrypt_hash", "input": "pw", "rounds": 12}"#,
            "crypto.bcryptHash",
            r#"{"input":"pw","rounds":12}"#,
        ),
        (
            r#"{"operation": "bcryptCompare", "input": "pw", "hash": "h"}"#,
            "crypto.bcryptCompare",
            r#"{"input":"pw","hash":"h"}"#,
        ),
        (
            r#"{"operation": "generate_jwt", "payload": {"a": 1}, "secret": "s", "expiresIn": "24h"}"#,
            "crypto.jwtSign",
            r#"{"payload":{"a":1},"secret":"s","expiresIn":"24h"}"#,
        ),
        (
            r#"{"operation": "generate_jwt", "payload": {"a": 1}, "secret": null, "expiresIn": "24h"}"#,
            "crypto.jwtSign",
            r#"{"payload":{"a":1},"expiresIn":"24h","secretName":"JWT_SECRET"}"#,
        ),
        (
            r#"{"op": "verify-jwt", "token": "t", "secretName": "SIGNING_KEY"}"#,
            "crypto.jwtVerify",
            r#"{"token":"t","secretName":"SIGNING_KEY"}"#,
        ),
    ] {
        let output = harness.call::<operation>(input).unwrap();
        assert_eq!(output.to_json(), r#""made""#, "{input}");
        assert_eq!(
            calls.taken(),
            [(node_type.to_owned(), asked.to_owned())],
            "{input}"
        );
    }
}

#[test]
fn any_other_name_is_a_node_type_with_the_other_parameters() {
    let (calls, harness) = calls_of(
        &["postgres.checkConnection", "email-send", "list.map"],
        r#"{"success": true, "version": "17"}"#,
    );
    let checked = harness.call::<operation>(
        r#"{"operation": "postgres.checkConnection", "host": "h", "port": 5432, "user": null}"#,
    );
    assert_eq!(checked.unwrap().to_json(), r#"{"success":true,"version":"17"}"#);
    assert_eq!(calls.taken()[0].1, r#"{"host":"h","port":5432}"#);
    for name in ["email_send", "smtp.sendEmail", "send-email"] {
        let input = format!(r#"{{"operation": "{name}", "to": "a@b.co", "subject": "s", "body": "b"}}"#);
        assert!(
            harness
                .call::<operation>(&input)
                .unwrap()
                .to_json()
                .contains("success")
        );
        assert_eq!(
            calls.taken()[0],
            (
                "email-send".to_owned(),
                r#"{"to":"a@b.co","subject":"s","body":"b"}"#.to_owned()
            )
        );
    }
    let error = harness
        .call::<operation>(r#"{"operation": "docker.listContainers", "all": false}"#)
        .unwrap_err();
    assert_eq!(error.code, "UNKNOWN_NODE_TYPE");
    assert!(
        error.message.contains("operation `docker.listContainers`")
            && error.message.contains("node type `docker.listContainers`"),
        "{error}"
    );
}

#[test]
fn the_error_of_another_node_stays_its_own() {
    let refuse = || {
        NodeError::with_code("TEMPORARY_FAILURE", "the server is away")
            .status(503)
            .retryable(true)
    };
    let harness = Harness::new()
        .node("a.b", move |_| Err(refuse()))
        .node("a.c", |_| {
            Err(NodeError::with_code(
                "UNKNOWN_NODE_TYPE",
                "the test has no node `other`",
            ))
        });
    let error = harness.call::<operation>(r#"{"operation": "a.b"}"#).unwrap_err();
    assert_eq!(
        (&*error.code, error.status_code, error.retryable),
        ("TEMPORARY_FAILURE", Some(503), Some(true))
    );
    assert_eq!(error.message, "operation `a.b`: the server is away");
    let nested = harness.call::<operation>(r#"{"operation": "a.c"}"#).unwrap_err();
    assert!(
        nested.message.contains("`other`") && !nested.message.contains("install"),
        "{nested}"
    );
}

#[test]
fn a_value_is_a_result_under_its_name() {
    let harness = around().with_evaluator(|expression, bindings| match expression {
        "$value + 1" => Ok(Value::from(
            bindings
                .get("value")
                .and_then(|value| value.as_i64())
                .unwrap_or(0)
                + 1,
        )),
        _ => Err(NodeError::new("no such expression")),
    });
    for (input, expected) in [
        (
            r#"{"operation": "transform", "expression": {"a": "{{ $value + 1 }}"}}"#,
            r#"{"result":{"a":1}}"#,
        ),
        (
            r#"{"operation": "transform_data", "expression": "$value + 1", "input": 4}"#,
            r#"{"result":5}"#,
        ),
        (
            r#"{"operation": "transform", "output": [1]}"#,
            r#"{"result":[1]}"#,
        ),
    ] {
        assert_eq!(
            harness.call::<operation>(input).unwrap().to_json(),
            expected,
            "{input}"
        );
    }
}

#[test]
fn an_operation_that_is_none_is_refused() {
    let long = format!(r#"{{"operation": "{}"}}"#, "x".repeat(129));
    check_errors::<operation>(
        &around(),
        &[
            (r#"{"entity": "User"}"#, INVALID, "`operation`: is missing"),
            (
                r#"{"operation": null, "entity": "User"}"#,
                INVALID,
                "`operation`: is missing",
            ),
            (r#"{"operation": ""}"#, INVALID, "`operation`"),
            (r#"{"operation": 5}"#, INVALID, "`operation`: expected a text"),
            (
                r#"{"operation": "rm -rf /"}"#,
                INVALID,
                "neither an operation nor a node type",
            ),
            (
                r#"{"operation": "1.a"}"#,
                INVALID,
                "neither an operation nor a node type",
            ),
            (
                r#"{"operation": "transform"}"#,
                INVALID,
                "`expression`: is missing",
            ),
            (r#"{"operation": "parallel"}"#, INVALID, "`tasks`: is missing"),
            (&long, INVALID, "neither an operation nor a node type"),
            (
                r#"{"operation": "{{ $json.operation }}"}"#,
                INVALID,
                "must be written",
            ),
            ("[]", INVALID, "expected a map"),
        ],
    );
}

#[test]
fn tasks_are_done_in_turn_and_told_by_their_ids() {
    let calls = Calls::default();
    let harness = records::database_of_ada(Harness::new());
    let harness = calls.answer(harness, "a.b", r#"{"x": 1}"#);
    let input = r#"{"operation": "parallel", "tasks": [
        {"id": "count", "op": "database_count", "entity": "Post", "params": {"filter": {"authorId": "u1"}}},
        {"id": "user", "op": "database_read", "entity": "User", "params": {"filter": {"id": "u1"}}},
        {"op": "a.b", "entity": "E", "params": {"entity": "F", "n": 1}},
        {"id": "last", "operation": "a.b", "m": 2}]}"#;
    let output = harness.call::<operation>(input).unwrap();
    let output = output.as_ref();
    let at = |pointer: &str| output.pointer(pointer).unwrap_or(ValueRef::NULL).to_json();
    assert_eq!(at("/tasks/count"), r#"{"success":true,"output":1}"#);
    assert_eq!(at("/tasks/user/output/email"), r#""ada@example.org""#);
    assert_eq!(at("/tasks/2/output"), r#"{"x":1}"#);
    assert_eq!(at("/tasks/last/output"), r#"{"x":1}"#);
    let taken = calls.taken();
    assert_eq!(taken[0].1, r#"{"entity":"F","n":1}"#);
    assert_eq!(taken[1].1, r#"{"m":2}"#);
}

#[test]
fn a_task_that_fails_fails_the_node_and_those_behind_it_are_not_begun() {
    let calls = Calls::default();
    let harness = calls.answer(Harness::new(), "a.good", "1");
    let input = r#"{"tasks": [{"id": "one", "op": "a.good"}, {"id": "two", "op": "a.missing"}, {"id": "three", "op": "a.good"}]}"#;
    let error = harness.call::<parallel_node>(input).unwrap_err();
    assert_eq!(error.code, "UNKNOWN_NODE_TYPE");
    assert!(
        error.message.starts_with("task `two`: operation `a.missing`"),
        "{error}"
    );
    assert_eq!(calls.taken().len(), 1);
}

#[test]
fn tasks_that_cannot_be_read_have_no_effect() {
    let calls = Calls::default();
    let harness = calls.answer(Harness::new(), "a.good", "1");
    let many: Vec<&str> = vec![r#"{"op": "a.good"}"#; 101];
    let many = format!(r#"{{"tasks": [{}]}}"#, many.join(","));
    check_errors::<parallel_node>(
        &harness,
        &[
            (r#"{"tasks": null}"#, INVALID, "`tasks`: is missing"),
            (r#"{"tasks": {}}"#, INVALID, "`tasks`: expected a list"),
            (
                r#"{"tasks": [{"op": "a.good"}, 5]}"#,
                INVALID,
                "item 1: expected a map",
            ),
            (
                r#"{"tasks": [{"op": "a.good"}, {"id": "x"}]}"#,
                INVALID,
                "item 1: `op` is missing",
            ),
            (
                r#"{"tasks": [{"op": ["a"]}]}"#,
                INVALID,
                "`op` is missing, or no text",
            ),
            (r#"{"tasks": [{"op": "a.good", "id": 5}]}"#, INVALID, "`id`"),
            (
                r#"{"tasks": [{"op": "a.good", "params": [1]}]}"#,
                INVALID,
                "`params`",
            ),
            (
                r#"{"tasks": [{"op": "a.good", "id": "x"}, {"op": "a.good", "id": "x"}]}"#,
                INVALID,
                "the id `x`",
            ),
            (
                r#"{"tasks": [{"op": "a.good", "id": "1"}, {"op": "a.good"}]}"#,
                INVALID,
                "the id `1`",
            ),
            (
                r#"{"tasks": [{"op": "a.good"}, {"nodeId": "check-budget", "type": "main"}]}"#,
                INVALID,
                "\"check-budget\" is a node of the workflow",
            ),
            (
                r#"{"tasks": [{"op": "{{ $json.op }}"}]}"#,
                INVALID,
                "must be written",
            ),
            (r#"{"tasks": "{{ $json.tasks }}"}"#, INVALID, "expected a list"),
            (&many, INVALID, "at most 100 items"),
        ],
    );
    let nodes = r#"{"tasks": [{"nodeId": "check-budget", "type": "main"}]}"#;
    assert_eq!(harness.call::<parallel_node>(nodes).unwrap().to_json(), "null");
    assert!(calls.taken().is_empty());
    let nested = r#"{"tasks": [{"op": "parallel", "params": {"tasks": []}}]}"#;
    check_errors::<parallel_node>(&harness, &[(nested, INVALID, "cannot be `parallel`")]);
    let cancelled = harness
        .cancelled()
        .call::<parallel_node>(r#"{"tasks": [{"op": "a.good"}]}"#);
    assert_eq!(cancelled.unwrap_err().code, "CANCELLED");
    assert!(calls.taken().is_empty());
}

#[test]
fn expressions_fill_in_what_a_task_needs_and_data_says_nothing_of_what_it_does() {
    let calls = Calls::default();
    let harness = calls
        .answer(Harness::new(), "a.b", "1")
        .with_evaluator(|expression, _| match expression {
            "$steps.first.output.id" => Ok(Value::from("s1")),
            "$json.evil" => Ok(json(r#"{"op": "a.evil", "text": "{{ $json.secret }}"}"#)),
            _ => Err(NodeError::new("no such node")),
        });
    let input = r#"{"tasks": [{"op": "a.b", "params": {"filter": {"id": "{{ $steps.first.output.id }}"}, "more": "{{ $json.evil }}"}}]}"#;
    harness.call::<parallel_node>(input).unwrap();
    let asked = r#"{"filter":{"id":"s1"},"more":{"op":"a.evil","text":"{{ $json.secret }}"}}"#;
    assert_eq!(calls.taken(), [("a.b".to_owned(), asked.to_owned())]);
    let wrong = r#"{"tasks": [{"op": "a.b", "n": "{{ $steps.other }}"}]}"#;
    check_errors::<parallel_node>(
        &harness,
        &[(wrong, "EXECUTION_ERROR", "parameter `tasks`: no such node")],
    );
}

#[test]
fn what_data_says_is_never_evaluated() {
    let harness = around().with_evaluator(|expression, _| match expression {
        "$json.evil" => Ok(Value::from("$env.TOKEN")),
        "$json.field" => Ok(Value::from("{{ $env.TOKEN }}")),
        "1 + 1" => Ok(Value::from(2)),
        _ => Err(NodeError::new(format!("evaluated `{expression}`"))),
    });
    // A workflow has filled in `output` before the node sees it.
    for (input, expected) in [
        (
            r#"{"operation": "transform", "output": "$env.TOKEN"}"#,
            r#"{"result":"$env.TOKEN"}"#,
        ),
        (
            r#"{"operation": "transform", "output": {"a": "{{ $env.TOKEN }}"}}"#,
            r#"{"result":{"a":"{{ $env.TOKEN }}"}}"#,
        ),
    ] {
        let output = harness.call::<operation>(input).unwrap();
        assert_eq!(output.to_json(), expected, "{input}");
    }
    for (task, expected) in [
        (r#""output": "{{ $json.evil }}""#, r#""$env.TOKEN""#),
        (r#""output": ["{{ $json.field }}"]"#, r#"["{{ $env.TOKEN }}"]"#),
        (
            r#""expression": {"a": "{{ $json.field }}"}"#,
            r#"{"a":"{{ $env.TOKEN }}"}"#,
        ),
        (r#""expression": "1 + 1""#, "2"),
        (r#""params": {"expression": {"a": "{{ 1 + 1 }}"}}"#, r#"{"a":2}"#),
    ] {
        let input = format!(r#"{{"tasks": [{{"id": "a", "op": "transform", {task}}}]}}"#);
        let output = harness.call::<parallel_node>(&input).unwrap();
        let output = output.as_ref().pointer("/tasks/a/output/result").unwrap();
        assert_eq!(output.to_json(), expected, "{task}");
    }
    let calls = Calls::default();
    let harness = calls
        .answer(Harness::new(), "dbal-read", r#"{"result": []}"#)
        .with_evaluator(|expression, _| match expression {
            "$json.field" => Ok(Value::from("{{ $env.TOKEN }}")),
            _ => Err(NodeError::new(format!("evaluated `{expression}`"))),
        });
    let input = r#"{"tasks": [{"op": "database_read", "entity": "User", "sort": {"{{ $json.field }}": 1}}]}"#;
    harness.call::<parallel_node>(input).unwrap();
    assert!(
        calls.taken()[0].1.contains(r#""sort":{"{{ $env.TOKEN }}":1}"#),
        "{:?}",
        calls.taken()
    );
}
