//! The audit as lines of JSON, for somewhere else.
//!
//! Invariant: what a verification of the lines finds is what a verification of the records that they were made from
//! finds. Each line is a record, with the hash of the one before it; the last line says from where to where they go.

use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use blake3::Hash;
use patchbay_database as database;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::chain::{self, AuditHead, COLUMNS, GENESIS, Head, Raw};
use super::verify::{Broken, Found, Link, Verdict, Walk, What, genesis};
use crate::StateError;

/// A line that is longer is none of ours.
const LINE_BYTES: u64 = 128 << 20;
/// How the last line begins.
const CLOSING: &[u8] = b"{\"head\":";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: i64,
    at: i64,
    actor: String,
    action: String,
    plugin: Option<String>,
    revision: Option<i64>,
    tenant: Option<String>,
    workflow: Option<String>,
    reason: String,
    key: Option<String>,
    detail: String,
    prev: String,
    hash: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    head: Span,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Span {
    /// The record before the first line.
    after: i64,
    seq: i64,
    hash: String,
}

/// Writes the records of the state at `path` that come after `after_seq`, one on each line, and a last line with their
/// head. A host may have the state open.
///
/// # Errors
/// When the database cannot be read, or `out` not be written.
pub fn export(path: &Path, after_seq: u64, out: &mut impl Write) -> Result<AuditHead, StateError> {
    let path = database::resolve(path)?;
    let mut reader = database::open_to_read(&path).map_err(StateError::Read)?;
    // One view of the database for the records and their head.
    let view = reader.transaction().map_err(StateError::Read)?;
    export_rows(&view, &path, after_seq, out)
}

pub(crate) fn export_rows(
    view: &Connection,
    path: &Path,
    after_seq: u64,
    out: &mut impl Write,
) -> Result<AuditHead, StateError> {
    let head = chain::head(view)
        .map_err(StateError::Read)?
        .ok_or_else(|| StateError::AuditBroken {
            path: path.to_owned(),
            found: "its head is gone".to_owned(),
        })?;
    let after = crate::sql::integer(after_seq).min(head.seq);
    let mut prev = hash_of(view, after).map_err(StateError::Read)?;
    let mut statement = view
        .prepare(&format!(
            "SELECT {COLUMNS} FROM audit WHERE seq > ?1 ORDER BY seq"
        ))
        .map_err(StateError::Read)?;
    let mut rows = statement.query([after]).map_err(StateError::Read)?;
    while let Some(row) = rows.next().map_err(StateError::Read)? {
        let (seq, raw, hash) = chain::raw_of(row).map_err(StateError::Read)?;
        let line = Line {
            seq,
            at: raw.at,
            actor: raw.actor,
            action: raw.action,
            plugin: raw.plugin,
            revision: raw.revision,
            tenant: raw.tenant,
            workflow: raw.workflow,
            reason: raw.reason,
            key: raw.key,
            detail: raw.detail,
            prev,
            hash: hash.clone(),
        };
        write_line(out, &line)?;
        prev = hash;
    }
    let span = Span {
        after,
        seq: head.seq,
        hash: head.hash.clone(),
    };
    write_line(out, &Closing { head: span })?;
    out.flush().map_err(StateError::Export)?;
    Ok(AuditHead {
        seq: u64::try_from(head.seq).unwrap_or(0),
        hash: head.hash,
    })
}

fn hash_of(connection: &Connection, seq: i64) -> rusqlite::Result<String> {
    let found = connection
        .query_row(
            "SELECT hash FROM audit WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1",
            [seq],
            |row| row.get(0),
        )
        .optional()?;
    Ok(found.unwrap_or_else(|| GENESIS.to_owned()))
}

fn write_line(out: &mut impl Write, line: &impl Serialize) -> Result<(), StateError> {
    let mut text = serde_json::to_vec(line).map_err(|error| StateError::Export(error.into()))?;
    text.push(b'\n');
    out.write_all(&text).map_err(StateError::Export)
}

/// Walks an exported audit. With `expected`, the hash of a head that was noted earlier, the records, or the one before
/// them, have to have it.
///
/// # Errors
/// When it cannot be read.
pub fn verify_export(lines: &mut impl BufRead, expected: Option<&str>) -> Result<Verdict, StateError> {
    let mut lines = Lines {
        source: lines,
        closing: None,
        is_open: true,
    };
    let first = lines.next()?;
    let (start, before) = match first.as_ref() {
        Some(Some(link)) => (link.seq.saturating_sub(1), link.before.clone()),
        Some(None) => (0, None),
        None => {
            let span = lines.closing.as_ref();
            (
                span.map_or(0, |span| span.after),
                span.map(|span| span.hash.clone()),
            )
        }
    };
    let before = before.unwrap_or_default();
    let broken = |seq: i64, what, message: String| {
        Ok(Verdict::Broken(Broken {
            seq: u64::try_from(seq).unwrap_or(0),
            what,
            message,
        }))
    };
    // What comes first of all comes after nothing; what an export begins with otherwise is taken at its word.
    let hash = match Hash::from_hex(&before) {
        _ if start == 0 => genesis(),
        Ok(hash) if start > 0 => hash,
        _ => {
            return broken(
                start.saturating_add(1),
                What::Changed,
                "the first line is no record".to_owned(),
            );
        }
    };
    let mut walk = Walk::behind(start, hash, expected);
    let mut first = first;
    let found = walk.along(&mut || match first.take() {
        Some(link) => Ok(Some(link)),
        None => lines.next(),
    })?;
    if let Some(found) = found {
        return Ok(Verdict::Broken(found));
    }
    let is_open = lines.is_open;
    let closing = lines.closing.take();
    match &closing {
        Some(span) if span.after != start => {
            return broken(
                span.after.saturating_add(1),
                What::Missing,
                format!("the lines begin with record {}", start.saturating_add(1)),
            );
        }
        Some(_) if is_open => {
            return broken(
                walk.seq,
                What::Tail,
                "there are lines behind the last one".to_owned(),
            );
        }
        _ => {}
    }
    let head = closing.map(|span| Head {
        seq: span.seq,
        hash: span.hash,
    });
    Ok(walk.ends_at(head.as_ref()))
}

struct Lines<'s, R> {
    source: &'s mut R,
    closing: Option<Span>,
    /// Whether something comes behind the closing line.
    is_open: bool,
}

impl<R: BufRead> Lines<'_, R> {
    /// The next record; none behind the closing line.
    fn next(&mut self) -> Result<Option<Found>, StateError> {
        if self.closing.is_some() {
            return Ok(None);
        }
        let mut line = Vec::new();
        let got = self
            .source
            .by_ref()
            .take(LINE_BYTES)
            .read_until(b'\n', &mut line)
            .map_err(StateError::Export)?;
        if got == 0 {
            return Ok(None);
        }
        if got as u64 == LINE_BYTES && line.last() != Some(&b'\n') {
            let error = io::Error::new(io::ErrorKind::InvalidData, "a line is longer than any record");
            return Err(StateError::Export(error));
        }
        if !line.starts_with(CLOSING) {
            return Ok(Some(read(&line)));
        }
        let Ok(closing) = serde_json::from_slice::<Closing>(&line) else {
            return Ok(Some(None));
        };
        self.closing = Some(closing.head);
        self.is_open = !self.source.fill_buf().map_err(StateError::Export)?.is_empty();
        Ok(None)
    }
}

fn read(line: &[u8]) -> Found {
    let line: Line = serde_json::from_slice(line).ok()?;
    Some(Link {
        seq: line.seq,
        before: Some(line.prev),
        raw: Raw {
            at: line.at,
            actor: line.actor,
            action: line.action,
            plugin: line.plugin,
            revision: line.revision,
            tenant: line.tenant,
            workflow: line.workflow,
            reason: line.reason,
            key: line.key,
            detail: line.detail,
        },
        hash: line.hash,
    })
}
