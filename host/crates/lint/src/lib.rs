//! What an author should mend in what a plugin says of itself.
#![forbid(unsafe_code)]

mod parting;

pub use parting::parting;
