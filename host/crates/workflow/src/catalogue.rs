//! What a document's node types are checked against.

use patchbay_vocab::PluginName;
use plugin_api::value::ValueRef;

/// A parameter that does not fit a node's schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterProblem {
    /// Where in the parameters, as a JSON pointer (RFC 6901); empty for the parameters as a whole.
    pub pointer: String,
    /// What is wrong with it.
    pub message: String,
}

/// What a catalogue knows of a node type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownNode {
    /// Names of the secrets it reads.
    pub secrets: Vec<String>,
    /// Whether it is marked as experimental.
    pub experimental: bool,
    /// The plugin that has it, where that is known.
    pub plugin: Option<PluginName>,
}

/// The node types there are, and what they take: one snapshot of a registry.
pub trait Catalogue {
    /// What is known of a node type, by its name or an alias.
    fn node(&self, node_type: &str) -> Option<KnownNode>;
    /// The name of a node type that is spelled much like this one.
    fn nearest(&self, node_type: &str) -> Option<String>;
    /// Compares parameters with the node's schema. Values that an expression will give are left out of `parameters`
    /// and named in `open`, as JSON pointers: nothing is known of them. Such items of lists are null instead, so that the
    /// others keep their places; what is said of them is to be left unsaid.
    fn check_parameters(
        &self,
        node_type: &str,
        parameters: ValueRef<'_>,
        open: &[String],
    ) -> Vec<ParameterProblem>;
    /// Whether the tenant may use the node type.
    fn allows(&self, node_type: &str) -> bool;
    /// Whether the tenant has the secret.
    fn has_secret(&self, name: &str) -> bool;
}
