//! What a plugin says of itself and of its nodes.
//!
//! Invariant: metadata is data. It crosses the line as one encoded map, so that a field can be added without
//! touching the binary contract; an unknown field is ignored, a missing one has a default.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Metadata of a plugin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PluginMeta {
    /// Name; equal to the one in the note.
    pub name: String,
    /// Version; equal to the one in the note.
    pub version: String,
    /// One sentence for people.
    pub description: String,
    /// Who to ask.
    pub author: String,
    /// Supported contract versions as a semver range.
    pub host_api: String,
    /// Plugins this one needs.
    pub dependencies: Vec<Dependency>,
    /// The nodes, in the order of their tables.
    pub nodes: Vec<NodeMeta>,
}

/// Another plugin that must be live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// Its name.
    pub plugin: String,
    /// Which versions will do, as a semver range.
    pub range: String,
}

/// What calling a node does to the world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Nothing, and equal input gives equal output: results may be cached, calls repeated and shadowed.
    Pure,
    /// Something, but doing it twice is the same as doing it once.
    Idempotent,
    /// Something; never repeated or shadowed.
    #[default]
    Effectful,
}

/// What a node may reach outside its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// The network.
    Network,
    /// Files.
    Fs,
    /// Secrets, by the names in [`NodeMeta::secrets`].
    Secrets,
}

/// Metadata of one node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeMeta {
    /// The node type, such as `string.upper`.
    pub node_type: String,
    /// Other node types this node answers to.
    pub aliases: Vec<String>,
    /// The node's own version; the plugin's when it says nothing.
    pub version: String,
    /// Where catalogues list it.
    pub category: String,
    /// What it does.
    pub description: String,
    /// Names of the parameters that must be given; taken from the schema.
    pub required: Vec<String>,
    /// JSON Schema of the parameters.
    pub parameters: Json,
    /// JSON Schema of the result.
    pub result: Json,
    /// JSON Schema of the configuration; null for a node without one.
    pub config: Json,
    /// Plugins this node needs.
    pub dependencies: Vec<Dependency>,
    /// Supported contract versions as a semver range; the plugin's when empty.
    pub host_api: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Who to ask; the plugin's when empty.
    pub author: String,
    /// Name of an icon.
    pub icon: String,
    /// May change without a major version.
    pub experimental: bool,
    /// What calling it does to the world.
    pub effect: Effect,
    /// How long a call may take when the caller does not say, in milliseconds; 0 for the host's default.
    pub timeout_ms: u64,
    /// What it may reach.
    pub capabilities: Vec<Capability>,
    /// Names of the secrets it may read; one that ends in `_*` stands for all that begin like it.
    pub secrets: Vec<String>,
    /// Polled by the host instead of holding a thread.
    pub is_async: bool,
    /// Keeps state between calls.
    pub stateful: bool,
    /// Calls that show how it is used; `patchbay check` runs them.
    pub examples: Vec<Example>,
}

/// A call with its expected result.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Example {
    /// What it shows.
    pub title: String,
    /// The parameters.
    pub input: Json,
    /// The result.
    pub output: Json,
}
