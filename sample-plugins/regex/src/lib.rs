//! Invariant: a search takes time linear in the text, whatever the pattern, and a search that would take longer than two
//! seconds or so is refused before it begins; between two matches a call that is over ends.
//!
//! Patterns are those of the `regex` crate: no look-around, no back-references. `\w`, `\d` and `\b` know ASCII alone, as in
//! JavaScript, for which workflows were written; with the flag `u` they know Unicode. Positions count code points.
//!
//! Compiled patterns are kept for the next call, and given up when the plugin ends.
#![forbid(unsafe_code)]

mod compiled;
mod dialect;
mod escaping;
mod found;
mod kept;
mod matching;
mod replacement;
mod replacing;
mod splitting;

use plugin_api::prelude::*;

use crate::escaping::escape;
use crate::matching::{first_match, match_all, test};
use crate::replacing::replace;
use crate::splitting::split;

export_plugin! {
    name: "regex",
    shutdown: kept::give_up,
    nodes: [
        escape,
        first_match,
        match_all,
        replace,
        split,
        test,
    ],
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_laws;
