//! Artifacts, and what refers to what is not there.

use super::*;

fn tampered(sql: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    furnished(folder.path());
    let connection: Connection = sqlite(folder.path());
    connection.execute_batch(sql).unwrap();
    folder
}

fn standing(remembered: &Remembered, plugin: &str) -> (Option<u64>, Vec<u64>) {
    let known = remembered
        .plugins
        .iter()
        .find(|known| known.name.as_str() == plugin)
        .unwrap();
    let quarantined = known.revisions.iter().filter(|known| known.quarantined);
    (
        known.live.map(|live| live.0),
        quarantined.map(|known| known.number.0).collect(),
    )
}

/// The last thing the audit says.
fn last_said(state: &State) -> (String, String) {
    let last = state
        .audit_last(&crate::AuditFilter {
            limit: 1,
            ..crate::AuditFilter::default()
        })
        .unwrap()
        .remove(0)
        .entry;
    assert_eq!(last.actor, "doctor");
    (last.action, last.reason)
}

fn artifact_of(folder: &Path, plugin: &str, number: u64) -> std::path::PathBuf {
    let digest = patchbay_vocab::Digest::of(format!("{plugin} {number}").as_bytes());
    crate::artifact::path_of(&folder.join(ARTIFACTS), digest)
}

#[test]
fn a_damaged_artifact_is_kept_aside_its_revision_quarantined_and_the_one_before_it_live() {
    let folder = tempfile::tempdir().unwrap();
    furnished(folder.path());
    let path = artifact_of(folder.path(), "beta", 4);
    fs::write(&path, "other bytes").unwrap();
    fs::write(path.with_added_extension("minisig"), "signature").unwrap();
    let findings = looked(folder.path());
    assert_eq!(codes(&findings), ["012"]);
    assert!(
        findings[0].message.contains("`beta` revision 4"),
        "{}",
        findings[0].message
    );
    mended(folder.path());
    let (state, remembered, _) = reopened(folder.path());
    assert_eq!(standing(&remembered, "beta"), (Some(3), vec![4]));
    assert_eq!(standing(&remembered, "alpha"), (Some(4), vec![]));
    assert_eq!(remembered.generation, 5);
    assert_eq!(last_said(&state).0, "doctor.quarantine");
    let aside = folder
        .path()
        .join("artifacts/damaged")
        .join(path.file_name().unwrap());
    assert_eq!(fs::read_to_string(&aside).unwrap(), "other bytes");
    assert_eq!(
        fs::read_to_string(aside.with_added_extension("minisig")).unwrap(),
        "signature"
    );
    assert!(!path.exists());
}

#[test]
fn without_an_artifact_nothing_that_needs_it_is_live() {
    let folder = tempfile::tempdir().unwrap();
    furnished(folder.path());
    for number in 1..=REVISIONS {
        fs::remove_file(artifact_of(folder.path(), "alpha", number)).unwrap();
    }
    assert_eq!(codes(&looked(folder.path())), ["011"; 4]);
    mended(folder.path());
    let (_, remembered, _) = reopened(folder.path());
    assert_eq!(standing(&remembered, "alpha"), (None, vec![1, 2, 3, 4]));
}

#[test]
fn a_link_in_the_place_of_an_artifact_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    furnished(folder.path());
    let path = artifact_of(folder.path(), "alpha", 1);
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    assert_eq!(codes(&looked(folder.path())), ["012"]);
    mended(folder.path());
    assert_eq!(fs::read_to_string(elsewhere).unwrap(), "alpha 1");
}

#[test]
fn what_nobody_remembers_is_kept_aside_and_what_was_never_finished_goes() {
    let folder = tempfile::tempdir().unwrap();
    furnished(folder.path());
    let stranger = crate::tests::artifact(folder.path(), "a stranger");
    let stranger = crate::artifact::path_of(&folder.path().join(ARTIFACTS), stranger);
    fs::write(stranger.with_added_extension("minisig"), "signature").unwrap();
    fs::write(folder.path().join("artifacts/12-3.part"), "half").unwrap();
    fs::create_dir_all(folder.path().join("maps/probe-1")).unwrap();
    fs::write(folder.path().join("maps/probe-1/x.so"), "copy").unwrap();
    fs::create_dir(folder.path().join("doctor-5")).unwrap();
    let mut found = looked(folder.path());
    found.sort_by_key(|finding| finding.code);
    assert_eq!(codes(&found), ["015", "015", "016", "016", "016"]);
    assert!(found.iter().all(|finding| finding.severity == Severity::Note));
    mended(folder.path());
    let aside = folder
        .path()
        .join("artifacts/unremembered")
        .join(stranger.file_name().unwrap());
    assert_eq!(fs::read_to_string(&aside).unwrap(), "a stranger");
    assert_eq!(
        fs::read_to_string(aside.with_added_extension("minisig")).unwrap(),
        "signature"
    );
    assert!(artifacts::files(&folder.path().join("maps")).is_empty());
    assert!(!folder.path().join("maps/probe-1").exists());
}

#[test]
fn what_is_live_and_not_known_gives_way_to_what_was_live_before() {
    let folder = tampered("DELETE FROM revisions WHERE plugin = 'beta' AND number = 4; DELETE FROM good");
    let found = looked(folder.path());
    // Its artifact is still in the index: somebody may want it.
    assert_eq!(codes(&found), ["013"]);
    mended(folder.path());
    let (state, remembered, _) = reopened(folder.path());
    assert_eq!(standing(&remembered, "beta"), (Some(3), vec![]));
    assert_eq!(last_said(&state).0, "doctor.live");
}

#[test]
fn what_is_live_and_quarantined_gives_way_too() {
    let folder = tampered("UPDATE revisions SET quarantined = 1 WHERE plugin = 'beta' AND number > 2");
    assert_eq!(codes(&looked(folder.path())), ["013"]);
    mended(folder.path());
    let (_, remembered, _) = reopened(folder.path());
    assert_eq!(standing(&remembered, "beta"), (Some(2), vec![3, 4]));
}

#[test]
fn pins_rollouts_good_sets_and_entries_of_the_index_that_lead_nowhere_are_dropped_and_the_audit_says_so() {
    let folder = tampered(
        "UPDATE pins SET revision = 9 WHERE plugin = 'alpha';
         UPDATE rollouts SET to_revision = 9 WHERE plugin = 'beta';
         UPDATE good SET revision = 9 WHERE plugin = 'gamma';
         INSERT INTO artifacts VALUES ('cb1591b800956b932dda1a07f7cb3ba81bde7c60c2e9548ae96aff29021e4dba', 1)",
    );
    assert_eq!(codes(&looked(folder.path())), ["014"; 4]);
    mended(folder.path());
    let (state, remembered, rows) = reopened(folder.path());
    assert_eq!((remembered.pins.len(), remembered.rollouts.len()), (2, 2));
    let lost = state.rollout("r-beta-1").unwrap().unwrap();
    assert_eq!((lost.finished, lost.phase.as_str()), (true, "lost"));
    assert_eq!(remembered.good.unwrap().live.len(), 2);
    assert_eq!((rows.artifacts, rows.audit), (12, RECORDS + 4));
    assert!(last_said(&state).0 == "doctor.drop");
}

#[test]
fn an_audit_that_somebody_changed_is_kept_aside_and_the_new_one_says_so() {
    let folder = tampered("UPDATE audit SET reason = 'nothing happened' WHERE seq = 7");
    let findings = looked(folder.path());
    assert_eq!(codes(&findings), ["009"]);
    assert!(
        findings[0].message.contains("record 7"),
        "{}",
        findings[0].message
    );
    let before = fs::read(folder.path().join(STATE)).unwrap();
    mended(folder.path());
    let (state, remembered, rows) = reopened(folder.path());
    assert_eq!(beginning(&state).0, "audit.restarted");
    assert_eq!((rows.audit, remembered.plugins.len()), (RECORDS + 2, 3));
    // The evidence is where it was.
    assert!(fs::read(folder.path().join("state.db.damaged-77")).unwrap() == before);
}

#[test]
fn rows_that_no_host_writes_are_left_out() {
    let folder = tampered(
        "INSERT INTO policies VALUES ('Not A Name', '1');
         UPDATE plugins SET live_order = '{' WHERE name = 'alpha'",
    );
    assert_eq!(codes(&looked(folder.path())), ["010"]);
    let repaired = mended(folder.path());
    assert!(
        repaired[0].message.contains("3 of policies (1 refused)"),
        "{}",
        repaired[0].message
    );
    let (_, remembered, rows) = reopened(folder.path());
    assert_eq!((rows.revisions, remembered.policies.len()), (12, 3));
    // Its own row was no good: what was live when the host was last well is.
    assert_eq!(standing(&remembered, "alpha").0, Some(4));
}
