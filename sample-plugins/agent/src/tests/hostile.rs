//! Answers that are none.

use proptest::prelude::*;

use super::*;

const ASK: &str = r#"{"messages": [{"role": "user", "content": "Hi"}]}"#;

#[test]
fn an_answer_in_another_shape_is_an_error_that_says_what_is_wrong() {
    for (body, part) in [
        ("null", "`choices[0].message` is null"),
        ("[]", "`choices[0].message` is null"),
        ("5", "no chat completion"),
        (r#""not json""#, "not json"),
        ("{}", "`choices[0].message` is null"),
        (
            r#"{"error": {"message": "overloaded"}}"#,
            "the model's server failed: overloaded",
        ),
        (r#"{"choices": {}}"#, "`choices[0].message`"),
        (r#"{"choices": []}"#, "`choices[0].message`"),
        (r#"{"choices": [{}]}"#, "`choices[0].message`"),
        (r#"{"choices": [{"message": "hi"}]}"#, "is a text, not a map"),
        (
            r#"{"choices": [{"message": {}}]}"#,
            "neither a content nor tool calls",
        ),
        (
            r#"{"choices": [{"message": {"role": "user", "content": "x"}}]}"#,
            "not one of the assistant",
        ),
        (
            r#"{"choices": [{"message": {"content": 5}}]}"#,
            "`content` is a number",
        ),
        (
            r#"{"choices": [{"message": {"content": "x", "tool_calls": "f"}}]}"#,
            "`tool_calls` is a text",
        ),
        (
            r#"{"choices": [{"message": {"tool_calls": [5]}}]}"#,
            "tool call 0: it names no function",
        ),
        (
            r#"{"choices": [{"message": {"tool_calls": [{"function": {"name": ""}}]}}]}"#,
            "it names no function",
        ),
        (
            r#"{"choices": [{"message": {"tool_calls": [{"function": {"name": 5}}]}}]}"#,
            "`name` is a number",
        ),
        (
            r#"{"choices": [{"message": {"tool_calls": [{"type": "custom"}]}}]}"#,
            "its type is \"custom\"",
        ),
        (
            r#"{"choices": [{"message": {"tool_calls": [{"function": {"name": "f", "arguments": [1]}}]}}]}"#,
            "`arguments` is a list",
        ),
        (
            r#"{"choices": [{"message": {"tool_calls": [
                {"id": "a", "function": {"name": "f"}}, {"id": "a", "function": {"name": "g"}}]}}]}"#,
            "tool call 1: its id is that of another",
        ),
    ] {
        let (harness, _) = server(200, body);
        let error = harness.call::<ai_request>(ASK).unwrap_err();
        assert_eq!(error.code, code::EXECUTION_ERROR, "{body}: {error}");
        assert!(error.message.contains(part), "{body}: {error}");
        assert_eq!(harness.variable_value("messages"), None, "{body}");
    }
    let harness = Harness::new()
        .setting("ai.url", "http://model.test")
        .setting("ai.model", "m")
        .node("http-request", |_| Ok(Value::null()));
    refuses::<ai_request>(&harness, &[(ASK, code::EXECUTION_ERROR, "no `statusCode`")]);
}

#[test]
fn an_answer_that_is_too_large_is_refused() {
    let huge = format!(r#"{{"role": "assistant", "content": "{}"}}"#, "x".repeat(5 << 20));
    let (harness, _) = server(200, &completion(&huge, "stop"));
    refuses::<ai_request>(&harness, &[(ASK, code::LIMIT_EXCEEDED, "more than 4 MiB")]);

    let call = |index: usize| format!(r#"{{"id": "c{index}", "function": {{"name": "f"}}}}"#);
    let calls: Vec<String> = (0..129).map(call).collect();
    let many = format!(r#"{{"tool_calls": [{}]}}"#, calls.join(","));
    let (harness, _) = server(200, &completion(&many, "tool_calls"));
    refuses::<ai_request>(&harness, &[(ASK, code::EXECUTION_ERROR, "129 tool calls")]);

    let long = format!(
        r#"{{"tool_calls": [{{"function": {{"name": "f", "arguments": "{}"}}}}]}}"#,
        "x".repeat(2 << 20)
    );
    let (harness, _) = server(200, &completion(&long, "tool_calls"));
    refuses::<ai_request>(&harness, &[(ASK, code::EXECUTION_ERROR, "longer than 1 MiB")]);

    let name = format!(
        r#"{{"tool_calls": [{{"function": {{"name": "{}"}}}}]}}"#,
        "x".repeat(300)
    );
    let (harness, _) = server(200, &completion(&name, "tool_calls"));
    refuses::<ai_request>(&harness, &[(ASK, code::EXECUTION_ERROR, "longer than 256 bytes")]);
}

/// JSON that looks now and then like a part of an answer.
fn nearly_an_answer() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("5".to_owned()),
        Just("true".to_owned()),
        "[a-z]{0,4}".prop_map(|text| format!("{text:?}")),
        Just(r#""assistant""#.to_owned()),
    ];
    let key = proptest::sample::select(vec![
        "choices",
        "message",
        "content",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "id",
        "role",
        "error",
        "usage",
    ]);
    leaf.prop_recursive(6, 64, 4, move |inner| {
        let pairs = proptest::collection::btree_map(key.clone(), inner.clone(), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(","))),
            pairs.prop_map(|pairs| {
                let pairs: Vec<String> = pairs
                    .iter()
                    .map(|(key, value)| format!("{key:?}:{value}"))
                    .collect();
                format!("{{{}}}", pairs.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_a_server_sends_ends_in_a_message_or_an_error(body in nearly_an_answer(), as_message in any::<bool>()) {
        let body = if as_message { completion(&body, "stop") } else { body };
        let (harness, _) = server(200, &body);
        match harness.call::<ai_request>(ASK) {
            Ok(output) => {
                let role = output.as_ref().pointer("/response/role").and_then(|role| role.as_str());
                prop_assert_eq!(role, Some("assistant"));
                // What was accepted can be sent again.
                let again = harness.call::<ai_request>("{}");
                prop_assert!(again.is_ok(), "{:?}", again);
            }
            Err(error) => prop_assert_eq!(error.code, code::EXECUTION_ERROR),
        }
    }

    #[test]
    fn whatever_a_model_asks_for_is_answered_call_by_call(response in nearly_an_answer()) {
        let harness = Harness::new().node("n", |_| Ok(Value::null()));
        let input = format!(r#"{{"response": {{"role": "assistant", "tool_calls": {response}}}, "tools": {{"a": "n"}}}}"#);
        match harness.call::<run_tool_calls>(&input) {
            Ok(output) => {
                let asked = json(&input).as_ref().pointer("/response/tool_calls").and_then(|calls| calls.as_list()).map_or(0, |calls| calls.len());
                let results = output.as_ref().get("toolResults").and_then(|results| results.as_list()).map_or(0, |results| results.len());
                prop_assert_eq!(asked, results);
            }
            Err(error) => prop_assert_eq!(error.code, INVALID),
        }
    }
}
