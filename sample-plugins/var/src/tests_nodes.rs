//! What each of these nodes promises by what it says of itself.

use plugin_api::conformance::PluginUnderTest;
use plugin_api::nodes_under_test;
use plugin_api::testing::Harness;

use super::*;

/// All nodes.
pub(crate) const PLUGIN: PluginUnderTest = PluginUnderTest {
    harness: Harness::new,
    nodes: nodes_under_test![
        append,
        clear,
        concat,
        decrement,
        delete,
        exists,
        get,
        get_all,
        hook,
        increment,
        list,
        merge,
        set,
        set_multiple,
        toggle
    ],
};

#[test]
fn every_node_keeps_what_it_says_of_itself() {
    PLUGIN.check(include_str!("lib.rs"));
}
