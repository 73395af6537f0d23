//! One SQLite file of one writer: vetted as hostile bytes, locked, opened, brought to a format.
//!
//! Invariant: a file that is opened has this program's [`Form`], and a file that has not is refused and left as it is.
//! No code that somebody put into a file is run, and no link or pipe in its place is followed.
//!
//! ```text
//! resolve -> lock -> vet -> open -> Connection of the one writer
//!                            |
//!                            open_to_read -> Connections of whoever asks
//! ```
//!
//! What the file is for, and what its errors are called, is the business of the crate that has its form.
#![forbid(unsafe_code)]

mod error;
mod file;
mod form;
mod open;

pub use error::{DatabaseError, one_line, refusal};
pub use file::{Identity, Lock, beside, identity, lock, refuse_other_kinds, resolve, try_lock, vet};
pub use form::{Form, Synchronous};
pub use open::{open, open_to_read};
