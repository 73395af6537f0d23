//! Requests to a model, and what is made of its answers.

use super::*;

const HELLO: &str = r#"{"role": "assistant", "content": "Hello!", "refusal": null, "annotations": []}"#;
const CALL: &str = r#"{"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function",
    "function": {"name": "read_file", "arguments": "{\"path\":\"a.txt\"}"}}]}"#;
const ASK: &str = r#"{"messages": [{"role": "user", "content": "Hi"}]}"#;

/// What a server answers: a call to whoever tells of tools, else a greeting.
pub(super) fn answering(request: ValueRef<'_>) -> NodeResult<Value> {
    let (message, reason) = match request.pointer("/body/tools") {
        None => (HELLO, "stop"),
        Some(_) => (CALL, "tool_calls"),
    };
    let (status, body) = (Value::from(200), json(&completion(message, reason)));
    Ok(Value::from_pairs([
        ("statusCode", status.as_ref()),
        ("body", body.as_ref()),
    ])?)
}

#[test]
fn the_request_is_what_the_api_documents() {
    let (harness, asked) = server(200, &completion(HELLO, "stop"));
    harness
        .secret("AI_API_KEY", "sk-1")
        .call::<ai_request>(
            r#"{
                "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5, "toolChoice": "auto",
                "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
                "options": {"max_completion_tokens": 50, "response_format": {"type": "json_object"}}, "timeout": 500
            }"#,
        )
        .unwrap();
    let request = asked.lock().unwrap().pop().unwrap();
    let body = request.as_ref().get("body").unwrap().to_json();
    assert_eq!(
        body,
        r#"{"model":"small","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":"auto","temperature":0.5,"max_completion_tokens":50,"response_format":{"type":"json_object"}}"#
    );
    for (pointer, expected) in [
        ("/url", Value::from("http://model.test/v1/chat/completions")),
        ("/method", Value::from("POST")),
        ("/headers/content-type", Value::from("application/json")),
        ("/headers/authorization", Value::from("Bearer sk-1")),
        ("/timeout", Value::from(500)),
        ("/failOnStatus", Value::from(false)),
        ("/followRedirects", Value::from(false)),
    ] {
        assert_eq!(
            request.as_ref().pointer(pointer),
            Some(expected.as_ref()),
            "{pointer}"
        );
    }
}

#[test]
fn a_key_goes_only_where_it_belongs() {
    let key_at = |url: Option<&str>, secrets: &[(&str, &str)]| {
        let (mut harness, asked) = server(200, &completion(HELLO, "stop"));
        harness = match url {
            Some(url) => harness.setting("ai.url", url),
            None => {
                let seen = Arc::clone(&asked);
                Harness::new().node("http-request", move |request| {
                    seen.lock().unwrap().push(request.to_value());
                    let (status, body) = (Value::from(200), json(&completion(HELLO, "stop")));
                    Ok(Value::from_pairs([
                        ("statusCode", status.as_ref()),
                        ("body", body.as_ref()),
                    ])?)
                })
            }
        };
        for (name, value) in secrets {
            harness = harness.secret(name, value);
        }
        harness.setting("ai.model", "m").call::<ai_request>(ASK)?;
        let request = asked.lock().unwrap().pop().unwrap();
        let text = |pointer| {
            request
                .as_ref()
                .pointer(pointer)
                .and_then(|text| text.as_str())
                .map(str::to_owned)
        };
        Ok::<_, NodeError>((text("/url").unwrap(), text("/headers/authorization")))
    };
    let openai = "https://api.openai.com/v1/chat/completions".to_owned();
    let own = "http://own.test/chat/completions".to_owned();
    let bearer = |key: &str| Some(format!("Bearer {key}"));
    assert_eq!(
        key_at(None, &[("OPENAI_API_KEY", "o")]).unwrap(),
        (openai.clone(), bearer("o"))
    );
    assert_eq!(
        key_at(None, &[("OPENAI_API_KEY", "o"), ("AI_API_KEY", "a")]).unwrap(),
        (openai, bearer("o"))
    );
    let error = key_at(None, &[("AI_API_KEY", "a")]).unwrap_err();
    assert_eq!(error.code, code::CREDENTIAL_MISSING);
    let url = Some("http://own.test/");
    assert_eq!(key_at(url, &[]).unwrap(), (own.clone(), None));
    assert_eq!(
        key_at(url, &[("OPENAI_API_KEY", "o")]).unwrap(),
        (own.clone(), bearer("o"))
    );
    assert_eq!(
        key_at(Some(&*own), &[("OPENAI_API_KEY", "o"), ("AI_API_KEY", "a")]).unwrap(),
        (own, bearer("a"))
    );
}

#[test]
fn an_answer_becomes_part_of_the_runs_conversation() {
    let (harness, _) = server(200, &completion(CALL, "tool_calls"));
    let harness = harness.variable("messages", &json(r#"[{"role": "user", "content": "Hi"}]"#));
    let output = harness
        .call::<ai_request>(r#"{"messages": "$messages"}"#)
        .unwrap();
    let messages = harness.variable_value("messages").unwrap();
    assert_eq!(messages.as_ref().at(1), output.as_ref().get("response"));
    assert_eq!(
        harness.variable_value("llm_response"),
        output.as_ref().get("response").map(Value::from)
    );
    harness.call::<ai_request>("{}").unwrap();
    let messages = harness.variable_value("messages").unwrap();
    assert_eq!(messages.as_ref().as_list().unwrap().len(), 3);
}

#[test]
fn answers_of_other_servers_are_brought_into_shape() {
    let read = |message: &str| {
        let (harness, _) = server(200, &completion(message, "stop"));
        harness
            .call::<ai_request>(ASK)
            .unwrap()
            .as_ref()
            .get("response")
            .unwrap()
            .to_json()
    };
    assert_eq!(
        read(r#"{"content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}"#),
        r#"{"role":"assistant","content":"","tool_calls":[{"id":"call_0","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}"#
    );
    assert_eq!(
        read(
            r#"{"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "tool_calls": null}"#
        ),
        r#"{"role":"assistant","content":"ab"}"#
    );
    assert_eq!(
        read(r#"{"role": "assistant", "content": null, "refusal": "No."}"#),
        r#"{"role":"assistant","content":null,"refusal":"No."}"#
    );
    let (harness, _) = server(200, "null");
    let text = Value::from(&*completion(HELLO, "stop"));
    let harness = harness.node("http-request", move |_| {
        let status = Value::from(200);
        Ok(Value::from_pairs([
            ("statusCode", status.as_ref()),
            ("body", text.as_ref()),
        ])?)
    });
    let output = harness.call::<ai_request>(ASK).unwrap();
    assert_eq!(
        output.as_ref().get("content"),
        Some(Value::from("Hello!").as_ref())
    );
}

#[test]
fn bad_parameters_are_named() {
    let (harness, asked) = server(200, &completion(HELLO, "stop"));
    refuses::<ai_request>(
        &harness,
        &[
            ("{}", INVALID, "parameter `messages`"),
            (r#"{"messages": []}"#, INVALID, "parameter `messages`"),
            (
                r#"{"messages": [{"role": "user", "content": "x"}], "temperature": 2.5}"#,
                INVALID,
                "`temperature`",
            ),
            (
                r#"{"messages": [{"role": "user", "content": "x"}], "temperature": "hot"}"#,
                INVALID,
                "temperature",
            ),
            (
                r#"{"messages": [{"role": "user", "content": "x"}], "tools": {}}"#,
                INVALID,
                "tools",
            ),
            (
                r#"{"messages": [{"role": "user", "content": "x"}], "tools": [{"type": "function"}]}"#,
                INVALID,
                "item 0",
            ),
            (
                r#"{"messages": [{"role": "user", "content": "x"}], "toolChoice": 5}"#,
                INVALID,
                "`toolChoice`",
            ),
            (
                r#"{"messages": [{"role": "user", "content": "x"}], "timeout": 0}"#,
                INVALID,
                "`timeout`",
            ),
            (
                r#"{"messages": [{"role": "user", "content": "x"}], "options": {"stream": true}}"#,
                INVALID,
                "`stream`",
            ),
            (
                r#"{"messages": [{"role": "user", "content": "x"}], "options": [1]}"#,
                INVALID,
                "options",
            ),
            (
                r#"{"messages": [{"role": "user", "content": "x"}], "model": 5}"#,
                INVALID,
                "model",
            ),
        ],
    );
    let nameless = Harness::new().setting("ai.url", "http://model.test");
    refuses::<ai_request>(&nameless, &[(ASK, INVALID, "no `ai.model`")]);
    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn a_refusal_says_why_and_whether_to_try_again() {
    for (status, body, code, part, retryable) in [
        (
            401,
            r#"{"error": {"message": "Incorrect API key", "type": "x"}}"#,
            code::EXECUTION_ERROR,
            "Incorrect API key; look",
            false,
        ),
        (
            404,
            r#"{"error": {"message": "no model"}}"#,
            code::EXECUTION_ERROR,
            "`ai.url`",
            false,
        ),
        (
            400,
            r#"{"error": "bad"}"#,
            code::EXECUTION_ERROR,
            "status 400: bad",
            false,
        ),
        (
            429,
            r#"{"error": {"message": "slow\r\ndown"}}"#,
            code::TEMPORARY_FAILURE,
            "slow  down",
            true,
        ),
        (500, r#""<html>""#, code::TEMPORARY_FAILURE, "<html>", true),
        (503, "null", code::TEMPORARY_FAILURE, "no reason", true),
        (302, "{}", code::EXECUTION_ERROR, "status 302", false),
        (-1, "{}", code::EXECUTION_ERROR, "status -1", false),
    ] {
        let (harness, _) = server(status, body);
        let error = harness.call::<ai_request>(ASK).unwrap_err();
        assert_eq!(error.code, code, "{status}: {error}");
        assert_eq!(error.retryable, Some(retryable), "{status}: {error}");
        assert!(error.message.contains(part), "{status}: {error}");
        assert_eq!(error.status_code, u16::try_from(status).ok());
    }
}

#[test]
fn no_error_tells_the_key() {
    let (harness, _) = server(400, r#"{"error": {"message": "you sent Bearer sk-secret"}}"#);
    let error = harness
        .secret("AI_API_KEY", "sk-secret")
        .call::<ai_request>(ASK)
        .unwrap_err();
    assert!(!error.message.contains("sk-secret"), "{error}");
    let harness = Harness::new()
        .setting("ai.url", "http://model.test")
        .setting("ai.model", "m")
        .secret("AI_API_KEY", "sk-secret")
        .node("http-request", |request| {
            Err(NodeError::new(format!("cannot send {request}")).details(request.to_value()))
        });
    let error = harness.call::<ai_request>(ASK).unwrap_err();
    assert!(!error.message.contains("sk-secret"), "{error}");
    assert_eq!(error.details, None);
}

#[test]
fn without_the_node_that_sends_requests_the_error_says_so() {
    let harness = Harness::new()
        .setting("ai.url", "http://model.test")
        .setting("ai.model", "m");
    refuses::<ai_request>(&harness, &[(ASK, "UNKNOWN_NODE_TYPE", "load the plugin `http`")]);
}
