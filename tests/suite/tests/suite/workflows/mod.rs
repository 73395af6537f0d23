//! Workflows on real plugin files: what a run sees of the host, and what becomes of it.

mod again;
mod caches;
mod documents;
mod ends;
mod shapes;
mod swaps;
mod tenants;

use std::path::Path;

use patchbay_tests_support::TestHost;
use patchbay_tests_support::patchbay::{Begun, ControlError, RunOrder, RunsError, Value};
use serde_json::{Value as Json, json};

/// A node with parameters.
fn node(id: &str, node_type: &str, parameters: Json) -> Json {
    let mut node = json!({ "id": id, "name": id, "type": "operation", "nodeType": node_type });
    node["parameters"] = parameters;
    node
}

/// The same node with more fields.
fn with(mut node: Json, fields: Json) -> Json {
    let (Some(node_fields), Json::Object(fields)) = (node.as_object_mut(), fields) else {
        panic!("both are objects");
    };
    node_fields.extend(fields);
    node
}

/// A workflow whose edges lead from `main` 0 to input 0.
fn workflow(nodes: &[Json], edges: &[(&str, &str)]) -> Json {
    let mut connections = json!({});
    for (from, to) in edges {
        connect(&mut connections, from, 0, to);
    }
    json!({ "id": "w", "name": "w", "tenantId": "acme", "nodes": nodes, "connections": connections })
}

/// Adds an edge from an output of `main`.
fn connect(connections: &mut Json, from: &str, output: usize, to: &str) {
    let outputs = &mut connections[from]["main"][output.to_string()];
    if outputs.is_null() {
        *outputs = json!([]);
    }
    let edge = json!({ "node": to, "type": "main", "index": 0 });
    outputs.as_array_mut().unwrap().push(edge);
}

/// A run that is triggered by this value.
fn order(document: &Json, trigger: &Json) -> RunOrder {
    let mut order = RunOrder::of(document.to_string());
    order.trigger = Value::from_json(&trigger.to_string()).unwrap();
    order
}

fn begin(host: &TestHost, document: &Json) -> Begun {
    host.host().begin_run(RunOrder::of(document.to_string())).unwrap()
}

/// Runs it to its end, whatever that is.
fn run(host: &TestHost, document: &Json) -> Json {
    let run = host.host().run_workflow(RunOrder::of(document.to_string()));
    match run {
        Ok(run) => serde_json::to_value(&run).unwrap(),
        Err(error) => panic!("{error}: {:?}\n{document:#}", refusal(&error)),
    }
}

/// Runs it to its end, which is to be a success.
fn succeed(host: &TestHost, document: &Json) -> Json {
    let run = run(host, document);
    assert_eq!(run["status"], "success", "{run:#}");
    run
}

fn ended(begun: Begun) -> Json {
    serde_json::to_value(begun.wait().unwrap()).unwrap()
}

/// Codes of the errors for which a document is refused.
fn refusal(error: &ControlError) -> Vec<String> {
    match error {
        ControlError::Runs(RunsError::Refused { findings }) => {
            let errors = findings.errors();
            errors.map(|finding| finding.code.0.to_owned()).collect()
        }
        _ => Vec::new(),
    }
}

/// The parameters of nodes that make one file and wait for another.
fn files(host: &TestHost, name: &str) -> Json {
    let path = |end: &str| host.scratch(&format!("{name}.{end}"));
    json!({ "began": path("began"), "until": path("until") })
}

fn wait_begun(host: &TestHost, files: &Json) {
    let began = files["began"].as_str().unwrap().to_owned();
    host.until(&began, || Path::new(&began).exists());
}

fn let_end(files: &Json) {
    std::fs::write(files["until"].as_str().unwrap(), "").unwrap();
}

fn result<'r>(run: &'r Json, node: &str) -> &'r Json {
    &run["state"][node]["output"]["result"]
}
