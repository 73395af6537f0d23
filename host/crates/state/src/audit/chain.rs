//! How a record becomes a hash.
//!
//! Invariant: the hash of a record is BLAKE3 over the hash of the record before it and an encoding of all its fields from
//! which they can be told apart: each field is its length, as eight bytes with the lowest first, and its bytes; a number
//! has the eight bytes of its two's complement, the lowest first; a field that is not there has a length of all ones.

use blake3::Hash;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::record::Entry;
use crate::sql::integer;

/// The text whose BLAKE3 hash comes before the first record.
pub const GENESIS_TEXT: &str = "patchbay audit chain 1";

/// The hash before the first record: BLAKE3 of [`GENESIS_TEXT`].
pub const GENESIS: &str = "cb1591b800956b932dda1a07f7cb3ba81bde7c60c2e9548ae96aff29021e4dba";

/// How far a chain goes: its last record. Whoever keeps it elsewhere can tell later that nothing before it was changed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AuditHead {
    /// The number of the last record; 0 when there is none.
    pub seq: u64,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
}

/// The head as the tables have it: nothing of it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) seq: i64,
    pub(crate) hash: String,
}

/// A record as it is stored: what is hashed is what is there, whether or not it makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) at: i64,
    pub(crate) actor: String,
    pub(crate) action: String,
    pub(crate) plugin: Option<String>,
    pub(crate) revision: Option<i64>,
    pub(crate) tenant: Option<String>,
    pub(crate) workflow: Option<String>,
    pub(crate) reason: String,
    pub(crate) key: Option<String>,
    pub(crate) detail: String,
}

/// The columns of a record, in the order in which [`Raw::read`] takes them.
pub(crate) const COLUMNS: &str =
    "seq, at, actor, action, plugin, revision, tenant, workflow, reason, key, detail, hash";

impl Raw {
    pub(crate) fn of(entry: &Entry) -> Self {
        Self {
            at: integer(entry.at.0),
            actor: entry.actor.clone(),
            action: entry.action.clone(),
            plugin: entry.plugin.as_ref().map(ToString::to_string),
            revision: entry.revision.map(|number| integer(number.0)),
            tenant: entry.tenant.as_ref().map(ToString::to_string),
            workflow: entry.workflow.as_ref().map(ToString::to_string),
            reason: entry.reason.clone(),
            key: entry.key.clone(),
            detail: entry.detail.clone(),
        }
    }

    /// Reads what is behind `seq` in a row of [`COLUMNS`].
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            at: row.get(1)?,
            actor: row.get(2)?,
            action: row.get(3)?,
            plugin: row.get(4)?,
            revision: row.get(5)?,
            tenant: row.get(6)?,
            workflow: row.get(7)?,
            reason: row.get(8)?,
            key: row.get(9)?,
            detail: row.get(10)?,
        })
    }

    /// The hash of this record as number `seq` behind the record with the hash `before`.
    pub(crate) fn hash(&self, seq: i64, before: &Hash) -> Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(before.as_bytes());
        let mut add = |field: Option<&[u8]>| {
            let length = field.map_or(u64::MAX, |bytes| bytes.len() as u64);
            hasher.update(&length.to_le_bytes());
            hasher.update(field.unwrap_or_default());
        };
        add(Some(&seq.to_le_bytes()));
        add(Some(&self.at.to_le_bytes()));
        add(Some(self.actor.as_bytes()));
        add(Some(self.action.as_bytes()));
        add(self.plugin.as_ref().map(String::as_bytes));
        add(self
            .revision
            .map(i64::to_le_bytes)
            .as_ref()
            .map(<[u8; 8]>::as_slice));
        add(self.tenant.as_ref().map(String::as_bytes));
        add(self.workflow.as_ref().map(String::as_bytes));
        add(Some(self.reason.as_bytes()));
        add(self.key.as_ref().map(String::as_bytes));
        add(Some(self.detail.as_bytes()));
        hasher.finalize()
    }
}

/// The number and the hash of a row of [`COLUMNS`].
pub(crate) fn raw_of(row: &Row<'_>) -> rusqlite::Result<(i64, Raw, String)> {
    Ok((row.get(0)?, Raw::read(row)?, row.get(11)?))
}

/// How far the chain goes by its own account; `None` when the account is gone.
pub(crate) fn head(connection: &Connection) -> rusqlite::Result<Option<Head>> {
    connection
        .prepare_cached("SELECT seq, hash FROM audit_head WHERE one = 1")?
        .query_row([], |row| {
            Ok(Head {
                seq: row.get(0)?,
                hash: row.get(1)?,
            })
        })
        .optional()
}

/// The last record there is; the beginning when there is none.
pub(crate) fn last(connection: &Connection) -> rusqlite::Result<Head> {
    let found = connection
        .query_row(
            "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1",
            [],
            |row| {
                Ok(Head {
                    seq: row.get(0)?,
                    hash: row.get(1)?,
                })
            },
        )
        .optional()?;
    Ok(found.unwrap_or_else(|| Head {
        seq: 0,
        hash: GENESIS.to_owned(),
    }))
}

/// Puts a record behind the last one.
pub(crate) fn append(connection: &Connection, record: &Raw) -> Result<(), AppendError> {
    let head = head(connection)?.ok_or(AppendError::NoHead)?;
    let before = Hash::from_hex(&head.hash).map_err(|_| AppendError::NoHead)?;
    let seq = head.seq.checked_add(1).ok_or(AppendError::NoHead)?;
    let hash = record.hash(seq, &before).to_hex();
    connection
        .prepare_cached(
            "INSERT INTO audit (seq, at, actor, action, plugin, revision, tenant, workflow, reason, key, detail, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            seq,
            record.at,
            record.actor,
            record.action,
            record.plugin,
            record.revision,
            record.tenant,
            record.workflow,
            record.reason,
            record.key,
            record.detail,
            hash.as_str(),
        ])?;
    connection
        .prepare_cached("UPDATE audit_head SET seq = ?1, hash = ?2 WHERE one = 1")?
        .execute(params![seq, hash.as_str()])?;
    Ok(())
}

/// Why a record cannot be put behind the last one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    #[error("the head of the audit is gone or unreadable")]
    NoHead,
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_is_the_hash_of_its_text() {
        assert_eq!(blake3::hash(GENESIS_TEXT.as_bytes()).to_hex().as_str(), GENESIS);
        assert!(crate::form::FORM.migrations[0].contains(GENESIS));
    }

    #[test]
    fn fields_that_run_into_each_other_make_different_hashes() {
        let record = |actor: &str, action: &str, plugin: Option<&str>| Raw {
            at: 1,
            actor: actor.to_owned(),
            action: action.to_owned(),
            plugin: plugin.map(str::to_owned),
            revision: None,
            tenant: None,
            workflow: None,
            reason: String::new(),
            key: None,
            detail: String::new(),
        };
        let before = blake3::hash(b"");
        let hashes = [
            record("ab", "c", None).hash(1, &before),
            record("a", "bc", None).hash(1, &before),
            record("ab", "", Some("c")).hash(1, &before),
            record("ab", "c", Some("")).hash(1, &before),
            record("ab", "c", None).hash(2, &before),
        ];
        for (n, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..n].contains(hash), "{n}");
        }
    }
}
