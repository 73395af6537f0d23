//! Branches that say where they lead by name.

use serde_json::{Value as Json, json};

use super::planned;

/// The edges of a document of four nodes, the second of which branches, as `from-output-to`.
fn edges(then: &str, other: &str, branch: &Json) -> Vec<String> {
    let step = |id: &str| json!({"id": id, "name": id.to_uppercase(), "type": "test.noop"});
    let document = json!({
        "id": "w", "name": "w", "tenantId": "t",
        "nodes": [
            step("first"),
            {"id": "ask", "name": "Ask", "type": "logic.if", "parameters": {"condition": "1", "then": then, "else": other}},
            step("good"), step("bad"),
        ],
        "connections": {"first": {"main": [[{"node": "ask", "type": "main", "index": 0}]]}, "ask": branch}
    });
    let plan = planned(&document.to_string());
    let named = plan.nodes.iter().flat_map(|node| {
        let edges = &plan.edges[node.edges.start as usize..node.edges.end as usize];
        edges.iter().map(|edge| {
            let to = plan.nodes[edge.to as usize].id.as_str();
            format!("{}-{}-{to}", node.id.as_str(), edge.output)
        })
    });
    named.collect()
}

fn main(outputs: &[&[&str]]) -> Json {
    let targets = |names: &&[&str]| -> Json {
        let all = names
            .iter()
            .map(|name| json!({"node": name, "type": "main", "index": 0}));
        all.collect()
    };
    json!({"main": outputs.iter().map(targets).collect::<Vec<_>>()})
}

#[test]
fn a_connection_to_a_node_that_a_way_names_is_of_that_way() {
    // The connections are a sequence: the next node is what `else` names.
    assert_eq!(
        edges("bad", "good", &main(&[&["good"]])),
        ["first-0-ask", "ask-0-bad", "ask-1-good"]
    );
    // By the names of nodes as well as by their ids.
    assert_eq!(
        edges("GOOD", "BAD", &main(&[&["bad"]])),
        ["first-0-ask", "ask-0-good", "ask-1-bad"]
    );
}

#[test]
fn connections_that_agree_with_the_names_stay_as_they_are() {
    assert_eq!(
        edges("good", "bad", &main(&[&["good"], &["bad"]])),
        ["first-0-ask", "ask-0-good", "ask-1-bad"]
    );
}

#[test]
fn what_names_no_later_node_leads_nowhere_new() {
    // A mere word, an expression, an earlier node, the node itself.
    for word in ["write", "{{ $json.x }}", "first", "ask"] {
        assert_eq!(
            edges(word, "", &main(&[&["good"], &["bad"]])),
            ["first-0-ask", "ask-0-good", "ask-1-bad"],
            "{word}"
        );
    }
}
