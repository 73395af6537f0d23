//! Looking at a data directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use patchbay_database as database;
use patchbay_vocab::{Digest, Explain, PluginName, RevisionNumber};
use rusqlite::Connection;

use super::artifacts::{self, Artifact};
use super::condition::{self, Condition};
use super::repair::BETWEEN;
use super::{ARTIFACTS, Dangling, Defect, Finding, JOURNAL, MAPS, STATE, held};
use crate::audit::verify_rows;
use crate::form::FORM;
use crate::record::Remembered;
use crate::sql::parsed;
use crate::{StateError, Verdict, remember};

/// What SQLite keeps in the header of a journal: "PBjl".
const JOURNAL_ID: i64 = 0x5042_6a6c;

/// Looks at a data directory that no host has, and says what is not as it should be: the worst first. It reads every
/// byte of the databases and of the artifacts, and changes nothing.
#[must_use]
pub fn examine(data: &Path) -> Vec<Finding> {
    let _held = match held::take(data) {
        Ok(held) => held,
        Err(finding) => return vec![*finding],
    };
    let mut findings = Vec::new();
    let (state, journal) = (data.join(STATE), data.join(JOURNAL));
    let state_is = condition::look(&state, FORM.application_id, Some(FORM.format()));
    let journal_is = condition::look(&journal, JOURNAL_ID, None);
    if is_swapped(&state_is, &journal_is) && logs(&state, &journal).is_empty() {
        let message = format!("`{STATE}` and `{JOURNAL}` have each other's names");
        findings.push(Defect::Swapped.found(message, state));
        return findings;
    }
    let between = database::beside(&state, BETWEEN);
    if journal_is == Condition::Absent && condition::look(&between, JOURNAL_ID, None) == Condition::Sound {
        let message = format!("`{JOURNAL}` did not get its name back");
        findings.push(Defect::Swapped.found(message, between));
    }
    let kinds = [
        (&state, &state_is, Defect::StateDamaged, Defect::StateForeign),
        (
            &journal,
            &journal_is,
            Defect::JournalDamaged,
            Defect::JournalForeign,
        ),
    ];
    for (path, condition, damaged, foreign) in kinds {
        findings.extend(file(path, condition, damaged, foreign));
    }
    let mut remembered = None;
    if state_is == Condition::Sound {
        match content(data, &state, &mut findings) {
            Ok(known) => remembered = known,
            Err(error) => findings.push(unreadable(&state, &error)),
        }
    }
    findings.extend(artifacts::strays(&data.join(ARTIFACTS), remembered.as_ref()));
    findings.extend(leftovers(data));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

fn is_swapped(state: &Condition, journal: &Condition) -> bool {
    matches!(
        state,
        Condition::Foreign {
            application_id: JOURNAL_ID
        }
    ) && matches!(journal, Condition::Foreign { application_id } if *application_id == FORM.application_id)
}

/// Logs that hold something, whose databases nobody could tell.
fn logs(state: &Path, journal: &Path) -> Vec<PathBuf> {
    let logs = [state, journal].map(|path| database::beside(path, "-wal"));
    logs.into_iter().filter(|log| holds_something(log)).collect()
}

fn holds_something(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.len() > 0)
}

fn file(path: &Path, condition: &Condition, damaged: Defect, foreign: Defect) -> Option<Finding> {
    let name = path.file_name().unwrap_or_default().display();
    let finding = match condition {
        Condition::Sound => return None,
        Condition::Absent => {
            let log = database::beside(path, "-wal");
            if !holds_something(&log) {
                return None;
            }
            Defect::OrphanLog.found(format!("`{name}-wal` is the log of a database that is gone"), log)
        }
        Condition::Damaged(found) => damaged.found(format!("`{name}` is damaged: {found}"), path.to_owned()),
        Condition::Foreign { application_id } => {
            let whose = match *application_id {
                JOURNAL_ID => "a journal",
                id if id == FORM.application_id => "a state",
                _ => "the database of another program",
            };
            foreign.found(format!("in the place of `{name}` is {whose}"), path.to_owned())
        }
        Condition::Newer { format } => foreign.found(
            format!(
                "`{name}` has format {format}, and this program knows formats up to {}",
                FORM.format()
            ),
            path.to_owned(),
        ),
        Condition::Unreadable(found) => {
            Defect::Unreadable.found(format!("`{name}` cannot be looked at: {found}"), path.to_owned())
        }
    };
    Some(finding)
}

fn unreadable(path: &Path, error: &StateError) -> Finding {
    Defect::Unreadable.found(error.chain(), path.to_owned())
}

/// What the state says, against itself and the artifacts. Gives the contents that it remembers, unless a repair
/// has to come first.
fn content(
    data: &Path,
    path: &Path,
    findings: &mut Vec<Finding>,
) -> Result<Option<BTreeSet<Digest>>, StateError> {
    let mut reader = database::open_to_read(path).map_err(StateError::Read)?;
    let view = reader.transaction().map_err(StateError::Read)?;
    if let Verdict::Broken(broken) = verify_rows(&view, None)? {
        let message = format!("the audit is broken at record {}: {}", broken.seq, broken.message);
        findings.push(Defect::AuditBroken.found(message, path.to_owned()));
    }
    let remembered = match remember::all(&view) {
        Ok(remembered) => remembered,
        Err(error @ StateError::BadRow { .. }) => {
            findings.push(Defect::BadRow.found(error.to_string(), path.to_owned()));
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let index = match index(&view) {
        Ok(index) => index,
        Err(error @ StateError::BadRow { .. }) => {
            findings.push(Defect::BadRow.found(error.to_string(), path.to_owned()));
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let folder = data.join(ARTIFACTS);
    artifacts_of(&folder, &remembered, findings);
    references(path, &remembered, findings);
    let needed: BTreeSet<Digest> = revisions(&remembered).map(|known| known.digest).collect();
    for digest in index.difference(&needed) {
        if artifacts::look(&folder, *digest) == Artifact::Missing {
            let message = format!(
                "the index has the artifact {}, which is not there",
                digest.short()
            );
            findings.push(Defect::Dangling(Dangling::Index(*digest)).found(message, path.to_owned()));
        }
    }
    Ok(Some(needed.union(&index).copied().collect()))
}

fn index(view: &Connection) -> Result<BTreeSet<Digest>, StateError> {
    let found = remember::checked(view, "artifacts", "SELECT digest FROM artifacts", &[], |row| {
        parsed(row, 0)
    })?;
    Ok(found.into_iter().collect())
}

fn revisions(remembered: &Remembered) -> impl Iterator<Item = &crate::KnownRevision> {
    remembered.plugins.iter().flat_map(|plugin| &plugin.revisions)
}

/// Says which artifacts are not what revisions need.
fn artifacts_of(folder: &Path, remembered: &Remembered, findings: &mut Vec<Finding>) {
    let mut users: BTreeMap<Digest, Vec<&crate::KnownRevision>> = BTreeMap::new();
    for known in revisions(remembered) {
        users.entry(known.digest).or_default().push(known);
    }
    for (digest, users) in users {
        let (defect, what) = match artifacts::look(folder, digest) {
            Artifact::Sound => continue,
            Artifact::Missing => (Defect::ArtifactMissing(digest), "is not there".to_owned()),
            Artifact::Damaged(found) => (Defect::ArtifactDamaged(digest), format!("is damaged: {found}")),
        };
        if defect == Defect::ArtifactMissing(digest) && users.iter().all(|known| known.quarantined) {
            // Nothing more can be done about it than was done.
            continue;
        }
        let users: Vec<String> = users
            .iter()
            .map(|known| format!("`{}` revision {}", known.plugin, known.number))
            .collect();
        let message = format!("the artifact {} of {} {what}", digest.short(), users.join(", "));
        findings.push(defect.found(message, crate::artifact::path_of(folder, digest)));
    }
}

/// What is live, pinned or rolled out has to be there.
fn references(path: &Path, remembered: &Remembered, findings: &mut Vec<Finding>) {
    let known: BTreeMap<(&PluginName, RevisionNumber), &crate::KnownRevision> = revisions(remembered)
        .map(|known| ((&known.plugin, known.number), known))
        .collect();
    let mut add = |defect: Defect, message: String| findings.push(defect.found(message, path.to_owned()));
    for plugin in &remembered.plugins {
        let Some(live) = plugin.live else { continue };
        let why = match known.get(&(&plugin.name, live)) {
            None => "is not known",
            Some(revision) if revision.quarantined => "is quarantined",
            // Whether it can be loaded, the artifact says.
            Some(_) => continue,
        };
        let message = format!("revision {live} of `{}` is live and {why}", plugin.name);
        add(Defect::LiveUnfit(plugin.name.clone()), message);
    }
    for pin in &remembered.pins {
        if !known.contains_key(&(&pin.plugin, pin.revision)) {
            let message = format!(
                "a pin names revision {} of `{}`, which is not known",
                pin.revision, pin.plugin
            );
            add(Defect::Dangling(Dangling::Pin(Box::new(pin.clone()))), message);
        }
    }
    for rollout in &remembered.rollouts {
        let from_is_known = rollout
            .from
            .is_none_or(|from| known.contains_key(&(&rollout.plugin, from)));
        if !from_is_known || !known.contains_key(&(&rollout.plugin, rollout.to)) {
            let message = format!(
                "the rollout `{}` is under way with a revision of `{}` that is not known",
                rollout.id, rollout.plugin
            );
            add(Defect::Dangling(Dangling::Rollout(rollout.id.clone())), message);
        }
    }
    for (plugin, number) in remembered.good.iter().flat_map(|good| &good.live) {
        if !known.contains_key(&(plugin, *number)) {
            let message = format!(
                "revision {number} of `{plugin}`, which was live when the host was last well, is not known"
            );
            add(Defect::Dangling(Dangling::Good(plugin.clone(), *number)), message);
        }
    }
}

/// Private copies of a host that is gone, and of a repair that was interrupted.
fn leftovers(data: &Path) -> Vec<Finding> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(folder) else {
            return Vec::new();
        };
        entries.filter_map(Result::ok).map(|entry| entry.path()).collect()
    };
    let mut found: Vec<PathBuf> = entries(&data.join(MAPS));
    let interrupted = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(super::salvage::WORKSHOP))
    };
    found.extend(entries(data).into_iter().filter(interrupted));
    found.sort();
    let finding = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().display().to_string();
        Defect::Leftover.found(format!("the copy `{name}` belongs to nobody"), path)
    };
    found.into_iter().map(finding).collect()
}
