//! The writer: order, failures, refusals.

use std::fs;

use patchbay_vocab::Explain;

use super::*;

const SHORT: Duration = Duration::from_millis(30);

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < until, "{what}");
        std::thread::yield_now();
    }
}

fn audited(state: &State) -> Vec<u64> {
    let filter = AuditFilter {
        limit: 1_000,
        ..AuditFilter::default()
    };
    let records = state.audit(&filter).unwrap();
    records.iter().map(|record| record.entry.at.0 - 1_000).collect()
}

#[test]
fn what_is_told_is_in_the_database_in_its_order_when_it_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    for n in 1..=700 {
        state.tell(vec![Write::Audit(entry(n))]);
    }
    state.settle(LONG).unwrap();
    assert_eq!(audited(&state), (1..=700).collect::<Vec<_>>());
    let stats = state.stats();
    assert_eq!((stats.queued, stats.queued_bytes, stats.written), (0, 0, 700));
    assert!(stats.syncs < 700, "{} commits for 700 changes", stats.syncs);
    assert!(stats.database_bytes > 0);
}

#[test]
fn a_locked_database_keeps_the_queue_and_says_so_until_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    let admin = sqlite(folder.path());
    admin.execute_batch("BEGIN IMMEDIATE").unwrap();
    state.tell(vec![Write::Audit(entry(1))]);
    wait_until("it fails", || state.is_failing().is_some());
    let error = state.settle(SHORT).unwrap_err();
    assert_eq!(error.code().0, "PB-DURABLE-011");
    assert!(error.to_string().contains("1 change(s) wait, since"), "{error}");
    state.tell(vec![Write::Audit(entry(2))]);
    assert_eq!(state.stats().queued, 2);
    admin.execute_batch("ROLLBACK").unwrap();
    state.settle(LONG).unwrap();
    assert_eq!(state.is_failing(), None);
    assert_eq!(audited(&state), [1, 2]);
}

#[test]
fn a_database_that_was_moved_away_is_not_begun_anew_and_written_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    state.record(vec![Write::Audit(entry(1))], LONG).unwrap();
    let (there, away) = (folder.path().join("state.db"), folder.path().join("away.db"));
    fs::rename(&there, &away).unwrap();
    let error = state.record(vec![Write::Audit(entry(2))], SHORT).unwrap_err();
    assert_eq!(error.code().0, "PB-DURABLE-011");
    wait_until("it fails", || {
        state.is_failing().is_some_and(|why| why.contains("moved"))
    });
    assert!(!there.exists());
    fs::rename(&away, &there).unwrap();
    state.settle(LONG).unwrap();
    assert_eq!(audited(&state), [1, 2]);
}

#[test]
fn a_revision_whose_artifact_is_gone_is_refused_with_all_that_was_told_with_it_and_holds_up_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    let good = revision(folder.path(), "string", 1);
    let gone = KnownRevision {
        digest: Digest::of(b"nowhere"),
        ..revision(folder.path(), "string", 2)
    };
    let admin = sqlite(folder.path());
    admin.execute_batch("BEGIN IMMEDIATE").unwrap();
    state.tell(vec![Write::Revision(good.clone()), Write::Audit(entry(1))]);
    state.tell(vec![Write::Audit(entry(2)), Write::Revision(gone.clone())]);
    state.tell(vec![Write::Audit(entry(3))]);
    admin.execute_batch("ROLLBACK").unwrap();
    let error = state.settle(LONG).unwrap_err();
    assert_eq!(error.code().0, "PB-DURABLE-013");
    assert!(error.to_string().contains("is not there"), "{error}");
    state.settle(LONG).unwrap();
    assert_eq!(audited(&state), [1, 3]);
    assert_eq!(state.stats().refused, 1);

    let error = state.record(vec![Write::Revision(gone)], LONG).unwrap_err();
    assert_eq!(error.code().0, "PB-DURABLE-013");
    // Who ordered it knows; nobody else has to.
    state.settle(LONG).unwrap();
    drop(state);
    let (_state, remembered) = open(folder.path());
    assert_eq!(remembered.plugins[0].revisions, [good]);
}

#[test]
fn a_refusal_that_nobody_waited_for_is_told_to_the_next_who_asks_once() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    let gone = KnownRevision {
        digest: Digest::of(b"nowhere"),
        ..revision(folder.path(), "string", 2)
    };
    state.tell(vec![Write::Revision(gone)]);
    wait_until("it is refused", || state.stats().refused == 1);
    assert_eq!(state.settle(LONG).unwrap_err().code().0, "PB-DURABLE-013");
    state.settle(LONG).unwrap();
}

#[test]
fn what_is_larger_than_anything_sensible_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    let huge = Write::Policy {
        plugin: name("string"),
        policy: Some("x".repeat(17 << 20)),
    };
    assert_eq!(
        state.record(vec![huge], LONG).unwrap_err().code().0,
        "PB-DURABLE-013"
    );
    state.record(vec![Write::Audit(entry(1))], LONG).unwrap();
    assert_eq!(audited(&state), [1]);
}

#[test]
fn what_is_queued_is_written_when_the_handle_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    for n in 1..=100 {
        state.tell(vec![Write::Audit(entry(n))]);
    }
    drop(state);
    let (state, _) = open(folder.path());
    assert_eq!(audited(&state).len(), 100);
    state.close();
    state.tell(vec![Write::Audit(entry(101))]);
    assert_eq!(state.settle(LONG).unwrap_err().code().0, "PB-DURABLE-011");
}

#[test]
fn threads_that_record_at_once_share_commits_and_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let state = &state;
            scope.spawn(move || {
                for n in 1..=50 {
                    let entry = Entry {
                        actor: format!("thread-{thread}"),
                        ..entry(n)
                    };
                    state.record(vec![Write::Audit(entry)], LONG).unwrap();
                }
            });
        }
    });
    for thread in 0..8 {
        let filter = AuditFilter {
            limit: 1_000,
            actor: Some(format!("thread-{thread}")),
            ..AuditFilter::default()
        };
        let found: Vec<_> = state.audit(&filter).unwrap();
        let order: Vec<_> = found.iter().map(|record| record.entry.at.0 - 1_000).collect();
        assert_eq!(order, (1..=50).collect::<Vec<_>>());
    }
    assert!(matches!(state.verify_audit(None).unwrap(), Verdict::Whole(whole) if whole.records == 400));
}

#[test]
fn a_signature_and_an_artifact_that_several_revisions_share_do_not_get_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    let first = revision(folder.path(), "string", 1);
    let path = crate::artifact::path_of(&folder.path().join("artifacts"), first.digest);
    fs::write(path.with_added_extension("minisig"), "signature").unwrap();
    let second = KnownRevision {
        number: rev(2),
        ..first.clone()
    };
    state
        .record(vec![Write::Revision(first), Write::Revision(second)], LONG)
        .unwrap();
    assert_eq!(state.rows().unwrap().revisions, 2);
}
