//! One row of a table, as the host has it in its hands, and back.
//!
//! Invariant: what a row gives was checked as any outside text is; a row that does not pass is an error, never a guess.

use patchbay_vocab::{PluginName, VersionReq};
use rusqlite::{Connection, Row, params};

use crate::record::{Boot, Evidence, HistoryLine, KnownRevision, Pin, SeenFile, StoredRollout};
use crate::sql::{
    bad, integer, json, maybe_millis, maybe_parsed, maybe_revision, millis, number, parsed, revision,
};

pub(crate) const REVISION: &str =
    "plugin, number, version, digest, nodes, dependencies, origin, admitted_at, quarantined";

pub(crate) fn known_revision(row: &Row<'_>) -> rusqlite::Result<KnownRevision> {
    let dependencies: Vec<(PluginName, VersionReq)> = json(row, 5)?;
    Ok(KnownRevision {
        plugin: parsed(row, 0)?,
        number: revision(row, 1)?,
        version: parsed(row, 2)?,
        digest: parsed(row, 3)?,
        nodes: json(row, 4)?,
        dependencies,
        origin: row.get(6)?,
        admitted_at: millis(row, 7)?,
        quarantined: row.get(8)?,
    })
}

pub(crate) fn put_revision(connection: &Connection, known: &KnownRevision) -> rusqlite::Result<()> {
    let text = |error: serde_json::Error| rusqlite::Error::ToSqlConversionFailure(error.into());
    connection
        .prepare_cached(
            "INSERT INTO revisions
                (plugin, number, version, digest, nodes, dependencies, origin, admitted_at, quarantined)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (plugin, number) DO UPDATE SET version = excluded.version, digest = excluded.digest,
                nodes = excluded.nodes, dependencies = excluded.dependencies, origin = excluded.origin,
                admitted_at = excluded.admitted_at, quarantined = excluded.quarantined",
        )?
        .execute(params![
            known.plugin.as_str(),
            integer(known.number.0),
            known.version.to_string(),
            known.digest.to_string(),
            serde_json::to_string(&known.nodes).map_err(text)?,
            serde_json::to_string(&known.dependencies).map_err(text)?,
            known.origin,
            integer(known.admitted_at.0),
            known.quarantined,
        ])?;
    connection
        .prepare_cached(
            "INSERT INTO plugins (name, highest) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET highest = max(highest, excluded.highest)",
        )?
        .execute(params![known.plugin.as_str(), integer(known.number.0)])?;
    Ok(())
}

pub(crate) const HISTORY: &str =
    "plugin, at, generation, action, revision, version, from_revision, actor, reason";

pub(crate) fn history_line(row: &Row<'_>) -> rusqlite::Result<(PluginName, HistoryLine)> {
    let line = HistoryLine {
        at: millis(row, 1)?,
        generation: number(row, 2)?,
        action: row.get(3)?,
        revision: revision(row, 4)?,
        version: parsed(row, 5)?,
        from: maybe_revision(row, 6)?,
        actor: row.get(7)?,
        reason: row.get(8)?,
    };
    Ok((parsed(row, 0)?, line))
}

pub(crate) fn put_history(
    connection: &Connection,
    plugin: &PluginName,
    line: &HistoryLine,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO history (plugin, at, generation, action, revision, version, from_revision, actor, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            plugin.as_str(),
            integer(line.at.0),
            integer(line.generation),
            line.action,
            integer(line.revision.0),
            line.version.to_string(),
            line.from.map(|from| integer(from.0)),
            line.actor,
            line.reason,
        ])?;
    raise_generation(connection, line.generation)
}

pub(crate) const PIN: &str = "plugin, tenant, workflow, revision, actor, reason, at";

pub(crate) fn pin(row: &Row<'_>) -> rusqlite::Result<Pin> {
    Ok(Pin {
        plugin: parsed(row, 0)?,
        tenant: maybe_parsed(row, 1)?,
        workflow: maybe_parsed(row, 2)?,
        revision: revision(row, 3)?,
        actor: row.get(4)?,
        reason: row.get(5)?,
        at: millis(row, 6)?,
    })
}

pub(crate) fn put_pin(connection: &Connection, pin: &Pin) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO pins (plugin, tenant, workflow, revision, actor, reason, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (plugin, tenant, workflow) DO UPDATE SET revision = excluded.revision,
                actor = excluded.actor, reason = excluded.reason, at = excluded.at",
        )?
        .execute(params![
            pin.plugin.as_str(),
            pin.tenant.as_ref().map_or("", |tenant| tenant.as_str()),
            pin.workflow.as_ref().map_or("", |workflow| workflow.as_str()),
            integer(pin.revision.0),
            pin.actor,
            pin.reason,
            integer(pin.at.0),
        ])?;
    Ok(())
}

pub(crate) fn policy(row: &Row<'_>) -> rusqlite::Result<(PluginName, String)> {
    Ok((parsed(row, 0)?, row.get(1)?))
}

pub(crate) fn put_policy(connection: &Connection, plugin: &PluginName, policy: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO policies (plugin, policy) VALUES (?1, ?2)
             ON CONFLICT (plugin) DO UPDATE SET policy = excluded.policy",
        )?
        .execute([plugin.as_str(), policy])?;
    Ok(())
}

pub(crate) const ROLLOUT: &str =
    "id, plugin, from_revision, to_revision, policy, state, phase, finished, started_at,
    changed_at, actor, reason";

pub(crate) fn rollout(row: &Row<'_>) -> rusqlite::Result<StoredRollout> {
    Ok(StoredRollout {
        id: row.get(0)?,
        plugin: parsed(row, 1)?,
        from: maybe_revision(row, 2)?,
        to: revision(row, 3)?,
        policy: row.get(4)?,
        state: row.get(5)?,
        phase: row.get(6)?,
        finished: row.get(7)?,
        started_at: millis(row, 8)?,
        changed_at: millis(row, 9)?,
        actor: row.get(10)?,
        reason: row.get(11)?,
    })
}

pub(crate) fn put_rollout(connection: &Connection, rollout: &StoredRollout) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO rollouts (id, plugin, from_revision, to_revision, policy, state, phase, finished, started_at,
                changed_at, actor, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (id) DO UPDATE SET plugin = excluded.plugin, from_revision = excluded.from_revision,
                to_revision = excluded.to_revision, policy = excluded.policy, state = excluded.state,
                phase = excluded.phase, finished = excluded.finished, started_at = excluded.started_at,
                changed_at = excluded.changed_at, actor = excluded.actor, reason = excluded.reason",
        )?
        .execute(params![
            rollout.id,
            rollout.plugin.as_str(),
            rollout.from.map(|from| integer(from.0)),
            integer(rollout.to.0),
            rollout.policy,
            rollout.state,
            rollout.phase,
            rollout.finished,
            integer(rollout.started_at.0),
            integer(rollout.changed_at.0),
            rollout.actor,
            rollout.reason,
        ])?;
    Ok(())
}

pub(crate) const EVIDENCE: &str = "rollout, at, kind, body";

pub(crate) fn evidence(row: &Row<'_>) -> rusqlite::Result<Evidence> {
    Ok(Evidence {
        rollout: row.get(0)?,
        at: millis(row, 1)?,
        kind: row.get(2)?,
        body: row.get(3)?,
    })
}

/// Puts evidence behind what the rollout has; the oldest beyond `kept` goes.
pub(crate) fn put_evidence(connection: &Connection, seen: &Evidence, kept: u32) -> rusqlite::Result<()> {
    let last: i64 = connection
        .prepare_cached("SELECT coalesce(max(number), 0) FROM evidence WHERE rollout = ?1")?
        .query_row([&seen.rollout], |row| row.get(0))?;
    let number = last
        .checked_add(1)
        .ok_or_else(|| bad(0, "a rollout has no more numbers for evidence"))?;
    connection
        .prepare_cached("INSERT INTO evidence (rollout, number, at, kind, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            seen.rollout,
            number,
            integer(seen.at.0),
            seen.kind,
            seen.body
        ])?;
    connection
        .prepare_cached("DELETE FROM evidence WHERE rollout = ?1 AND number <= ?2")?
        .execute(params![seen.rollout, number - i64::from(kept)])?;
    Ok(())
}

/// Puts a file in the place of what was known of its path; the one that was read longest ago goes beyond `kept`.
pub(crate) fn put_file(connection: &Connection, file: &SeenFile, kept: u32) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO files (path, stamp, digest) VALUES (?1, ?2, ?3)")?
        .execute(params![file.path, file.stamp, file.digest.to_string()])?;
    connection
        .prepare_cached("DELETE FROM files WHERE key <= ?1")?
        .execute([connection.last_insert_rowid() - i64::from(kept)])?;
    Ok(())
}

pub(crate) const BOOT: &str = "id, started_at, version, stable_at, ended_at";

pub(crate) fn boot(row: &Row<'_>) -> rusqlite::Result<Boot> {
    Ok(Boot {
        id: number(row, 0)?,
        started_at: millis(row, 1)?,
        version: row.get(2)?,
        stable_at: maybe_millis(row, 3)?,
        ended_at: maybe_millis(row, 4)?,
    })
}

pub(crate) fn raise_generation(connection: &Connection, generation: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO counters (name, value) VALUES ('generation', ?1)
             ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
        )?
        .execute([integer(generation)])?;
    Ok(())
}
