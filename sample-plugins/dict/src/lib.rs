//! Invariant: a map is never changed: every node answers with a new one, whose entries keep the order in which they
//! came, or with an error that names the parameter where there is no map.
//!
//! Where an expression or a template is wanted (`condition`, `transform`), the host evaluates it for each entry, as
//! `$value` under `$key`.
//! Such a parameter has `x-template: false` in its schema: it is not to be filled in before the node sees it.
#![forbid(unsafe_code)]

mod access;
mod entry;
mod merging;
mod object;
mod selection;
mod view;

use plugin_api::prelude::*;

use crate::access::{delete, get, has, set};
use crate::entry::{filter_entries, map_values};
use crate::merging::{deep_merge, merge};
use crate::selection::{omit, pick};
use crate::view::{entries, from_entries, invert, keys, size, values};

export_plugin! {
    name: "dict",
    needs: "1.2",
    nodes: [
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
        values,
    ],
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_golden;
#[cfg(test)]
mod tests_laws;
#[cfg(test)]
mod tests_nodes;
#[cfg(test)]
mod tests_refusals;
