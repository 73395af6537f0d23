//! The audit: a chain of records, each of which fixes all before it.

mod chain;
mod export;
mod verify;

pub(crate) use chain::{AppendError, Raw, append, begin, head, last};
pub use chain::{AuditHead, GENESIS, GENESIS_TEXT};
pub use export::{export, verify_export};
#[cfg(test)]
use verify::verify_rows;
pub use verify::{Broken, Verdict, Verified, What, verify};

#[cfg(test)]
mod tests;
