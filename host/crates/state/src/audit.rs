//! The audit: a chain of records, each of which fixes all before it.

mod chain;
mod export;
mod verify;

pub(crate) use chain::{AppendError, COLUMNS, Raw, append, head, last, raw_of};
pub use chain::{AuditHead, GENESIS, GENESIS_TEXT};
pub use export::{export, verify_export};
pub(crate) use verify::verify_rows;
pub use verify::{Broken, Verdict, Verified, What, verify};

#[cfg(test)]
mod tests;
