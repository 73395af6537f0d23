//! From the text of a statement to one that sees a single tenant's rows.
//!
//! Invariant: a [`Confined`] statement, sent to the database with its arguments, reads and changes rows of its tenant only,
//! and reads shared tables. Skipping a step does not compile.
//!
//! ```text
//! text --parse--> Parsed --tables--> names --database--> Facts
//!                    \----------confine(Facts, Policy)-----> Confined
//! ```
//!
//! How it holds, from the text to what is sent:
//!
//! 1. [`lexing`]: the text is split into tokens, and only tokens are kept that every reader splits the same way. Texts
//!    with quotes in them become arguments. So nothing of the statement can hide in comments or strings.
//! 2. [`survey`]: the tree has only known parts, and calls only [`functions`] that compute.
//! 3. [`rewriting`], [`changing`] and [`inserting`]: every table in it becomes `(SELECT * FROM table WHERE tenant = ?)`; a change gets the
//!    condition, and an insertion the tenant. A table is written with its schema and quotes, so that no search path and no
//!    WITH can mean another one by it; a WITH gets a name of our own, so that no table can be meant by that.
//!    Where a condition could fail or be slow for some rows, [`hazards`] has the tenant's rows picked first, so that nothing
//!    is learned from that.
//! 4. [`audit`]: what was written is read again, from its text, has to be the tree it was written from, and is looked through
//!    for the conditions by code that shares nothing with what put them there.
//!
//! What it does not hold against is the database's own schema: a foreign key that cascades, a trigger, a view without the
//! column or a function of the administrator's does what it was written to do.

mod arguments;
mod audit;
mod changing;
mod confining;
mod functions;
mod hazards;
mod inserting;
mod lexing;
mod rewriting;
mod survey;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_grammar;
#[cfg(test)]
mod tests_property;
#[cfg(test)]
mod tests_refusals;

use plugin_api::error::code;
use plugin_api::prelude::*;

pub(crate) use self::arguments::Given;
pub(crate) use self::confining::{Confined, Kind, Parsed};
pub(crate) use self::functions::is_allowed_in_sqlite;

/// A statement that may not be run.
fn refused(why: impl std::fmt::Display) -> NodeError {
    NodeError::with_code(code::NOT_ALLOWED, format!("the statement is refused: {why}"))
}

/// A statement that cannot be read, with the place where reading ended.
fn unreadable(why: &str) -> NodeError {
    let why = why.trim_start_matches("sql parser error: ");
    let error = NodeError::new(format!("the statement cannot be read: {why}"));
    let number = |after: &str| {
        let rest = why.split_once(after)?.1;
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse::<i64>().ok()
    };
    match (number("Line: "), number("Column: ")) {
        (Some(line), Some(column)) => {
            let (line, column) = (Value::from(line), Value::from(column));
            let place = [("line", line.as_ref()), ("column", column.as_ref())];
            match Value::from_pairs(place) {
                Ok(details) => error.details(details),
                Err(_) => error,
            }
        }
        _ => error,
    }
}
