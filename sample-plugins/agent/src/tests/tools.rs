//! Tools that a model asks for.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn shouting() -> Harness {
    shouting_beside(Harness::new())
}

/// The same with a node that writes capitals.
pub(super) fn shouting_beside(harness: Harness) -> Harness {
    harness.node("string.upper", |input| {
        let text = input
            .get("value")
            .and_then(|value| value.as_str())
            .unwrap_or_default();
        let result = Value::from(&*text.to_uppercase());
        Ok(Value::from_pairs([("result", result.as_ref())])?)
    })
}

/// An answer that asks for these functions, each with its arguments.
fn asking(calls: &[(&str, &str)]) -> String {
    let calls: Vec<String> = calls
        .iter()
        .enumerate()
        .map(|(index, (name, arguments))| {
            format!(r#"{{"id": "c{index}", "type": "function", "function": {{"name": {name:?}, "arguments": {arguments:?}}}}}"#)
        })
        .collect();
    format!(
        r#"{{"role": "assistant", "content": null, "tool_calls": [{}]}}"#,
        calls.join(",")
    )
}

fn contents(output: &Value) -> Vec<String> {
    let results = output.as_ref().get("toolResults").unwrap().as_list().unwrap();
    results
        .iter()
        .map(|result| result.get("content").unwrap().as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_goes_wrong_is_for_the_model_to_read() {
    let harness = shouting().node("fails", |_| Err(NodeError::with_code("BROKEN", "it broke")));
    let response = asking(&[
        ("shout", r#"{"value": "a"}"#),
        ("nothing", "{}"),
        ("shout", "not json"),
        ("shout", "[1]"),
        ("fail", ""),
    ]);
    let input =
        format!(r#"{{"response": {response}, "tools": {{"shout": "string.upper", "fail": "fails"}}}}"#);
    let output = harness.call::<run_tool_calls>(&input).unwrap();
    let contents = contents(&output);
    assert_eq!(contents[0], r#"{"result":"A"}"#);
    assert_eq!(
        contents[1],
        r#"{"error":{"code":"NOT_ALLOWED","message":"there is no such tool; there are: shout, fail"}}"#
    );
    assert!(
        contents[2].contains("the arguments are no JSON"),
        "{}",
        contents[2]
    );
    assert!(
        contents[3].contains("the arguments are a list, not a map"),
        "{}",
        contents[3]
    );
    assert_eq!(contents[4], r#"{"error":{"code":"BROKEN","message":"it broke"}}"#);
    assert_eq!(output.as_ref().get("failed"), Some(Value::from(4).as_ref()));
    assert_eq!(harness.variable_value("no_tool_calls"), Some(Value::from(false)));
}

#[test]
fn the_administrators_list_is_the_widest() {
    let call = |setting: Option<&str>, tools: &str| {
        let mut harness = shouting();
        if let Some(setting) = setting {
            harness = harness.setting("ai.tools", setting);
        }
        let response = asking(&[("shout", r#"{"value": "a"}"#)]);
        let output = harness.call::<run_tool_calls>(&format!(r#"{{"response": {response}{tools}}}"#))?;
        Ok::<_, NodeError>(contents(&output).remove(0))
    };
    let shouted = r#"{"result":"A"}"#;
    let list = Some("shout=string.upper,\n  find=web.search");
    assert_eq!(call(list, "").unwrap(), shouted);
    assert_eq!(
        call(list, r#", "tools": {"shout": "string.upper"}"#).unwrap(),
        shouted
    );
    assert_eq!(
        call(None, r#", "tools": {"shout": "string.upper"}"#).unwrap(),
        shouted
    );
    assert!(call(None, "").unwrap().contains("there are: none"));
    assert!(
        call(list, r#", "tools": {}"#)
            .unwrap()
            .contains("there are: none")
    );
    let error = call(Some("find=web.search"), r#", "tools": {"shout": "string.upper"}"#).unwrap_err();
    assert_eq!(error.code, code::NOT_ALLOWED);
    assert!(error.message.contains("`string.upper`"), "{error}");
    for (setting, part) in [
        ("shout", "not of the form NAME=NODE"),
        ("sh!out=string.upper", "no name of a tool"),
        ("a=b a=c", "`a` is there twice"),
        ("again=core.ai_request", "asks the model again"),
        ("a=", "stands for no node"),
    ] {
        let error = call(Some(setting), "").unwrap_err();
        assert!(
            error.message.contains(part) && error.message.contains("`ai.tools`"),
            "{error}"
        );
    }
}

#[test]
fn bad_parameters_are_named() {
    let harness = shouting();
    refuses::<run_tool_calls>(
        &harness,
        &[
            ("{}", INVALID, "parameter `response`"),
            (r#"{"response": []}"#, INVALID, "parameter `response`"),
            (
                r#"{"response": {"tool_calls": 5}}"#,
                INVALID,
                "`tool_calls` is a number",
            ),
            (r#"{"response": {}, "tools": []}"#, INVALID, "tools"),
            (
                r#"{"response": {}, "tools": {"a": 5}}"#,
                INVALID,
                "parameter `tools`: `a`",
            ),
            (
                r#"{"response": {}, "tools": {"a b": "c"}}"#,
                INVALID,
                "parameter `tools`: `a b`",
            ),
            (
                r#"{"response": {}, "tools": {"a": "core.runToolCalls"}}"#,
                INVALID,
                "asks the model again",
            ),
            (
                r#"{"response": {}, "tools": {}, "maxResultBytes": 0}"#,
                INVALID,
                "`maxResultBytes`",
            ),
        ],
    );
}

#[test]
fn a_model_that_asks_for_too_much_gets_an_answer_to_each_call_and_no_more_done() {
    let done = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&done);
    let harness = Harness::new().node("count", move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(Value::null())
    });
    let response = asking(&[("count", "{}"); 40]);
    let input = format!(r#"{{"response": {response}, "tools": {{"count": "count"}}}}"#);
    let output = harness.call::<run_tool_calls>(&input).unwrap();
    assert_eq!(done.load(Ordering::Relaxed), 32);
    let contents = contents(&output);
    assert_eq!(contents.len(), 40);
    assert!(
        contents[32..]
            .iter()
            .all(|content| content.contains("at most 32 calls"))
    );
}

#[test]
fn a_long_result_is_cut() {
    let long = "é".repeat(1_000);
    let harness = Harness::new().node("long", move |_| Ok(Value::from(&*long)));
    let response = asking(&[("long", "{}")]);
    let input = format!(r#"{{"response": {response}, "tools": {{"long": "long"}}, "maxResultBytes": 10}}"#);
    let output = harness.call::<run_tool_calls>(&input).unwrap();
    assert_eq!(contents(&output), ["\"éééé [cut here, 1993 bytes left out]"]);
}

#[test]
fn a_tool_is_not_called_for_a_caller_that_gave_up() {
    let harness = Harness::new().node("n", |_| panic!("it was called")).cancelled();
    let response = asking(&[("n", "{}")]);
    let input = format!(r#"{{"response": {response}, "tools": {{"n": "n"}}}}"#);
    let error = harness.call::<run_tool_calls>(&input).unwrap_err();
    assert_eq!(error.code, code::CANCELLED);
}

#[test]
fn results_follow_the_answer_that_asked_for_them() {
    let harness = shouting();
    let response = asking(&[("shout", r#"{"value": "a"}"#), ("shout", r#"{"value": "b"}"#)]);
    let harness = harness
        .variable("messages", &json(r#"[{"role": "user", "content": "Shout."}]"#))
        .variable("llm_response", &json(&response));
    let run = r#"{"response": "$llm_response", "tools": {"shout": "string.upper"}}"#;
    harness.call::<run_tool_calls>(run).unwrap();
    let append = r#"{"messages": "$messages", "tool_results": "$tool_results"}"#;
    let output = harness.call::<append_tool_results>(append).unwrap();
    let roles = |output: &Value| -> Vec<String> {
        let messages = output.as_ref().get("messages").unwrap().as_list().unwrap();
        messages
            .iter()
            .map(|message| message.get("role").unwrap().as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(roles(&output), ["user", "assistant", "tool", "tool"]);

    // The answer is not put there twice.
    let messages = format!(r#"[{{"role": "user", "content": "Shout."}}, {response}]"#);
    let harness = harness.variable("messages", &json(&messages));
    let output = harness.call::<append_tool_results>("{}").unwrap();
    assert_eq!(roles(&output), ["user", "assistant", "tool", "tool"]);

    // Results that come in two parts follow the same answer.
    let first = r#"{"toolResults": [{"role": "tool", "tool_call_id": "c0", "content": "A"}]}"#;
    let second = r#"{"toolResults": [{"role": "tool", "tool_call_id": "c1", "content": "B"}]}"#;
    let harness = harness.variable("messages", &json(&messages));
    harness.call::<append_tool_results>(first).unwrap();
    let output = harness.call::<append_tool_results>(second).unwrap();
    assert_eq!(roles(&output), ["user", "assistant", "tool", "tool"]);
}

#[test]
fn results_that_nobody_asked_for_are_refused() {
    refuses::<append_tool_results>(
        &Harness::new(),
        &[
            ("{}", INVALID, "parameter `toolResults`"),
            (
                r#"{"toolResults": {}}"#,
                INVALID,
                "expected a list of messages, found a map",
            ),
            (
                r#"{"toolResults": [5]}"#,
                INVALID,
                "item 0 is no message of a tool",
            ),
            (
                r#"{"toolResults": [{"role": "tool", "content": "x"}]}"#,
                INVALID,
                "item 0",
            ),
            (
                r#"{"toolResults": [{"role": "user", "tool_call_id": "c", "content": "x"}]}"#,
                INVALID,
                "item 0",
            ),
            (
                r#"{"messages": [], "toolResults": [{"role": "tool", "tool_call_id": "c", "content": "x"}]}"#,
                INVALID,
                "parameter `response`: neither",
            ),
            (
                r#"{"messages": [], "response": {"role": "assistant", "content": "x"},
                    "toolResults": [{"role": "tool", "tool_call_id": "c", "content": "x"}]}"#,
                INVALID,
                "parameter `response`: neither",
            ),
        ],
    );
}
