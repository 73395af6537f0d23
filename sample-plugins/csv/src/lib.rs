//! Invariant: what is written is read again as it was; a table is refused as a whole, with the row that is wrong, and never
//! read in part without a word; and neither way gives more than 64 MiB.
//!
//! A table is a list of rows, and a row a map from the names of the columns to its cells, or a list of its cells.
#![forbid(unsafe_code)]

mod cell;
mod columns;
mod dialect;
mod parsing;
mod writing;

use plugin_api::prelude::*;

use crate::parsing::parse;
use crate::writing::stringify;

export_plugin! {
    name: "csv",
    nodes: [
        parse,
        stringify,
    ],
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_laws;
#[cfg(test)]
mod tests_writing;
