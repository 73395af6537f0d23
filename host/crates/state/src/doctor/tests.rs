mod damage;
mod references;

use std::fs;
use std::path::Path;
use std::time::Instant;

use patchbay_database::{self as database, Form, Synchronous};
use patchbay_vocab::{FakeClock, UnixMillis};
use rusqlite::Connection;

use super::*;
use crate::tests::{LONG, entry, line, live, name, open, pin, rev, revision, rollout, sqlite};
use crate::{Evidence, Remembered, Rows, State, Verdict, Write};

const PLUGINS: &[&str] = &["alpha", "beta", "gamma"];
const REVISIONS: u64 = 4;
const RECORDS: u64 = 400;

/// A data directory as a host leaves it that ended by order.
fn furnished(folder: &Path) {
    let (state, _) = open(folder);
    for plugin in PLUGINS {
        for number in 1..=REVISIONS {
            let known = revision(folder, plugin, number);
            state.tell(vec![
                Write::Artifact {
                    digest: known.digest,
                    bytes: 7,
                },
                Write::Revision(known),
                live(plugin, number, number),
                Write::History {
                    plugin: name(plugin),
                    line: line(number, number),
                },
            ]);
        }
        state.tell(vec![
            Write::Pin(pin(plugin, Some("acme"), 1)),
            Write::Policy {
                plugin: name(plugin),
                policy: Some("\"manual\"".to_owned()),
            },
            Write::Rollout(rollout(&format!("r-{plugin}-1"), plugin)),
            Write::Evidence(Evidence {
                rollout: format!("r-{plugin}-1"),
                at: UnixMillis(1),
                kind: "check".to_owned(),
                body: "{}".to_owned(),
            }),
        ]);
    }
    for n in 1..=RECORDS {
        state.tell(vec![Write::Audit(entry(n))]);
    }
    state.boot_stable(PLUGINS.iter().map(|plugin| (name(plugin), rev(REVISIONS))));
    state.end_clean(LONG).unwrap();
    drop(state);
    journal(&folder.join(JOURNAL));
}

/// What the doctor has to know of a journal is its mark.
fn journal(path: &Path) {
    const FORM: Form = Form {
        application_id: 0x5042_6a6c,
        migrations: &["CREATE TABLE runs (id TEXT) STRICT"],
        synchronous: Synchronous::Normal,
    };
    let connection = database::open(path, &FORM).unwrap();
    for n in 0..200 {
        connection
            .execute(
                "INSERT INTO runs (id) VALUES (?1)",
                [format!("run {n} {}", "x".repeat(100))],
            )
            .unwrap();
    }
}

/// Looks, and looks again while a process that another test starts at the moment holds our locks.
fn looked(folder: &Path) -> Vec<Finding> {
    let until = Instant::now() + LONG;
    loop {
        let findings = examine(folder);
        if codes(&findings) != ["001"] || Instant::now() > until {
            return findings;
        }
        std::thread::yield_now();
    }
}

/// Mends; see [`looked`].
fn done(folder: &Path, findings: &[Finding], clock: &FakeClock) -> Vec<Repaired> {
    let until = Instant::now() + LONG;
    loop {
        let repaired = repair(folder, findings, clock);
        let is_held = repaired.iter().any(|one| one.message.starts_with("a host has"));
        if !is_held || Instant::now() > until {
            return repaired;
        }
        std::thread::yield_now();
    }
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings
        .iter()
        .map(|finding| &finding.code.0["PB-DOCTOR-".len()..])
        .collect()
}

/// Mends until nothing is left to mend, and says what was.
#[track_caller]
fn mended(folder: &Path) -> Vec<Repaired> {
    let mut all = Vec::new();
    for _ in 0..4 {
        let findings = looked(folder);
        if findings.is_empty() {
            return all;
        }
        let clock = FakeClock::new();
        clock.advance(std::time::Duration::from_millis(77));
        let repaired = done(folder, &findings, &clock);
        assert_eq!(repaired.len(), findings.len(), "{findings:#?}");
        for one in &repaired {
            assert!(one.done, "{one:?} of {findings:#?}");
        }
        all.extend(repaired);
    }
    panic!("it does not end: {:#?}", looked(folder));
}

/// What the next host has.
fn reopened(folder: &Path) -> (State, Remembered, Rows) {
    let (state, remembered) = open(folder);
    let rows = state.rows().unwrap();
    assert!(matches!(state.verify_audit(None).unwrap(), Verdict::Whole(_)));
    (state, remembered, rows)
}

fn beginning(state: &State) -> (String, String) {
    let first = state.audit(&crate::AuditFilter::default()).unwrap().remove(0);
    (first.entry.action, first.entry.detail)
}

fn bytes_of(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for path in artifacts::files(folder)
        .into_iter()
        .chain(artifacts::files(&folder.join(ARTIFACTS)))
    {
        let name = path.display().to_string();
        if !name.ends_with(".lock") && !name.ends_with("-shm") && !name.ends_with("-wal") {
            let bytes = fs::read(&path).unwrap();
            all.push((path, bytes));
        }
    }
    all
}

#[test]
fn a_directory_that_a_host_left_has_nothing_to_find_and_looking_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(looked(folder.path()), []);
    furnished(folder.path());
    let before = bytes_of(folder.path());
    assert_eq!(looked(folder.path()), []);
    assert!(bytes_of(folder.path()) == before);
    let (_, remembered, rows) = reopened(folder.path());
    assert_eq!(remembered.plugins.len(), PLUGINS.len());
    assert_eq!((rows.revisions, rows.audit), (12, RECORDS));
}

#[test]
fn a_directory_that_a_host_has_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    furnished(folder.path());
    fs::write(folder.path().join(ARTIFACTS).join("1-2.part"), "").unwrap();
    let findings = looked(folder.path());
    let (state, _) = open(folder.path());
    assert_eq!(codes(&examine(folder.path())), ["001"]);
    let repaired = repair(folder.path(), &findings, &FakeClock::new());
    assert!(!repaired[0].done && repaired[0].message.contains("a host has"));
    drop(state);

    let lock = fs::File::create(folder.path().join("lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(codes(&examine(folder.path())), ["001"]);
    drop(lock);
    assert_eq!(codes(&looked(folder.path())), ["016"]);
    assert_eq!(codes(&looked(&folder.path().join("nowhere"))), ["002"]);
}

#[test]
fn every_finding_says_what_to_do_and_has_a_row_on_the_page_of_codes() {
    let page = include_str!("../../../../docs/errors.md");
    let digest = patchbay_vocab::Digest::of(b"");
    let all = [
        Defect::HostRuns,
        Defect::NoDirectory,
        Defect::Unreadable,
        Defect::StateDamaged,
        Defect::StateForeign,
        Defect::JournalDamaged,
        Defect::JournalForeign,
        Defect::Swapped,
        Defect::AuditBroken,
        Defect::BadRow,
        Defect::ArtifactMissing(digest),
        Defect::ArtifactDamaged(digest),
        Defect::LiveUnfit(name("a")),
        Defect::Dangling(Dangling::Index(digest)),
        Defect::Unremembered,
        Defect::Leftover,
        Defect::OrphanLog,
    ];
    for defect in all {
        assert!(!defect.hint().is_empty());
        assert!(
            page.contains(&format!("| `{}` |", defect.code())),
            "{}",
            defect.code()
        );
    }
}
