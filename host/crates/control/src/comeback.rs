//! What ties the lifecycle to what is remembered: how a host comes back, and what it says of loads and arrivals.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use patchbay_delivery::{Arrivals, DeliveryEvent, Policies, Start};
use patchbay_dispatch::Served;
use patchbay_intake::{KnownFile, OnKnown};
use patchbay_lifecycle::{Decision, Event, GoLive, Lifecycle, Loading, OnDecided};
use patchbay_registry::Registry;
use patchbay_state::{SeenFile, State, Write};
use patchbay_vocab::{Digest, PluginName, RevisionNumber};

use crate::listing::EventLog;

type OnEvent = Box<dyn Fn(Event) + Send + Sync>;
type OnGoLive = Box<dyn Fn(&PluginName) -> GoLive + Send + Sync>;
type OnLoad = Box<dyn Fn(Loading<'_>) + Send + Sync>;

/// Events go to whoever subscribes.
pub(crate) fn on_event(log: &Arc<EventLog>) -> OnEvent {
    let log = Arc::clone(log);
    Box::new(move |event| log.add(&event))
}

/// Policies say how versions go live; a host that has just recovered, or is in safe mode, waits for orders.
pub(crate) fn go_live(start: &Start, policies: &Arc<Policies>) -> OnGoLive {
    let waits = start.why.is_some();
    let policies = Arc::clone(policies);
    Box::new(move |plugin| match waits {
        true => GoLive::Manual,
        false => policies.go_live(plugin),
    })
}

/// What is being loaded is marked, so that a host that dies meanwhile knows it when it starts again.
pub(crate) fn on_load(state: &Arc<State>, registry: &Arc<Registry<Served>>) -> OnLoad {
    let marks: Mutex<HashMap<Digest, Vec<patchbay_state::Loading>>> = Mutex::default();
    let (state, registry) = (Arc::clone(state), Arc::clone(registry));
    Box::new(move |loading| match loading {
        Loading::Begins { plugin, digest, .. } => {
            let known = registry.plugin(plugin).ok();
            let known = known.and_then(|known| {
                let mut revisions = known.revisions.into_iter();
                revisions.find(|revision| revision.digest == digest)
            });
            // A file that is taken in has no number yet.
            let number = known.map_or(RevisionNumber(0), |known| known.number);
            let mark = state.about_to_load(plugin, number);
            marks.lock().entry(digest).or_default().push(mark);
        }
        Loading::Ended { digest } => {
            let mut marks = marks.lock();
            if let Some(of_digest) = marks.get_mut(&digest) {
                of_digest.pop();
                if of_digest.is_empty() {
                    marks.remove(&digest);
                }
            }
        }
    })
}

/// Files that were read before, as the lifecycle takes them.
pub(crate) fn known_files(seen: Vec<SeenFile>) -> Vec<KnownFile> {
    let known = |file: SeenFile| KnownFile {
        path: file.path.into(),
        stamp: file.stamp,
        digest: file.digest,
    };
    seen.into_iter().map(known).collect()
}

/// A file that was read is not read again at the next start. One whose name is no text is.
pub(crate) fn on_file(state: &Arc<State>) -> OnKnown {
    let state = Arc::clone(state);
    Arc::new(move |file: KnownFile| {
        if let Some(path) = file.path.to_str() {
            state.tell(vec![Write::File(SeenFile {
                path: path.to_owned(),
                stamp: file.stamp,
                digest: file.digest,
            })]);
        }
    })
}

/// What is decided of a revision that came in is not decided again by the next host; rollouts begin in delivery.
pub(crate) fn on_decided(state: &Arc<State>, arrivals: Arrivals) -> OnDecided {
    let state = Arc::clone(state);
    Box::new(move |plugin, number, decision| match decision {
        Decision::RollOut => arrivals.tell(plugin, number),
        Decision::Made => state.tell(vec![Write::Decided {
            plugin: plugin.clone(),
            number,
        }]),
    })
}

/// What was live is live again, and what is suspected is named.
pub(crate) fn bring_back(
    start: &Start,
    lifecycle: &Lifecycle,
    registry: &Registry<Served>,
    log: &EventLog,
) -> Instead {
    let begun = std::time::Instant::now();
    let reinstated = lifecycle.reinstate(&start.wanted);
    let live = reinstated.iter().filter(|one| one.live.is_some()).count();
    if !start.wanted.is_empty() {
        tracing::info!(plugins = live, millis = begun.elapsed().as_millis(), "live again");
    }
    for one in &reinstated {
        for (number, why) in &one.failed {
            log.add_delivery(DeliveryEvent {
                kind: "plugin.not_restored",
                plugin: Some(one.plugin.clone()),
                version: registry.version(&one.plugin, *number),
                revision: Some(*number),
                message: format!("what was live cannot be loaded: {}", why.message),
                code: None,
            });
        }
    }
    start.quarantine_suspects(registry);
    if let Some(why) = &start.why {
        let names: Vec<_> = start
            .suspects
            .iter()
            .map(|suspect| match &suspect.version {
                Some(version) => format!("{} {version}", suspect.plugin),
                None => format!("a new file of {}", suspect.plugin),
            })
            .collect();
        let taken_out = match &*names {
            [] => String::new(),
            names => format!("; taken out of service: {}", names.join(", ")),
        };
        match &*names {
            [] => tracing::warn!(why, "started on the last good set of versions"),
            suspects => tracing::error!(why, ?suspects, "started on the last good set of versions"),
        }
        log.add_delivery(DeliveryEvent {
            kind: "host.recovered",
            plugin: None,
            version: None,
            revision: None,
            message: format!("started on the last good set of versions, since {why}{taken_out}"),
            code: None,
        });
    }
    let came = |plugin: &PluginName| {
        let one = reinstated.iter().find(|one| one.plugin == *plugin)?;
        one.live
    };
    let instead = start.wanted.iter().filter_map(|wanted| {
        let (desired, live) = (wanted.desired?, came(&wanted.plugin));
        (live != Some(desired)).then(|| (wanted.plugin.clone(), (desired, live)))
    });
    instead.collect()
}

/// Of plugins that did not come back as they should: what should be live, and what is instead.
pub(crate) type Instead = BTreeMap<PluginName, (RevisionNumber, Option<RevisionNumber>)>;
