//! What the witness is told is all that is needed to know what is there.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use super::*;

/// What a witness has written down, as the next process would find it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    pub(crate) plugins: BTreeMap<PluginName, Noted>,
    pub(crate) lines: Vec<(String, u64)>,
    pub(crate) generation: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Noted {
    pub(crate) revisions: BTreeMap<RevisionNumber, KnownRevision>,
    pub(crate) highest: u64,
    pub(crate) live: Option<RevisionNumber>,
    pub(crate) live_order: Vec<RevisionNumber>,
    pub(crate) pins: BTreeMap<PinScope, RevisionNumber>,
}

#[derive(Clone, Default)]
pub(crate) struct Notebook(pub(crate) Arc<Mutex<Notes>>);

impl Witness<Fake> for Notebook {
    fn changed(&self, changes: &[Changed<'_, Fake>]) {
        for change in changes {
            self.note(change);
        }
    }
}

impl Notebook {
    fn note(&self, change: &Changed<'_, Fake>) {
        let mut notes = self.0.lock();
        let line = change.line;
        assert!(line.generation >= notes.generation, "told out of order");
        notes.generation = line.generation;
        notes.lines.push((
            format!("{} {} {}", change.plugin, line.action, line.revision),
            line.generation,
        ));
        let plugin = notes.plugins.entry(change.plugin.clone()).or_default();
        let number = line.revision;
        match line.action {
            Action::Admitted => {
                plugin.highest = plugin.highest.max(number.0);
                plugin.revisions.insert(number, change.revision());
            }
            Action::Promoted
            | Action::RolledBack
            | Action::FellBack
            | Action::Removed
            | Action::Quarantined => {
                plugin.live = change.live;
                plugin.live_order = change.live_order.to_vec();
            }
            Action::Pinned => {
                plugin.pins.insert(change.scope.unwrap().clone(), number);
            }
            Action::Unpinned => {
                plugin.pins.remove(change.scope.unwrap()).unwrap();
            }
            Action::Forgotten => {
                plugin.revisions.remove(&number).unwrap();
                plugin.live_order.retain(|known| *known != number);
            }
            Action::Released | Action::Retired | Action::Weighted | Action::Unweighted => {}
        }
        if let Some(known) = plugin.revisions.get_mut(&number) {
            match line.action {
                Action::Quarantined => known.quarantined = true,
                Action::Released => known.quarantined = false,
                _ => {}
            }
        }
    }
}

impl Notes {
    /// As a registry takes it in.
    pub(crate) fn known(&self) -> Vec<KnownPlugin> {
        let known = self.plugins.iter().map(|(plugin, noted)| KnownPlugin {
            plugin: plugin.clone(),
            highest: r(noted.highest),
            revisions: noted.revisions.values().cloned().collect(),
            live_order: noted.live_order.clone(),
            pins: noted.pins.clone().into_iter().collect(),
            history: Vec::new(),
        });
        known.collect()
    }
}

fn watched() -> (Bench, Notebook) {
    let (bench, notebook) = (Bench::strict(), Notebook::default());
    bench.witnessed_by(Box::new(notebook.clone()));
    (bench, notebook)
}

fn lines(notebook: &Notebook) -> Vec<String> {
    notebook
        .0
        .lock()
        .lines
        .iter()
        .map(|(line, _)| line.clone())
        .collect()
}

#[test]
fn the_witness_is_told_of_each_change_in_order_with_the_generation_that_has_it() {
    let (bench, notebook) = watched();
    bench.live(candidate("a", "1.0.0", &["a.x"], &[]));
    bench.live(candidate("a", "1.1.0", &["a.x"], &[]));
    let ada = PinScope {
        tenant: Some("ada".parse().unwrap()),
        ..PinScope::default()
    };
    bench.pin(&name("a"), ada.clone(), r(1), &by_test()).unwrap();
    bench.quarantine(&name("a"), r(2), &by_test()).unwrap();
    bench.unpin(&name("a"), &ada, &by_test()).unwrap();
    let expected = [
        ("a admitted 1", 0),
        ("a promoted 1", 1),
        ("a admitted 2", 1),
        ("a promoted 2", 2),
        ("a pinned 1", 3),
        ("a quarantined 2", 4),
        ("a fell-back 1", 4),
        ("a unpinned 1", 5),
    ];
    assert_eq!(
        notebook.0.lock().lines,
        expected.map(|(line, generation)| (line.to_owned(), generation))
    );
}

#[test]
fn the_witness_is_told_nothing_of_what_is_refused_or_changes_nothing() {
    let (bench, notebook) = watched();
    bench.live(candidate("a", "1.0.0", &["a.x"], &[]));
    let before = lines(&notebook);
    bench.go_live("a", r(1)).unwrap();
    assert!(bench.go_live("a", r(9)).is_err());
    bench.unpin(&name("a"), &PinScope::default(), &by_test()).unwrap();
    bench.unsplit(&name("a"), &by_test()).unwrap();
    bench.forget_revision(&name("a"), r(1), &by_test()).unwrap_err();
    assert_eq!(lines(&notebook), before);
}

#[test]
fn what_goes_away_with_the_host_is_told_to_nobody() {
    let (bench, notebook) = watched();
    bench.live(candidate("a", "1.0.0", &["a.x"], &[]));
    bench.end_witnessing();
    bench.remove_live(&name("a"), Force::Yes, &by_test()).unwrap();
    assert_eq!(notebook.0.lock().plugins[&name("a")].live, Some(r(1)));
    assert_eq!(bench.actions("a").last().unwrap(), "removed 1");
}

#[test]
fn the_first_witness_stays_and_what_came_before_it_is_not_told() {
    let bench = Bench::strict();
    bench.live(candidate("a", "1.0.0", &["a.x"], &[]));
    let [first, second] = [Notebook::default(), Notebook::default()];
    bench.witnessed_by(Box::new(first.clone()));
    bench.witnessed_by(Box::new(second.clone()));
    bench.live(candidate("a", "1.1.0", &["a.x"], &[]));
    assert_eq!(lines(&first), ["a admitted 2", "a promoted 2"]);
    assert!(lines(&second).is_empty());
}

#[test]
fn the_key_of_an_order_reaches_the_witness() {
    #[derive(Clone, Default)]
    struct Keys(Arc<Mutex<Vec<Option<String>>>>);
    impl Witness<Fake> for Keys {
        fn changed(&self, changes: &[Changed<'_, Fake>]) {
            let [change] = changes else {
                panic!("{} changes at once", changes.len());
            };
            assert_eq!(change.state() == RevisionState::Live, change.live.is_some());
            assert_eq!(change.digest(), change.revision().digest);
            self.0.lock().push(change.key.map(str::to_owned));
        }
    }
    let (bench, keys) = (Bench::strict(), Keys::default());
    bench.witnessed_by(Box::new(keys.clone()));
    let number = bench.warm(candidate("a", "1.0.0", &["a.x"], &[]));
    let change = Change {
        key: Some("once".into()),
        ..by_test()
    };
    bench.promote(&name("a"), number, Force::No, &change).unwrap();
    assert_eq!(*keys.0.lock(), [None, Some("once".to_owned())]);
}

#[test]
fn what_becomes_true_in_one_store_is_told_at_once_and_the_key_is_that_of_the_order() {
    type Lines = Vec<(Action, bool)>;
    #[derive(Clone, Default)]
    struct Told(Arc<Mutex<Vec<Lines>>>);
    impl Witness<Fake> for Told {
        fn changed(&self, changes: &[Changed<'_, Fake>]) {
            let lines = changes
                .iter()
                .map(|change| (change.line.action, change.key.is_some()));
            self.0.lock().push(lines.collect());
        }
    }
    let (bench, told) = (Bench::strict(), Told::default());
    bench.live(candidate("a", "1.0.0", &["a.x"], &[]));
    let second = bench.live(candidate("a", "1.1.0", &["a.x"], &[]));
    bench.witnessed_by(Box::new(told.clone()));
    let change = Change {
        key: Some("once".into()),
        ..by_test()
    };
    bench.quarantine(&name("a"), second, &change).unwrap();
    bench.promote(&name("a"), second, Force::Yes, &change).unwrap();
    assert_eq!(
        *told.0.lock(),
        [
            vec![(Action::Quarantined, true), (Action::FellBack, false)],
            vec![(Action::Released, false), (Action::Promoted, true)]
        ]
    );
}

#[test]
fn who_is_pinned_to_a_revision_is_held_there_again_once_its_quarantine_is_lifted() {
    let bench = Bench::strict();
    let first = bench.live(candidate("a", "1.0.0", &["a.x"], &[]));
    let second = bench.live(candidate("a", "1.1.0", &["a.x"], &[]));
    let of = |tenant: &str| PinScope {
        tenant: Some(tenant.parse().unwrap()),
        workflow: None,
    };
    bench
        .pin(&name("a"), PinScope::default(), first, &by_test())
        .unwrap();
    bench.pin(&name("a"), of("acme"), second, &by_test()).unwrap();
    bench.quarantine(&name("a"), second, &by_test()).unwrap();
    bench.promote(&name("a"), second, Force::Yes, &by_test()).unwrap();
    let snapshot = bench.snapshot();
    let route = snapshot.route(snapshot.slot("a.x").unwrap()).unwrap();
    let caller = Caller {
        tenant: "acme",
        workflow: None,
        run: "",
        key: None,
    };
    let answers = route.leg(&caller).unwrap().mount.revision();
    assert_eq!(answers, second);
}
