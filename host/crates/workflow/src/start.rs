//! Where runs begin.
//!
//! Invariant: every start is a node of the plan itself, in no body of a loop, and is there once.

use crate::assembly::{Ground, Pass};
use crate::layout::ROOT;
use crate::notes::Shown;
use crate::{Plan, Trigger, code};

/// Where runs begin, and what is never reached from there.
pub(crate) fn begin<'a>(
    pass: &mut Pass<'a>,
    ground: &Ground<'_, 'a>,
    mut triggers: Vec<Trigger>,
    plan: &mut Plan,
) {
    let mut starts = Vec::new();
    let mut reached = vec![false; ground.graph.nodes.len()];
    for trigger in &mut triggers {
        let node = trigger.node;
        if ground.layout.owner.get(node as usize) != Some(&ROOT) {
            ground.graph.at_node(ground.object, node, |draft, place| {
                pass.notes.error(
                    code::INVALID_LOOP,
                    place,
                    format_args!("the trigger `{}` is in the body of a loop", Shown(&draft.id)),
                    "let the trigger lead to the loop",
                );
            });
            continue;
        }
        trigger.node = ground.layout.local.get(node as usize).copied().unwrap_or(0);
        if let Some(seen) = reached
            .get_mut(node as usize)
            .filter(|seen| trigger.enabled && !**seen)
        {
            *seen = true;
            starts.push(node);
        }
    }
    // Triggers that are all switched off start nothing; one whose node is disabled passes on what arrives.
    let is_off = |trigger: &Trigger| {
        let node = plan.nodes.get(trigger.node as usize);
        !trigger.enabled && node.is_some_and(|node| !node.disabled)
    };
    let all_off = !triggers.is_empty() && triggers.iter().all(is_off);
    if !starts.is_empty() || all_off {
        plan.starts = starts
            .iter()
            .filter_map(|node| ground.layout.local.get(*node as usize).copied())
            .collect();
        while let Some(node) = starts.pop() {
            for edge in ground
                .layout
                .edges(node)
                .filter_map(|edge| ground.graph.edges.get(edge))
            {
                if let Some(seen) = reached.get_mut(edge.to as usize).filter(|seen| !**seen) {
                    *seen = true;
                    starts.push(edge.to);
                }
            }
        }
        for (index, _) in (0_u32..).zip(&reached).filter(|(_, seen)| !**seen) {
            ground.graph.at_node(ground.object, index, |draft, place| {
                pass.notes.node = Some(draft.id.clone());
                pass.notes.warning(
                    code::UNREACHABLE_NODE,
                    place,
                    format_args!("no enabled trigger leads to the node"),
                    "connect it, give it a trigger, or remove it",
                );
                pass.notes.node = None;
            });
        }
    }
    plan.triggers = triggers.into();
}
