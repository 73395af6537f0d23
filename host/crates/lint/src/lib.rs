//! What an author should mend in what a plugin says of itself.
//!
//! Invariant: a lint reads and never runs anything; whatever a description says, the work is bounded, and no finding
//! quotes more than a line of it. A finding has a stable code, a place, and a fix.
//!
//! [`lint`] looks at a description, [`parting`] says where an output and the expected one part.
#![forbid(unsafe_code)]

mod finding;
mod judge;
mod node;
mod parting;
mod schema;

pub use finding::{Finding, Level};
pub use node::lint;
pub use parting::parting;

#[cfg(test)]
mod tests;
