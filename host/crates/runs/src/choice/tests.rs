//! What a run draws, on a registry whose versions are gates alone.

use patchbay_lease::Gate;
use patchbay_registry::{Admission, Candidate, Change, Force, Mounted, Registry, SameVersion};
use patchbay_rollout::{Sticky, Tickets, Weight};
use patchbay_vocab::{Digest, FakeClock, RevisionNumber};

use plugin_api::value::Value;

use super::*;
use crate::compiled::{Reading, compile};

struct Fake(Arc<Gate>);

impl Mounted for Fake {
    fn gate(&self) -> &Arc<Gate> {
        &self.0
    }
}

fn echo() -> PluginName {
    "echo".parse().unwrap()
}

fn change() -> Change {
    Change::by("test", "a test")
}

fn warm(registry: &Registry<Fake>, version: &str) -> RevisionNumber {
    let candidate = Candidate {
        plugin: echo(),
        version: version.parse().unwrap(),
        digest: Digest::of(version.as_bytes()),
        nodes: vec!["fx.echo".parse().unwrap()],
        dependencies: Vec::new(),
    };
    let Admission::New(number) = registry.admit(candidate, "here", &change()).unwrap() else {
        panic!("it is new");
    };
    let load = Arc::new(Fake(Arc::new(Gate::new())));
    registry.mount(&echo(), number, load).unwrap();
    number
}

/// The first version is live, the second one may be a candidate.
fn two_versions() -> (Registry<Fake>, RevisionNumber) {
    let registry = Registry::new(Arc::new(FakeClock::new()), SameVersion::Refuse);
    let (first, second) = (warm(&registry, "1.0.0"), warm(&registry, "1.1.0"));
    registry.promote(&echo(), first, Force::No, &change()).unwrap();
    (registry, second)
}

fn share(
    registry: &Registry<Fake>,
    to: RevisionNumber,
    percent: u16,
    by: Sticky,
    tickets: &Arc<Tickets>,
) -> Arc<Detours<Fake>> {
    let split = Split {
        to,
        weight: Weight::from_basis_points(percent * 100).unwrap(),
        by,
        salt: 7,
        tickets: Arc::clone(tickets),
    };
    registry.split(&echo(), split, Force::No, &change()).unwrap();
    let snapshot = registry.snapshot();
    let found = snapshot.detours().next().map(|(_, ways)| Arc::clone(ways));
    found.unwrap()
}

fn draw(drawn: &mut Vec<Drawn>, run: &str, variables: &Variables, detours: &Detours<Fake>) -> bool {
    let mut drawer = Drawer {
        tenant: &"acme".parse().unwrap(),
        run: &run.parse().unwrap(),
        variables,
        drawn,
    };
    drawer.draws(&echo(), detours)
}

#[test]
fn a_run_that_tries_again_takes_no_second_ticket_unless_the_share_is_another_one() {
    let (registry, second) = two_versions();
    let tickets = Arc::new(Tickets::default());
    let detours = share(&registry, second, 10, Sticky::Run, &tickets);
    let variables = Variables::default();
    let mut to_candidate = 0;
    for run in 0..1_000 {
        let mut drawn = Vec::new();
        let tries: Vec<bool> = (0..5)
            .map(|_| draw(&mut drawn, &format!("r{run}"), &variables, &detours))
            .collect();
        assert!(tries.iter().all(|one| *one == tries[0]), "{tries:?}");
        to_candidate += i32::from(tries[0]);
    }
    // 5,000 tickets would be as even: the next one tells how many were taken.
    assert!((95..=105).contains(&to_candidate), "{to_candidate} of 1,000");
    let like = Tickets::default();
    let next = (0..=1_000).map(|_| like.take()).last();
    assert_eq!(Some(tickets.take()), next);

    let mut drawn = Vec::new();
    draw(&mut drawn, "r", &variables, &detours);
    let all = share(&registry, second, 100, Sticky::Run, &tickets);
    assert!(
        draw(&mut drawn, "r", &variables, &all),
        "the share has grown to everybody"
    );
    let none = share(&registry, second, 0, Sticky::Run, &tickets);
    assert!(!draw(&mut drawn, "r", &variables, &none));
    assert_eq!(drawn.len(), 1);
}

#[test]
fn a_share_by_a_variable_goes_by_the_variable_of_the_run() {
    let (registry, second) = two_versions();
    let by = Sticky::Variable("customer".into());
    let detours = share(&registry, second, 50, by, &Arc::default());
    let one_way = |customer: &str| {
        let variables = Variables::default();
        variables.set("customer", Value::from(customer).as_ref()).unwrap();
        let runs = (0..20).map(|run| draw(&mut Vec::new(), &format!("r{run}"), &variables, &detours));
        let ways: BTreeSet<bool> = runs.collect();
        assert_eq!(ways.len(), 1, "{customer} goes both ways");
        ways.contains(&true)
    };
    let taken = (0..200)
        .filter(|customer| one_way(&format!("c{customer}")))
        .count();
    assert!((70..=130).contains(&taken), "{taken} of 200");
}

#[test]
fn what_a_document_asks_for_is_gathered_for_each_plugin() {
    let text = serde_json::json!({"id": "w", "name": "w", "nodes": [
        {"id": "a", "name": "a", "type": "fx.a", "plugin": "echo@^1"},
        {"id": "b", "name": "b", "type": "x.b", "plugin": "other@*"},
        {"id": "c", "name": "c", "type": "fx.c", "plugin": "echo@<1.5"},
        {"id": "d", "name": "d", "type": "fx.d", "plugin": "echo@^1"},
    ], "connections": {}});
    let Reading::Fit(compiled) = compile(&text.to_string()) else {
        panic!("it is sound");
    };
    assert_eq!(compiled.wants.len(), 2);
    let want = compiled.wants.iter().find(|want| want.plugin == echo()).unwrap();
    assert_eq!((want.ranges.len(), want.shown().as_str()), (3, "<1.5 and ^1"));
    for (version, admitted) in [
        ("1.0.0", true),
        ("1.4.9", true),
        ("1.5.0", false),
        ("0.9.0", false),
    ] {
        assert_eq!(want.admits(&version.parse().unwrap()), admitted, "{version}");
    }
}
