//! What can be decided without a host; everything else is tried on whole hosts in the suite.

mod boot;
mod differences;
mod policies;

use patchbay_vocab::{PluginName, RevisionNumber};

fn name(text: &str) -> PluginName {
    text.parse().unwrap()
}

fn r(number: u64) -> RevisionNumber {
    RevisionNumber(number)
}
