//! Runs are forgotten, the oldest first, a few at a time, so that no run that ends waits long for its rows.

use std::collections::BTreeSet;

use patchbay_vocab::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

use crate::Retention;
use crate::insert::integer;

/// How many runs one step looks at, and how many nodes' rows it deletes unless a single run has more.
const LEAST: Budget = Budget {
    runs: 64,
    nodes: 4_000,
};
/// How many free pages one step gives back to the system.
const PAGES: i64 = 1_024;
const DAY_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// How much one step may do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Budget {
    pub(crate) runs: u64,
    pub(crate) nodes: u64,
}

impl Budget {
    /// A step that outruns the writing of so much.
    pub(crate) fn beyond(written: Self) -> Self {
        Self {
            runs: LEAST.runs.max(written.runs.saturating_mul(2)),
            nodes: LEAST.nodes.max(written.nodes.saturating_mul(2)),
        }
    }
}

/// Forgets a few runs that are beyond `keep`, and says how many. None means that all is well, or that nothing can be done.
pub(crate) fn step(
    connection: &mut Connection,
    keep: &Retention,
    now: UnixMillis,
    count: u64,
    budget: Budget,
) -> rusqlite::Result<u64> {
    let oldest = now
        .0
        .saturating_sub(u64::from(keep.days).saturating_mul(DAY_MILLIS));
    let excess = count.saturating_sub(keep.runs);
    let too_long = used_bytes(connection)? > keep.bytes;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let candidates = oldest_runs(&transaction, budget.runs)?;
    let mut removed = 0;
    let mut rows = 0;
    let mut documents = BTreeSet::new();
    for run in candidates {
        let beyond = removed < excess || run.started_at < integer(oldest) || too_long;
        rows += run.nodes;
        if !beyond || (removed > 0 && rows > integer(budget.nodes)) {
            break;
        }
        transaction
            .prepare_cached("DELETE FROM runs WHERE key = ?1")?
            .execute([run.key])?;
        documents.insert(run.document);
        removed += 1;
    }
    delete_unused(&transaction, documents)?;
    transaction.commit()?;
    give_back(connection)?;
    Ok(removed)
}

/// Forgets one run; says whether it was there.
pub(crate) fn forget(connection: &Connection, run: &str) -> rusqlite::Result<bool> {
    let document = connection
        .prepare_cached("DELETE FROM runs WHERE id = ?1 RETURNING document")?
        .query_row([run], |row| row.get(0))
        .optional()?;
    delete_unused(connection, document)?;
    Ok(document.is_some())
}

struct Candidate {
    key: i64,
    document: i64,
    nodes: i64,
    started_at: i64,
}

fn oldest_runs(transaction: &Transaction<'_>, most: u64) -> rusqlite::Result<Vec<Candidate>> {
    transaction
        .prepare_cached(
            "SELECT key, document, node_count, started_at FROM runs
             WHERE status <> 'running' ORDER BY started_at, id LIMIT ?1",
        )?
        .query_map([integer(most)], |row| {
            Ok(Candidate {
                key: row.get(0)?,
                document: row.get(1)?,
                nodes: row.get(2)?,
                started_at: row.get(3)?,
            })
        })?
        .collect()
}

fn delete_unused(connection: &Connection, documents: impl IntoIterator<Item = i64>) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM documents WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM runs WHERE document = ?1)",
    )?;
    for document in documents {
        delete.execute([document])?;
    }
    Ok(())
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

/// The bytes of pages that hold something.
fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let pages = pragma(connection, "page_count")? - pragma(connection, "freelist_count")?;
    Ok(u64::try_from(pages * pragma(connection, "page_size")?).unwrap_or(0))
}

/// A quarter of the pages stays free for the next runs; giving back costs, and taking again too.
fn give_back(connection: &Connection) -> rusqlite::Result<()> {
    if pragma(connection, "freelist_count")? > PAGES.max(pragma(connection, "page_count")? / 4) {
        let mut vacuum = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
        let mut pages = vacuum.query([])?;
        // Each row is a page that was given back.
        while pages.next()?.is_some() {}
    }
    Ok(())
}
