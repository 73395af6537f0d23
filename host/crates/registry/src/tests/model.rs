//! Random sequences of operations against an oracle that reads nothing but the listings.

mod rules;

use std::collections::{BTreeMap, BTreeSet};

use patchbay_rollout::{Sticky, Tickets, Weight};
use proptest::collection::vec;
use proptest::prelude::*;

use super::witness::Notebook;
use super::*;
use rules::{goes_to, may_be_forgotten, may_be_sent_to, may_go_live, of};

const PLUGINS: [&str; 3] = ["a", "b", "c"];
const VERSIONS: [&str; 4] = ["1.0.0", "1.1.0-rc.1", "1.1.0", "2.0.0"];
const NODES: [&str; 4] = ["n.one", "n.two", "n.three", "n.four"];
const RANGES: [&str; 3] = ["^1", "^2", "*"];
const TENANTS: [&str; 3] = ["ada", "bob", "eve"];
const WORKFLOWS: [&str; 2] = ["billing", "mail"];
const WEIGHTS: [&str; 3] = ["10", "50", "100"];

#[derive(Clone, Debug)]
enum Step {
    Admit {
        plugin: usize,
        version: usize,
        nodes: Vec<usize>,
        needs: Vec<(usize, usize)>,
    },
    Mount {
        plugin: usize,
        number: u64,
    },
    Promote {
        plugin: usize,
        number: u64,
        force: bool,
    },
    Quarantine {
        plugin: usize,
        number: u64,
    },
    BeginRetire {
        plugin: usize,
        number: u64,
    },
    Retired,
    Remove {
        plugin: usize,
        force: bool,
    },
    Lease,
    Pin {
        plugin: usize,
        number: u64,
        scope: (usize, usize),
    },
    Unpin {
        plugin: usize,
        scope: (usize, usize),
    },
    Split {
        plugin: usize,
        number: u64,
        weight: usize,
        force: bool,
    },
    Unsplit {
        plugin: usize,
    },
    Hold {
        plugin: usize,
        number: u64,
    },
    LetGo {
        plugin: usize,
        number: u64,
    },
    Forget {
        plugin: usize,
        number: u64,
    },
}

/// A place behind the last one is nobody.
fn scope_of((workflow, tenant): (usize, usize)) -> PinScope {
    PinScope {
        workflow: WORKFLOWS.get(workflow).map(|text| text.parse().unwrap()),
        tenant: TENANTS.get(tenant).map(|text| text.parse().unwrap()),
    }
}

fn step() -> impl Strategy<Value = Step> {
    let plugin = 0..PLUGINS.len();
    // Small worlds, so that the steps meet each other.
    let number = 1..4_u64;
    let needs = vec((0..PLUGINS.len(), 0..RANGES.len()), 0..2);
    let scope = (0..=WORKFLOWS.len(), 0..=TENANTS.len());
    prop_oneof![
        3 => (plugin.clone(), 0..VERSIONS.len(), proptest::sample::subsequence(vec![0, 1, 2, 3], 0..3), needs)
            .prop_map(|(plugin, version, nodes, needs)| Step::Admit { plugin, version, nodes, needs }),
        4 => (plugin.clone(), number.clone()).prop_map(|(plugin, number)| Step::Mount { plugin, number }),
        6 => (plugin.clone(), number.clone(), any::<bool>())
            .prop_map(|(plugin, number, force)| Step::Promote { plugin, number, force }),
        1 => (plugin.clone(), number.clone()).prop_map(|(plugin, number)| Step::Quarantine { plugin, number }),
        2 => (plugin.clone(), number.clone()).prop_map(|(plugin, number)| Step::BeginRetire { plugin, number }),
        2 => Just(Step::Retired),
        1 => (plugin.clone(), any::<bool>()).prop_map(|(plugin, force)| Step::Remove { plugin, force }),
        1 => Just(Step::Lease),
        3 => (plugin.clone(), number.clone(), scope.clone())
            .prop_map(|(plugin, number, scope)| Step::Pin { plugin, number, scope }),
        1 => (plugin.clone(), scope).prop_map(|(plugin, scope)| Step::Unpin { plugin, scope }),
        3 => (plugin.clone(), number.clone(), 0..WEIGHTS.len(), any::<bool>())
            .prop_map(|(plugin, number, weight, force)| Step::Split { plugin, number, weight, force }),
        1 => plugin.clone().prop_map(|plugin| Step::Unsplit { plugin }),
        1 => (plugin.clone(), number.clone()).prop_map(|(plugin, number)| Step::Hold { plugin, number }),
        1 => (plugin.clone(), number.clone()).prop_map(|(plugin, number)| Step::LetGo { plugin, number }),
        1 => (plugin, number).prop_map(|(plugin, number)| Step::Forget { plugin, number }),
    ]
}

struct World {
    bench: Bench,
    draining: Vec<Arc<Mount<Fake>>>,
    slots: BTreeMap<String, NodeSlot>,
    notebook: Notebook,
    /// How often what is held, and not let go.
    held: BTreeMap<(PluginName, RevisionNumber), u32>,
}

impl World {
    fn take(&mut self, step: &Step) {
        let before = self.bench.snapshot();
        let listed = self.bench.plugins();
        let records = format!("{listed:?}");
        let outcome = self.perform(step, &listed);
        let after = self.bench.snapshot();
        if outcome.is_err() {
            assert!(Arc::ptr_eq(&before, &after), "a failure published a snapshot");
            assert_eq!(
                records,
                format!("{:?}", self.bench.plugins()),
                "a failure left a trace"
            );
        }
        assert!(
            after.generation() - before.generation() <= 1,
            "more than one store"
        );
        self.check_invariants();
    }

    fn perform(&mut self, step: &Step, listed: &[PluginStatus]) -> Result<(), RegistryError> {
        let bench = &self.bench;
        let force = |yes: &bool| if *yes { Force::Yes } else { Force::No };
        match step {
            Step::Admit {
                plugin,
                version,
                nodes,
                needs,
            } => {
                let nodes: Vec<_> = nodes.iter().map(|&at| NODES[at]).collect();
                let needs: Vec<_> = needs
                    .iter()
                    .map(|&(on, range)| (PLUGINS[on], RANGES[range]))
                    .collect();
                let candidate = candidate(PLUGINS[*plugin], VERSIONS[*version], &nodes, &needs);
                bench.admit(candidate, "inbox", &by_test()).map(drop)
            }
            Step::Mount { plugin, number } => bench
                .registry
                .mount(&name(PLUGINS[*plugin]), r(*number), load())
                .map(drop),
            Step::Promote {
                plugin,
                number,
                force: yes,
            } => {
                let plugin = name(PLUGINS[*plugin]);
                let allowed = may_go_live(listed, &plugin, r(*number), *yes);
                let checked = bench.check_promote(&plugin, r(*number), force(yes));
                let done = bench.promote(&plugin, r(*number), force(yes), &by_test());
                assert_eq!(checked.is_ok(), allowed, "{checked:?}");
                assert_eq!(
                    checked.err(),
                    done.as_ref().err().cloned(),
                    "the check and the act disagree"
                );
                done.map(drop)
            }
            Step::Quarantine { plugin, number } => {
                let plugin = name(PLUGINS[*plugin]);
                let was_live = bench
                    .snapshot()
                    .plugin(plugin.as_str())
                    .is_some_and(|m| m.revision().0 == *number);
                let done = bench.quarantine(&plugin, r(*number), &by_test())?;
                self.held.remove(&(plugin.clone(), r(*number)));
                assert_eq!(done.was_live, was_live);
                let live = bench.live_of(plugin.as_str());
                assert!(live != Some(r(*number)), "a quarantined revision is live");
                if was_live {
                    assert_eq!(done.fallback.map(|swap| swap.to), live);
                }
                Ok(())
            }
            Step::BeginRetire { plugin, number } => {
                let mount = bench.begin_retire(&name(PLUGINS[*plugin]), r(*number))?;
                assert!(mount.gate().is_closed());
                self.draining.push(mount);
                Ok(())
            }
            Step::Retired => self
                .draining
                .pop()
                .map_or(Ok(()), |mount| bench.retired(&mount, &by_test())),
            Step::Remove { plugin, force: yes } => bench
                .remove_live(&name(PLUGINS[*plugin]), force(yes), &by_test())
                .map(drop),
            Step::Lease => {
                let slots: Vec<_> = bench.snapshot().routes().map(|(_, slot, _)| slot).collect();
                bench.lease(&slots).map(drop)
            }
            steering => self.steer(steering, listed),
        }
    }

    fn steer(&mut self, step: &Step, listed: &[PluginStatus]) -> Result<(), RegistryError> {
        let bench = &self.bench;
        match step {
            Step::Pin {
                plugin,
                number,
                scope,
            } => {
                let plugin = name(PLUGINS[*plugin]);
                let allowed = may_be_sent_to(listed, &plugin, r(*number));
                let before = of(listed, &plugin).and_then(|status| {
                    let mut pins = status.pins.iter();
                    Some(pins.find(|(known, _)| *known == scope_of(*scope))?.1)
                });
                let done = bench.pin(&plugin, scope_of(*scope), r(*number), &by_test());
                assert_eq!(done.is_ok(), allowed, "{done:?}");
                let done = done?;
                assert_eq!((done.before, done.now), (before, Some(r(*number))));
            }
            Step::Unpin { plugin, scope } => {
                let done = bench.unpin(&name(PLUGINS[*plugin]), &scope_of(*scope), &by_test())?;
                assert_eq!(done.now, None);
            }
            Step::Split {
                plugin,
                number,
                weight,
                force,
            } => {
                let plugin = name(PLUGINS[*plugin]);
                let is_live = of(listed, &plugin).is_some_and(|status| status.live == Some(r(*number)));
                let allowed = may_go_live(listed, &plugin, r(*number), *force)
                    && may_be_sent_to(listed, &plugin, r(*number))
                    && !is_live;
                let split = Split {
                    to: r(*number),
                    weight: WEIGHTS[*weight].parse::<Weight>().unwrap(),
                    by: Sticky::Tenant,
                    salt: rules::SALT,
                    tickets: Arc::new(Tickets::starting_at(0)),
                };
                let force = if *force { Force::Yes } else { Force::No };
                let done = bench.split(&plugin, split, force, &by_test());
                assert_eq!(done.is_ok(), allowed, "{done:?}");
                done?;
            }
            Step::Unsplit { plugin } => {
                let plugin = name(PLUGINS[*plugin]);
                let had = of(listed, &plugin).is_some_and(|status| status.split.is_some());
                assert_eq!(bench.unsplit(&plugin, &by_test())?, had);
            }
            Step::Hold { plugin, number } => {
                let plugin = name(PLUGINS[*plugin]);
                let allowed = may_be_sent_to(listed, &plugin, r(*number));
                let done = bench.hold(&plugin, r(*number));
                assert_eq!(done.is_ok(), allowed, "{done:?}");
                done?;
                *self.held.entry((plugin, r(*number))).or_default() += 1;
            }
            Step::LetGo { plugin, number } => {
                bench.let_go(&name(PLUGINS[*plugin]), r(*number));
                let key = (name(PLUGINS[*plugin]), r(*number));
                if let Some(count) = self.held.get_mut(&key) {
                    *count -= 1;
                }
                self.held.retain(|_, count| *count > 0);
            }
            Step::Forget { plugin, number } => {
                let plugin = name(PLUGINS[*plugin]);
                let is_held = self.held.contains_key(&(plugin.clone(), r(*number)));
                let allowed = may_be_forgotten(listed, &plugin, r(*number)) && !is_held;
                let done = bench.forget_revision(&plugin, r(*number), &by_test());
                assert_eq!(done.is_ok(), allowed, "{done:?}");
                done?;
            }
            _ => unreachable!("{step:?} steers nobody"),
        }
        Ok(())
    }

    /// Who calls goes where the listing says; what he may be sent to is loaded and stays so.
    fn check_ways(&self) {
        let (snapshot, listed) = (self.bench.snapshot(), self.bench.plugins());
        for (plugin, number) in self.held.keys() {
            assert!(self.bench.is_steered(plugin, *number), "{plugin} {number:?}");
            assert!(
                self.bench.mounted(plugin, *number).is_some(),
                "{plugin} {number:?}"
            );
        }
        for status in &listed {
            let of_number = |number| status.revisions.iter().find(|known| known.number == number);
            let pinned = status.pins.iter().map(|(_, to)| *to);
            for number in pinned.chain(status.split.map(|(to, _)| to)) {
                let known = of_number(number).expect("somebody is sent to what is not known");
                let is_fit = known.mounted && !known.asleep;
                assert!(is_fit || known.state == RevisionState::Quarantined, "{known:?}");
                assert!(self.bench.is_steered(&status.plugin, number));
            }
            for known in &status.revisions {
                let has_share = status.split.is_some_and(|(to, _)| to == known.number);
                assert_eq!(known.state == RevisionState::Canary, has_share, "{status:?}");
                assert!(
                    known.state != RevisionState::Shadow
                        || self.held.contains_key(&(status.plugin.clone(), known.number))
                );
            }
            let detours = snapshot.detours().find(|(plugin, _)| **plugin == status.plugin);
            let has_ways = status.split.is_some() || !status.pins.is_empty();
            assert_eq!(detours.is_some(), status.live.is_some() && has_ways);
        }
        for (node, _, route) in snapshot.routes() {
            let status = of(&listed, route.mount().plugin()).unwrap();
            for tenant in TENANTS {
                for workflow in [None, Some(WORKFLOWS[0]), Some(WORKFLOWS[1])] {
                    let caller = Caller {
                        tenant,
                        run: "run",
                        workflow,
                        key: None,
                    };
                    let leg = route.leg(&caller).map(|leg| {
                        assert_eq!(&leg.mount.nodes()[leg.node as usize], node);
                        leg.mount.revision()
                    });
                    assert_eq!(leg.ok(), goes_to(status, node, &caller), "{status:?}");
                }
            }
        }
    }

    /// What the witness was told is what is there, and a registry that takes it in comes to the same.
    fn check_notes(&self) {
        let notes = self.notebook.0.lock().clone();
        let listed = self.bench.plugins();
        assert_eq!(notes.plugins.len(), listed.len());
        let next = Bench::strict();
        next.restore(notes.known(), notes.generation);
        let mut wanted = Vec::new();
        for status in &listed {
            let noted = &notes.plugins[&status.plugin];
            assert_eq!(noted.live, status.live);
            assert_eq!(noted.live_order, self.bench.live_order(&status.plugin));
            for known in status.revisions.iter().filter(|known| known.mounted) {
                let fresh = next.registry.mount(&status.plugin, known.number, load());
                fresh.unwrap();
            }
            wanted.extend(status.live.map(|number| (status.plugin.clone(), number)));
        }
        assert_eq!(next.reinstate(&desired(&wanted)), wanted);
        for (one, other) in listed.iter().zip(next.plugins()) {
            assert_eq!(
                (&one.plugin, one.live, &one.pins),
                (&other.plugin, other.live, &other.pins)
            );
            let same = |known: &RevisionStatus| {
                let is_out = known.state == RevisionState::Quarantined;
                (
                    known.number,
                    known.version.clone(),
                    known.digest,
                    known.nodes.clone(),
                    is_out,
                )
            };
            assert!(
                one.revisions
                    .iter()
                    .map(same)
                    .eq(other.revisions.iter().map(same))
            );
        }
    }

    fn check_invariants(&mut self) {
        self.check_ways();
        let snapshot = self.bench.snapshot();
        let mut routes = 0;
        for status in self.bench.plugins() {
            let live: Vec<_> = status
                .revisions
                .iter()
                .filter(|revision| revision.state == RevisionState::Live)
                .collect();
            assert!(live.len() <= 1, "two live revisions of {}", status.plugin);
            assert_eq!(status.live, live.first().map(|revision| revision.number));
            let mount = snapshot.plugin(status.plugin.as_str());
            assert_eq!(mount.map(|mount| mount.revision()), status.live);
            let Some(mount) = mount else { continue };
            assert!(!mount.gate().is_closed(), "a live gate is closed");
            routes += mount.nodes().len();
            for (index, node) in mount.nodes().iter().enumerate() {
                let slot = snapshot.slot(node.as_str()).unwrap();
                let route = snapshot.route(slot).expect("a live node does not resolve");
                assert!(Arc::ptr_eq(route.mount(), mount) && route.node() as usize == index);
                assert_eq!(
                    *self.slots.entry(node.to_string()).or_insert(slot),
                    slot,
                    "a slot moved"
                );
            }
        }
        assert_eq!(
            snapshot.routes().count(),
            routes,
            "a route leads to what is not live"
        );
        assert_eq!(
            self.slots.values().collect::<BTreeSet<_>>().len(),
            self.slots.len(),
            "a slot was reused"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn no_sequence_of_operations_breaks_an_invariant_or_the_rule_of_promotion(
        replace in any::<bool>(),
        steps in vec(step(), 1..150),
    ) {
        let same_version = if replace { SameVersion::Replace } else { SameVersion::Refuse };
        let mut world = World {
            bench: Bench::new(same_version),
            draining: Vec::new(),
            slots: BTreeMap::new(),
            notebook: Notebook::default(),
            held: BTreeMap::new(),
        };
        world.bench.witnessed_by(Box::new(world.notebook.clone()));
        for step in &steps {
            world.take(step);
        }
        world.check_notes();
    }
}
