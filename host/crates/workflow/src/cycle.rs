//! Connections that lead in a circle.
//!
//! Invariant: when some nodes can never run because they wait for one another, at least one circle is named; the cost
//! is linear.

use crate::code;
use crate::connection::EdgeDraft;
use crate::field::Object;
use crate::graph::Graph;
use crate::layout::{Layout, ROOT};
use crate::notes::{Notes, Shown};

fn met(walk: &[u32], node: u32) -> u32 {
    walk.get(node as usize).copied().unwrap_or(ROOT)
}

fn shown<'g>(graph: &'g Graph<'_>, node: u32) -> Shown<'g> {
    Shown(graph.nodes.get(node as usize).map_or("", |draft| &*draft.id))
}

/// Every node that is left has one before it that is left too: walking back along one of them ends in a cycle.
pub(crate) fn note<'a>(
    graph: &Graph<'a>,
    layout: &Layout,
    left: &[u32],
    object: &Object<'a, '_>,
    notes: &mut Notes<'a>,
) {
    let remains = |node: u32| left.get(node as usize).is_some_and(|left| *left > 0);
    let mut before = vec![None; left.len()];
    for (index, edge) in graph.edges.iter().enumerate() {
        if layout.kept.get(index) == Some(&true) && remains(edge.from) && remains(edge.to) {
            let slot = before.get_mut(edge.to as usize);
            if let Some(slot) = slot.filter(|slot| slot.is_none()) {
                *slot = Some(index);
            }
        }
    }
    let edge_before = |node: u32| {
        let index = before.get(node as usize).copied().flatten()?;
        graph.edges.get(index)
    };
    let mut walk = vec![ROOT; left.len()];
    for start in (0..u32::try_from(left.len()).unwrap_or(ROOT)).filter(|node| remains(*node)) {
        let mut node = start;
        while met(&walk, node) == ROOT {
            if let Some(slot) = walk.get_mut(node as usize) {
                *slot = start;
            }
            match edge_before(node) {
                Some(edge) => node = edge.from,
                None => break,
            }
        }
        // Else this walk ran into an earlier one.
        if met(&walk, node) == start && edge_before(node).is_some() {
            report(graph, node, edge_before, object, notes);
        }
    }
}

fn report<'g, 'a: 'g>(
    graph: &'g Graph<'a>,
    on: u32,
    edge_before: impl Fn(u32) -> Option<&'g EdgeDraft<'a>>,
    object: &Object<'a, '_>,
    notes: &mut Notes<'a>,
) {
    const SHOWN: usize = 10;
    let mut cycle = vec![on];
    while let Some(edge) = cycle.last().and_then(|node| edge_before(*node)) {
        if edge.from == on {
            break;
        }
        cycle.push(edge.from);
    }
    // From its first node in the document, along the edges.
    let first = cycle.iter().copied().min().unwrap_or(on);
    cycle.reverse();
    let turn = cycle.iter().position(|node| *node == first).unwrap_or(0);
    cycle.rotate_left(turn);
    let mut path = String::new();
    for node in cycle.iter().take(SHOWN) {
        path.push_str(&shown(graph, *node).to_string());
        path.push_str(" -> ");
    }
    if cycle.len() > SHOWN {
        path.push_str("... -> ");
    }
    path.push_str(&shown(graph, first).to_string());
    let Some(closing) = edge_before(first) else { return };
    notes.node = graph
        .nodes
        .get(closing.from as usize)
        .map(|draft| draft.id.clone());
    closing.at(&object.place, |place| {
        notes.error(
            code::CYCLE,
            place,
            format_args!("the connections lead in a circle: {path}"),
            "remove one of them; to repeat nodes, use a loop node and lead its output 1 into them",
        );
    });
    notes.node = None;
}
