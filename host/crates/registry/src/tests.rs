//! A registry of loads that consist of a gate alone, and words to drive it.

mod leases;
mod lifecycle;
mod model;
mod promotion;
mod restore;
mod steer;
mod threads;
mod witness;

use std::sync::Arc;
use std::time::Duration;

use patchbay_lease::Gate;
use patchbay_vocab::{Digest, Explain, FakeClock, NodeType, PluginName, RevisionNumber, RevisionState};

use crate::*;

pub(crate) struct Fake {
    gate: Arc<Gate>,
}

impl Mounted for Fake {
    fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }
}

pub(crate) fn load() -> Arc<Fake> {
    Arc::new(Fake {
        gate: Arc::new(Gate::new()),
    })
}

pub(crate) fn name(text: &str) -> PluginName {
    text.parse().unwrap()
}

/// These revisions, as what should be live.
pub(crate) fn desired(
    wanted: &[(PluginName, RevisionNumber)],
) -> Vec<(PluginName, RevisionNumber, Standing)> {
    let each = wanted.iter();
    each.map(|(plugin, number)| (plugin.clone(), *number, Standing::Desired))
        .collect()
}

pub(crate) fn r(number: u64) -> RevisionNumber {
    RevisionNumber(number)
}

pub(crate) fn by_test() -> Change {
    Change::by("tester", "to see")
}

/// `a 1.2.0` offering the nodes, needing each `("b", "^1")`.
pub(crate) fn candidate(plugin: &str, version: &str, nodes: &[&str], needs: &[(&str, &str)]) -> Candidate {
    Candidate {
        plugin: name(plugin),
        version: version.parse().unwrap(),
        digest: Digest::of(format!("{plugin} {version} {nodes:?} {needs:?}").as_bytes()),
        nodes: nodes
            .iter()
            .map(|node| node.parse::<NodeType>().unwrap())
            .collect(),
        dependencies: needs
            .iter()
            .map(|(plugin, range)| Dependency {
                plugin: name(plugin),
                range: range.parse().unwrap(),
            })
            .collect(),
    }
}

pub(crate) struct Bench {
    pub(crate) registry: Registry<Fake>,
    pub(crate) clock: FakeClock,
}

impl std::ops::Deref for Bench {
    type Target = Registry<Fake>;
    fn deref(&self) -> &Registry<Fake> {
        &self.registry
    }
}

impl Bench {
    pub(crate) fn new(same_version: SameVersion) -> Self {
        let clock = FakeClock::new();
        Self {
            registry: Registry::new(Arc::new(clock.clone()), same_version),
            clock,
        }
    }

    pub(crate) fn strict() -> Self {
        Self::new(SameVersion::Refuse)
    }

    pub(crate) fn admitted(&self, candidate: Candidate) -> RevisionNumber {
        self.clock.advance(Duration::from_millis(1));
        self.admit(candidate, "inbox", &by_test()).unwrap().number()
    }

    pub(crate) fn warm(&self, candidate: Candidate) -> RevisionNumber {
        let plugin = candidate.plugin.clone();
        let number = self.admitted(candidate);
        self.registry.mount(&plugin, number, load()).unwrap();
        number
    }

    pub(crate) fn live(&self, candidate: Candidate) -> RevisionNumber {
        let plugin = candidate.plugin.clone();
        let number = self.warm(candidate);
        self.go_live(plugin.as_str(), number).unwrap();
        number
    }

    pub(crate) fn go_live(&self, plugin: &str, number: RevisionNumber) -> Result<Swap, RegistryError> {
        self.promote(&name(plugin), number, Force::No, &by_test())
    }

    pub(crate) fn retire_fully(&self, plugin: &str, number: RevisionNumber) {
        let mount = self.begin_retire(&name(plugin), number).unwrap();
        assert!(mount.gate().idle().is_some());
        self.retired(&mount, &by_test()).unwrap();
    }

    pub(crate) fn live_of(&self, plugin: &str) -> Option<RevisionNumber> {
        let routed = self.snapshot().plugin(plugin).map(|mount| mount.revision());
        assert_eq!(
            routed,
            self.registry.plugin(&name(plugin)).unwrap().live,
            "book and snapshot disagree"
        );
        routed
    }

    pub(crate) fn state(&self, plugin: &str, number: RevisionNumber) -> RevisionState {
        let status = self.registry.plugin(&name(plugin)).unwrap();
        status
            .revisions
            .iter()
            .find(|revision| revision.number == number)
            .unwrap()
            .state
    }

    /// `plugin@revision#node`, or nothing when the node type does not resolve.
    pub(crate) fn route(&self, node: &str) -> Option<String> {
        let snapshot = self.snapshot();
        let route = snapshot.route(snapshot.slot(node)?)?;
        Some(format!(
            "{}@{}#{}",
            route.mount().plugin(),
            route.mount().revision(),
            route.node()
        ))
    }

    pub(crate) fn actions(&self, plugin: &str) -> Vec<String> {
        let history = self.history(&name(plugin)).unwrap();
        history
            .iter()
            .map(|line| format!("{} {}", line.action, line.revision))
            .collect()
    }

    /// Asserts that `attempt` is refused with `code`, that it says `parts`, and that it left no trace.
    #[track_caller]
    pub(crate) fn refused<T: std::fmt::Debug>(
        &self,
        code: &str,
        parts: &[&str],
        attempt: impl FnOnce(&Self) -> Result<T, RegistryError>,
    ) -> RegistryError {
        let before = (self.snapshot().generation(), format!("{:?}", self.plugins()));
        let error = attempt(self).expect_err("it was not refused");
        let after = (self.snapshot().generation(), format!("{:?}", self.plugins()));
        assert_eq!(before, after, "the refusal left a trace");
        assert_eq!(error.code().0, code, "{error}");
        let text = error.to_string();
        for part in parts {
            assert!(text.contains(part), "{text:?} does not say {part:?}");
        }
        assert!(!error.help().is_empty() && !text.ends_with('.') && !error.help().ends_with('.'));
        error
    }
}
