//! A conversation with a database, whichever it is.
//!
//! Invariant: what runs between `begin` and `commit` happened completely or not at all. A session that is dropped in
//! between has changed nothing.

use plugin_api::NodeResult;

use crate::cell::{Cell, Limits, Rows};
use crate::dialect::Dialect;
use crate::schema::{Facts, Lookup, Table, TableName};
use crate::statement::Confined;

/// What a statement came to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ran {
    /// The rows it gave.
    pub(crate) rows: Rows,
    /// How many rows it changed.
    pub(crate) affected: u64,
    /// The id of the last row it inserted, where the database says one.
    pub(crate) last_id: Option<Cell>,
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It only reads, and the database sees to that.
    Reading,
    /// It changes rows.
    Writing,
}

/// A connection of one tenant, in use by one call.
///
/// SQLite's never waits in an `await`: it blocks, on a thread that may.
pub(crate) trait Session {
    /// The database's language.
    const DIALECT: Dialect;

    /// Begins a transaction.
    async fn begin(&mut self, purpose: Purpose) -> NodeResult<()>;

    /// Makes what happened since `begin` last.
    async fn commit(&mut self) -> NodeResult<()>;

    /// Marks a place in the transaction.
    async fn mark(&mut self) -> NodeResult<()>;

    /// Undoes what happened since the mark.
    async fn back_to_mark(&mut self) -> NodeResult<()>;

    /// What there is to know of these tables, as far as they exist.
    async fn facts(&mut self, names: &[TableName], lookup: Lookup) -> NodeResult<Facts>;

    /// All tables and views.
    async fn tables(&mut self) -> NodeResult<Vec<Table>>;

    /// Runs a statement.
    async fn run(&mut self, statement: &Confined, limits: &mut Limits) -> NodeResult<Ran>;

    /// What the database calls its version.
    async fn version(&mut self) -> NodeResult<String>;
}
