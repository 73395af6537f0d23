mod asking;
mod conversing;
mod files;
mod hostile;
mod tools;

use std::sync::{Arc, Mutex};

use plugin_api::conformance::PluginUnderTest;
use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::nodes_under_test;
use plugin_api::testing::Harness;

use super::*;

const INVALID: &str = code::VALIDATION_FAILED;

/// Parameters, and the code and a part of the message.
type Bad = (&'static str, &'static str, &'static str);

/// Checks that each of these is an error of its code, with that part in its message.
fn refuses<N: Export>(harness: &Harness, cases: &[Bad]) {
    for (input, code, part) in cases {
        match harness.call::<N>(input) {
            Ok(output) => panic!("{} {input}: gave {output}", N::NODE_TYPE),
            Err(error) => {
                assert_eq!(error.code, *code, "{} {input}: {error}", N::NODE_TYPE);
                assert!(error.message.contains(part), "{} {input}: {error}", N::NODE_TYPE);
            }
        }
    }
}

fn json(text: &str) -> Value {
    Value::from_json(text).unwrap()
}

/// The HTTP requests that were made, and a harness whose server gives this answer to each.
fn server(status: i64, body: &str) -> (Harness, Arc<Mutex<Vec<Value>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (seen, status, body) = (Arc::clone(&asked), Value::from(status), json(body));
    let harness = Harness::new()
        .setting("ai.url", "http://model.test/v1")
        .setting("ai.model", "small")
        .node("http-request", move |request| {
            seen.lock().unwrap().push(request.to_value());
            Ok(Value::from_pairs([
                ("statusCode", status.as_ref()),
                ("body", body.as_ref()),
            ])?)
        });
    (harness, asked)
}

/// An answer as the API documents it, with this message.
fn completion(message: &str, finish_reason: &str) -> String {
    format!(
        r#"{{
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1741569952, "model": "small-1",
            "choices": [{{"index": 0, "message": {message}, "logprobs": null, "finish_reason": "{finish_reason}"}}],
            "usage": {{"prompt_tokens": 4, "completion_tokens": 2, "prompt_tokens_details": {{"cached_tokens": 0}}}},
            "service_tier": "default"
        }}"#
    )
}

/// Every node that these nodes call.
fn everything() -> Harness {
    let (files, _) = files::with_files();
    tools::shouting_beside(
        files
            .setting("ai.url", "http://model.test/v1")
            .node("http-request", asking::answering),
    )
}

const PLUGIN: PluginUnderTest = PluginUnderTest {
    harness: everything,
    nodes: nodes_under_test![
        ai_request,
        append_context_message,
        append_tool_results,
        append_user_instruction,
        check_mvp,
        load_context,
        run_tool_calls,
        seed_messages,
        update_roadmap
    ],
};

#[test]
fn every_node_keeps_what_it_says_of_itself() {
    PLUGIN.check(include_str!("lib.rs"));
}
