//! Pins and shares: who goes where, and what is refused.

mod ways;

use patchbay_rollout::{Sticky, Tickets, Weight};
use patchbay_vocab::WorkflowId;

use super::*;

/// `a` 1.0.0 live, 1.1.0 and 1.2.0 loaded.
fn three() -> Bench {
    let bench = Bench::strict();
    bench.live(candidate("a", "1.0.0", &["a.x", "a.y"], &[]));
    bench.warm(candidate("a", "1.1.0", &["a.x", "a.y"], &[]));
    bench.warm(candidate("a", "1.2.0", &["a.x", "a.z"], &[]));
    bench
}

fn scope(workflow: Option<&str>, tenant: Option<&str>) -> PinScope {
    PinScope {
        workflow: workflow.map(|text| text.parse::<WorkflowId>().unwrap()),
        tenant: tenant.map(|text| text.parse().unwrap()),
    }
}

fn share(to: u64, percent: &str, by: Sticky) -> Split {
    Split {
        to: r(to),
        weight: percent.parse::<Weight>().unwrap(),
        by,
        salt: 7,
        tickets: Arc::new(Tickets::starting_at(1)),
    }
}

fn caller<'c>(tenant: &'c str, run: &'c str, workflow: Option<&'c str>) -> Caller<'c> {
    Caller {
        tenant,
        run,
        workflow,
        key: None,
    }
}

/// The revision that answers a caller at `a.x`; `None` when it is pinned to one that is not loaded.
fn answers(bench: &Bench, caller: &Caller<'_>) -> Option<u64> {
    at(bench, "a.x", caller)
}

fn at(bench: &Bench, node: &str, caller: &Caller<'_>) -> Option<u64> {
    let snapshot = bench.snapshot();
    let route = snapshot.route(snapshot.slot(node).unwrap()).unwrap();
    let leg = route.leg(caller);
    if let Some(short) = route.dealt(caller.tenant, caller.run) {
        let long = leg.as_ref().map(|leg| (leg.mount.revision(), leg.node));
        assert_eq!(long, Ok((short.mount.revision(), short.node)));
    }
    let leg = leg.ok()?;
    assert_eq!(leg.mount.nodes()[leg.node as usize].as_str(), node);
    Some(leg.mount.revision().0)
}

impl Bench {
    fn pins(&self, scope: PinScope, to: u64) -> Result<Pinning, RegistryError> {
        self.pin(&name("a"), scope, r(to), &by_test())
    }

    fn shares(&self, split: Split) -> Result<u64, RegistryError> {
        self.split(&name("a"), split, Force::No, &by_test())
    }
}

#[test]
fn a_pin_of_a_workflow_goes_before_one_of_a_tenant_and_that_before_one_of_everybody() {
    let bench = three();
    let who = caller("ada", "run", Some("billing"));
    assert_eq!(answers(&bench, &who), Some(1));
    for (workflow, tenant, to) in [
        (None, None, 2),
        (None, Some("ada"), 3),
        (Some("billing"), None, 1),
        (Some("billing"), Some("ada"), 2),
    ] {
        bench.pins(scope(workflow, tenant), to).unwrap();
        assert_eq!(answers(&bench, &who), Some(to), "{workflow:?} {tenant:?}");
    }
    for (tenant, workflow, to) in [
        ("ada", None, 3),
        ("ada", Some("other"), 3),
        ("bob", Some("billing"), 1),
        ("bob", None, 2),
        ("bob", Some("other"), 2),
    ] {
        assert_eq!(
            answers(&bench, &caller(tenant, "run", workflow)),
            Some(to),
            "{tenant} {workflow:?}"
        );
    }
    let gone = scope(Some("billing"), Some("ada"));
    let done = bench.unpin(&name("a"), &gone, &by_test()).unwrap();
    assert_eq!((done.before, done.now), (Some(r(2)), None));
    assert_eq!(answers(&bench, &who), Some(1), "the workflow's pin holds him");
}

#[test]
fn who_is_pinned_is_found_among_many() {
    let bench = three();
    for number in 0..50 {
        let tenant = format!("t{number}");
        let workflow = format!("w{number}");
        bench.pins(scope(None, Some(&tenant)), 1 + number % 3).unwrap();
        bench
            .pins(scope(Some(&workflow), Some(&tenant)), 1 + (number + 1) % 3)
            .unwrap();
    }
    for number in 0..50 {
        let tenant = format!("t{number}");
        let workflow = format!("w{number}");
        assert_eq!(answers(&bench, &caller(&tenant, "", None)), Some(1 + number % 3));
        let within = caller(&tenant, "", Some(&workflow));
        assert_eq!(answers(&bench, &within), Some(1 + (number + 1) % 3));
        let elsewhere = caller("nobody", "", Some(&workflow));
        assert_eq!(answers(&bench, &elsewhere), Some(1));
    }
}

#[test]
fn a_pin_holds_whatever_goes_live_and_the_same_pin_once_more_changes_nothing() {
    let bench = three();
    let first = bench.pins(scope(None, Some("ada")), 2).unwrap();
    assert_eq!((first.before, first.now), (None, Some(r(2))));
    let again = bench.pins(scope(None, Some("ada")), 2).unwrap();
    assert_eq!((again.before, again.now), (Some(r(2)), Some(r(2))));
    assert_eq!(again.generation, first.generation);
    assert_eq!(bench.actions("a").last().unwrap(), "pinned 2");
    assert_eq!(
        bench
            .actions("a")
            .iter()
            .filter(|line| line.starts_with("pinned"))
            .count(),
        1
    );
    bench.go_live("a", r(3)).unwrap();
    assert_eq!(answers(&bench, &caller("ada", "", None)), Some(2));
    assert_eq!(answers(&bench, &caller("bob", "", None)), Some(3));
    let none = bench
        .unpin(&name("a"), &scope(None, Some("bob")), &by_test())
        .unwrap();
    assert_eq!((none.before, none.now), (None, None));
}

#[test]
fn a_pinned_caller_is_told_when_the_revision_has_no_such_node_and_not_sent_elsewhere() {
    let bench = three();
    bench.pins(scope(None, Some("ada")), 3).unwrap();
    assert_eq!(at(&bench, "a.y", &caller("ada", "", None)), None);
    assert_eq!(at(&bench, "a.y", &caller("bob", "", None)), Some(1));
    assert_eq!(answers(&bench, &caller("ada", "", None)), Some(3));
}

#[test]
fn a_pin_needs_a_loaded_revision_in_service_and_something_live() {
    let bench = three();
    let everybody = || scope(None, None);
    let unloaded = bench.admitted(candidate("a", "1.3.0", &["a.x"], &[]));
    bench.refused("PB-REG-004", &[], |b| b.pins(everybody(), 9));
    bench.refused("PB-REG-005", &[], |b| b.pins(everybody(), unloaded.0));
    bench.quarantine(&name("a"), r(2), &by_test()).unwrap();
    bench.refused("PB-REG-006", &[], |b| b.pins(everybody(), 2));
    bench.remove_live(&name("a"), Force::No, &by_test()).unwrap();
    bench.refused("PB-REG-014", &[], |b| b.pins(everybody(), 3));
    bench.refused("PB-REG-003", &[], |b| {
        b.pin(&name("z"), everybody(), r(1), &by_test())
    });
    bench.refused("PB-REG-003", &[], |b| {
        b.unpin(&name("z"), &everybody(), &by_test())
    });
}

#[test]
fn a_pinned_revision_is_no_surplus_and_cannot_be_retired() {
    let bench = three();
    bench.pins(scope(None, Some("ada")), 2).unwrap();
    assert_eq!(bench.surplus(&name("a"), 0), [r(3)]);
    assert!(bench.is_steered(&name("a"), r(2)));
    bench.refused("PB-REG-020", &[], |b| b.begin_retire(&name("a"), r(2)));
    bench
        .unpin(&name("a"), &scope(None, Some("ada")), &by_test())
        .unwrap();
    assert!(!bench.is_steered(&name("a"), r(2)));
    assert_eq!(bench.surplus(&name("a"), 0), [r(3), r(2)]);
    bench.begin_retire(&name("a"), r(2)).unwrap();
}

#[test]
fn quarantine_suspends_a_pin_and_release_takes_it_up_again() {
    let bench = three();
    bench.pins(scope(None, Some("ada")), 2).unwrap();
    let before = bench.snapshot().generation();
    let done = bench.quarantine(&name("a"), r(2), &by_test()).unwrap();
    assert!(!done.was_live && done.generation == before + 1);
    assert_eq!(answers(&bench, &caller("ada", "", None)), Some(1));
    assert_eq!(
        bench.plugin(&name("a")).unwrap().pins.len(),
        1,
        "it is remembered"
    );
    bench.promote(&name("a"), r(2), Force::Yes, &by_test()).unwrap();
    bench.go_live("a", r(1)).unwrap();
    assert_eq!(answers(&bench, &caller("ada", "", None)), Some(2));
    assert_eq!(answers(&bench, &caller("bob", "", None)), Some(1));
}

#[test]
fn a_share_by_tickets_is_exact_and_one_by_runs_is_the_same_for_every_call_of_a_run() {
    let bench = three();
    bench.shares(share(2, "25", Sticky::Run)).unwrap();
    let snapshot = bench.snapshot();
    let detours = snapshot.detours().next().unwrap().1;
    let drawn = (0..1000)
        .filter(|run| {
            let run = run.to_string();
            let chosen = detours.choose(&caller("t", &run, None), Draw::Ticket).unwrap();
            chosen.is_some()
        })
        .count();
    assert!((249..=251).contains(&drawn), "{drawn}");
    let of_run = |run: u64| answers(&bench, &caller("t", &format!("run-{run}"), None)).unwrap();
    let first: Vec<_> = (0..4000).map(of_run).collect();
    assert_eq!(first, (0..4000).map(of_run).collect::<Vec<_>>());
    let hit = first.iter().filter(|&&revision| revision == 2).count();
    assert!((900..=1100).contains(&hit), "{hit} of 4000 at 25 %");
}

#[test]
fn a_share_that_grows_keeps_whom_it_had_and_at_all_it_has_everybody() {
    let bench = three();
    for by in [
        Sticky::Run,
        Sticky::Tenant,
        Sticky::Variable("customer".to_owned()),
    ] {
        let mut had = std::collections::BTreeSet::new();
        for percent in ["5", "25", "60", "100"] {
            bench.shares(share(2, percent, by.clone())).unwrap();
            let now: std::collections::BTreeSet<_> = (0..400)
                .filter(|who| {
                    let (tenant, run, key) = (format!("t{who}"), format!("r{who}"), format!("k{who}"));
                    let caller = Caller {
                        tenant: &tenant,
                        run: &run,
                        workflow: None,
                        key: Some(&key),
                    };
                    answers(&bench, &caller) == Some(2)
                })
                .collect();
            assert!(now.is_superset(&had), "{by} {percent}");
            had = now;
        }
        assert_eq!(had.len(), 400, "{by}");
        assert!(bench.unsplit(&name("a"), &by_test()).unwrap());
    }
    assert!(!bench.unsplit(&name("a"), &by_test()).unwrap());
}

#[test]
fn a_share_by_a_variable_goes_by_its_value_and_by_the_tenant_without_one() {
    let bench = three();
    bench
        .shares(share(2, "50", Sticky::Variable("customer".to_owned())))
        .unwrap();
    assert_eq!(
        bench.snapshot().detours().next().unwrap().1.variable(),
        Some("customer")
    );
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..50 {
        let key = format!("c{number}");
        let of = |tenant: &str, run: &str| {
            let caller = Caller {
                tenant,
                run,
                workflow: None,
                key: Some(&key),
            };
            answers(&bench, &caller)
        };
        assert_eq!(of("ada", "1"), of("bob", "2"), "{key}");
        // The value decides as a tenant of that name would.
        assert_eq!(of("ada", "1"), answers(&bench, &caller(&key, "3", None)));
        seen.insert(of("ada", "1"));
    }
    assert_eq!(seen.len(), 2, "both versions have customers");
}

#[test]
fn a_candidate_without_the_node_leaves_its_calls_to_what_is_live() {
    let bench = three();
    bench.shares(share(3, "100", Sticky::Run)).unwrap();
    assert_eq!(answers(&bench, &caller("t", "r", None)), Some(3));
    assert_eq!(at(&bench, "a.y", &caller("t", "r", None)), Some(1));
}

#[test]
fn who_is_pinned_to_the_candidate_is_not_sent_to_what_is_live_for_a_node_that_it_lacks() {
    let bench = three();
    bench.shares(share(3, "100", Sticky::Run)).unwrap();
    bench.pins(scope(None, Some("ada")), 3).unwrap();
    assert_eq!(at(&bench, "a.y", &caller("ada", "", None)), None);
    assert_eq!(at(&bench, "a.y", &caller("bob", "", None)), Some(1));
}

#[test]
fn a_pin_goes_before_a_share() {
    let bench = three();
    bench.shares(share(2, "100", Sticky::Run)).unwrap();
    bench.pins(scope(None, Some("ada")), 1).unwrap();
    bench.pins(scope(Some("billing"), None), 3).unwrap();
    assert_eq!(answers(&bench, &caller("ada", "", None)), Some(1));
    assert_eq!(answers(&bench, &caller("ada", "", Some("billing"))), Some(3));
    assert_eq!(answers(&bench, &caller("bob", "", None)), Some(2));
}

#[test]
fn one_candidate_at_a_time_has_a_share_and_it_ends_when_another_goes_live() {
    let bench = three();
    bench.shares(share(2, "10", Sticky::Run)).unwrap();
    assert_eq!(bench.state("a", r(2)), RevisionState::Canary);
    bench.shares(share(3, "100", Sticky::Run)).unwrap();
    assert_eq!(bench.state("a", r(2)), RevisionState::Warm);
    assert_eq!(bench.state("a", r(3)), RevisionState::Canary);
    assert_eq!(bench.split_of(&name("a")), Some((r(3), Weight::ALL)));
    assert_eq!(bench.surplus(&name("a"), 0), [r(2)]);
    bench.refused("PB-REG-020", &[], |b| b.begin_retire(&name("a"), r(3)));
    let swap = bench.go_live("a", r(3)).unwrap();
    assert_eq!(swap.from, Some(r(1)));
    assert_eq!(bench.split_of(&name("a")), None);
    assert_eq!(bench.state("a", r(3)), RevisionState::Live);
    assert_eq!(bench.snapshot().detours().count(), 0);
}

#[test]
fn a_share_is_refused_to_what_could_not_be_promoted() {
    let bench = Bench::strict();
    bench.live(candidate("a", "1.0.0", &["a.x"], &[]));
    bench.live(candidate("b", "1.0.0", &["b.x"], &[("a", "^1")]));
    bench.warm(candidate("a", "2.0.0", &["a.x"], &[]));
    bench.warm(candidate("a", "1.1.0", &["a.x"], &[("c", "^1")]));
    bench.refused("PB-REG-011", &["`b`"], |b| b.shares(share(2, "5", Sticky::Run)));
    bench.refused("PB-REG-008", &["`c`"], |b| b.shares(share(3, "5", Sticky::Run)));
    bench.refused("PB-REG-015", &[], |b| b.shares(share(1, "5", Sticky::Run)));
    bench.refused("PB-REG-004", &[], |b| b.shares(share(9, "5", Sticky::Run)));
    bench
        .split(&name("a"), share(2, "5", Sticky::Run), Force::Yes, &by_test())
        .unwrap();
    bench.quarantine(&name("a"), r(2), &by_test()).unwrap();
    assert_eq!(bench.split_of(&name("a")), None, "quarantine takes its share");
    bench.refused("PB-REG-006", &[], |b| {
        b.split(&name("a"), share(2, "5", Sticky::Run), Force::Yes, &by_test())
    });
}

#[test]
fn what_is_held_stays_loaded_and_shows_as_a_shadow_until_it_is_let_go() {
    let bench = three();
    let before = bench.snapshot().generation();
    bench.hold(&name("a"), r(2)).unwrap();
    assert_eq!(bench.state("a", r(2)), RevisionState::Shadow);
    assert_eq!(bench.snapshot().generation(), before, "no caller sees it");
    assert_eq!(bench.surplus(&name("a"), 0), [r(3)]);
    bench.refused("PB-REG-020", &[], |b| b.begin_retire(&name("a"), r(2)));
    bench.let_go(&name("a"), r(2));
    assert_eq!(bench.state("a", r(2)), RevisionState::Warm);
    bench.begin_retire(&name("a"), r(2)).unwrap();
    bench.hold(&name("a"), r(1)).unwrap();
    assert_eq!(bench.state("a", r(1)), RevisionState::Live);
    bench.go_live("a", r(3)).unwrap();
    bench.refused("PB-REG-020", &[], |b| b.begin_retire(&name("a"), r(1)));
    bench.let_go(&name("a"), r(1));
    bench.let_go(&name("z"), r(1));
    bench.begin_retire(&name("a"), r(1)).unwrap();
}

#[test]
fn a_candidate_that_is_woken_has_its_callers_again_in_the_same_store() {
    let bench = three();
    bench.shares(share(2, "100", Sticky::Run)).unwrap();
    bench.pins(scope(None, Some("ada")), 3).unwrap();
    for number in [2, 3] {
        let asleep = bench.mounted(&name("a"), r(number)).unwrap();
        bench.begin_sleep(&asleep).unwrap();
        let awake = bench.awake(&asleep, load()).unwrap();
        let tenant = if number == 3 { "ada" } else { "bob" };
        let snapshot = bench.snapshot();
        let route = snapshot.route(snapshot.slot("a.x").unwrap()).unwrap();
        let leg = route.leg(&caller(tenant, "", None)).unwrap();
        assert!(Arc::ptr_eq(leg.mount, &awake), "{number}");
    }
    assert_eq!(bench.split_of(&name("a")), Some((r(2), Weight::ALL)));
}
