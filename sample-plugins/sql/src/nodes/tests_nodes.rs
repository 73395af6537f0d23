//! What each of these nodes promises by what it says of itself.

use plugin_api::conformance::PluginUnderTest;
use plugin_api::nodes_under_test;
use plugin_api::testing::Harness;

use super::*;

/// All nodes.
const PLUGIN: PluginUnderTest = PluginUnderTest {
    harness: seeded,
    nodes: nodes_under_test![
        dbal_aggregate,
        dbal_read,
        dbal_write,
        describe,
        execute,
        ping,
        query,
        tables,
        transaction
    ],
};

fn seeded() -> Harness {
    super::tests::Seeded::kept()
}

#[test]
fn every_node_keeps_what_it_says_of_itself() {
    PLUGIN.check(include_str!("../lib.rs"));
}
