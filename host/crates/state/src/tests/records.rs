//! What was told is what is read, by this host and by the next.

use super::*;

#[test]
fn the_next_host_is_told_all_that_this_one_was() {
    let folder = tempfile::tempdir().unwrap();
    let (state, nothing) = open(folder.path());
    assert_eq!(nothing, Remembered::default());
    let first = revision(folder.path(), "string", 1);
    let second = revision(folder.path(), "string", 2);
    let unfinished = rollout("r-string-1", "string");
    let finished = StoredRollout {
        finished: true,
        ..rollout("r-string-2", "string")
    };
    state.tell(vec![
        Write::Artifact {
            digest: first.digest,
            bytes: 8,
        },
        Write::Revision(first.clone()),
    ]);
    state.tell(vec![Write::Revision(second.clone())]);
    state.tell(vec![
        live("string", 1, 1),
        Write::History {
            plugin: name("string"),
            line: line(1, 1),
        },
    ]);
    state.tell(vec![
        live("string", 2, 2),
        Write::History {
            plugin: name("string"),
            line: line(2, 2),
        },
    ]);
    state.tell(vec![Write::Quarantined {
        plugin: name("string"),
        number: rev(1),
        yes: true,
    }]);
    state.tell(vec![
        Write::Pin(pin("string", None, 1)),
        Write::Pin(pin("string", Some("acme"), 1)),
        Write::Pin(pin("string", Some("acme"), 2)),
        Write::Policy {
            plugin: name("string"),
            policy: Some("\"manual\"".to_owned()),
        },
        Write::Rollout(unfinished.clone()),
        Write::Rollout(finished.clone()),
    ]);
    let file = |path: &str, digest| SeenFile {
        path: path.to_owned(),
        stamp: "1 2 3".to_owned(),
        digest,
    };
    let files = [
        file("/plugins/b.so", second.digest),
        file("/plugins/a.so", second.digest),
    ];
    state.tell(vec![
        Write::File(file("/plugins/a.so", first.digest)),
        Write::File(files[0].clone()),
        Write::File(files[1].clone()),
    ]);
    state.boot_stable([(name("string"), rev(2))]);
    state.end_clean(LONG).unwrap();
    assert_eq!(state.artifacts().unwrap(), [(first.digest, 8)]);
    assert_eq!(state.rollout("r-string-2").unwrap(), Some(finished.clone()));
    let newest_first = [finished, unfinished.clone()];
    assert_eq!(state.rollouts(None, 10).unwrap(), newest_first);
    assert_eq!(state.rollouts(Some(&name("string")), 10).unwrap(), newest_first);
    assert_eq!(state.rollouts(Some(&name("other")), 10).unwrap(), []);
    drop(state);

    let (_state, remembered) = open(folder.path());
    let expected = Remembered {
        generation: 2,
        plugins: vec![KnownPlugin {
            name: name("string"),
            live: Some(rev(2)),
            live_order: vec![rev(2), rev(1)],
            highest: rev(2),
            revisions: vec![
                KnownRevision {
                    quarantined: true,
                    ..first
                },
                second,
            ],
            history: vec![line(1, 1), line(2, 2)],
        }],
        pins: vec![pin("string", None, 1), pin("string", Some("acme"), 2)],
        policies: vec![(name("string"), "\"manual\"".to_owned())],
        rollouts: vec![unfinished],
        boots: vec![Boot {
            id: 1,
            started_at: UnixMillis(0),
            version: "1.2.3".to_owned(),
            stable_at: Some(UnixMillis(0)),
            ended_at: Some(UnixMillis(0)),
        }],
        good: Some(GoodSet {
            at: UnixMillis(0),
            live: [(name("string"), rev(2))].into(),
        }),
        files: files.into(),
        arrivals: Vec::new(),
        loading: Vec::new(),
    };
    assert_eq!(remembered, expected);
}

#[test]
fn what_is_taken_away_is_told_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    let first = revision(folder.path(), "string", 1);
    state.tell(vec![
        Write::Artifact {
            digest: first.digest,
            bytes: 8,
        },
        Write::Revision(first.clone()),
        Write::Revision(revision(folder.path(), "string", 2)),
        Write::File(SeenFile {
            path: "/plugins/a.so".to_owned(),
            stamp: "1 2 3".to_owned(),
            digest: first.digest,
        }),
        live("string", 2, 1),
        Write::Pin(pin("string", Some("acme"), 1)),
        Write::Policy {
            plugin: name("string"),
            policy: Some("1".to_owned()),
        },
    ]);
    state.tell(vec![
        Write::Forget {
            plugin: name("string"),
            number: rev(2),
        },
        Write::Forget {
            plugin: name("string"),
            number: rev(1),
        },
        Write::ForgetArtifact(first.digest),
        Write::Live {
            plugin: name("string"),
            to: None,
            generation: 2,
            live_order: Vec::new(),
        },
        Write::Unpin {
            plugin: name("string"),
            tenant: Some("acme".parse().unwrap()),
            workflow: None,
        },
        Write::Policy {
            plugin: name("string"),
            policy: None,
        },
    ]);
    drop(state);
    let (state, remembered) = open(folder.path());
    let known = &remembered.plugins[0];
    assert_eq!((known.live, known.revisions.len()), (None, 0));
    // Its numbers are not given again.
    assert_eq!(known.highest, rev(2));
    assert!(remembered.pins.is_empty() && remembered.policies.is_empty() && remembered.files.is_empty());
    assert_eq!(state.artifacts().unwrap(), []);
    assert_eq!(remembered.generation, 2);
}

#[test]
fn a_rollout_keeps_the_last_of_what_it_saw() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    let seen = |n: u64| Evidence {
        rollout: "r-string-1".to_owned(),
        at: UnixMillis(n),
        kind: "check".to_owned(),
        body: "{}".to_owned(),
    };
    for n in 1..=20 {
        state.tell(vec![Write::Evidence(seen(n))]);
    }
    state.settle(LONG).unwrap();
    let last = state.evidence("r-string-1", 3).unwrap();
    assert_eq!(last, [seen(18), seen(19), seen(20)]);
    assert_eq!(state.evidence("r-string-2", 3).unwrap(), []);

    let admin = sqlite(folder.path());
    crate::rows::put_evidence(&admin, &seen(21), 5).unwrap();
    assert_eq!(state.rows().unwrap().evidence, 5);
    assert_eq!(state.evidence("r-string-1", 0).unwrap()[0], seen(17));
}

#[test]
fn the_audit_is_asked_by_place_plugin_actor_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    for n in 1..=60 {
        state.tell(vec![Write::Audit(entry(n))]);
    }
    state.settle(LONG).unwrap();
    let asked = |filter: AuditFilter| -> Vec<u64> {
        let records = state.audit(&filter).unwrap();
        records.iter().map(|record| record.seq).collect()
    };
    assert_eq!(asked(AuditFilter::default()), (1..=50).collect::<Vec<_>>());
    let rest = AuditFilter {
        after_seq: 50,
        limit: u32::MAX,
        ..AuditFilter::default()
    };
    assert_eq!(asked(rest), (51..=60).collect::<Vec<_>>());
    let narrow = AuditFilter {
        plugin: Some(name("string")),
        actor: Some("ada".to_owned()),
        limit: 3,
        ..AuditFilter::default()
    };
    assert_eq!(asked(narrow), [3, 6, 9]);
    assert_eq!(state.audit_by_key("key-8").unwrap().unwrap().entry, entry(8));
    assert_eq!(state.audit_by_key("key-9").unwrap(), None);
    let tail: Vec<_> = state
        .audit_last(&AuditFilter {
            limit: 2,
            ..AuditFilter::default()
        })
        .unwrap()
        .iter()
        .map(|record| record.seq)
        .collect();
    assert_eq!(tail, [60, 59]);

    let mut out = Vec::new();
    let head = state.export_audit(10, &mut out).unwrap();
    let exported = verify_export(&mut out.as_slice(), Some(&head.hash)).unwrap();
    assert!(matches!(exported, Verdict::Whole(whole) if whole.records == 50 && whole.head == head));
}

#[test]
fn a_history_is_given_in_pages_and_its_last_thousand_to_a_host_that_starts() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    state.tell(vec![live("string", 1, 1)]);
    for n in 1..=1_100 {
        state.tell(vec![Write::History {
            plugin: name("string"),
            line: line(n, n),
        }]);
    }
    state.settle(LONG).unwrap();
    let first = state.history(&name("string"), 3, None).unwrap();
    let numbers =
        |page: &[(u64, HistoryLine)]| page.iter().map(|(_, line)| line.revision.0).collect::<Vec<_>>();
    assert_eq!(numbers(&first), [1_100, 1_099, 1_098]);
    let next = state.history(&name("string"), 2, Some(first[2].0)).unwrap();
    assert_eq!(numbers(&next), [1_097, 1_096]);
    drop(state);
    let (_state, remembered) = open(folder.path());
    let history = &remembered.plugins[0].history;
    assert_eq!(
        (history.len(), history[0].revision, history[999].revision),
        (1_000, rev(101), rev(1_100))
    );
    assert_eq!(remembered.generation, 1_100);
}

#[test]
fn the_page_for_admins_names_every_table_and_its_questions_can_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let admin = sqlite(folder.path());
    let page = include_str!("../../../../docs/state.md");
    let tables: Vec<String> = admin
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for table in &tables {
        assert!(page.contains(&format!("`{table}`")), "{table} is not on the page");
    }
    let questions: Vec<&str> = page
        .split("```sql\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(questions.len() >= 4);
    for question in questions {
        admin
            .prepare(question)
            .unwrap()
            .query([])
            .unwrap()
            .next()
            .unwrap();
    }
    for view in tables.iter().filter(|name| name.ends_with("_view")) {
        let statement = admin.prepare(&format!("SELECT * FROM {view}")).unwrap();
        let names: Vec<&str> = statement.column_names().collect();
        assert!(
            page.contains(&format!("`{}`", names.join(" "))),
            "{view}: {names:?}"
        );
    }
    assert!(page.contains(GENESIS) && page.contains(GENESIS_TEXT));
}

#[test]
fn a_fresh_key_is_known_to_be_fresh_without_the_database_also_by_the_next_host() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    state.record(vec![Write::Audit(entry(8))], LONG).unwrap();
    drop(state);
    let (state, _) = open(folder.path());
    state.record(vec![Write::Audit(entry(10))], LONG).unwrap();
    let away = folder.path().join("away.db");
    std::fs::rename(folder.path().join("state.db"), &away).unwrap();
    assert_eq!(state.audit_by_key("fresh").unwrap(), None);
    for known in ["key-8", "key-10"] {
        assert!(state.audit_by_key(known).is_err(), "{known}");
    }
    std::fs::rename(&away, folder.path().join("state.db")).unwrap();
    for n in [8, 10] {
        let found = state.audit_by_key(&format!("key-{n}")).unwrap();
        assert_eq!(found.unwrap().entry, entry(n));
    }
}

#[test]
fn a_file_that_cannot_be_told_is_read_again_and_the_host_starts() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let bad = "INSERT INTO files (path, stamp, digest) VALUES ('/plugins/a.so', '1 2 3', 'no digest')";
    sqlite(folder.path()).execute_batch(bad).unwrap();
    let (_, remembered) = open(folder.path());
    assert!(remembered.files.is_empty());
}

#[test]
fn a_revision_that_came_in_is_undecided_until_somebody_decides_or_it_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let (state, _) = open(folder.path());
    let arrived = |n| Write::Arrived {
        plugin: name("a"),
        number: rev(n),
    };
    // Told twice, it came in once.
    state.tell(vec![arrived(1), arrived(2), arrived(3), arrived(2)]);
    state.tell(vec![
        Write::Decided {
            plugin: name("a"),
            number: rev(1),
        },
        Write::Forget {
            plugin: name("a"),
            number: rev(3),
        },
    ]);
    state.settle(LONG).unwrap();
    drop(state);
    let (_state, remembered) = open(folder.path());
    assert_eq!(remembered.arrivals, [(name("a"), rev(2))]);
}
