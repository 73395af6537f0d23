//! Nodes that name which nodes run beside each other.

use serde_json::{Value as Json, json};

use super::{planned, said};

fn document(tasks: &[&str], more: &Json) -> String {
    let step = |id: &str| json!({"id": id, "name": id.to_uppercase(), "type": "test.noop"});
    let tasks: Vec<Json> = tasks
        .iter()
        .map(|id| json!({"nodeId": id, "type": "main"}))
        .collect();
    let mut connections = json!({"all": {"main": [[{"node": "after", "type": "main", "index": 0}]]}});
    for (from, to) in more.as_object().unwrap() {
        connections[from] = json!({"main": [[{"node": to, "type": "main", "index": 0}]]});
    }
    let document = json!({
        "id": "w", "name": "w", "tenantId": "t",
        "nodes": [
            {"id": "all", "name": "All", "type": "parallel", "nodeType": "parallel", "parameters": {"tasks": tasks}},
            step("a"), step("b"), step("c"), step("after"),
        ],
        "connections": connections
    });
    document.to_string()
}

fn edges(tasks: &[&str], more: &Json) -> Vec<String> {
    let plan = planned(&document(tasks, more));
    let named = plan.nodes.iter().flat_map(|node| {
        let edges = &plan.edges[node.edges.start as usize..node.edges.end as usize];
        edges.iter().map(|edge| {
            let to = plan.nodes[edge.to as usize].id.as_str();
            format!("{}-{to}", node.id.as_str())
        })
    });
    named.collect()
}

#[test]
fn what_comes_after_waits_for_all_tasks_that_a_node_names() {
    assert_eq!(
        edges(&["a", "B"], &json!({})),
        ["all-a", "all-b", "a-after", "b-after"]
    );
    // A task that goes on by itself is waited for where it ends.
    assert_eq!(
        edges(&["a", "b"], &json!({"a": "c", "c": "after"})),
        ["all-a", "all-b", "a-c", "b-after", "c-after"]
    );
}

#[test]
fn a_task_that_names_no_other_node_is_an_error() {
    for wrong in ["nobody", "all"] {
        let found = said(&document(&["a", wrong], &json!({})));
        let told = (
            "INVALID_CONNECTION_TARGET_NODE",
            "nodes[0].parameters.tasks[1].nodeId".to_owned(),
        );
        assert!(found.contains(&told), "{wrong}: {found:?}");
    }
}
