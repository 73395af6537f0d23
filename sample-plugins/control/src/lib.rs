//! Invariant: a node that chooses leaves by the outputs it names and by no other; what it chose is in its result as well.
//!
//! Outside a workflow there is no output to leave by, so the result is all. A node that chooses is never pure: a result
//! out of a cache would choose nothing.
#![forbid(unsafe_code)]

mod branch;
mod cases;
mod ending;
mod joining;
mod parts;
mod pause;

use plugin_api::prelude::*;

use crate::branch::{condition, logic_if};
use crate::cases::switch;
use crate::ending::stop;
use crate::joining::merge;
use crate::parts::split;
use crate::pause::{noop, wait};

export_plugin! {
    name: "control",
    needs: "1.2",
    nodes: [condition, logic_if, merge, noop, split, stop, switch, wait],
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_joining;
#[cfg(test)]
mod tests_laws;
#[cfg(test)]
mod tests_nodes;
#[cfg(test)]
mod tests_refusals;
