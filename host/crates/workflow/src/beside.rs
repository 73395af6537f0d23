//! Nodes that say by name which nodes run beside each other.
//!
//! Some documents list the nodes of a `parallel` node as its tasks (`{"nodeId": ID}`) and connect the `parallel` node with what
//! comes after all of them. What is meant are two sets of connections: from the `parallel` node to each task, and from each task to
//! what comes after, which waits for all.

use std::borrow::Cow;

use plugin_api::value::ValueRef;

use crate::connection::EdgeDraft;
use crate::field::Object;
use crate::graph::Graph;
use crate::notes::{Notes, Shown};
use crate::{Port, code};

/// Its node types.
const PARALLEL: [&str; 2] = ["parallel", "metabuilder.parallel"];

/// A node of a list of tasks.
struct Task<'a> {
    to: u32,
    value: ValueRef<'a>,
}

/// Connects the tasks of such nodes.
pub(crate) fn name<'a>(graph: &mut Graph<'a>, object: &Object<'a, '_>, notes: &mut Notes<'a>) {
    let mut found = Vec::new();
    for (from, node) in (0_u32..).zip(&graph.nodes) {
        // An id that is a number in the document is no text to refer to.
        if let Cow::Borrowed(source) = &node.id {
            let tasks = tasks(graph, from, object, notes);
            if !tasks.is_empty() {
                found.push((from, *source, tasks));
            }
        }
    }
    for (from, source, tasks) in found {
        connect(graph, from, source, &tasks);
    }
}

fn connect<'a>(graph: &mut Graph<'a>, from: u32, source: &'a str, tasks: &[Task<'a>]) {
    let is_task = |to: u32| tasks.iter().any(|task| task.to == to);
    let after: Vec<EdgeDraft<'a>> = graph
        .edges
        .extract_if(.., |edge| {
            edge.from == from && edge.port == Port::Main && !is_task(edge.to)
        })
        .collect();
    for task in tasks {
        if !graph
            .edges
            .iter()
            .any(|edge| edge.from == from && edge.to == task.to)
        {
            graph.edges.push(EdgeDraft {
                from,
                to: task.to,
                port: Port::Main,
                output: 0,
                input: 0,
                condition: None,
                source,
                value: task.value,
            });
        }
        // A task that leads somewhere by its own connections is not the last of its branch.
        let leads_on = |edge: &EdgeDraft<'_>| edge.from == task.to && edge.port == Port::Main;
        if graph.edges.iter().any(leads_on) {
            continue;
        }
        let own = graph.nodes.get(task.to as usize);
        let Some(Cow::Borrowed(own)) = own.map(|node| node.id.clone()) else {
            continue;
        };
        graph.edges.extend(after.iter().map(|edge| EdgeDraft {
            from: task.to,
            to: edge.to,
            port: Port::Main,
            output: 0,
            input: edge.input,
            condition: edge.condition,
            source: own,
            value: edge.value,
        }));
    }
    graph.edges.sort_by_key(|edge| edge.from);
}

/// The nodes that are the tasks of a node; none when its tasks are something else.
fn tasks<'a>(graph: &Graph<'a>, from: u32, object: &Object<'a, '_>, notes: &mut Notes<'a>) -> Vec<Task<'a>> {
    let Some(node) = graph.nodes.get(from as usize) else {
        return Vec::new();
    };
    if !PARALLEL.contains(&node.spelled()) {
        return Vec::new();
    }
    let list = node
        .parameters
        .and_then(|parameters| parameters.get("tasks")?.as_list());
    let named: Option<Vec<&'a str>> = list.map(|list| {
        let names = list.iter().map(|task| task.get("nodeId")?.as_str());
        names.collect::<Option<_>>().unwrap_or_default()
    });
    let mut tasks = Vec::new();
    for (place, name) in named.into_iter().flatten().enumerate() {
        let value = list.and_then(|list| list.get(place));
        match (graph.find(name), value) {
            (Some(to), Some(value)) if to != from => tasks.push(Task { to, value }),
            (_, value) => {
                let nodes = object.place.absent("nodes");
                let at = nodes.index(node.at, node.value);
                let at = at.absent("parameters");
                let at = at.absent("tasks");
                let at = at.index(place, value.unwrap_or(node.value));
                notes.error(
                    code::INVALID_CONNECTION_TARGET_NODE,
                    &at.absent("nodeId"),
                    format_args!("no other node is called `{}`", Shown(name)),
                    "name the node that is to run, or remove the task",
                );
            }
        }
    }
    tasks
}
