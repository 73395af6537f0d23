//! What listings show: registry and metadata, turned into wire types.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use patchbay_delivery::DeliveryEvent;
use patchbay_dispatch::{NodeSlot, Served};
use patchbay_lifecycle::{Event, EventKind};
use patchbay_loader::{Description, NodeDescription};
use patchbay_registry::{HistoryEntry, Mount, PluginStatus, RevisionStatus};
use patchbay_vocab::{Clock, Digest, Explained, RevisionNumber};
use patchbay_wire as wire;
use plugin_api::meta;
use tokio::sync::broadcast;

use crate::patchbay::Inner;
use crate::trust::signer;

/// Numbers events and hands them to subscribers.
#[derive(Debug)]
pub(crate) struct EventLog {
    events: broadcast::Sender<wire::EventView>,
    next: AtomicU64,
    clock: Arc<dyn Clock>,
}

impl EventLog {
    pub(crate) fn new(events: broadcast::Sender<wire::EventView>, clock: Arc<dyn Clock>) -> Self {
        Self {
            events,
            next: AtomicU64::new(1),
            clock,
        }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<wire::EventView> {
        self.events.subscribe()
    }

    pub(crate) fn add(&self, event: &Event) {
        let (kind, message, code) = words(&event.kind);
        self.send(wire::EventView {
            sequence: self.next.fetch_add(1, Ordering::Relaxed),
            at: self.clock.wall(),
            kind: kind.to_owned(),
            plugin: event.plugin.clone(),
            version: event.version.clone(),
            revision: event.revision,
            message,
            code,
        });
    }

    /// What delivery did.
    pub(crate) fn add_delivery(&self, event: DeliveryEvent) {
        self.send(wire::EventView {
            sequence: self.next.fetch_add(1, Ordering::Relaxed),
            at: self.clock.wall(),
            kind: event.kind.to_owned(),
            plugin: event.plugin,
            version: event.version,
            revision: event.revision,
            message: event.message,
            code: event.code.map(|code| code.to_string()),
        });
    }

    fn send(&self, view: wire::EventView) {
        let kind = &view.kind;
        tracing::info!(
            kind,
            plugin = view.plugin.as_ref().map(tracing::field::display),
            version = view.version.as_ref().map(tracing::field::display),
            message = view.message,
        );
        // Nobody listening is fine.
        let _ = self.events.send(view);
    }
}

fn words(kind: &EventKind) -> (&'static str, String, Option<String>) {
    let plain = |kind, message: &str| (kind, message.to_owned(), None);
    let explained = |kind, why: &Explained| (kind, why.message.clone(), Some(why.code.clone()));
    match kind {
        EventKind::Registered => plain("revision.registered", "passed every check"),
        EventKind::Live { from, micros, state } => {
            let from = from
                .map(|from| format!(", instead of revision {from}"))
                .unwrap_or_default();
            let took = micros.map(|micros| format!(", {:.1} ms after the file", micros as f64 / 1e3));
            let state = state.filter(|state| state.instances > 0);
            let state = state.map(|state| format!(", with the state of {} instances", state.instances));
            let (took, state) = (took.unwrap_or_default(), state.unwrap_or_default());
            (
                "plugin.live",
                format!("receives the calls{from}{took}{state}"),
                None,
            )
        }
        EventKind::Blocked(why) => explained("revision.blocked", why),
        EventKind::Quarantined => plain("revision.quarantined", "taken out of service"),
        EventKind::Removed => plain("plugin.removed", "no version receives calls"),
        EventKind::Draining => plain("revision.draining", "receives no new calls"),
        EventKind::Pinned(reasons) => {
            let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
            (
                "revision.pinned",
                format!("cannot be unmapped yet: {}", reasons.join(", ")),
                None,
            )
        }
        EventKind::Retired => plain("revision.retired", "unmapped"),
        EventKind::Kept(reason) => ("revision.kept", format!("stays mapped: {reason}"), None),
        EventKind::Asleep => plain("plugin.asleep", "nobody called it: unmapped until the next call"),
        EventKind::Awake { micros } => (
            "plugin.awake",
            format!("mapped again in {:.1} ms", *micros as f64 / 1e3),
            None,
        ),
        EventKind::WakeFailed(why) => explained("plugin.wake_failed", why),
        EventKind::Rejected { path, why } => (
            "file.rejected",
            format!("{}: {}", one_line(path), one_line(&why.message)),
            Some(why.code.clone()),
        ),
        EventKind::Trouble(why) => explained("watch.trouble", why),
    }
}

pub(crate) fn status(inner: &Inner) -> wire::StatusView {
    let snapshot = inner.registry.snapshot();
    let unload = match patchbay_loader::can_unmap() {
        true => wire::UnloadMode::Unmap,
        false => wire::UnloadMode::KeepMapped,
    };
    wire::StatusView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        contract: inner.contract.to_string(),
        generation: snapshot.generation(),
        plugins: snapshot.plugins().count() as u64,
        nodes: snapshot
            .plugins()
            .map(|mount| mount.handle().plugin().description().nodes.len() as u64)
            .sum(),
        rejected: inner.lifecycle.rejected().len() as u64,
        uptime_millis: u64::try_from(inner.clock.now().0.as_millis()).unwrap_or(u64::MAX),
        unload,
        mode: inner.mode.to_owned(),
        rollouts: inner.delivery.count() as u64,
        state_trouble: inner.state.is_failing(),
    }
}

fn named(status: &PluginStatus, number: RevisionNumber) -> Option<wire::RevisionRef> {
    let revision = status.revisions.iter().find(|known| known.number == number)?;
    Some(wire::RevisionRef {
        revision: number,
        version: revision.version.clone(),
    })
}

pub(crate) fn plugin(inner: &Inner, status: &PluginStatus) -> wire::PluginView {
    let live = status
        .revisions
        .iter()
        .find(|revision| Some(revision.number) == status.live);
    let shown = live.or_else(|| status.revisions.last());
    let mount = shown.and_then(|revision| inner.registry.mounted(&status.plugin, revision.number));
    let description = mount.as_ref().map(|mount| mount.handle().plugin().description());
    let text = |field: fn(&Description) -> &String| description.map(field).cloned().unwrap_or_default();
    wire::PluginView {
        name: status.plugin.clone(),
        description: text(|description| &description.description),
        author: text(|description| &description.author),
        live: live.map(|revision| revision.version.clone()),
        live_revision: status.live,
        desired: inner.desired(status).and_then(|number| named(status, number)),
        canary: status.split.and_then(|(to, weight)| {
            Some(wire::ShareView {
                to: named(status, to)?,
                weight: weight.percent(),
            })
        }),
        generation: Some(inner.registry.snapshot().generation()),
        revisions: status
            .revisions
            .iter()
            .map(|r| revision(inner, status, r))
            .collect(),
        nodes: match description {
            // The registry's list has the aliases too; only a load knows which they are.
            Some(description) => description
                .nodes
                .iter()
                .map(|node| node.node_type.clone())
                .collect(),
            None => shown.map(|revision| revision.nodes.to_vec()).unwrap_or_default(),
        },
        dependencies: shown
            .map(|revision| revision.dependencies.iter().map(dependency).collect())
            .unwrap_or_default(),
    }
}

fn dependency(dependency: &patchbay_registry::Dependency) -> wire::DependencyView {
    wire::DependencyView {
        plugin: dependency.plugin.clone(),
        range: dependency.range.clone(),
    }
}

fn revision(inner: &Inner, status: &PluginStatus, revision: &RevisionStatus) -> wire::RevisionView {
    let loads = inner.registry.loads(&status.plugin, revision.number);
    let memory: usize = loads
        .iter()
        .map(|mount| mount.handle().plugin().mapped_bytes())
        .sum();
    let threads = loads
        .iter()
        .map(|mount| mount.handle().plugin().threads().0)
        .sum();
    let blocked = inner.lifecycle.blocked_by(&status.plugin, revision.number);
    wire::RevisionView {
        revision: revision.number,
        version: revision.version.clone(),
        digest: revision.digest,
        state: revision.state,
        asleep: revision.asleep,
        calls_in_flight: revision.calls_in_flight,
        calls_total: revision.calls_ever,
        pinned_by: revision.pinned.iter().map(ToString::to_string).collect(),
        memory_bytes: (memory > 0).then_some(memory as u64),
        threads,
        origin: revision.origin.to_string(),
        signed_by: signed_by(inner, revision.digest),
        admitted_at: revision.admitted_at,
        blocked_by: blocked.map(|why| wire::ProblemView {
            code: why.code,
            message: why.message,
            hint: why.hint,
            request_id: None,
            findings: Vec::new(),
        }),
    }
}

pub(crate) fn rejected(inner: &Inner) -> Vec<wire::RejectedView> {
    let views = inner
        .lifecycle
        .rejected()
        .into_iter()
        .map(|rejection| wire::RejectedView {
            path: rejection.path.display().to_string(),
            digest: rejection.digest,
            signed_by: rejection.provenance.as_ref().and_then(signer),
            code: rejection.why.code,
            message: rejection.why.message,
            hint: rejection.why.hint,
            at: rejection.at,
        });
    views.collect()
}

fn signed_by(inner: &Inner, digest: Digest) -> Option<wire::SignerView> {
    signer(&inner.lifecycle.provenance(digest)?)
}

pub(crate) fn history(inner: &Inner, status: &PluginStatus, entry: &HistoryEntry) -> wire::HistoryView {
    let mut revisions = status.revisions.iter();
    let revision = revisions.find(|known| known.number == entry.revision);
    wire::HistoryView {
        at: entry.at,
        generation: entry.generation,
        action: entry.action.as_str().to_owned(),
        revision: entry.revision,
        version: entry.version.clone(),
        signed_by: revision.and_then(|known| signed_by(inner, known.digest)),
        from_revision: entry.from,
        actor: entry.actor.to_string(),
        reason: entry.reason.to_string(),
    }
}

pub(crate) fn nodes(inner: &Inner) -> Vec<wire::NodeView> {
    let snapshot = inner.registry.snapshot();
    let mut views: Vec<_> = snapshot
        .plugins()
        .flat_map(|mount| {
            let nodes = &mount.handle().plugin().description().nodes;
            nodes
                .iter()
                .map(|node| node_view(mount, node))
                .collect::<Vec<_>>()
        })
        .collect();
    views.sort_by(|a, b| a.node_type.cmp(&b.node_type));
    views
}

pub(crate) fn node(inner: &Inner, slot: NodeSlot) -> Option<wire::NodeView> {
    let snapshot = inner.registry.snapshot();
    let route = snapshot.route(slot)?;
    let mount = route.mount();
    let description = mount.handle().plugin().description();
    let (_, place) = description.names().nth(route.node() as usize)?;
    Some(node_view(mount, description.nodes.get(place)?))
}

fn node_view(mount: &Mount<Served>, node: &NodeDescription) -> wire::NodeView {
    let meta = &node.meta;
    wire::NodeView {
        node_type: node.node_type.clone(),
        plugin: mount.plugin().clone(),
        version: meta.version.clone(),
        category: meta.category.clone(),
        description: meta.description.clone(),
        required: meta.required.clone(),
        parameters: meta.parameters.clone(),
        result: meta.result.clone(),
        config: match meta.stateful {
            true => meta.config.clone(),
            false => serde_json::Value::Null,
        },
        aliases: node.aliases.clone(),
        tags: meta.tags.clone(),
        author: meta.author.clone(),
        icon: meta.icon.clone(),
        experimental: meta.experimental,
        effect: match meta.effect {
            meta::Effect::Pure => wire::Effect::Pure,
            meta::Effect::Idempotent => wire::Effect::Idempotent,
            meta::Effect::Effectful => wire::Effect::Effectful,
        },
        timeout_ms: (meta.timeout_ms > 0).then_some(meta.timeout_ms),
        capabilities: meta
            .capabilities
            .iter()
            .map(|capability| match capability {
                meta::Capability::Network => wire::Capability::Network,
                meta::Capability::Fs => wire::Capability::Fs,
                meta::Capability::Secrets => wire::Capability::Secrets,
            })
            .collect(),
        secrets: meta.secrets.clone(),
        is_async: meta.is_async,
        stateful: meta.stateful,
        examples: meta
            .examples
            .iter()
            .map(|example| wire::ExampleView {
                title: example.title.clone(),
                input: example.input.clone(),
                output: example.output.clone(),
            })
            .collect(),
        host_api: meta.host_api.clone(),
        dependencies: meta
            .dependencies
            .iter()
            .filter_map(|dependency| {
                Some(wire::DependencyView {
                    plugin: dependency.plugin.parse().ok()?,
                    range: dependency.range.parse().ok()?,
                })
            })
            .collect(),
    }
}

/// A text for a line of a log or a terminal: whoever names a file must not write lines of his own.
fn one_line(text: impl AsRef<std::path::Path>) -> String {
    let text = text.as_ref().display().to_string();
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}
