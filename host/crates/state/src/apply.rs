//! One change, as SQL.

use patchbay_vocab::{PluginName, RevisionNumber, kill_point};
use rusqlite::{Connection, params};

use crate::audit::{self, Raw};
use crate::record::{GoodSet, Write};
use crate::rows;
use crate::session::Trouble;
use crate::sql::{bad, integer};
use crate::{EVIDENCE, FILES};

/// Writes one change, in the transaction that `connection` has begun.
pub(crate) fn apply(connection: &Connection, write: &Write) -> Result<(), Trouble> {
    match write {
        Write::Audit(entry) => {
            audit::append(connection, &Raw::of(entry))?;
            kill_point("audit.appended");
        }
        other => put(connection, other)?,
    }
    Ok(())
}

fn put(connection: &Connection, write: &Write) -> rusqlite::Result<()> {
    match write {
        Write::Revision(known) => rows::put_revision(connection, known)?,
        Write::Artifact { digest, bytes } => {
            connection
                .prepare_cached(
                    "INSERT INTO artifacts (digest, bytes) VALUES (?1, ?2)
                     ON CONFLICT (digest) DO UPDATE SET bytes = excluded.bytes",
                )?
                .execute(params![digest.to_string(), integer(*bytes)])?;
        }
        Write::File(file) => rows::put_file(connection, file, FILES)?,
        Write::Quarantined { plugin, number, yes } => {
            connection
                .prepare_cached("UPDATE revisions SET quarantined = ?3 WHERE plugin = ?1 AND number = ?2")?
                .execute(params![plugin.as_str(), integer(number.0), yes])?;
        }
        Write::Live {
            plugin,
            to,
            generation,
            live_order,
        } => {
            let order = serde_json::to_string(live_order).map_err(|error| bad(0, error))?;
            connection
                .prepare_cached(
                    "INSERT INTO plugins (name, live, live_order) VALUES (?1, ?2, ?3)
                     ON CONFLICT (name) DO UPDATE SET live = excluded.live, live_order = excluded.live_order",
                )?
                .execute(params![
                    plugin.as_str(),
                    to.map(|number| integer(number.0)),
                    order
                ])?;
            rows::raise_generation(connection, *generation)?;
        }
        Write::History { plugin, line } => rows::put_history(connection, plugin, line)?,
        Write::Arrived { plugin, number } => {
            connection
                .prepare_cached("INSERT OR IGNORE INTO arrivals (plugin, number) VALUES (?1, ?2)")?
                .execute(params![plugin.as_str(), integer(number.0)])?;
        }
        Write::Decided { plugin, number } => decided(connection, plugin, *number)?,
        Write::Forget { plugin, number } => {
            decided(connection, plugin, *number)?;
            connection
                .prepare_cached("DELETE FROM revisions WHERE plugin = ?1 AND number = ?2")?
                .execute(params![plugin.as_str(), integer(number.0)])?;
        }
        Write::ForgetArtifact(digest) => {
            connection
                .prepare_cached("DELETE FROM artifacts WHERE digest = ?1")?
                .execute([digest.to_string()])?;
            connection
                .prepare_cached("DELETE FROM files WHERE digest = ?1")?
                .execute([digest.to_string()])?;
        }
        Write::Policy {
            plugin,
            policy: Some(policy),
        } => rows::put_policy(connection, plugin, policy)?,
        Write::Policy { plugin, policy: None } => {
            connection
                .prepare_cached("DELETE FROM policies WHERE plugin = ?1")?
                .execute([plugin.as_str()])?;
        }
        Write::Pin(pin) => rows::put_pin(connection, pin)?,
        Write::Unpin {
            plugin,
            tenant,
            workflow,
        } => {
            connection
                .prepare_cached("DELETE FROM pins WHERE plugin = ?1 AND tenant = ?2 AND workflow = ?3")?
                .execute([
                    plugin.as_str(),
                    tenant.as_ref().map_or("", |tenant| tenant.as_str()),
                    workflow.as_ref().map_or("", |workflow| workflow.as_str()),
                ])?;
        }
        Write::Rollout(rollout) => rows::put_rollout(connection, rollout)?,
        Write::Evidence(seen) => rows::put_evidence(connection, seen, EVIDENCE)?,
        Write::Good(good) => put_good(connection, good)?,
        Write::BootStable { boot, at } => {
            connection
                .prepare_cached("UPDATE boots SET stable_at = ?2 WHERE id = ?1 AND stable_at IS NULL")?
                .execute([integer(*boot), integer(at.0)])?;
        }
        Write::BootEnded { boot, at } => {
            connection
                .prepare_cached("UPDATE boots SET ended_at = ?2 WHERE id = ?1")?
                .execute([integer(*boot), integer(at.0)])?;
        }
        // It has a chain to be put into: `apply` does that.
        Write::Audit(_) => {}
    }
    Ok(())
}

fn decided(connection: &Connection, plugin: &PluginName, number: RevisionNumber) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM arrivals WHERE plugin = ?1 AND number = ?2")?
        .execute(params![plugin.as_str(), integer(number.0)])
        .map(drop)
}

pub(crate) fn put_good(connection: &Connection, good: &GoodSet) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM good")?.execute([])?;
    let mut insert = connection.prepare_cached("INSERT INTO good (plugin, revision) VALUES (?1, ?2)")?;
    for (plugin, number) in &good.live {
        insert.execute(params![plugin.as_str(), integer(number.0)])?;
    }
    connection
        .prepare_cached(
            "INSERT INTO good_at (one, at) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET at = excluded.at",
        )?
        .execute([integer(good.at.0)])?;
    Ok(())
}
