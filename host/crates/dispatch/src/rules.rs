//! Which node types a tenant may use.
//!
//! Invariant: what is denied is never allowed by another rule, and where anything is allowed by name, all else is denied.

use std::str::FromStr;

use patchbay_vocab::{NodeType, TenantId};

use crate::view::Routes;

/// A node type, or all that begin alike: `string.upper`, `string.*`, `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePattern {
    text: Box<str>,
}

/// A pattern that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a node type nor the beginning of some with a `*` behind it")]
pub struct BadNodePattern(String);

impl FromStr for NodePattern {
    type Err = BadNodePattern;

    fn from_str(text: &str) -> Result<Self, BadNodePattern> {
        let body = text.strip_suffix('*').unwrap_or(text);
        let plain = body
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        if text.is_empty() || text.len() > 128 || !plain {
            return Err(BadNodePattern(
                text.chars().take(80).flat_map(char::escape_debug).collect(),
            ));
        }
        Ok(Self { text: text.into() })
    }
}

impl NodePattern {
    fn fits(&self, node_type: &str) -> bool {
        match self.text.strip_suffix('*') {
            Some(beginning) => node_type.starts_with(beginning),
            None => *self.text == *node_type,
        }
    }
}

/// What one tenant may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeRules {
    /// All that it may use; everything when empty.
    pub allow: Vec<NodePattern>,
    /// What it may not use, whatever is allowed.
    pub deny: Vec<NodePattern>,
}

/// The rules of all tenants; a tenant without rules may use everything.
#[derive(Clone, Debug, Default)]
pub struct TenantRules(pub Vec<(TenantId, NodeRules)>);

impl TenantRules {
    /// Whether a tenant may use a node type, by all the names that lead to it.
    #[must_use]
    pub fn allows<'n>(&self, tenant: &TenantId, names: &(impl Iterator<Item = &'n str> + Clone)) -> bool {
        let Some((_, rules)) = self.0.iter().find(|(known, _)| known == tenant) else {
            return true;
        };
        !any(names.clone(), &rules.deny) && (rules.allow.is_empty() || any(names.clone(), &rules.allow))
    }

    /// Whether a tenant may use the node that a name leads to. Every name of the node is held against the rules: an alias
    /// is no way around one.
    #[must_use]
    pub fn allows_node(&self, tenant: &TenantId, routes: &Routes, node_type: &str) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let route = routes.slot(node_type).and_then(|slot| routes.route(slot));
        let node = route.and_then(|route| {
            let description = route.mount().handle().plugin().description();
            let (_, place) = description.names().nth(route.node() as usize)?;
            description.nodes.get(place)
        });
        let own = node.map(|node| node.node_type.as_str());
        let aliases = node
            .into_iter()
            .flat_map(|node| node.aliases.iter().map(NodeType::as_str));
        let names = std::iter::once(node_type).chain(own).chain(aliases);
        self.allows(tenant, &names)
    }
}

fn any<'n>(mut names: impl Iterator<Item = &'n str>, patterns: &[NodePattern]) -> bool {
    names.any(|name| patterns.iter().any(|pattern| pattern.fits(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denied_is_denied_and_what_is_not_allowed_is_denied_too() {
        let rules = |allow: &[&str], deny: &[&str]| NodeRules {
            allow: allow.iter().map(|text| text.parse().unwrap()).collect(),
            deny: deny.iter().map(|text| text.parse().unwrap()).collect(),
        };
        let (acme, bolt): (TenantId, TenantId) = ("acme".parse().unwrap(), "bolt".parse().unwrap());
        let all = TenantRules(vec![(
            acme.clone(),
            rules(&["string.*", "math.add"], &["string.secret*"]),
        )]);
        let may = |tenant: &TenantId, name: &str| all.allows(tenant, &std::iter::once(name));
        assert!(may(&acme, "string.upper") && may(&acme, "math.add"));
        assert!(!may(&acme, "math.addition") && !may(&acme, "string.secrets") && !may(&acme, "http.request"));
        assert!(may(&bolt, "http.request"));
        // An alias is no way around a rule.
        assert!(!all.allows(&acme, &["string.secret", "string.upper"].into_iter()));
        for bad in ["", "a b", "*x", "**", "ä"] {
            assert!(bad.parse::<NodePattern>().is_err(), "{bad}");
        }
    }
}
