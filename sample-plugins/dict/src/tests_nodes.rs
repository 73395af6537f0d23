//! What each of these nodes promises by what it says of itself.

use plugin_api::conformance::PluginUnderTest;
use plugin_api::nodes_under_test;

use super::*;

/// All nodes.
pub(crate) const PLUGIN: PluginUnderTest = PluginUnderTest {
    harness: super::tests::harness,
    nodes: nodes_under_test![
        deep_merge,
        delete,
        entries,
        filter_entries,
        from_entries,
        get,
        has,
        invert,
        keys,
        map_values,
        merge,
        omit,
        pick,
        set,
        size,
        values
    ],
};

#[test]
fn every_node_keeps_what_it_says_of_itself() {
    PLUGIN.check(include_str!("lib.rs"));
}
