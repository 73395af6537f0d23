//! Invariant: a node changes nothing but the variables it was told to set; a list comes out in the order in which it went
//! in, unless it is sorted, and an expression that fails fails its node.
//!
//! Conditions, transforms and reducers are expressions that see `$item`, `$index` and, when reducing, `$acc`.
#![forbid(unsafe_code)]

mod by;
mod items;
mod mapping;
mod order;
mod pattern;
mod shape;
mod variables;
mod words;

use plugin_api::prelude::*;

use crate::items::{filter, map, reduce};
use crate::mapping::transform;
use crate::order::{group, sort};
use crate::variables::set_variable;
use crate::words::{branch_condition, filter_list, map_list, not, reduce_list};

export_plugin! {
    name: "utility",
    needs: "1.2",
    nodes: [
        branch_condition,
        filter,
        filter_list,
        group,
        map,
        map_list,
        not,
        reduce,
        reduce_list,
        set_variable,
        sort,
        transform,
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
mod tests_words;
