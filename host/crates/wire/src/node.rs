//! The catalogue: everything there is to know of a node before calling it.

use patchbay_vocab::{NodeType, PluginName, VersionReq};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;

/// A node that can be called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeView {
    /// What callers call it.
    #[schema(value_type = String, example = "string.upper")]
    pub node_type: NodeType,
    /// The plugin that serves it.
    #[schema(value_type = String, example = "string")]
    pub plugin: PluginName,
    /// The node's own version; its plugin's when it declares none.
    #[schema(example = "1.2.0")]
    pub version: String,
    /// Where catalogues list it.
    pub category: String,
    /// What it does.
    pub description: String,
    /// Names of the parameters that must be given.
    pub required: Vec<String>,
    /// JSON Schema of the parameters.
    pub parameters: Json,
    /// JSON Schema of the result.
    pub result: Json,
    /// JSON Schema of the configuration that an instance is made from; null for a node that takes none.
    #[serde(default)]
    pub config: Json,
    /// Other node types it answers to.
    #[schema(value_type = Vec<String>)]
    pub aliases: Vec<NodeType>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Who to ask.
    pub author: String,
    /// Name of an icon.
    pub icon: String,
    /// May change without a major version.
    pub experimental: bool,
    /// What calling it does to the world.
    pub effect: Effect,
    /// How long a call may take when the caller does not say, in milliseconds; null for the host's default.
    pub timeout_ms: Option<u64>,
    /// What it may reach outside its parameters.
    pub capabilities: Vec<Capability>,
    /// Names of the secrets it may read.
    pub secrets: Vec<String>,
    /// Polled by the host instead of holding a thread.
    pub is_async: bool,
    /// Keeps state between calls.
    pub stateful: bool,
    /// Calls that show how it is used.
    pub examples: Vec<ExampleView>,
    /// The contract versions it supports, as a semver range.
    pub host_api: String,
    /// The plugins it needs.
    pub dependencies: Vec<DependencyView>,
}

/// What calling a node does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Nothing, and equal input gives equal output.
    Pure,
    /// Something, but doing it twice is the same as doing it once.
    Idempotent,
    /// Something.
    Effectful,
}

impl Effect {
    /// The lower-case name that listings and JSON use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pure => "pure",
            Self::Idempotent => "idempotent",
            Self::Effectful => "effectful",
        }
    }
}

/// What a node may reach outside its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// The network.
    Network,
    /// Files.
    Fs,
    /// Secrets, by name.
    Secrets,
}

impl Capability {
    /// The lower-case name that listings and JSON use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Fs => "fs",
            Self::Secrets => "secrets",
        }
    }
}

/// A call with its expected result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExampleView {
    /// What it shows.
    pub title: String,
    /// The parameters.
    pub input: Json,
    /// The result.
    pub output: Json,
}

/// Another plugin that must be live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DependencyView {
    /// Its name.
    #[schema(value_type = String, example = "string")]
    pub plugin: PluginName,
    /// The versions that will do, as a semver range.
    #[schema(value_type = String, example = "^1.2")]
    pub range: VersionReq,
}
