//! Mending what was found.

use std::error::Error;
use std::fs;
use std::io;
use std::path::Path;

use patchbay_database::{self as database, DatabaseError};
use patchbay_vocab::{Clock, UnixMillis};
use rusqlite::Connection;

use super::salvage::{self, move_artifact, move_aside};
use super::{ARTIFACTS, DAMAGED, Defect, Finding, JOURNAL, Repaired, STATE, UNREMEMBERED, held, mend};
use crate::audit::AppendError;
use crate::form::FORM;

/// What the end of a name is while two files exchange theirs.
pub(super) const BETWEEN: &str = ".swapped";

/// Why something was not mended.
#[derive(Debug, thiserror::Error)]
pub(super) enum RepairError {
    #[error("a file cannot be read or written")]
    Io(#[from] io::Error),
    #[error("the state cannot be read or written")]
    Sql(#[from] rusqlite::Error),
    #[error("the state cannot be opened")]
    Database(#[from] DatabaseError),
    #[error("the audit takes no record")]
    Audit(#[from] AppendError),
    #[error("the new state is not sound; the old one is in its place")]
    Unsound,
    #[error("the finding does not say where")]
    NoPath,
    #[error("it is not for a repair to mend")]
    NotOurs,
}

/// Mends what [`examine`](super::examine()) found and can be mended, in an order that makes sense, and says of each
/// finding what came of it. Look again afterwards: what a damaged state hid shows only then.
#[must_use]
pub fn repair(data: &Path, findings: &[Finding], clock: &dyn Clock) -> Vec<Repaired> {
    let _held = match held::take(data) {
        Ok(held) => held,
        Err(finding) => {
            return findings
                .iter()
                .map(|wanted| Repaired {
                    code: wanted.code,
                    message: finding.message.clone(),
                    done: false,
                })
                .collect();
        }
    };
    let at = clock.wall();
    let mut wanted: Vec<&Finding> = findings.iter().filter(|finding| finding.repairable).collect();
    wanted.sort_by_key(|finding| order(&finding.defect));
    let mut repaired: Vec<Repaired> = Vec::new();
    let mut is_new = false;
    for finding in wanted {
        let is_salvage = is_salvage(&finding.defect);
        // One new state is made, whatever number of reasons there are for it.
        let outcome = if is_salvage && is_new {
            Ok("it was made anew already".to_owned())
        } else {
            one(data, finding, at)
        };
        is_new |= is_salvage && outcome.is_ok();
        repaired.push(Repaired {
            code: finding.code,
            done: outcome.is_ok(),
            message: outcome.unwrap_or_else(|error| chain(&error)),
        });
    }
    repaired
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

const fn is_salvage(defect: &Defect) -> bool {
    matches!(
        defect,
        Defect::StateDamaged | Defect::AuditBroken | Defect::BadRow
    )
}

/// Files before rows, whole files before parts of them.
const fn order(defect: &Defect) -> u8 {
    match defect {
        Defect::Leftover => 0,
        Defect::Swapped | Defect::OrphanLog => 1,
        Defect::StateDamaged | Defect::AuditBroken | Defect::BadRow | Defect::JournalDamaged => 2,
        Defect::ArtifactMissing(_) | Defect::ArtifactDamaged(_) => 3,
        _ => 4,
    }
}

fn one(data: &Path, finding: &Finding, at: UnixMillis) -> Result<String, RepairError> {
    let path = finding.path.as_deref().ok_or(RepairError::NoPath)?;
    let artifacts = data.join(ARTIFACTS);
    match &finding.defect {
        Defect::Leftover => {
            remove(path)?;
            Ok(format!("`{}` was removed", path.display()))
        }
        Defect::Swapped => {
            swap(data)?;
            Ok("each file has its name again".to_owned())
        }
        Defect::OrphanLog => {
            let aside = salvage::unused(path, at);
            fs::rename(path, &aside)?;
            Ok(format!("it was moved to `{}`", aside.display()))
        }
        Defect::StateDamaged | Defect::AuditBroken | Defect::BadRow => {
            let salvaged = salvage::salvage(data, at)?;
            let saved: Vec<String> = salvaged
                .tables
                .iter()
                .map(|(table, scanned)| {
                    let torn = if scanned.is_torn { " and some lost" } else { "" };
                    format!("{} of {table} ({} refused{torn})", scanned.saved, scanned.refused)
                })
                .collect();
            Ok(format!(
                "the old file is `{}`; saved from it: {}",
                salvaged.aside.display(),
                if saved.is_empty() {
                    "nothing".to_owned()
                } else {
                    saved.join(", ")
                }
            ))
        }
        Defect::JournalDamaged => {
            let aside = move_aside(path, at)?;
            Ok(format!("it was moved to `{}`", aside.display()))
        }
        Defect::ArtifactMissing(digest) => {
            mend::quarantine(&mut open(data)?, &artifacts, *digest, finding, at)
        }
        Defect::ArtifactDamaged(digest) => {
            let said = mend::quarantine(&mut open(data)?, &artifacts, *digest, finding, at)?;
            let aside = move_artifact(path, DAMAGED, at)?;
            Ok(format!("it was moved to `{}`; {said}", aside.display()))
        }
        Defect::LiveUnfit(plugin) => mend::mend_live(&mut open(data)?, &artifacts, plugin, finding, at),
        Defect::Dangling(dangling) => mend::drop_reference(&mut open(data)?, dangling, finding, at),
        Defect::Unremembered => {
            // The signature of an artifact goes with it.
            if !path.exists() {
                return Ok("it was moved already".to_owned());
            }
            let aside = move_artifact(path, UNREMEMBERED, at)?;
            Ok(format!("it was moved to `{}`", aside.display()))
        }
        Defect::HostRuns
        | Defect::NoDirectory
        | Defect::Unreadable
        | Defect::StateForeign
        | Defect::JournalForeign => Err(RepairError::NotOurs),
    }
}

fn open(data: &Path) -> Result<Connection, RepairError> {
    Ok(database::open(&data.join(STATE), &FORM)?)
}

/// Removes a file, a link, or a folder with what is in it.
fn remove(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}

/// Gives the state and the journal each other's names. Both files are there under some name at any moment, and what an
/// interrupted exchange left is taken up.
fn swap(data: &Path) -> io::Result<()> {
    let (state, journal) = (data.join(STATE), data.join(JOURNAL));
    for path in [&state, &journal] {
        for end in ["-wal", "-shm"] {
            let beside = database::beside(path, end);
            if beside.exists() {
                // The log is empty, or it would not have been clear whose it is; its index is made anew.
                fs::remove_file(beside)?;
            }
        }
    }
    let between = database::beside(&state, BETWEEN);
    if journal.exists() {
        if database::identity(&between).is_some()
            && database::identity(&between) == database::identity(&state)
        {
            fs::remove_file(&between)?;
        }
        fs::hard_link(&state, &between)?;
        fs::rename(&journal, &state)?;
    }
    fs::rename(&between, &journal)?;
    crate::artifact::sync_one(data)
}
