//! Mending what a sound state says.
//!
//! Invariant: each repair is one transaction, and its record in the audit is part of it.

use std::path::Path;

use patchbay_vocab::{Digest, PluginName, RevisionNumber, UnixMillis};
use rusqlite::{Connection, OptionalExtension, params};

use super::repair::RepairError;
use super::salvage::is_sound;
use super::{Dangling, Finding};
use crate::audit::{self, Raw};
use crate::sql::{integer, json, maybe_revision, parsed};

/// Who mends.
const ACTOR: &str = "doctor";

/// Puts a record of what was mended into the audit.
pub(super) fn note(
    connection: &Connection,
    at: UnixMillis,
    action: &str,
    reason: &str,
    detail: &serde_json::Value,
) -> Result<(), RepairError> {
    let record = Raw {
        at: integer(at.0),
        actor: ACTOR.to_owned(),
        action: action.to_owned(),
        plugin: None,
        revision: None,
        tenant: None,
        workflow: None,
        reason: reason.to_owned(),
        key: None,
        detail: detail.to_string(),
    };
    Ok(audit::append(connection, &record)?)
}

/// Quarantines every revision that is made of this content; what is live changes where it has to.
pub(super) fn quarantine(
    connection: &mut Connection,
    artifacts: &Path,
    digest: Digest,
    finding: &Finding,
    at: UnixMillis,
) -> Result<String, RepairError> {
    let transaction = connection.transaction()?;
    let of_it: Vec<(PluginName, i64)> = transaction
        .prepare("SELECT plugin, number FROM revisions WHERE digest = ?1 ORDER BY plugin, number")?
        .query_map([digest.to_string()], |row| Ok((parsed(row, 0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    transaction.execute(
        "UPDATE revisions SET quarantined = 1 WHERE digest = ?1",
        [digest.to_string()],
    )?;
    let mut said = Vec::new();
    for (plugin, number) in &of_it {
        said.push(format!("revision {number} of `{plugin}` is quarantined"));
    }
    for (plugin, _) in &of_it {
        said.extend(choose_live(&transaction, artifacts, plugin)?);
    }
    let said = said.join("; ");
    let detail = serde_json::json!({"digest": digest.to_string(), "done": said});
    note(&transaction, at, "doctor.quarantine", &finding.message, &detail)?;
    transaction.commit()?;
    Ok(said)
}

/// Makes live what can be.
pub(super) fn mend_live(
    connection: &mut Connection,
    artifacts: &Path,
    plugin: &PluginName,
    finding: &Finding,
    at: UnixMillis,
) -> Result<String, RepairError> {
    let transaction = connection.transaction()?;
    let said =
        choose_live(&transaction, artifacts, plugin)?.unwrap_or_else(|| "it is live already".to_owned());
    let detail = serde_json::json!({"plugin": plugin.as_str(), "done": said});
    note(&transaction, at, "doctor.live", &finding.message, &detail)?;
    transaction.commit()?;
    Ok(said)
}

/// Lets the latest revision that was live and can be loaded be live, when the one that is cannot; says what changed.
fn choose_live(
    connection: &Connection,
    artifacts: &Path,
    plugin: &PluginName,
) -> Result<Option<String>, RepairError> {
    type Standing = (Option<RevisionNumber>, Vec<RevisionNumber>);
    let standing: Option<Standing> = connection
        .query_row(
            "SELECT live, live_order FROM plugins WHERE name = ?1",
            [plugin.as_str()],
            |row| Ok((maybe_revision(row, 0)?, json(row, 1)?)),
        )
        .optional()?;
    let Some((Some(live), order)) = standing else {
        return Ok(None);
    };
    let mut fit = None;
    for number in std::iter::once(live).chain(order) {
        let digest: Option<Digest> = connection
            .query_row(
                "SELECT digest FROM revisions WHERE plugin = ?1 AND number = ?2 AND quarantined = 0",
                params![plugin.as_str(), integer(number.0)],
                |row| parsed(row, 0),
            )
            .optional()?;
        if digest.is_some_and(|digest| is_sound(artifacts, digest)) {
            fit = Some(number);
            break;
        }
    }
    if fit == Some(live) {
        return Ok(None);
    }
    connection.execute(
        "UPDATE plugins SET live = ?2 WHERE name = ?1",
        params![plugin.as_str(), fit.map(|number| integer(number.0))],
    )?;
    connection.execute(
        "INSERT INTO counters (name, value) VALUES ('generation', 1)
         ON CONFLICT (name) DO UPDATE SET value = value + 1",
        [],
    )?;
    Ok(Some(match fit {
        Some(number) => format!("revision {number} of `{plugin}` is live in the place of {live}"),
        None => format!("nothing of `{plugin}` is live in the place of {live}"),
    }))
}

/// Drops a reference to what is not there.
pub(super) fn drop_reference(
    connection: &mut Connection,
    dangling: &Dangling,
    finding: &Finding,
    at: UnixMillis,
) -> Result<String, RepairError> {
    let transaction = connection.transaction()?;
    match dangling {
        Dangling::Pin(pin) => transaction.execute(
            "DELETE FROM pins WHERE plugin = ?1 AND tenant = ?2 AND workflow = ?3 AND revision = ?4",
            params![
                pin.plugin.as_str(),
                pin.tenant.as_ref().map_or("", |tenant| tenant.as_str()),
                pin.workflow.as_ref().map_or("", |workflow| workflow.as_str()),
                integer(pin.revision.0),
            ],
        )?,
        Dangling::Rollout(id) => transaction.execute(
            "UPDATE rollouts SET finished = 1, phase = 'lost', changed_at = ?2 WHERE id = ?1",
            params![id, integer(at.0)],
        )?,
        Dangling::Good(plugin, number) => transaction.execute(
            "DELETE FROM good WHERE plugin = ?1 AND revision = ?2",
            params![plugin.as_str(), integer(number.0)],
        )?,
        Dangling::Index(digest) => {
            transaction.execute("DELETE FROM artifacts WHERE digest = ?1", [digest.to_string()])?
        }
    };
    let detail = match dangling {
        Dangling::Pin(pin) => serde_json::json!({
            "plugin": pin.plugin.as_str(),
            "tenant": pin.tenant.as_ref().map(patchbay_vocab::TenantId::as_str),
            "workflow": pin.workflow.as_ref().map(patchbay_vocab::WorkflowId::as_str),
            "revision": pin.revision.0,
            "actor": pin.actor,
            "reason": pin.reason,
        }),
        Dangling::Rollout(id) => serde_json::json!({"rollout": id}),
        Dangling::Good(plugin, number) => {
            serde_json::json!({"plugin": plugin.as_str(), "revision": number.0})
        }
        Dangling::Index(digest) => serde_json::json!({"digest": digest.to_string()}),
    };
    note(&transaction, at, "doctor.drop", &finding.message, &detail)?;
    transaction.commit()?;
    Ok(match dangling {
        Dangling::Rollout(id) => format!("the rollout `{id}` is finished as lost"),
        _ => "the reference was dropped".to_owned(),
    })
}
