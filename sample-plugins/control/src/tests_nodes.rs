//! What each of these nodes promises by what it says of itself.

use plugin_api::conformance::PluginUnderTest;
use plugin_api::nodes_under_test;

use super::*;

/// All nodes.
pub(crate) const PLUGIN: PluginUnderTest = PluginUnderTest {
    harness: super::tests::workflow,
    nodes: nodes_under_test![condition, logic_if, merge, noop, split, stop, switch, wait],
};

#[test]
fn every_node_keeps_what_it_says_of_itself() {
    PLUGIN.check(include_str!("lib.rs"));
}
