use super::*;

/// Knows a few expressions.
fn workflow() -> Harness {
    around().with_evaluator(|expression, bindings| match expression {
        "$value.a" => Ok(bindings
            .get("value")
            .and_then(|value| value.get("a"))
            .map_or_else(Value::null, Value::from)),
        "$json.limit" => Ok(Value::from(50)),
        "$json.sortBy" => Ok(Value::from("createdAt")),
        "$json.evil" => Ok(Value::from("{{ $json.secret }}")),
        "$json.number" => Ok(Value::from(7)),
        _ => Err(NodeError::new(format!("unexpected end of `{expression}`"))),
    })
}

#[test]
fn what_is_given_as_output_is_the_output() {
    for (input, expected) in [
        (
            r#"{"output": {"a": [1, {"b": null}]}}"#,
            r#"{"a":[1,{"b":null}]}"#,
        ),
        (r#"{"output": null}"#, "null"),
        (r#"{"output": "{{ $json.limit }}"}"#, r#""{{ $json.limit }}""#),
        (
            r#"{"operation": "transformData", "output": false, "input": 1}"#,
            "false",
        ),
        (r#"{"input": {"x": 1}}"#, r#"{"x":1}"#),
        (r#"{"expression": "$value.a", "input": {"a": 2}}"#, "2"),
        (
            r#"{"expression": {"n": "{{ $json.limit }}", "t": "n {{ $json.limit }}"}}"#,
            r#"{"n":50,"t":"n 50"}"#,
        ),
        (
            r#"{"expression": ["{{ $value.a }}"], "data": {"a": "x"}}"#,
            r#"["x"]"#,
        ),
        // What an expression gives is no expression.
        (r#"{"expression": "$json.evil"}"#, r#""{{ $json.secret }}""#),
    ] {
        assert_eq!(
            workflow().call::<transform>(input).unwrap().to_json(),
            expected,
            "{input}"
        );
    }
    let arrived = workflow()
        .input(0, &json(r#"{"a": 3}"#))
        .call::<transform>(r#"{"expression": "$value.a"}"#);
    assert_eq!(arrived.unwrap().to_json(), "3");
    check_errors::<transform>(
        &workflow(),
        &[
            ("{}", INVALID, "`output`: is missing"),
            (
                r#"{"operation": "filter", "output": 1}"#,
                INVALID,
                "`operation`: must be `transform_data`",
            ),
            (
                r#"{"expression": "1 +"}"#,
                "EXECUTION_ERROR",
                "`expression`: unexpected end",
            ),
        ],
    );
    let alone = workflow().outside_workflow();
    check_errors::<transform>(
        &alone,
        &[(r#"{"expression": "$json.limit"}"#, "UNSUPPORTED", "`expression`")],
    );
    assert_eq!(
        alone
            .call::<transform>(r#"{"expression": {"a": 1}}"#)
            .unwrap()
            .to_json(),
        r#"{"a":1}"#
    );
}

#[test]
fn an_order_has_its_names_filled_in_once() {
    let calls = Calls::default();
    let harness = calls.answer(workflow(), "dbal-read", r#"{"result": []}"#);
    let read = |sort: &str| {
        let input =
            format!(r#"{{"operation": "database_read", "entity": "Media", "filter": {{}}, "sort": {sort}}}"#);
        harness
            .call::<database>(&input)
            .map(|_| calls.taken().remove(0).1)
    };
    let asked = read(r#"{"{{ $json.sortBy }}": "{{ $json.number }}", "id": 1}"#).unwrap();
    assert!(asked.contains(r#""sort":{"createdAt":7,"id":1}"#), "{asked}");
    let asked = read(r#"{"{{ $json.evil }}": -1}"#).unwrap();
    assert!(asked.contains(r#""sort":{"{{ $json.secret }}":-1}"#), "{asked}");
    for sort in [r#"{"{{ $json.number }}": 1}"#, r#"{"{{ 1 + }}": 1}"#] {
        assert!(read(sort).unwrap_err().message.contains("`sort`"), "{sort}");
    }
}

#[test]
fn what_is_at_the_end_is_the_result() {
    let harness = around().input(0, &json(r#"{"a": 1}"#));
    for (input, expected) in [
        ("{}", r#"{"a":1}"#),
        (r#"{"output": {"status": "success"}}"#, r#"{"status":"success"}"#),
        (r#"{"value": null}"#, "null"),
    ] {
        assert_eq!(
            harness.call::<output>(input).unwrap().to_json(),
            expected,
            "{input}"
        );
    }
    for without in [
        harness.call::<action>("{}"),
        harness.call::<operation>("{}"),
        harness.call::<parallel_node>("{}"),
    ] {
        assert_eq!(without.unwrap().to_json(), r#"{"a":1}"#);
    }
}

#[test]
fn results_that_arrived_are_all_good_or_some_are() {
    let harness = around()
        .input(0, &json(r#"{"success": true, "failed": 0}"#))
        .input(0, &json(r#"{"passed": false}"#))
        .input(0, &json("{}"))
        .input(1, &0);
    for (input, expected) in [
        (r#"{"mode": "and"}"#, r#"{"result":false,"count":3,"passed":2}"#),
        (r#"{"mode": "any"}"#, r#"{"result":true,"count":3,"passed":2}"#),
        (r#"{"values": []}"#, r#"{"result":true,"count":0,"passed":0}"#),
        (
            r#"{"values": [], "mode": "or"}"#,
            r#"{"result":false,"count":0,"passed":0}"#,
        ),
        (
            r#"{"values": [{"ok": true, "success": false}]}"#,
            r#"{"result":false,"count":1,"passed":0}"#,
        ),
        (
            r#"{"values": [{"result": "yes"}, "", null, 0.0, []]}"#,
            r#"{"result":false,"count":5,"passed":2}"#,
        ),
    ] {
        assert_eq!(
            harness.call::<aggregate>(input).unwrap().to_json(),
            expected,
            "{input}"
        );
    }
    let by_name = harness.call::<operation>(r#"{"operation": "aggregate", "mode": "or"}"#);
    assert_eq!(
        by_name.unwrap().to_json(),
        r#"{"result":true,"count":3,"passed":2}"#
    );
    check_errors::<aggregate>(
        &harness.clone().outside_workflow(),
        &[
            ("{}", INVALID, "`values`: is missing"),
            (r#"{"values": 5}"#, INVALID, "`values`: expected a list"),
            (r#"{"values": [], "mode": "xor"}"#, INVALID, "`mode`"),
            (r#"{"values": [], "mode": 1}"#, INVALID, "`mode`"),
            (r#"{"operation": "sum", "values": []}"#, INVALID, "`operation`"),
        ],
    );
}
