//! Which nodes an expression can see.
//!
//! Invariant: a reference that is resolved is an index into the plan of the expression's own scope, or into that of
//! a scope around it.

use patchbay_expression::{Names, NodeRef};

use crate::graph::Graph;
use crate::layout::{Layout, ROOT};

/// The nodes of one scope, and of those around it.
#[derive(Clone, Copy)]
pub(crate) struct View<'v, 'a> {
    pub(crate) graph: &'v Graph<'a>,
    pub(crate) layout: &'v Layout,
    /// The loop whose body the scope is.
    pub(crate) scope: u32,
    /// What is around the graph when it is the body of a loop, and that loop.
    pub(crate) outer: Option<(&'v View<'v, 'a>, u32)>,
}

impl Names for View<'_, '_> {
    fn node(&self, reference: &str) -> Option<NodeRef> {
        let mut view = self;
        let mut up = 0_u16;
        loop {
            let found = view.graph.find(reference);
            let owner = found.and_then(|node| view.layout.owner.get(node as usize).copied());
            let mut scope = view.scope;
            loop {
                if owner == Some(scope)
                    && let Some(index) = found.and_then(|node| view.layout.local.get(node as usize).copied())
                {
                    return Some(NodeRef { up, index });
                }
                up = up.checked_add(1)?;
                if scope == ROOT {
                    break;
                }
                scope = view.layout.owner.get(scope as usize).copied()?;
            }
            view = view.outer?.0;
        }
    }
}

/// Forward reads are looked into as long as this many steps suffice; beyond, nothing is said of them.
pub(crate) struct Patience(pub(crate) usize);

impl View<'_, '_> {
    /// The id of the node that `reference` means, when it can never have run before `reader` does.
    pub(crate) fn never_before(
        &self,
        reader: u32,
        reference: NodeRef,
        patience: &mut Patience,
    ) -> Option<&str> {
        let (mut view, mut scope, mut reader) = (self, self.scope, reader);
        for _ in 0..reference.up {
            if scope == ROOT {
                let (outer, around) = view.outer?;
                (view, scope, reader) = (outer, outer.scope, around);
            } else {
                reader = scope;
                scope = view.layout.owner.get(scope as usize).copied()?;
            }
        }
        let target = *view.layout.members.get(&scope)?.get(reference.index as usize)?;
        let level = |node: u32| view.layout.level.get(node as usize).copied().unwrap_or(0);
        let after = target == reader
            || (level(target) > level(reader) && leads_to(view, reader, target, level(target), patience));
        if !after {
            return None;
        }
        view.graph.nodes.get(target as usize).map(|draft| &*draft.id)
    }
}

fn leads_to(view: &View<'_, '_>, from: u32, to: u32, deepest: u32, patience: &mut Patience) -> bool {
    let mut seen = std::collections::HashSet::new();
    let mut stack = vec![from];
    while let Some(node) = stack.pop() {
        for index in view.layout.edges(node) {
            if patience.0 == 0 {
                return false;
            }
            patience.0 -= 1;
            let Some(edge) = view.graph.edges.get(index) else {
                continue;
            };
            if view.layout.kept.get(index) != Some(&true) {
                continue;
            }
            if edge.to == to {
                return true;
            }
            let level = view.layout.level.get(edge.to as usize).copied().unwrap_or(0);
            if level < deepest && seen.insert(edge.to) {
                stack.push(edge.to);
            }
        }
    }
    false
}
