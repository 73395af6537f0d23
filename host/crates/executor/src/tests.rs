//! The executor over nodes that are closures.

mod flow;
mod graphs;
mod hold;
mod recovery;
mod rounds;
mod time;
