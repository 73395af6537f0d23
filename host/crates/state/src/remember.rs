//! What a host that starts is told of the last one.

use std::collections::BTreeMap;

use patchbay_vocab::{PluginName, RevisionNumber};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::record::{GoodSet, KnownPlugin, KnownRevision, Remembered, SeenFile};
use crate::sql::{json, maybe_revision, millis, number, parsed, revision};
use crate::{BOOTS, FILES, HISTORY, StateError, rows};

/// Every row of a question, each checked; the error names the first that is none of ours.
pub(crate) fn checked<T>(
    connection: &Connection,
    table: &'static str,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StateError> {
    let mut statement = connection.prepare_cached(sql).map_err(StateError::Read)?;
    let mut rows = statement.query(values).map_err(StateError::Read)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(StateError::Read)? {
        found.push(read(row).map_err(|error| bad_row(table, found.len(), error))?);
    }
    Ok(found)
}

fn bad_row(table: &'static str, row: usize, error: rusqlite::Error) -> StateError {
    match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, found) => StateError::BadRow {
            table,
            row: i64::try_from(row).unwrap_or(i64::MAX),
            found: found.to_string(),
        },
        rusqlite::Error::SqliteFailure(..) => StateError::Read(error),
        other => StateError::BadRow {
            table,
            row: i64::try_from(row).unwrap_or(i64::MAX),
            found: other.to_string(),
        },
    }
}

/// Everything but what is being loaded, which is not in the database.
pub(crate) fn all(connection: &Connection) -> Result<Remembered, StateError> {
    let policies = "SELECT plugin, policy FROM policies ORDER BY plugin";
    let rollouts = format!(
        "SELECT {} FROM rollouts WHERE finished = 0 ORDER BY key",
        rows::ROLLOUT
    );
    let boots = format!("SELECT {} FROM boots ORDER BY id DESC LIMIT ?1", rows::BOOT);
    Ok(Remembered {
        generation: generation(connection)?,
        plugins: plugins(connection)?,
        pins: pins(connection, u32::MAX)?,
        policies: checked(connection, "policies", policies, &[], rows::policy)?,
        arrivals: checked(
            connection,
            "arrivals",
            "SELECT plugin, number FROM arrivals ORDER BY plugin, number",
            &[],
            |row| Ok((parsed(row, 0)?, revision(row, 1)?)),
        )?,
        rollouts: checked(connection, "rollouts", &rollouts, &[], rows::rollout)?,
        boots: checked(connection, "boots", &boots, &[&BOOTS], rows::boot)?,
        good: good(connection)?,
        files: files(connection)?,
        loading: Vec::new(),
    })
}

fn generation(connection: &Connection) -> Result<u64, StateError> {
    let found = checked(
        connection,
        "counters",
        "SELECT value FROM counters WHERE name = 'generation'",
        &[],
        |row| number(row, 0),
    )?;
    Ok(found.first().copied().unwrap_or(0))
}

fn files(connection: &Connection) -> Result<Vec<SeenFile>, StateError> {
    let sql = "SELECT path, stamp, digest FROM files ORDER BY key LIMIT ?1";
    let read = |row: &Row<'_>| -> rusqlite::Result<SeenFile> {
        Ok(SeenFile {
            path: row.get(0)?,
            stamp: row.get(1)?,
            digest: parsed(row, 2)?,
        })
    };
    // A file that nobody knows is read: that is no reason not to start.
    let found = checked(connection, "files", sql, &[&FILES], |row| Ok(read(row).ok()))?;
    Ok(found.into_iter().flatten().collect())
}

pub(crate) fn pins(connection: &Connection, limit: u32) -> Result<Vec<crate::Pin>, StateError> {
    let sql = format!(
        "SELECT {} FROM pins ORDER BY plugin, tenant, workflow LIMIT ?1",
        rows::PIN
    );
    checked(connection, "pins", &sql, &[&limit], rows::pin)
}

pub(crate) fn good(connection: &Connection) -> Result<Option<GoodSet>, StateError> {
    let at = checked(
        connection,
        "good_at",
        "SELECT at FROM good_at WHERE one = 1",
        &[],
        |row| millis(row, 0),
    )?;
    let Some(at) = at.first().copied() else {
        return Ok(None);
    };
    let live = checked(
        connection,
        "good",
        "SELECT plugin, revision FROM good",
        &[],
        |row| Ok((parsed::<PluginName>(row, 0)?, revision(row, 1)?)),
    )?;
    Ok(Some(GoodSet {
        at,
        live: live.into_iter().collect(),
    }))
}

/// What is known of each plugin, its revisions and history not yet among it.
struct Standing {
    name: PluginName,
    live: Option<RevisionNumber>,
    live_order: Vec<RevisionNumber>,
    highest: RevisionNumber,
}

fn plugins(connection: &Connection) -> Result<Vec<KnownPlugin>, StateError> {
    let standings = checked(
        connection,
        "plugins",
        "SELECT name, live, live_order, highest FROM plugins ORDER BY name",
        &[],
        |row| {
            Ok(Standing {
                name: parsed(row, 0)?,
                live: maybe_revision(row, 1)?,
                live_order: json(row, 2)?,
                highest: revision(row, 3)?,
            })
        },
    )?;
    let mut revisions: BTreeMap<PluginName, Vec<KnownRevision>> = BTreeMap::new();
    for known in self::revisions(connection)? {
        revisions.entry(known.plugin.clone()).or_default().push(known);
    }
    standings
        .into_iter()
        .map(|standing| {
            let mut history = history(connection, &standing.name, HISTORY, None)?;
            history.reverse();
            Ok(KnownPlugin {
                live: standing.live,
                live_order: standing.live_order,
                highest: standing.highest,
                revisions: revisions.remove(&standing.name).unwrap_or_default(),
                history: history.into_iter().map(|found| found.1).collect(),
                name: standing.name,
            })
        })
        .collect()
}

pub(crate) fn revisions(connection: &Connection) -> Result<Vec<KnownRevision>, StateError> {
    let sql = format!("SELECT {} FROM revisions ORDER BY plugin, number", rows::REVISION);
    checked(connection, "revisions", &sql, &[], rows::known_revision)
}

/// The last changes of a plugin with their places, the newest first.
pub(crate) fn history(
    connection: &Connection,
    plugin: &PluginName,
    limit: u32,
    before: Option<u64>,
) -> Result<Vec<(u64, crate::HistoryLine)>, StateError> {
    let before = before.map_or(i64::MAX, crate::sql::integer);
    let sql = format!(
        "SELECT {}, key FROM history WHERE plugin = ?1 AND key < ?2 ORDER BY key DESC LIMIT ?3",
        rows::HISTORY
    );
    checked(
        connection,
        "history",
        &sql,
        &[&plugin.as_str(), &before, &limit],
        |row| Ok((number(row, 9)?, rows::history_line(row)?.1)),
    )
}

/// A number of a table's rows.
pub(crate) fn count(connection: &Connection, sql: &str) -> Result<u64, StateError> {
    let found: Option<i64> = connection
        .query_row(sql, [], |row| row.get(0))
        .optional()
        .map_err(StateError::Read)?;
    Ok(found.and_then(|found| u64::try_from(found).ok()).unwrap_or(0))
}
