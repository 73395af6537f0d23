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
        loading: Vec::new(),
    };
    assert_eq!(remembered, expected);
}
