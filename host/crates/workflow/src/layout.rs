//! Which nodes are in the bodies of which loops, and in which order they can run.
//!
//! Invariant: bodies are nested or apart, each edge that is kept joins two nodes of one body, and, when nothing was
//! noted, the kept edges have no cycle. Costs are linear in nodes and edges; nothing recurses over the graph.

use std::collections::HashMap;
use std::ops::Range;

use crate::field::Object;
use crate::graph::Graph;
use crate::notes::{Notes, Shown};
use crate::role::{Role, loop_outputs};
use crate::{Port, code, cycle};

/// The owner of nodes that are in no loop.
pub(crate) const ROOT: u32 = u32::MAX;

/// Loops may be nested this deep.
pub(crate) const DEEPEST: usize = 32;

/// Where everything is.
pub(crate) struct Layout {
    /// The innermost loop whose body holds the node.
    pub(crate) owner: Vec<u32>,
    /// The node's place among those of the same owner.
    pub(crate) local: Vec<u32>,
    /// The nodes of each owner, in the order of the document.
    pub(crate) members: HashMap<u32, Vec<u32>>,
    /// Whether the edge is one of a plan; others begin or end a round.
    pub(crate) kept: Vec<bool>,
    /// How many kept edges lead to the node.
    pub(crate) incoming: Vec<u32>,
    /// Longer than the longest way to the node is to each before it.
    pub(crate) level: Vec<u32>,
    /// Where the edges of each node begin.
    offsets: Vec<usize>,
}

impl Layout {
    /// The edges of a node.
    pub(crate) fn edges(&self, node: u32) -> Range<usize> {
        let at = |index: usize| self.offsets.get(index).copied().unwrap_or(0);
        at(node as usize)..at(node as usize + 1)
    }

    /// Whether the node is a loop whose body is drawn.
    pub(crate) fn is_drawn(&self, node: u32) -> bool {
        self.members.contains_key(&node)
    }
}

fn get(list: &[u32], index: u32) -> u32 {
    list.get(index as usize).copied().unwrap_or(ROOT)
}

fn set<T>(list: &mut [T], index: u32, value: T) {
    if let Some(slot) = list.get_mut(index as usize) {
        *slot = value;
    }
}

/// Lays a graph out. `inline` says which loops have their body in a parameter.
pub(crate) fn lay_out<'a>(
    graph: &Graph<'a>,
    inline: &[bool],
    object: &Object<'a, '_>,
    notes: &mut Notes<'a>,
) -> Layout {
    let count = graph.nodes.len();
    let mut offsets = vec![0_usize; count + 1];
    for edge in &graph.edges {
        if let Some(slot) = offsets.get_mut(edge.from as usize + 1) {
            *slot += 1;
        }
    }
    let mut sum = 0;
    for slot in &mut offsets {
        sum += *slot;
        *slot = sum;
    }
    let mut layout = Layout {
        owner: vec![ROOT; count],
        local: vec![0; count],
        members: HashMap::new(),
        kept: vec![true; graph.edges.len()],
        incoming: vec![0; count],
        level: vec![0; count],
        offsets,
    };
    let regions = regions(graph, inline, &layout, object, notes);
    own(graph, regions, &mut layout, object, notes);
    keep(graph, inline, &mut layout, object, notes);
    order(graph, &mut layout, object, notes);
    for node in 0..u32::try_from(count).unwrap_or(ROOT) {
        let members = layout.members.entry(get(&layout.owner, node)).or_default();
        set(
            &mut layout.local,
            node,
            u32::try_from(members.len()).unwrap_or(ROOT),
        );
        members.push(node);
    }
    layout
}

struct Region {
    owner: u32,
    nodes: Vec<u32>,
}

/// What can be reached from the output of each loop that leads into its body, without passing through the loop.
fn regions<'a>(
    graph: &Graph<'a>,
    inline: &[bool],
    layout: &Layout,
    object: &Object<'a, '_>,
    notes: &mut Notes<'a>,
) -> Vec<Region> {
    let mut seen = vec![ROOT; graph.nodes.len()];
    // Nested bodies are walked once for each loop around them; what takes longer is nested too deeply.
    let mut budget = (DEEPEST + 1).saturating_mul(graph.nodes.len() + graph.edges.len());
    let mut regions = Vec::new();
    for (start, draft) in (0_u32..).zip(&graph.nodes) {
        if draft.role != Role::Loop || inline.get(start as usize) == Some(&true) {
            continue;
        }
        let (into, _) = outputs(graph, start);
        let mut nodes = Vec::new();
        let mut entered = false;
        for edge in layout.edges(start).filter_map(|edge| graph.edges.get(edge)) {
            if edge.port == Port::Main && edge.output == into {
                entered = true;
                if edge.to != start && get(&seen, edge.to) != start {
                    set(&mut seen, edge.to, start);
                    nodes.push(edge.to);
                }
            }
        }
        if nodes.is_empty() {
            let what = if entered {
                "the loop's body is empty"
            } else {
                "the loop has no body"
            };
            at(graph, object, start, notes, |notes, place| {
                notes.error(
                    code::INVALID_LOOP,
                    place,
                    format_args!("{what}"),
                    "lead output 1 into the nodes to repeat and the last of them back, or write them into `parameters.body`",
                );
            });
            continue;
        }
        let mut next = 0;
        while let Some(node) = nodes.get(next).copied() {
            next += 1;
            let edges = layout.edges(node);
            let cost = edges.len() + 1;
            if budget < cost {
                too_deep(graph, object, start, notes);
                return Vec::new();
            }
            budget -= cost;
            for edge in edges.filter_map(|edge| graph.edges.get(edge)) {
                if edge.to != start && get(&seen, edge.to) != start {
                    set(&mut seen, edge.to, start);
                    nodes.push(edge.to);
                }
            }
        }
        regions.push(Region { owner: start, nodes });
    }
    regions
}

fn at<'a>(
    graph: &Graph<'a>,
    object: &Object<'a, '_>,
    node: u32,
    notes: &mut Notes<'a>,
    look: impl FnOnce(&mut Notes<'a>, &crate::notes::Place<'_>),
) {
    graph.at_node(object, node, |draft, place| {
        notes.node = Some(draft.id.clone());
        look(notes, place);
        notes.node = None;
    });
}

fn too_deep<'a>(graph: &Graph<'a>, object: &Object<'a, '_>, node: u32, notes: &mut Notes<'a>) {
    at(graph, object, node, notes, |notes, place| {
        notes.error(
            code::INVALID_LOOP,
            place,
            format_args!("loops are nested more than {DEEPEST} deep, or in one another"),
            "put the inner ones into a workflow of their own",
        );
    });
}

fn outputs(graph: &Graph<'_>, node: u32) -> (u16, u16) {
    graph.nodes.get(node as usize).map_or((1, 0), |draft| {
        let version = draft.value.get("typeVersion").and_then(crate::field::number);
        loop_outputs(draft.node_type, version)
    })
}

/// Gives each node to the smallest body that holds it.
fn own<'a>(
    graph: &Graph<'a>,
    mut regions: Vec<Region>,
    layout: &mut Layout,
    object: &Object<'a, '_>,
    notes: &mut Notes<'a>,
) {
    regions.sort_by_key(|region| std::cmp::Reverse(region.nodes.len()));
    for region in &regions {
        for node in &region.nodes {
            set(&mut layout.owner, *node, region.owner);
        }
    }
    for region in &regions {
        let mut depth = 0;
        let mut owner = region.owner;
        while owner != ROOT && depth <= DEEPEST {
            depth += 1;
            owner = get(&layout.owner, owner);
        }
        if depth > DEEPEST {
            too_deep(graph, object, region.owner, notes);
            layout.owner.fill(ROOT);
            return;
        }
    }
}

/// Tells the edges of plans from those that begin and end rounds.
fn keep<'a>(
    graph: &Graph<'a>,
    inline: &[bool],
    layout: &mut Layout,
    object: &Object<'a, '_>,
    notes: &mut Notes<'a>,
) {
    for (index, edge) in graph.edges.iter().enumerate() {
        let from = get(&layout.owner, edge.from);
        let to = get(&layout.owner, edge.to);
        let drawn = graph
            .nodes
            .get(edge.from as usize)
            .is_some_and(|draft| draft.role == Role::Loop)
            && inline.get(edge.from as usize) != Some(&true);
        let enters = drawn && edge.port == Port::Main && edge.output == outputs(graph, edge.from).0;
        let kept = !enters && from == to;
        let within = if enters {
            // An empty body has its own finding, and so have loops that are nested too deeply.
            to == edge.from || to == ROOT || edge.to == edge.from
        } else {
            kept || edge.to == from
        };
        if !within {
            notes.node = graph.nodes.get(edge.from as usize).map(|draft| draft.id.clone());
            edge.at(&object.place, |place| {
                notes.error(
                    code::INVALID_LOOP,
                    place,
                    format_args!(
                        "the connection to `{}` crosses the border of a loop's body",
                        name(graph, edge.to)
                    ),
                    "lead into a body by output 1 of its loop alone, and out of it by going back to the loop",
                );
            });
            notes.node = None;
        }
        if (enters || edge.to == from) && edge.condition.is_some() {
            edge.at(&object.place, |place| {
                notes.warning(
                    code::UNSUPPORTED_SETTING,
                    place,
                    format_args!(
                        "the condition of a connection that begins or ends a round is not looked at"
                    ),
                    "use `while` or `until` of the loop",
                );
            });
        }
        set(&mut layout.kept, u32::try_from(index).unwrap_or(ROOT), kept);
        if kept && let Some(incoming) = layout.incoming.get_mut(edge.to as usize) {
            *incoming += 1;
        }
    }
}

fn name<'g>(graph: &'g Graph<'_>, node: u32) -> Shown<'g> {
    Shown(graph.nodes.get(node as usize).map_or("", |draft| &*draft.id))
}

/// Levels along the kept edges; what has none is on a cycle, or behind one.
fn order<'a>(graph: &Graph<'a>, layout: &mut Layout, object: &Object<'a, '_>, notes: &mut Notes<'a>) {
    let mut left = layout.incoming.clone();
    let mut queue: Vec<u32> = (0_u32..)
        .zip(&left)
        .filter(|(_, left)| **left == 0)
        .map(|(node, _)| node)
        .collect();
    let mut next = 0;
    while let Some(node) = queue.get(next).copied() {
        next += 1;
        let level = get(&layout.level, node) + 1;
        for index in layout.edges(node) {
            let Some(edge) = graph.edges.get(index) else {
                continue;
            };
            if layout.kept.get(index) != Some(&true) {
                continue;
            }
            if let Some(slot) = layout.level.get_mut(edge.to as usize) {
                *slot = level.max(*slot);
            }
            if let Some(slot) = left.get_mut(edge.to as usize) {
                *slot -= 1;
                if *slot == 0 {
                    queue.push(edge.to);
                }
            }
        }
    }
    if queue.len() < graph.nodes.len() {
        cycle::note(graph, layout, &left, object, notes);
    }
}
