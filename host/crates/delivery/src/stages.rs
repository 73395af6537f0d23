//! Which nodes of a plugin may be tried on copies of calls.
//!
//! Invariant: a node that acts on the world, or keeps state, is never called twice for one call.

use std::collections::BTreeSet;

use patchbay_dispatch::Served;
use patchbay_rollout::Policy;
use patchbay_vocab::NodeType;
use plugin_api::meta::Effect;

/// A node type that is not tried, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The node type.
    pub node_type: NodeType,
    /// Why.
    pub why: &'static str,
}

const ACTS: &str = "it acts on the world";
const KEEPS: &str = "it keeps state";
const NEW: &str = "what is live does not have it";
const GONE: &str = "the new version does not have it";

/// What of two versions can be compared, and what not.
pub(crate) fn comparable(stable: &Served, candidate: &Served) -> (BTreeSet<NodeType>, Vec<LeftOut>) {
    let mut fit = BTreeSet::new();
    let mut left_out = Vec::new();
    let has = |served: &Served, node_type: &NodeType| served.natures().any(|(known, ..)| known == node_type);
    for (node_type, _, _) in stable.natures().filter(|(known, ..)| !has(candidate, known)) {
        left_out.push(LeftOut {
            node_type: node_type.clone(),
            why: GONE,
        });
    }
    for (node_type, effect, is_stateful) in candidate.natures() {
        let before = stable.natures().find(|(known, ..)| *known == node_type);
        let why = match before {
            None => Some(NEW),
            // Either version's word is enough.
            Some((_, was, _)) if effect == Effect::Effectful || was == Effect::Effectful => Some(ACTS),
            Some((_, _, kept)) if is_stateful || kept => Some(KEEPS),
            Some(_) => None,
        };
        match why {
            None => {
                fit.insert(node_type.clone());
            }
            Some(why) => left_out.push(LeftOut {
                node_type: node_type.clone(),
                why,
            }),
        }
    }
    left_out.sort_by(|one, other| one.node_type.cmp(&other.node_type));
    (fit, left_out)
}

/// The word for the trial that a policy begins with, if it begins with one.
pub(crate) const fn trial_of(policy: &Policy) -> Option<&'static str> {
    match policy {
        Policy::Shadow(_) => Some("shadow"),
        Policy::Replay(_) => Some("replay"),
        Policy::Immediate | Policy::Manual | Policy::Canary(_) => None,
    }
}
