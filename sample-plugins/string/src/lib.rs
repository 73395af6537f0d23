//! Invariant: every node answers with a text, number or list bounded by what it was given, or with an error that names
//! the parameter; none of them panics or allocates without bound.
//!
//! Positions and lengths count code points. A number or boolean where a text is wanted is written as text, null counts
//! as missing, and a list or map is an error.
#![forbid(unsafe_code)]

mod build;
mod case;
mod cut;
mod pad;
mod search;
mod text;

use plugin_api::prelude::*;

use crate::build::{concat, format, join};
use crate::case::{lower, upper};
use crate::cut::{split, substring, trim};
use crate::pad::{length, pad_end, pad_start};
use crate::search::{ends_with, includes, replace, starts_with};

export_plugin! {
    name: "string",
    nodes: [
        concat,
        ends_with,
        format,
        includes,
        join,
        length,
        lower,
        pad_end,
        pad_start,
        replace,
        split,
        starts_with,
        substring,
        trim,
        upper,
    ],
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_laws;
#[cfg(test)]
mod tests_nodes;
