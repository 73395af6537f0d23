//! Every change of the registry on its way to the state.
//!
//! Invariant: changes are queued in the order in which they became true, each with all that it means for the next start
//! in one transaction; the registry never waits for a disk.

use std::any::Any;
use std::sync::Arc;

use parking_lot::Mutex;
use patchbay_dispatch::Served;
use patchbay_registry::{
    Action, Along, Change, Changed, Dependency, HistoryEntry, KnownPlugin, KnownRevision, PinScope, Witness,
};
use patchbay_state::{Entry, HistoryLine, Pin, Remembered, State, Write};
use patchbay_vocab::{Digest, PluginName, RevisionNumber};
use serde_json::json;

/// Tells the state what the registry does.
pub struct Remembering {
    /// The state.
    pub state: Arc<State>,
    /// How long the artifact with a content is, in bytes.
    pub bytes_of: Box<dyn Fn(Digest) -> u64 + Send + Sync>,
}

impl std::fmt::Debug for Remembering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Remembering")
    }
}

impl Witness<Served> for Remembering {
    fn changed(&self, changes: &[Changed<'_, Served>]) {
        let mut all = Vec::new();
        for change in changes {
            if change.line.action == Action::Admitted {
                let digest = change.digest();
                let bytes = (self.bytes_of)(digest);
                all.push(Write::Artifact { digest, bytes });
            }
            all.extend(writes(change));
        }
        if let Some(along) = changes.last().and_then(|change| change.along) {
            all.extend(Together::made(along));
        }
        if !all.is_empty() {
            self.state.tell(all);
        }
    }
}

/// Writes that are made in one transaction with a change of the registry, if it comes to one.
#[derive(Clone, Debug)]
pub(crate) struct Together(Arc<Mutex<Option<Vec<Write>>>>);

impl Together {
    pub(crate) fn new(writes: Vec<Write>) -> Self {
        Self(Arc::new(Mutex::new(Some(writes))))
    }

    /// What the change is to have with it.
    pub(crate) fn along(&self) -> Along {
        Along(Arc::clone(&self.0) as Arc<dyn Any + Send + Sync>)
    }

    /// The writes, unless they were made with a change.
    pub(crate) fn left(&self) -> Option<Vec<Write>> {
        self.0.lock().take()
    }

    /// The error, unless they were made: what is live has changed then.
    pub(crate) fn unless_made<E>(&self, error: E) -> Result<(), E> {
        match *self.0.lock() {
            Some(_) => Err(error),
            None => Ok(()),
        }
    }

    fn made(along: &Along) -> Vec<Write> {
        let writes = along.0.downcast_ref::<Mutex<Option<Vec<Write>>>>();
        writes.and_then(|writes| writes.lock().take()).unwrap_or_default()
    }
}

fn writes(change: &Changed<'_, Served>) -> Vec<Write> {
    let Changed { plugin, line, .. } = change;
    let number = line.revision;
    let history = || Write::History {
        plugin: (*plugin).clone(),
        line: stored_line(line),
    };
    let live = || Write::Live {
        plugin: (*plugin).clone(),
        to: change.live,
        generation: line.generation,
        live_order: change.live_order.to_vec(),
    };
    let decided = || Write::Decided {
        plugin: (*plugin).clone(),
        number,
    };
    let quarantined = |yes| Write::Quarantined {
        plugin: (*plugin).clone(),
        number,
        yes,
    };
    let mut writes = match line.action {
        // What is loaded is nothing that the next process has to know.
        Action::Retired => return Vec::new(),
        Action::Admitted => vec![
            Write::Revision(stored_revision(plugin, change.revision())),
            Write::Arrived {
                plugin: (*plugin).clone(),
                number,
            },
            history(),
        ],
        Action::Promoted | Action::RolledBack | Action::FellBack | Action::Removed => {
            vec![live(), decided(), history()]
        }
        // With what took over, so that the next process does not find what is out of service live.
        Action::Quarantined => vec![quarantined(true), live(), decided(), history()],
        Action::Released => vec![quarantined(false), history()],
        Action::Pinned => {
            let scope = change.scope.cloned().unwrap_or_default();
            let pin = Write::Pin(Pin {
                plugin: (*plugin).clone(),
                tenant: scope.tenant,
                workflow: scope.workflow,
                revision: number,
                actor: line.actor.to_string(),
                reason: line.reason.to_string(),
                at: line.at,
            });
            vec![pin, history()]
        }
        Action::Unpinned => {
            let scope = change.scope.cloned().unwrap_or_default();
            let unpin = Write::Unpin {
                plugin: (*plugin).clone(),
                tenant: scope.tenant,
                workflow: scope.workflow,
            };
            vec![unpin, history()]
        }
        Action::Weighted | Action::Unweighted => vec![history()],
        Action::Forgotten => vec![
            Write::Forget {
                plugin: (*plugin).clone(),
                number,
            },
            history(),
        ],
    };
    writes.push(Write::Audit(entry(change)));
    writes
}

fn entry(change: &Changed<'_, Served>) -> Entry {
    let line = change.line;
    let action = match line.action {
        Action::Pinned => "pin.set".to_owned(),
        Action::Unpinned => "pin.removed".to_owned(),
        action => format!("plugin.{action}"),
    };
    Entry {
        at: line.at,
        actor: line.actor.to_string(),
        action,
        plugin: Some(change.plugin.clone()),
        revision: Some(line.revision),
        tenant: change.scope.and_then(|scope| scope.tenant.clone()),
        workflow: change.scope.and_then(|scope| scope.workflow.clone()),
        reason: line.reason.to_string(),
        key: change.key.map(str::to_owned),
        detail: json!({
            "version": line.version,
            "from": line.from,
            "live": change.live,
            "generation": line.generation,
            "digest": change.digest(),
        })
        .to_string(),
    }
}

fn stored_line(line: &HistoryEntry) -> HistoryLine {
    HistoryLine {
        at: line.at,
        generation: line.generation,
        action: line.action.as_str().to_owned(),
        revision: line.revision,
        version: line.version.clone(),
        from: line.from,
        actor: line.actor.to_string(),
        reason: line.reason.to_string(),
    }
}

fn stored_revision(plugin: &PluginName, revision: KnownRevision) -> patchbay_state::KnownRevision {
    let range = |dependency: &Dependency| (dependency.plugin.clone(), dependency.range.clone());
    patchbay_state::KnownRevision {
        plugin: plugin.clone(),
        number: revision.number,
        version: revision.version,
        digest: revision.digest,
        nodes: revision.nodes.to_vec(),
        dependencies: revision.dependencies.iter().map(range).collect(),
        origin: revision.origin.to_string(),
        admitted_at: revision.admitted_at,
        quarantined: revision.quarantined,
    }
}

/// What is remembered, as the registry takes it in.
pub(crate) fn known(remembered: &Remembered) -> Vec<KnownPlugin> {
    let plugins = remembered.plugins.iter().map(|plugin| KnownPlugin {
        plugin: plugin.name.clone(),
        highest: plugin.highest,
        revisions: plugin.revisions.iter().map(known_revision).collect(),
        live_order: plugin.live_order.clone(),
        pins: pins_of(remembered, &plugin.name),
        history: plugin.history.iter().filter_map(known_line).collect(),
    });
    plugins.collect()
}

fn pins_of(remembered: &Remembered, plugin: &PluginName) -> Vec<(PinScope, RevisionNumber)> {
    let pins = remembered.pins.iter().filter(|pin| pin.plugin == *plugin);
    let pins = pins.map(|pin| {
        let scope = PinScope {
            workflow: pin.workflow.clone(),
            tenant: pin.tenant.clone(),
        };
        (scope, pin.revision)
    });
    pins.collect()
}

fn known_revision(revision: &patchbay_state::KnownRevision) -> KnownRevision {
    let dependency = |(plugin, range): &(PluginName, _)| Dependency {
        plugin: plugin.clone(),
        range: Clone::clone(range),
    };
    KnownRevision {
        number: revision.number,
        version: revision.version.clone(),
        digest: revision.digest,
        nodes: revision.nodes.iter().cloned().collect(),
        dependencies: revision.dependencies.iter().map(dependency).collect(),
        origin: revision.origin.as_str().into(),
        admitted_at: revision.admitted_at,
        quarantined: revision.quarantined,
    }
}

fn known_line(line: &HistoryLine) -> Option<HistoryEntry> {
    Some(HistoryEntry {
        at: line.at,
        generation: line.generation,
        action: Action::from_word(&line.action)?,
        revision: line.revision,
        version: line.version.clone(),
        from: line.from,
        actor: line.actor.as_str().into(),
        reason: line.reason.as_str().into(),
    })
}

/// A change that the host makes by itself.
pub(crate) fn by_itself(actor: &str, reason: &str) -> Change {
    Change::by(actor, reason)
}
