//! Random sequences of operations against an oracle that reads nothing but the listings.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const PLUGINS: [&str; 3] = ["a", "b", "c"];
const VERSIONS: [&str; 4] = ["1.0.0", "1.1.0-rc.1", "1.1.0", "2.0.0"];
const NODES: [&str; 4] = ["n.one", "n.two", "n.three", "n.four"];
const RANGES: [&str; 3] = ["^1", "^2", "*"];

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
}

fn step() -> impl Strategy<Value = Step> {
    let plugin = 0..PLUGINS.len();
    // Small worlds, so that the steps meet each other.
    let number = 1..4_u64;
    let needs = vec((0..PLUGINS.len(), 0..RANGES.len()), 0..2);
    prop_oneof![
        3 => (plugin.clone(), 0..VERSIONS.len(), proptest::sample::subsequence(vec![0, 1, 2, 3], 0..3), needs)
            .prop_map(|(plugin, version, nodes, needs)| Step::Admit { plugin, version, nodes, needs }),
        4 => (plugin.clone(), number.clone()).prop_map(|(plugin, number)| Step::Mount { plugin, number }),
        6 => (plugin.clone(), number.clone(), any::<bool>())
            .prop_map(|(plugin, number, force)| Step::Promote { plugin, number, force }),
        1 => (plugin.clone(), number.clone()).prop_map(|(plugin, number)| Step::Quarantine { plugin, number }),
        2 => (plugin.clone(), number).prop_map(|(plugin, number)| Step::BeginRetire { plugin, number }),
        2 => Just(Step::Retired),
        1 => (plugin, any::<bool>()).prop_map(|(plugin, force)| Step::Remove { plugin, force }),
        1 => Just(Step::Lease),
    ]
}

struct World {
    bench: Bench,
    draining: Vec<Arc<Mount<Fake>>>,
    slots: BTreeMap<String, NodeSlot>,
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
        }
    }

    fn check_invariants(&mut self) {
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

/// The rule, told once more in the plainest way.
fn may_go_live(listed: &[PluginStatus], plugin: &PluginName, number: RevisionNumber, force: bool) -> bool {
    let live = |wanted: &PluginName| {
        let status = listed.iter().find(|status| status.plugin == *wanted)?;
        status
            .revisions
            .iter()
            .find(|revision| Some(revision.number) == status.live)
    };
    let Some(status) = listed.iter().find(|status| status.plugin == *plugin) else {
        return false;
    };
    let Some(revision) = status.revisions.iter().find(|revision| revision.number == number) else {
        return false;
    };
    if revision.state == RevisionState::Live {
        return true;
    }
    let quarantined = revision.state == RevisionState::Quarantined;
    let others = || {
        listed
            .iter()
            .map(|status| &status.plugin)
            .filter(|other| *other != plugin)
    };
    let claimed = others()
        .filter_map(live)
        .any(|other| other.nodes.iter().any(|n| revision.nodes.contains(n)));
    let satisfied = revision
        .dependencies
        .iter()
        .all(|need| live(&need.plugin).is_some_and(|live| need.range.matches(&live.version)));
    let breaks = others().filter_map(live).any(|other| {
        let mut needs = other.dependencies.iter().filter(|need| need.plugin == *plugin);
        needs.any(|need| !need.range.matches(&revision.version))
    });
    // With three plugins, whatever is reached at all is reached in three steps.
    let mut reached: BTreeSet<PluginName> = revision.dependencies.iter().map(|n| n.plugin.clone()).collect();
    for _ in 0..3 {
        let further = reached.iter().filter(|name| *name != plugin).filter_map(live);
        let further: Vec<_> = further
            .flat_map(|r| r.dependencies.iter().map(|n| n.plugin.clone()))
            .collect();
        reached.extend(further);
    }
    let circular = reached.contains(plugin);
    revision.mounted && !claimed && satisfied && !circular && (force || !(quarantined || breaks))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn no_sequence_of_operations_breaks_an_invariant_or_the_rule_of_promotion(
        replace in any::<bool>(),
        steps in vec(step(), 1..150),
    ) {
        let same_version = if replace { SameVersion::Replace } else { SameVersion::Refuse };
        let mut world =
            World { bench: Bench::new(same_version), draining: Vec::new(), slots: BTreeMap::new() };
        for step in &steps {
            world.take(step);
        }
    }
}
