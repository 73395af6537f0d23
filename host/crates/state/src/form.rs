//! The formats of the state, each made from the one before.

use patchbay_database::{Form, Synchronous};

/// A migration that was released is never changed: a new one is put behind it.
pub(crate) const FORM: Form = Form {
    // "PBst".
    application_id: 0x5042_7374,
    migrations: &[include_str!("migrations/0001-state.sql")],
    synchronous: Synchronous::Full,
};
