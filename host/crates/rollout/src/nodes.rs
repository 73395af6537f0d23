//! What a newer version changes in its node types, for those who call by the older one.
//!
//! Invariant: a node that an older caller names and the newer version does not answer is a breaking change, and so is one
//! that does more to the world than it did.

use std::collections::BTreeMap;

use patchbay_vocab::NodeType;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::schema;

/// A node type, as its metadata has it.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// Its name.
    pub node_type: &'a NodeType,
    /// Other names it answers to.
    pub aliases: &'a [NodeType],
    /// What a call does to the world.
    pub effect: Effect,
    /// JSON Schema of its parameters.
    pub parameters: &'a Value,
    /// JSON Schema of its configuration; null for a node without one.
    pub config: &'a Value,
}

/// What a call does to the world, from nothing to anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Nothing, and equal input gives equal output.
    Pure,
    /// Something, but twice is as once.
    Idempotent,
    /// Something.
    Effectful,
}

impl Effect {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pure => "pure",
            Self::Idempotent => "idempotent",
            Self::Effectful => "effectful",
        }
    }
}

/// What kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Nothing answers to the name any more.
    NodeRemoved,
    /// There is a new one.
    NodeAdded,
    /// Nothing answers to the other name any more.
    AliasRemoved,
    /// There is a new other name.
    AliasAdded,
    /// The name is another node's other name now.
    NodeRenamed,
    /// A call does something else to the world.
    EffectChanged,
    /// The parameters or the configuration.
    #[serde(untagged)]
    Schema(schema::Kind),
}

impl Kind {
    /// Its word, as JSON has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NodeRemoved => "nodeRemoved",
            Self::NodeAdded => "nodeAdded",
            Self::AliasRemoved => "aliasRemoved",
            Self::AliasAdded => "aliasAdded",
            Self::NodeRenamed => "nodeRenamed",
            Self::EffectChanged => "effectChanged",
            Self::Schema(kind) => kind.as_str(),
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeChange {
    /// The node type, by its older name.
    pub node: NodeType,
    /// Where in it: `parameters.separator`; empty for the node itself.
    pub path: String,
    /// What kind of change.
    pub kind: Kind,
    /// Whether what worked before may fail because of it.
    pub breaking: bool,
    /// In words.
    pub text: String,
}

/// What changes from the older nodes to the newer ones: breaking changes first, then by name.
#[must_use]
pub fn changes(old: &[Node<'_>], new: &[Node<'_>]) -> Vec<NodeChange> {
    let mut found = Vec::new();
    let older = by_name(old);
    let newer = by_name(new);
    for was in old {
        let name = was.node_type;
        let Some(is) = newer.get(name) else {
            found.push(change(name, Kind::NodeRemoved, "is no longer there".to_owned()));
            removed_aliases(was, &newer, &mut found);
            continue;
        };
        if is.node_type != name {
            let text = format!("is another name of `{}` now", is.node_type);
            found.push(change(name, Kind::NodeRenamed, text));
        }
        removed_aliases(was, &newer, &mut found);
        if was.effect != is.effect {
            let text = format!("is {} now, and was {}", is.effect.as_str(), was.effect.as_str());
            let mut change = change(name, Kind::EffectChanged, text);
            change.breaking = is.effect > was.effect;
            found.push(change);
        }
        for (place, was, is) in [
            ("parameters", was.parameters, is.parameters),
            ("config", was.config, is.config),
        ] {
            // Null says nothing, so that anything goes.
            let anything = Value::Bool(true);
            let or_anything = |schema| if schema == &Value::Null { &anything } else { schema };
            for inner in schema::changes(or_anything(was), or_anything(is)) {
                found.push(NodeChange {
                    node: name.clone(),
                    path: joined(place, &inner.path),
                    kind: Kind::Schema(inner.kind),
                    breaking: inner.breaking,
                    text: inner.text,
                });
            }
        }
    }
    for is in new {
        if !older.contains_key(is.node_type) {
            found.push(change(is.node_type, Kind::NodeAdded, "is new".to_owned()));
        }
        for alias in is.aliases.iter().filter(|alias| !older.contains_key(*alias)) {
            let text = format!("answers to `{alias}`, too");
            found.push(change(is.node_type, Kind::AliasAdded, text));
        }
    }
    found.sort_by(|one, other| (other.breaking, &one.node).cmp(&(one.breaking, &other.node)));
    found
}

/// Nodes by each of their names; a name of its own comes before another's.
fn by_name<'a, 'n>(nodes: &'n [Node<'a>]) -> BTreeMap<&'a NodeType, &'n Node<'a>> {
    let aliases = nodes
        .iter()
        .flat_map(|node| node.aliases.iter().map(move |alias| (alias, node)));
    let own = nodes.iter().map(|node| (node.node_type, node));
    aliases.chain(own).collect()
}

fn removed_aliases(was: &Node<'_>, newer: &BTreeMap<&NodeType, &Node<'_>>, found: &mut Vec<NodeChange>) {
    for alias in was.aliases.iter().filter(|alias| !newer.contains_key(*alias)) {
        let text = format!("no longer answers to `{alias}`");
        found.push(change(was.node_type, Kind::AliasRemoved, text));
    }
}

fn change(node: &NodeType, kind: Kind, text: String) -> NodeChange {
    NodeChange {
        node: node.clone(),
        path: String::new(),
        kind,
        breaking: matches!(kind, Kind::NodeRemoved | Kind::AliasRemoved),
        text,
    }
}

fn joined(place: &str, path: &str) -> String {
    if path.is_empty() {
        place.to_owned()
    } else if path.starts_with(['[', '(']) {
        format!("{place}{path}")
    } else {
        format!("{place}.{path}")
    }
}

#[cfg(test)]
mod tests;
