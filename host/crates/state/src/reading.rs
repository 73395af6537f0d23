//! Questions, each on a connection of its own that only reads: a listing never waits for the writer.

use patchbay_database as database;
use patchbay_vocab::{Digest, PluginName};
use rusqlite::{Connection, Row, ToSql};

use crate::record::{Entry, Evidence, HistoryLine, Pin, StoredRollout};
use crate::remember::{self, checked, count};
use crate::rows;
use crate::sql::{integer, maybe_parsed, maybe_revision, millis, number, parsed};
use crate::{State, StateError};

/// How much one question gives at most, and when nothing is said.
const MOST: u32 = 1_000;
const STANDARD: u32 = 50;
/// How many pins or contents are listed at most.
const MOST_LISTED: u32 = 100_000;

/// Which records of the audit are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Those behind this one; 0 for all.
    pub after_seq: u64,
    /// How many at most; 0 for the standard of 50. Never more than 1,000 are given.
    pub limit: u32,
    /// Those of this plugin.
    pub plugin: Option<PluginName>,
    /// Those of this actor.
    pub actor: Option<String>,
}

/// A record of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its number.
    pub seq: u64,
    /// What was done.
    pub entry: Entry,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
}

/// How many rows there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Plugins.
    pub plugins: u64,
    /// Revisions.
    pub revisions: u64,
    /// Contents.
    pub artifacts: u64,
    /// Changes in the histories.
    pub history: u64,
    /// Pins.
    pub pins: u64,
    /// Rollouts.
    pub rollouts: u64,
    /// What rollouts saw and decided.
    pub evidence: u64,
    /// Records of the audit.
    pub audit: u64,
}

impl State {
    /// The last changes of a plugin with their places, the newest first; those before the place `before`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn history(
        &self,
        plugin: &PluginName,
        limit: u32,
        before: Option<u64>,
    ) -> Result<Vec<(u64, HistoryLine)>, StateError> {
        remember::history(&self.reader()?, plugin, bound(limit), before)
    }

    /// Rollouts, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn rollouts(
        &self,
        plugin: Option<&PluginName>,
        limit: u32,
    ) -> Result<Vec<StoredRollout>, StateError> {
        let narrow = if plugin.is_some() {
            "WHERE plugin = ?1"
        } else {
            "WHERE ?1 IS NULL"
        };
        let sql = format!(
            "SELECT {} FROM rollouts {narrow} ORDER BY key DESC LIMIT ?2",
            rows::ROLLOUT
        );
        let plugin = plugin.map(PluginName::as_str);
        checked(
            &self.reader()?,
            "rollouts",
            &sql,
            &[&plugin, &bound(limit)],
            rows::rollout,
        )
    }

    /// One rollout.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn rollout(&self, id: &str) -> Result<Option<StoredRollout>, StateError> {
        let sql = format!("SELECT {} FROM rollouts WHERE id = ?1", rows::ROLLOUT);
        let found = checked(&self.reader()?, "rollouts", &sql, &[&id], rows::rollout)?;
        Ok(found.into_iter().next())
    }

    /// The last of what a rollout saw and decided, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn evidence(&self, rollout: &str, limit: u32) -> Result<Vec<Evidence>, StateError> {
        let sql = format!(
            "SELECT {} FROM evidence WHERE rollout = ?1 ORDER BY number DESC LIMIT ?2",
            rows::EVIDENCE
        );
        let mut found = checked(
            &self.reader()?,
            "evidence",
            &sql,
            &[&rollout, &bound(limit)],
            rows::evidence,
        )?;
        found.reverse();
        Ok(found)
    }

    /// Records of the audit in their order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRecord>, StateError> {
        self.records(filter, "seq")
    }

    /// The last records of the audit that fit, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn audit_last(&self, filter: &AuditFilter) -> Result<Vec<AuditRecord>, StateError> {
        self.records(filter, "seq DESC")
    }

    fn records(&self, filter: &AuditFilter, order: &str) -> Result<Vec<AuditRecord>, StateError> {
        let mut sql = format!("SELECT {AUDIT} FROM audit WHERE seq > ?");
        let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(integer(filter.after_seq))];
        if let Some(plugin) = &filter.plugin {
            sql.push_str(" AND plugin = ?");
            values.push(Box::new(plugin.to_string()));
        }
        if let Some(actor) = &filter.actor {
            sql.push_str(" AND actor = ?");
            values.push(Box::new(actor.clone()));
        }
        sql.push_str(" ORDER BY ");
        sql.push_str(order);
        sql.push_str(" LIMIT ?");
        values.push(Box::new(bound(filter.limit)));
        let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
        checked(&self.reader()?, "audit", &sql, &values, audit_record)
    }

    /// Whether an order may have had this key; `false` is sure, and asks no disk.
    #[must_use]
    pub fn may_have_key(&self, key: &str) -> bool {
        self.keys.may_have(key)
    }

    /// Walks the whole audit, as [`verify`](crate::verify) does.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn verify_audit(&self, expected: Option<&str>) -> Result<crate::Verdict, StateError> {
        crate::verify(&self.path, expected)
    }

    /// Writes the records after `after_seq` as lines of JSON, as [`export`](crate::export) does.
    ///
    /// # Errors
    /// When the database cannot be read, or `out` not be written.
    pub fn export_audit(
        &self,
        after_seq: u64,
        out: &mut impl std::io::Write,
    ) -> Result<crate::AuditHead, StateError> {
        crate::export(&self.path, after_seq, out)
    }

    /// The first record with this key: what a repeated order was answered with. For a key that nobody had
    /// the database is hardly ever asked.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn audit_by_key(&self, key: &str) -> Result<Option<AuditRecord>, StateError> {
        if !self.keys.may_have(key) {
            return Ok(None);
        }
        let sql = format!("SELECT {AUDIT} FROM audit WHERE key = ?1 ORDER BY seq LIMIT 1");
        let found = checked(&self.reader()?, "audit", &sql, &[&key], audit_record)?;
        Ok(found.into_iter().next())
    }

    /// Every pin; 100,000 at most.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pins(&self) -> Result<Vec<Pin>, StateError> {
        remember::pins(&self.reader()?, MOST_LISTED)
    }

    /// The contents that are in the store, with their lengths; 100,000 at most.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn artifacts(&self) -> Result<Vec<(Digest, u64)>, StateError> {
        let sql = "SELECT digest, bytes FROM artifacts ORDER BY digest LIMIT ?1";
        checked(&self.reader()?, "artifacts", sql, &[&MOST_LISTED], |row| {
            Ok((parsed(row, 0)?, number(row, 1)?))
        })
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn rows(&self) -> Result<Rows, StateError> {
        let reader = self.reader()?;
        Ok(Rows {
            plugins: count(&reader, "SELECT count(*) FROM plugins")?,
            revisions: count(&reader, "SELECT count(*) FROM revisions")?,
            artifacts: count(&reader, "SELECT count(*) FROM artifacts")?,
            history: count(&reader, "SELECT count(*) FROM history")?,
            pins: count(&reader, "SELECT count(*) FROM pins")?,
            rollouts: count(&reader, "SELECT count(*) FROM rollouts")?,
            evidence: count(&reader, "SELECT count(*) FROM evidence")?,
            audit: count(&reader, "SELECT seq FROM audit_head")?,
        })
    }

    pub(crate) fn reader(&self) -> Result<Connection, StateError> {
        database::open_to_read(&self.path).map_err(StateError::Read)
    }
}

const AUDIT: &str = "seq, at, actor, action, plugin, revision, tenant, workflow, reason, key, detail, hash";

pub(crate) fn audit_record(row: &Row<'_>) -> rusqlite::Result<AuditRecord> {
    Ok(AuditRecord {
        seq: number(row, 0)?,
        entry: Entry {
            at: millis(row, 1)?,
            actor: row.get(2)?,
            action: row.get(3)?,
            plugin: maybe_parsed(row, 4)?,
            revision: maybe_revision(row, 5)?,
            tenant: maybe_parsed(row, 6)?,
            workflow: maybe_parsed(row, 7)?,
            reason: row.get(8)?,
            key: row.get(9)?,
            detail: row.get(10)?,
        },
        hash: row.get(11)?,
    })
}

const fn bound(limit: u32) -> u32 {
    match limit {
        0 => STANDARD,
        1..=MOST => limit,
        _ => MOST,
    }
}
