//! Invariant: a decision looks at the whole value (equality is deep), and values without an order are an error that
//! names the parameter, never a `false`.
//!
//! What counts as true follows JavaScript, for which workflows were written: null, `false`, 0 and the empty text do not,
//! everything else does, empty lists and maps too.
#![forbid(unsafe_code)]

mod boolean;
mod choice;
mod compare;
mod equality;
mod presence;

use plugin_api::prelude::*;

use crate::boolean::{and, not, or, xor};
use crate::choice::{coalesce, ternary};
use crate::compare::{between, gt, gte, lt, lte};
use crate::equality::{contained, equals, not_equals};
use crate::presence::{is_empty, is_null, type_of};

export_plugin! {
    name: "logic",
    nodes: [
        and,
        between,
        coalesce,
        contained,
        equals,
        gt,
        gte,
        is_empty,
        is_null,
        lt,
        lte,
        not,
        not_equals,
        or,
        ternary,
        type_of,
        xor,
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
