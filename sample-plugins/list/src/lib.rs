//! Invariant: a list is never changed: every node answers with a new one, or with a part or fact of the one it got, and
//! with an error that names the parameter where there is no list.
//!
//! Equality is deep. Where an expression or a template is wanted (`condition`, `transform`, `reducer`), the host
//! evaluates it for each item, as `$item` at `$index`.
//! Such a parameter has `x-template: false` in its schema: it is not to be filled in before the node sees it.
#![forbid(unsafe_code)]

mod change;
mod fold;
mod group;
mod matching;
mod order;
mod parts;
mod position;
mod search;
mod written;

use plugin_api::prelude::*;

use crate::change::{concat, flatten, pop, push, reverse, shift, unshift};
use crate::fold::{map, reduce};
use crate::group::{group_by, unique};
use crate::matching::{every, filter, find, find_index, some};
use crate::order::sort;
use crate::parts::chunk;
use crate::position::{at, first, last, length, slice};
use crate::search::{includes, index_of};
use crate::written::literal;

export_plugin! {
    name: "list",
    needs: "1.2",
    nodes: [
        at,
        chunk,
        concat,
        every,
        filter,
        find,
        find_index,
        first,
        flatten,
        group_by,
        includes,
        index_of,
        last,
        length,
        literal,
        map,
        pop,
        push,
        reduce,
        reverse,
        shift,
        slice,
        some,
        sort,
        unique,
        unshift,
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
