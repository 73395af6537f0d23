//! All nodes of a plugin, for tests that go over every one of them.

use std::fmt;

use super::{exported, flaws};
use crate::NodeError;
use crate::export::Export;
use crate::testing::Harness;
use crate::value::Value;

/// One node.
#[derive(Clone, Copy)]
pub struct NodeUnderTest {
    name: &'static str,
    node_type: &'static str,
    call: fn(&Harness, &str) -> Result<Value, NodeError>,
    flaws: fn(&dyn Fn() -> Harness) -> Vec<String>,
}

impl NodeUnderTest {
    /// A node, and what it is called in `export_plugin!`.
    #[must_use]
    pub const fn of<N: Export>(name: &'static str) -> Self {
        Self {
            name,
            node_type: N::NODE_TYPE,
            call: |harness, input| harness.call::<N>(input),
            flaws: |harness| flaws::<N>(harness),
        }
    }
}

impl fmt::Debug for NodeUnderTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeUnderTest")
            .field("node_type", &self.node_type)
            .finish_non_exhaustive()
    }
}

/// A list of nodes for a [`PluginUnderTest`]: `nodes_under_test![upper, lower]`.
#[macro_export]
macro_rules! nodes_under_test {
    ($($node:ident),* $(,)?) => {
        &[$($crate::conformance::NodeUnderTest::of::<$node>(stringify!($node))),*]
    };
}

/// A call that is to fail: the node's id, the parameters, the error's code, and a part of its message.
pub type Refusal<'t> = (&'t str, &'t str, &'t str, &'t str);

/// The nodes of a plugin, and the harness that its tests make for each call.
///
/// ```
/// use plugin_api::conformance::PluginUnderTest;
/// use plugin_api::error::code::VALIDATION_FAILED;
/// use plugin_api::prelude::*;
/// use plugin_api::testing::Harness;
///
/// #[parameters]
/// struct Upper<'a> {
///     /// The text to change.
///     value: &'a str,
/// }
///
/// /// Turns a text into capitals.
/// #[node(
///     id = "demo.upper",
///     effect = "pure",
///     example(title = "a word", input = r#"{"value": "hi"}"#, output = r#"{"result": "HI"}"#),
///     example(title = "a digit", input = r#"{"value": "1"}"#, output = r#"{"result": "1"}"#)
/// )]
/// fn upper(input: Upper<'_>) -> Answer<String> {
///     answer(input.value.to_uppercase())
/// }
///
/// const PLUGIN: PluginUnderTest = PluginUnderTest {
///     harness: Harness::new,
///     nodes: plugin_api::nodes_under_test![upper],
/// };
///
/// // In a plugin: `include_str!("lib.rs")`.
/// PLUGIN.check("nodes: [upper]");
/// PLUGIN.check_refusals(&[("demo.upper", "{}", VALIDATION_FAILED, "`value`")], &[]);
/// assert_eq!(PLUGIN.result("demo.upper", r#"{"value": "a"}"#).to_json(), r#""A""#);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PluginUnderTest {
    /// Makes a harness for one call.
    pub harness: fn() -> Harness,
    /// All nodes, in the order in which the plugin exports them.
    pub nodes: &'static [NodeUnderTest],
}

impl PluginUnderTest {
    /// Checks that no node has [`flaws`], and that `source`, the text that has the plugin's `export_plugin!`, exports
    /// these nodes and no other.
    ///
    /// # Panics
    /// When a node has flaws, or is left out.
    pub fn check(&self, source: &str) {
        let names: Vec<_> = self.nodes.iter().map(|node| node.name).collect();
        assert_eq!(
            exported(source),
            names,
            "the plugin exports other nodes than are tested"
        );
        let found: Vec<_> = self
            .nodes
            .iter()
            .flat_map(|node| (node.flaws)(&self.harness))
            .collect();
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    /// Checks that each of these calls fails as it says, and that every node is among them; `unfailing` take whatever
    /// they are given.
    ///
    /// # Panics
    /// When a call succeeds, or fails in another way, or when a node has no line.
    pub fn check_refusals(&self, refusals: &[Refusal<'_>], unfailing: &[&str]) {
        for (node_type, input, code, part) in refusals {
            match self.call(&(self.harness)(), node_type, input) {
                Ok(output) => panic!("{node_type} {input}: gives {output}"),
                Err(error) => {
                    assert_eq!(error.code, *code, "{node_type} {input}: {error}");
                    assert!(error.message.contains(part), "{node_type} {input}: {error}");
                }
            }
        }
        for node in self.nodes {
            let refuses = refusals.iter().any(|refusal| refusal.0 == node.node_type);
            let is_unfailing = unfailing.contains(&node.node_type);
            assert_ne!(
                refuses, is_unfailing,
                "{}: a call that it refuses, or a word that it refuses none",
                node.node_type
            );
        }
    }

    /// Calls a node by its id.
    ///
    /// # Errors
    /// The node's error.
    ///
    /// # Panics
    /// When there is no such node.
    pub fn call(&self, harness: &Harness, node_type: &str, input: &str) -> Result<Value, NodeError> {
        match self.nodes.iter().find(|node| node.node_type == node_type) {
            Some(node) => (node.call)(harness, input),
            None => panic!("{node_type} is no node of this plugin"),
        }
    }

    /// What a node that is called in a run of its own has as `result`; null if it has none.
    ///
    /// # Panics
    /// When the call fails, or there is no such node.
    #[must_use]
    pub fn result(&self, node_type: &str, input: &str) -> Value {
        match self.call(&(self.harness)(), node_type, input) {
            Ok(output) => output
                .as_ref()
                .get("result")
                .map_or_else(Value::null, |result| result.to_value()),
            Err(error) => panic!("{node_type} {input}: {error}"),
        }
    }
}
