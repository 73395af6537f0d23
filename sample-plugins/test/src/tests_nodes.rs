//! What each of these nodes promises by what it says of itself.

use plugin_api::conformance::{exported, flaws};
use plugin_api::testing::Harness;

use super::*;

macro_rules! nodes {
    ($($node:ident)*) => {
        #[test]
        fn every_node_keeps_what_it_says_of_itself() {
            let mut found: Vec<String> = Vec::new();
            $(found.extend(flaws::<$node>(&Harness::new));)*
            assert!(found.is_empty(), "{}", found.join("\n"));
        }

        #[test]
        fn no_node_is_left_out() {
            assert_eq!(exported(include_str!("lib.rs")), [$(stringify!($node)),*]);
        }
    };
}

nodes! {
    noop echo sleep assert_equals assert_exists assert_false assert_true assert_type fail Flaky run_suite
}
