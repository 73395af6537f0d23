//! Branches that say where they lead by name.
//!
//! Some documents write `then` and `else` of a branch as nodes, and its connections as a mere sequence. The names are what
//! was meant: a connection to the node that `else` names is one of output 1, whatever its number, and a way without a
//! connection gets one.

use std::borrow::Cow;

use plugin_api::value::ValueRef;

use crate::Port;
use crate::connection::EdgeDraft;
use crate::graph::{Graph, NodeDraft};

/// The node type whose parameters name its ways.
const BRANCH: &str = "logic.if";
/// Its parameters, by the output that each is about.
const WAYS: [&str; 2] = ["then", "else"];

/// A way that a node's parameters name.
#[derive(Clone, Copy)]
struct Way<'a> {
    to: u32,
    output: u16,
    value: ValueRef<'a>,
}

/// Sets the outputs of such connections, and makes those that are missing.
pub(crate) fn name(graph: &mut Graph<'_>) {
    let mut branches = Vec::new();
    for (from, node) in (0_u32..).zip(&graph.nodes) {
        let ways = ways(graph, from, node);
        // An id that is a number in the document is no text to refer to.
        if let (Cow::Borrowed(source), false) = (&node.id, ways.is_empty()) {
            branches.push((from, *source, ways));
        }
    }
    if branches.is_empty() {
        return;
    }
    for (from, source, ways) in branches {
        let mine = |edge: &EdgeDraft<'_>| edge.from == from && edge.port == Port::Main;
        for edge in graph.edges.iter_mut().filter(|edge| mine(edge)) {
            if let Some(way) = ways.iter().find(|way| way.to == edge.to) {
                edge.output = way.output;
            }
        }
        for way in ways {
            let is_there = graph
                .edges
                .iter()
                .any(|edge| mine(edge) && edge.to == way.to && edge.output == way.output);
            // A name of an earlier node is no loop: those are nodes of their own.
            if !is_there && way.to > from {
                graph.edges.push(EdgeDraft {
                    from,
                    to: way.to,
                    port: Port::Main,
                    output: way.output,
                    input: 0,
                    condition: None,
                    source,
                    value: way.value,
                });
            }
        }
    }
    // Both ways of a branch, and what else leaves it, in the order of their outputs again.
    graph.edges.sort_by_key(|edge| edge.from);
    let nodes = &graph.nodes;
    let is_branch = |edge: &EdgeDraft<'_>| {
        nodes
            .get(edge.from as usize)
            .is_some_and(|node| node.node_type == BRANCH)
    };
    for edges in graph.edges.chunk_by_mut(|a, b| a.from == b.from) {
        if edges.first().is_some_and(is_branch) {
            edges.sort_by_key(|edge| (edge.port == Port::Error, edge.output));
        }
    }
}

/// What the parameters of a branch name; nothing for other nodes.
fn ways<'a>(graph: &Graph<'a>, from: u32, node: &NodeDraft<'a>) -> Vec<Way<'a>> {
    if node.node_type != BRANCH {
        return Vec::new();
    }
    let named = (0_u16..).zip(WAYS).filter_map(|(output, key)| {
        let value = node.parameters?.get(key)?;
        let to = graph.find(value.as_str()?)?;
        (to != from).then_some(Way { to, output, value })
    });
    named.collect()
}
