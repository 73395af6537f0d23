//! Conversations that grow.

use proptest::prelude::*;

use super::*;

#[test]
fn a_conversation_that_is_not_named_is_the_runs_own() {
    let harness = Harness::new()
        .setting("ai.prompt", "Be brief.")
        .setting("ai.instruction", "Go on.")
        .variable("sdlc_context", "Two tests fail.");
    harness.call::<seed_messages>("{}").unwrap();
    harness.call::<append_context_message>("{}").unwrap();
    let output = harness.call::<append_user_instruction>("{}").unwrap();
    let expected = json(
        r#"[{"role": "system", "content": "Be brief."}, {"role": "system", "content": "Two tests fail."},
            {"role": "user", "content": "Go on."}]"#,
    );
    assert_eq!(output.as_ref().get("messages"), Some(expected.as_ref()));
    assert_eq!(harness.variable_value("messages"), Some(expected));
}

#[test]
fn a_name_with_a_dollar_means_a_variable() {
    let harness = Harness::new()
        .variable("draft", &json(r#"[{"role": "user", "content": "Hi"}]"#))
        .variable("scan", &json(r#"{"lines": ["a.py", "b.py"]}"#));
    let output = harness
        .call::<append_context_message>(r#"{"messages": "$draft", "context": "$scan.lines"}"#)
        .unwrap();
    assert_eq!(
        output.to_json(),
        r#"{"messages":[{"role":"user","content":"Hi"},{"role":"system","content":"[\"a.py\",\"b.py\"]"}],"count":2}"#
    );
    let price = r#"{"messages": [], "context": "$5 each"}"#;
    let output = harness.call::<append_context_message>(price).unwrap();
    assert_eq!(
        output.as_ref().pointer("/messages/0/content"),
        Some(Value::from("$5 each").as_ref())
    );
    refuses::<append_context_message>(
        &harness,
        &[
            (
                r#"{"context": "$nothing"}"#,
                INVALID,
                "`$nothing` means a variable of the run",
            ),
            (
                r#"{"messages": "$none", "context": "x"}"#,
                INVALID,
                "parameter `messages`: `$none`",
            ),
            (r#"{"context": "$scan.columns"}"#, INVALID, "`$scan.columns`"),
        ],
    );
}

#[test]
fn what_an_expression_came_to_names_nothing() {
    let harness = || {
        Harness::new()
            .variable("token", "hidden")
            .with_evaluator(|expression, _| match expression {
                "$json.text" => Ok(Value::from("$token")),
                "$json.more" => Ok(Value::from("{{ $json.text }}")),
                "$json.none" => Ok(Value::null()),
                _ => Err(NodeError::new("no such expression")),
            })
    };
    for (given, said) in [("$json.text", "$token"), ("$json.more", "{{ $json.text }}")] {
        let said = json(&format!(r#"{{"role": "user", "content": "{said}"}}"#));
        for input in [
            format!(r#"{{"messages": [], "instruction": "{{{{ {given} }}}}"}}"#),
            format!(
                r#"{{"messages": [{{"role": "user", "content": "{{{{ {given} }}}}"}}], "instruction": "Go on."}}"#
            ),
        ] {
            let output = harness().call::<append_user_instruction>(&input).unwrap();
            assert_eq!(
                output.as_ref().pointer("/messages/0"),
                Some(said.as_ref()),
                "{input}"
            );
        }
    }
    // What comes to null is as good as missing, and a host must leave all of these to the node.
    refuses::<append_user_instruction>(
        &harness(),
        &[
            (
                r#"{"messages": [], "instruction": "{{ $json.none }}"}"#,
                INVALID,
                "`instruction`: is missing",
            ),
            (
                r#"{"messages": "{{ $json.other }}", "instruction": "x"}"#,
                code::EXECUTION_ERROR,
                "parameter `messages`: no such expression",
            ),
        ],
    );
    for (meta, names) in [
        (seed_messages::meta(), &["messages"][..]),
        (append_context_message::meta(), &["messages", "context"]),
        (append_user_instruction::meta(), &["messages", "instruction"]),
        (
            append_tool_results::meta(),
            &["messages", "toolResults", "response"],
        ),
        (ai_request::meta(), &["messages"]),
        (run_tool_calls::meta(), &["response"]),
    ] {
        for name in names {
            assert_eq!(
                meta.parameters["properties"][name]["x-template"], false,
                "{} {name}",
                meta.node_type
            );
        }
    }
}

#[test]
fn nothing_to_say_adds_nothing_and_a_missing_text_is_an_error() {
    let harness = Harness::new();
    let empty = r#"{"messages": [], "count": 0}"#;
    assert_eq!(harness.call::<seed_messages>("{}").unwrap(), json(empty));
    let said = harness.call::<append_context_message>(r#"{"messages": [], "context": " \n"}"#);
    assert_eq!(said.unwrap(), json(empty));
    refuses::<append_context_message>(&harness, &[("{}", INVALID, "parameter `context`: is missing")]);
    refuses::<append_user_instruction>(
        &harness,
        &[
            ("{}", INVALID, "parameter `instruction`: is missing"),
            (
                r#"{"instruction": " "}"#,
                INVALID,
                "parameter `instruction`: is empty",
            ),
            (
                r#"{"instruction": 5}"#,
                INVALID,
                "parameter `instruction`: expected a text",
            ),
        ],
    );
    refuses::<seed_messages>(
        &harness,
        &[
            (
                r#"{"prompt": "a", "messages": []}"#,
                INVALID,
                "either `messages` or `prompt`",
            ),
            (r#"{"prompt": 5}"#, INVALID, "prompt"),
        ],
    );
}

#[test]
fn what_is_no_message_is_refused_by_its_place() {
    refuses::<append_context_message>(
        &Harness::new(),
        &[
            (
                r#"{"messages": "hello", "context": "x"}"#,
                INVALID,
                "expected a list of messages, found a text",
            ),
            (r#"{"messages": {}, "context": "x"}"#, INVALID, "found a map"),
            (
                r#"{"messages": [1], "context": "x"}"#,
                INVALID,
                "item 0: expected a map",
            ),
            (
                r#"{"messages": [{"content": "x"}], "context": "x"}"#,
                INVALID,
                "item 0: `role`",
            ),
            (
                r#"{"messages": [{"role": "robot", "content": "x"}], "context": "x"}"#,
                INVALID,
                "`role`",
            ),
            (
                r#"{"messages": [{"role": 1, "content": "x"}], "context": "x"}"#,
                INVALID,
                "`role`",
            ),
            (
                r#"{"messages": [{"role": "user"}], "context": "x"}"#,
                INVALID,
                "`content`",
            ),
            (
                r#"{"messages": [{"role": "user", "content": {}}], "context": "x"}"#,
                INVALID,
                "`content`",
            ),
            (
                r#"{"messages": [{"role": "assistant"}], "context": "x"}"#,
                INVALID,
                "`content`",
            ),
            (
                r#"{"messages": [{"role": "assistant", "tool_calls": []}], "context": "x"}"#,
                INVALID,
                "`content`",
            ),
            (
                r#"{"messages": [{"role": "tool", "content": "x"}], "context": "x"}"#,
                INVALID,
                "`tool_call_id`",
            ),
        ],
    );
}

#[test]
fn a_conversation_over_its_limits_is_refused() {
    let harness = Harness::new();
    let too_many = format!(
        r#"{{"messages": [{}], "context": "x"}}"#,
        vec![r#"{"role": "user", "content": ""}"#; 10_000].join(",")
    );
    let error = harness.call::<append_context_message>(&too_many).unwrap_err();
    assert_eq!(error.code, code::LIMIT_EXCEEDED);
    let long = format!(r#"{{"messages": [], "context": "{}"}}"#, "x".repeat(9 << 20));
    let error = harness.call::<append_context_message>(&long).unwrap_err();
    assert_eq!(error.code, code::LIMIT_EXCEEDED);
    assert!(error.message.contains("8 MiB"), "{error}");
}

#[test]
fn a_caller_that_gave_up_is_not_kept_waiting() {
    let harness = Harness::new().cancelled();
    let input = r#"{"messages": [{"role": "user", "content": "x"}], "context": "x"}"#;
    let error = harness.call::<append_context_message>(input).unwrap_err();
    assert_eq!(error.code, code::CANCELLED);
}

proptest! {
    #[test]
    fn what_was_said_stays_as_it_was(said in proptest::collection::vec(".{0,20}", 0..8), context in ".{0,20}") {
        let messages: Vec<Value> = said
            .iter()
            .map(|text| {
                let (role, content) = (Value::from("user"), Value::from(&**text));
                Value::from_pairs([("role", role.as_ref()), ("content", content.as_ref())]).unwrap()
            })
            .collect();
        let list = Value::from_items(messages.iter().map(Value::as_ref)).unwrap();
        let context = Value::from(&*format!("-{context}"));
        let input = Value::from_pairs([("messages", list.as_ref()), ("context", context.as_ref())]).unwrap();
        let output = Harness::new().call::<append_context_message>(&input.to_json()).unwrap();
        let kept = output.as_ref().get("messages").unwrap().as_list().unwrap();
        prop_assert_eq!(kept.len(), messages.len() + 1);
        for (kept, message) in kept.iter().zip(&messages) {
            prop_assert_eq!(kept, message.as_ref());
        }
    }
}
