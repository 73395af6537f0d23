use std::sync::{Arc, Mutex};

use plugin_api::conformance::{exported, flaws};
use plugin_api::export::Export;
use plugin_api::testing::Harness;

use super::*;

mod answers;
mod images;
mod operations;
mod records;
mod rules;
mod values;

/// Parameters, and the code of the error with a part of its message.
type Bad<'c> = (&'c str, &'c str, &'c str);

const INVALID: &str = "VALIDATION_FAILED";

fn json(text: &str) -> Value {
    Value::from_json(text).expect(text)
}

/// What nodes were called with, as JSON: the node type and its parameters.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<(String, String)>>>);

impl Calls {
    fn note(&self, node_type: &str, input: ValueRef<'_>) {
        self.0
            .lock()
            .unwrap()
            .push((node_type.to_owned(), input.to_json()));
    }

    /// A node that answers with this JSON.
    fn answer(&self, harness: Harness, node_type: &'static str, output: &'static str) -> Harness {
        let calls = self.clone();
        harness.node(node_type, move |input| {
            calls.note(node_type, input);
            Ok(json(output))
        })
    }

    fn taken(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// The nodes that the examples call.
fn around() -> Harness {
    let calls = Calls::default();
    let harness = Harness::new();
    let harness = records::database_of_ada(harness);
    let harness = calls.answer(
        harness,
        "rate-limiter",
        r#"{"allowed": true, "tokensConsumed": 1, "remaining": 4, "limit": 5, "retryAfterMs": 0, "resetAfterMs": 12000}"#,
    );
    let sent = r#"{"success": true, "message": "All tests passed."}"#;
    let harness = calls.answer(harness, "notifications.slack", sent);
    calls.answer(harness, "notifications.all", sent)
}

fn check_errors<N: Export>(harness: &Harness, cases: &[Bad<'_>]) {
    for (input, code, part) in cases {
        let error = harness.call::<N>(input).expect_err(input);
        assert_eq!(error.code, *code, "{} {input}: {error}", N::NODE_TYPE);
        assert!(error.message.contains(part), "{} {input}: {error}", N::NODE_TYPE);
    }
}

macro_rules! each_node {
    ($check:ident) => {
        $check!(
            action,
            aggregate,
            database,
            events,
            notification,
            operation,
            output,
            parallel_node,
            rate_limit,
            transform,
            validate
        )
    };
}

#[test]
fn every_node_keeps_what_it_promises_in_a_run_and_outside_of_one() {
    macro_rules! check {
        ($($node:ident),*) => {{
            assert_eq!(exported(include_str!("lib.rs")), [$(stringify!($node)),*]);
            let mut found = Vec::new();
            $(
                found.extend(flaws::<$node>(&around));
                found.extend(flaws::<$node>(&|| around().outside_workflow()));
                // A result out of a cache would have no effect, and have asked nobody.
                assert_ne!(<$node as Export>::meta().effect, plugin_api::meta::Effect::Pure);
            )*
            found
        }};
    }
    assert_eq!(each_node!(check), Vec::<String>::new());
}
