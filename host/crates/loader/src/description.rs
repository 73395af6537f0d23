//! What a plugin says of itself, checked.
//!
//! Invariant: a [`Description`] agrees with the plugin's note and with its tables, and all its names are valid; the
//! plugin's own words were bounded before they were kept.

use std::collections::HashSet;

use patchbay_intake::Inspected;
use patchbay_vocab::{BadId, NodeType, PluginName, Version, VersionReq};
use plugin_api::Contract;
use plugin_api::meta::{Dependency, NodeMeta, PluginMeta};
use plugin_api::shim::host::PluginEntry;

/// Bytes of metadata a plugin may have.
pub(crate) const MAX_METADATA: usize = 16 << 20;
/// Characters a text of the metadata may have.
const MAX_TEXT: usize = 16 << 10;
/// Names one node may have, its aliases included.
const MAX_NAMES: usize = 64;

/// Checked metadata.
#[derive(Clone, Debug)]
pub struct Description {
    /// The plugin's name.
    pub name: PluginName,
    /// The plugin's version.
    pub version: Version,
    /// One sentence for people.
    pub description: String,
    /// Who to ask.
    pub author: String,
    /// What the plugin and its nodes need of others.
    pub dependencies: Vec<(PluginName, VersionReq)>,
    /// The nodes, in the order of their tables.
    pub nodes: Vec<NodeDescription>,
}

/// Checked metadata of one node.
#[derive(Clone, Debug)]
pub struct NodeDescription {
    /// The node type.
    pub node_type: NodeType,
    /// Other names it answers to.
    pub aliases: Vec<NodeType>,
    /// The rest, as the plugin gave it.
    pub meta: NodeMeta,
}

/// What is wrong with a plugin's metadata; the text names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct BadMetadata {
    field: String,
    reason: String,
}

fn bad(field: impl AsRef<str>, reason: impl AsRef<str>) -> BadMetadata {
    BadMetadata {
        field: field.as_ref().to_owned(),
        reason: reason.as_ref().to_owned(),
    }
}

impl Description {
    pub(crate) fn check(
        meta: PluginMeta,
        entry: &PluginEntry,
        inspected: &Inspected,
    ) -> Result<Self, BadMetadata> {
        let (name, version, spoken) = (inspected.plugin(), inspected.version(), inspected.host_contract());
        if meta.name != name.as_str() {
            return Err(bad(
                "name",
                format!("is `{}`, but the note says `{name}`", short(&meta.name)),
            ));
        }
        if meta.version.parse::<Version>().ok().as_ref() != Some(version) {
            return Err(bad(
                "version",
                format!("is `{}`, but the note says `{version}`", short(&meta.version)),
            ));
        }
        bounded("description", &meta.description)?;
        bounded("author", &meta.author)?;
        supports("hostApi", &meta.host_api, spoken)?;
        if meta.nodes.is_empty() {
            return Err(bad("nodes", "the plugin has none"));
        }
        if meta.nodes.len() != entry.nodes().len() {
            let (said, are) = (meta.nodes.len(), entry.nodes().len());
            return Err(bad(
                "nodes",
                format!("the metadata has {said}, the table has {are}"),
            ));
        }
        let mut dependencies = dependencies_of("dependencies", &meta.dependencies)?;
        let mut seen = HashSet::new();
        let mut nodes = Vec::with_capacity(meta.nodes.len());
        for (at, (node, table)) in meta.nodes.into_iter().zip(entry.nodes()).enumerate() {
            let field = format!("nodes[{at}]");
            if node.node_type != table.node_type() {
                let (said, is) = (short(&node.node_type), short(table.node_type()));
                return Err(bad(
                    field,
                    format!("the metadata says `{said}`, the table `{is}`"),
                ));
            }
            if node.is_async != table.is_async() || node.stateful != table.is_stateful() {
                return Err(bad(field, "metadata and table differ in isAsync or stateful"));
            }
            let node = check_node(&field, node, spoken)?;
            for name in std::iter::once(&node.node_type).chain(&node.aliases) {
                if !seen.insert(name.clone()) {
                    return Err(bad(
                        field,
                        format!("the node type `{name}` is claimed twice by this plugin"),
                    ));
                }
            }
            dependencies.extend(dependencies_of(&field, &node.meta.dependencies)?);
            nodes.push(node);
        }
        dependencies.dedup();
        Ok(Self {
            name: name.clone(),
            version: version.clone(),
            description: meta.description,
            author: meta.author,
            dependencies,
            nodes,
        })
    }

    /// Every name a node answers to, with the node's place; the proper names come first, in order.
    pub fn names(&self) -> impl Iterator<Item = (&NodeType, usize)> {
        let own = self
            .nodes
            .iter()
            .enumerate()
            .map(|(at, node)| (&node.node_type, at));
        let aliases = self.nodes.iter().enumerate();
        own.chain(aliases.flat_map(|(at, node)| node.aliases.iter().map(move |alias| (alias, at))))
    }
}

fn check_node(field: &str, meta: NodeMeta, spoken: Contract) -> Result<NodeDescription, BadMetadata> {
    let node_type: NodeType = meta
        .node_type
        .parse()
        .map_err(|error: BadId| bad(format!("{field}.nodeType"), error.to_string()))?;
    if meta.aliases.len() >= MAX_NAMES {
        return Err(bad(format!("{field}.aliases"), format!("more than {MAX_NAMES}")));
    }
    let aliases = meta.aliases.iter().map(|alias| alias.parse::<NodeType>());
    let aliases = aliases
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| bad(format!("{field}.aliases"), error.to_string()))?;
    for (name, text) in [
        ("description", &meta.description),
        ("category", &meta.category),
        ("author", &meta.author),
        ("icon", &meta.icon),
    ] {
        bounded(&format!("{field}.{name}"), text)?;
    }
    meta.version
        .parse::<Version>()
        .map_err(|error| bad(format!("{field}.version"), error.to_string()))?;
    supports(&format!("{field}.hostApi"), &meta.host_api, spoken)?;
    for (name, schema) in [
        ("parameters", &meta.parameters),
        ("result", &meta.result),
        ("config", &meta.config),
    ] {
        if !(schema.is_object() || schema.is_boolean() || schema.is_null()) {
            return Err(bad(
                format!("{field}.{name}"),
                "a JSON Schema is a map, a bool or null",
            ));
        }
    }
    Ok(NodeDescription {
        node_type,
        aliases,
        meta,
    })
}

fn dependencies_of(field: &str, given: &[Dependency]) -> Result<Vec<(PluginName, VersionReq)>, BadMetadata> {
    let parse = |dependency: &Dependency| {
        let plugin = dependency
            .plugin
            .parse()
            .map_err(|error: BadId| bad(field, error.to_string()))?;
        let range = dependency.range.parse().map_err(|error| {
            bad(
                field,
                format!("range `{}` of `{plugin}`: {error}", short(&dependency.range)),
            )
        })?;
        Ok((plugin, range))
    };
    given.iter().map(parse).collect()
}

fn supports(field: &str, range: &str, spoken: Contract) -> Result<(), BadMetadata> {
    let wanted: VersionReq = range
        .parse()
        .map_err(|error| bad(field, format!("range `{}`: {error}", short(range))))?;
    let spoken = Version::new(u64::from(spoken.major), u64::from(spoken.minor), 0);
    if wanted.matches(&spoken) {
        Ok(())
    } else {
        Err(bad(
            field,
            format!("supports contract {wanted}, this host speaks {spoken}"),
        ))
    }
}

fn bounded(field: &str, text: &str) -> Result<(), BadMetadata> {
    if text.len() <= MAX_TEXT {
        Ok(())
    } else {
        Err(bad(
            field,
            format!("{} bytes are more than {MAX_TEXT}", text.len()),
        ))
    }
}

fn short(text: &str) -> String {
    text.chars().take(60).flat_map(char::escape_debug).collect()
}
