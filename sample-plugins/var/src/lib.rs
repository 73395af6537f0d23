//! Invariant: what a node makes of a variable's old value is stored only if the variable still has that value, so two
//! branches that count at the same time both count; a value of the wrong kind is an error and stays as it was.
//!
//! The store is the run's: the host keeps it, and every node of the run sees the same one.
#![forbid(unsafe_code)]

mod change;
mod collect;
mod name;
mod read;
mod state;
mod whole;
mod write;

use plugin_api::prelude::*;

use crate::change::{decrement, increment, toggle};
use crate::collect::{append, concat, merge};
use crate::read::{exists, get, get_all, list};
use crate::state::hook;
use crate::whole::{clear, set_multiple};
use crate::write::{delete, set};

export_plugin! {
    name: "var",
    needs: "1.2",
    nodes: [
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
        toggle,
    ],
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_laws;
#[cfg(test)]
mod tests_nodes;
#[cfg(test)]
mod tests_refusals;
#[cfg(test)]
mod tests_state;
