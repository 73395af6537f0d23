//! The formats of the journal, each made from the one before.

use patchbay_database::{Form, Synchronous};

/// A migration that was released is never changed: a new one is put behind it.
pub(crate) const FORM: Form = Form {
    // "PBjl".
    application_id: 0x5042_6a6c,
    migrations: &[
        include_str!("migrations/0001-runs.sql"),
        include_str!("migrations/0002-uses.sql"),
    ],
    // What is promised waits for the disk: the session says so for each transaction.
    synchronous: Synchronous::Normal,
};

/// The format that this program writes.
#[cfg(test)]
pub(crate) const FORMAT: i64 = FORM.format();
