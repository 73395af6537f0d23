//! What each of these nodes promises by what it says of itself.

use plugin_api::conformance::PluginUnderTest;
use plugin_api::nodes_under_test;

use super::*;

/// All nodes.
pub(crate) const PLUGIN: PluginUnderTest = PluginUnderTest {
    harness: super::tests::harness,
    nodes: nodes_under_test![
        at, chunk, concat, every, filter, find, find_index, first, flatten, group_by, includes, index_of,
        last, length, literal, map, pop, push, reduce, reverse, shift, slice, some, sort, unique, unshift
    ],
};

#[test]
fn every_node_keeps_what_it_says_of_itself() {
    PLUGIN.check(include_str!("lib.rs"));
}
