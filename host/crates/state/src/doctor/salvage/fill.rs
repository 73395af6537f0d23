//! From the tables of a damaged state into those of a new one.

use std::collections::BTreeSet;

use patchbay_vocab::{Digest, PluginName, RevisionNumber};
use rusqlite::{Connection, params};

use super::super::scan::{Scanned, scan};
use crate::audit::{self, COLUMNS};
use crate::sql::{bad, integer, json, maybe_revision, millis, number, parsed, revision};
use crate::{EVIDENCE, rows};

type Standing = (
    PluginName,
    Option<RevisionNumber>,
    Vec<RevisionNumber>,
    RevisionNumber,
);

/// Takes over every row that can be read and that a host may have written.
pub(super) fn fill(from: &Connection, to: &Connection) -> rusqlite::Result<Vec<(&'static str, Scanned)>> {
    let mut standing = BTreeSet::new();
    let tables = vec![
        ("counters", counters(from, to)?),
        ("artifacts", artifacts(from, to)?),
        (
            "revisions",
            scan(from, "revisions", rows::REVISION, rows::known_revision, |known| {
                rows::put_revision(to, &known)
            })?,
        ),
        ("plugins", plugins(from, to, &mut standing)?),
        (
            "history",
            scan(
                from,
                "history",
                rows::HISTORY,
                rows::history_line,
                |(plugin, line)| rows::put_history(to, &plugin, &line),
            )?,
        ),
        (
            "policies",
            scan(
                from,
                "policies",
                "plugin, policy",
                rows::policy,
                |(plugin, policy)| rows::put_policy(to, &plugin, &policy),
            )?,
        ),
        (
            "pins",
            scan(from, "pins", rows::PIN, rows::pin, |pin| rows::put_pin(to, &pin))?,
        ),
        (
            "rollouts",
            scan(from, "rollouts", rows::ROLLOUT, rows::rollout, |rollout| {
                rows::put_rollout(to, &rollout)
            })?,
        ),
        (
            "evidence",
            scan(from, "evidence", rows::EVIDENCE, rows::evidence, |seen| {
                rows::put_evidence(to, &seen, EVIDENCE)
            })?,
        ),
        ("boots", boots(from, to)?),
        ("good_at", good_at(from, to)?),
        ("good", good(from, to)?),
        (
            "audit",
            scan(from, "audit", COLUMNS, audit::raw_of, |(_, record, _)| {
                audit::append(to, &record).map_err(|error| bad(0, error))
            })?,
        ),
    ];
    live_by_the_good_set(to, &standing)?;
    Ok(tables)
}

fn counters(from: &Connection, to: &Connection) -> rusqlite::Result<Scanned> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, number(row, 1)?));
    scan(from, "counters", "name, value", read, |(name, value)| {
        to.execute(
            "INSERT INTO counters (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            params![name, integer(value)],
        )
        .map(drop)
    })
}

fn artifacts(from: &Connection, to: &Connection) -> rusqlite::Result<Scanned> {
    let read = |row: &rusqlite::Row<'_>| Ok((parsed::<Digest>(row, 0)?, number(row, 1)?));
    scan(from, "artifacts", "digest, bytes", read, |(digest, bytes)| {
        to.execute(
            "INSERT OR REPLACE INTO artifacts (digest, bytes) VALUES (?1, ?2)",
            params![digest.to_string(), integer(bytes)],
        )
        .map(drop)
    })
}

fn plugins(
    from: &Connection,
    to: &Connection,
    standing: &mut BTreeSet<PluginName>,
) -> rusqlite::Result<Scanned> {
    let read = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Standing> {
        Ok((
            parsed(row, 0)?,
            maybe_revision(row, 1)?,
            json(row, 2)?,
            revision(row, 3)?,
        ))
    };
    let columns = "name, live, live_order, highest";
    scan(from, "plugins", columns, read, |(name, live, order, highest)| {
        let order = serde_json::to_string(&order).map_err(|error| bad(2, error))?;
        to.execute(
            "INSERT INTO plugins (name, live, live_order, highest) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO UPDATE SET live = excluded.live, live_order = excluded.live_order,
                highest = max(highest, excluded.highest)",
            params![
                name.as_str(),
                live.map(|live| integer(live.0)),
                order,
                integer(highest.0)
            ],
        )?;
        standing.insert(name);
        Ok(())
    })
}

fn boots(from: &Connection, to: &Connection) -> rusqlite::Result<Scanned> {
    scan(from, "boots", rows::BOOT, rows::boot, |boot| {
        to.execute(
            "INSERT OR REPLACE INTO boots (id, started_at, version, stable_at, ended_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                integer(boot.id),
                integer(boot.started_at.0),
                boot.version,
                boot.stable_at.map(|at| integer(at.0)),
                boot.ended_at.map(|at| integer(at.0)),
            ],
        )
        .map(drop)
    })
}

fn good_at(from: &Connection, to: &Connection) -> rusqlite::Result<Scanned> {
    scan(
        from,
        "good_at",
        "at",
        |row| millis(row, 0),
        |at| {
            to.execute(
                "INSERT OR REPLACE INTO good_at (one, at) VALUES (1, ?1)",
                [integer(at.0)],
            )
            .map(drop)
        },
    )
}

fn good(from: &Connection, to: &Connection) -> rusqlite::Result<Scanned> {
    let read = |row: &rusqlite::Row<'_>| Ok((parsed::<PluginName>(row, 0)?, revision(row, 1)?));
    scan(from, "good", "plugin, revision", read, |(plugin, number)| {
        to.execute(
            "INSERT OR REPLACE INTO good (plugin, revision) VALUES (?1, ?2)",
            params![plugin.as_str(), integer(number.0)],
        )
        .map(drop)
    })
}

/// Of a plugin whose own row is lost, what was live when the host was last well is live.
fn live_by_the_good_set(to: &Connection, standing: &BTreeSet<PluginName>) -> rusqlite::Result<()> {
    let lost: Vec<(String, i64)> = to
        .prepare(
            "SELECT good.plugin, good.revision FROM good
             JOIN revisions ON revisions.plugin = good.plugin AND revisions.number = good.revision
             WHERE revisions.quarantined = 0",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (plugin, number) in lost {
        if !standing.iter().any(|known| known.as_str() == plugin) {
            to.execute(
                "UPDATE plugins SET live = ?2, live_order = ?3 WHERE name = ?1",
                params![plugin, number, format!("[{number}]")],
            )?;
        }
    }
    Ok(())
}
