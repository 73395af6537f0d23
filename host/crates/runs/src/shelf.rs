//! The workflows that a host serves: documents of a directory, and what starts them.
//!
//! Invariant: a document that changed is served as it is now within a second or two; one that cannot be read or run is
//! shown with its findings, and starts nothing. A schedule starts a run once for each of its times; times that passed
//! while the host was down are left out.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use parking_lot::{Condvar, Mutex, RwLock};
use patchbay_journal::TriggerKind as Kind;
use patchbay_vocab::{Explain, TenantId, UnixMillis, WorkflowId};
use patchbay_wire as wire;
use patchbay_workflow::{Plan, TriggerKind, next_time};
use plugin_api::value::{Value, ValueRef, Writer};

use crate::compiled::Reading;
use crate::error::RunsError;
use crate::order::Order;
use crate::runs::Runs;

/// How often the directory and the schedules are looked at.
const TICK: Duration = Duration::from_secs(1);
/// Documents that are served.
const MOST: usize = 10_000;
/// A longer document is not read.
const LARGEST: u64 = 16 << 20;

struct Document {
    file: PathBuf,
    seen: (SystemTime, u64),
    text: Arc<str>,
    reading: Reading,
    /// For each trigger that is a schedule, when it comes next.
    next: Mutex<HashMap<usize, i64>>,
}

impl Document {
    fn plan(&self) -> Option<&Arc<Plan>> {
        match &self.reading {
            Reading::Fit(compiled) => Some(&compiled.plan),
            Reading::Unfit(_) => None,
        }
    }
}

#[derive(Default)]
struct Documents {
    by_id: BTreeMap<WorkflowId, Arc<Document>>,
    /// Those that have no id, or another one's: by their file.
    nameless: Vec<Arc<Document>>,
}

/// The documents of a directory.
pub(crate) struct Shelf {
    dir: Option<PathBuf>,
    documents: RwLock<Documents>,
    stopped: Mutex<bool>,
    wake: Condvar,
}

impl Shelf {
    pub(crate) fn new(dir: Option<PathBuf>) -> Self {
        Self {
            dir,
            documents: RwLock::default(),
            stopped: Mutex::new(false),
            wake: Condvar::new(),
        }
    }

    /// Reads the directory and watches it, and the clock, from now on.
    pub(crate) fn start(&self, runs: &Arc<Runs>) -> std::io::Result<()> {
        if self.dir.is_none() {
            return Ok(());
        }
        self.look(runs);
        let weak: Weak<Runs> = Arc::downgrade(runs);
        std::thread::Builder::new()
            .name("pb-triggers".into())
            .spawn(move || {
                while let Some(runs) = weak.upgrade() {
                    runs.shelf.look(&runs);
                    runs.shelf.start_due(&runs);
                    let mut stopped = runs.shelf.stopped.lock();
                    if !*stopped {
                        runs.shelf.wake.wait_for(&mut stopped, TICK);
                    }
                    if *stopped {
                        return;
                    }
                }
            })?;
        Ok(())
    }

    pub(crate) fn stop(&self) {
        *self.stopped.lock() = true;
        self.wake.notify_all();
    }

    /// Reads what is new or has changed in the directory.
    pub(crate) fn look(&self, runs: &Runs) {
        let Some(dir) = &self.dir else { return };
        let known: HashMap<PathBuf, Arc<Document>> = {
            let documents = self.documents.read();
            let all = documents.by_id.values().chain(&documents.nameless);
            all.map(|document| (document.file.clone(), Arc::clone(document)))
                .collect()
        };
        let mut files: Vec<PathBuf> = match std::fs::read_dir(dir) {
            Ok(entries) => entries
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| is_document(path))
                .collect(),
            Err(error) => {
                tracing::warn!(dir = %dir.display(), %error, "the directory of workflows cannot be read");
                return;
            }
        };
        files.sort();
        files.truncate(MOST);
        let mut next = Documents::default();
        let mut changed = files.len() != known.len();
        for file in files {
            let Some(seen) = stamp(&file) else { continue };
            let document = match known.get(&file) {
                Some(document) if document.seen == seen => Arc::clone(document),
                _ => {
                    changed = true;
                    let Some(document) = self.read(runs, file, seen) else {
                        continue;
                    };
                    document
                }
            };
            match document.plan().map(|plan| plan.id.clone()) {
                Some(id) if !next.by_id.contains_key(&id) => {
                    next.by_id.insert(id, document);
                }
                _ => next.nameless.push(document),
            }
        }
        if changed {
            *self.documents.write() = next;
        }
    }

    fn read(&self, runs: &Runs, file: PathBuf, seen: (SystemTime, u64)) -> Option<Arc<Document>> {
        if seen.1 > LARGEST {
            tracing::warn!(file = %file.display(), "a workflow is too large to be served");
            return None;
        }
        let text: Arc<str> = match std::fs::read_to_string(&file) {
            Ok(text) => text.into(),
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "a workflow cannot be read");
                return None;
            }
        };
        let reading = runs.compile(&text);
        let document = Document {
            file,
            seen,
            text,
            reading,
            next: Mutex::default(),
        };
        Some(Arc::new(document))
    }

    /// The first active workflow of which `wanted` gives something: its text, and what was given.
    pub(crate) fn find_active<T>(&self, wanted: impl Fn(&Plan) -> Option<T>) -> Option<(Arc<str>, T)> {
        let documents = self.documents.read();
        documents.by_id.values().find_map(|document| {
            let found = wanted(document.plan().filter(|plan| plan.active)?)?;
            Some((Arc::clone(&document.text), found))
        })
    }

    /// Begins the runs whose time has come.
    pub(crate) fn start_due(&self, runs: &Arc<Runs>) {
        let now = i64::try_from(runs.ground.clock.wall().0).unwrap_or(i64::MAX);
        let documents: Vec<_> = self.documents.read().by_id.values().cloned().collect();
        for document in documents {
            let Some(plan) = document.plan().filter(|plan| plan.active) else {
                continue;
            };
            for (place, trigger) in plan.triggers.iter().enumerate() {
                let TriggerKind::Schedule { cron, timezone } = &trigger.kind else {
                    continue;
                };
                if !trigger.enabled || !document.is_due(place, cron, timezone, now) {
                    continue;
                }
                let node = plan.nodes.get(trigger.node as usize);
                let order = Order {
                    kind: Kind::Schedule,
                    from: node.map(|node| node.id.as_str().to_owned()),
                    trigger: scheduled(now),
                    ..Order::of(Arc::clone(&document.text))
                };
                match runs.begin(order) {
                    Ok(begun) => {
                        tracing::info!(workflow = %plan.id, run = %begun.id(), "a schedule began a run");
                    }
                    Err(error) => {
                        let (code, why) = (error.code(), error.chain());
                        tracing::warn!(workflow = %plan.id, %code, why, "a schedule could not begin a run");
                    }
                }
            }
        }
    }
}

impl Document {
    /// Whether the schedule's time has come; looks for the next one when it has.
    fn is_due(&self, place: usize, cron: &str, timezone: &str, now: i64) -> bool {
        let mut next = self.next.lock();
        let at = match next.get(&place) {
            Some(at) => *at,
            None => match next_time(cron, timezone, now) {
                Some(at) => *next.entry(place).or_insert(at),
                None => return false,
            },
        };
        if now < at {
            return false;
        }
        match next_time(cron, timezone, now) {
            Some(after) => next.insert(place, after),
            None => next.insert(place, i64::MAX),
        };
        true
    }
}

fn scheduled(now: i64) -> Value {
    let mut out = Vec::new();
    let written = Writer::new(&mut out).map(|map| map.entry("scheduledAt", |writer| writer.i64(now)));
    written.map_or_else(|_| Value::null(), |()| ValueRef::assume_valid(&out).to_value())
}

fn is_document(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with('.'));
    !hidden && path.extension().is_some_and(|extension| extension == "json")
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let about = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some((about.modified().ok()?, about.len()))
}

impl Runs {
    /// The workflows that the host serves.
    #[must_use]
    pub fn workflows(&self) -> Vec<wire::WorkflowView> {
        let documents: Vec<_> = {
            let documents = self.shelf.documents.read();
            documents
                .by_id
                .values()
                .chain(&documents.nameless)
                .cloned()
                .collect()
        };
        documents
            .iter()
            .filter_map(|document| self.workflow_view(document))
            .collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// When there is none.
    pub fn workflow(&self, id: &WorkflowId) -> Result<wire::WorkflowView, RunsError> {
        let document = self.shelf.documents.read().by_id.get(id).cloned();
        let view = document.and_then(|document| self.workflow_view(&document));
        view.ok_or_else(|| RunsError::UnknownWorkflow(id.clone()))
    }

    /// The text of a served document that a tenant may run.
    pub(crate) fn text_of(&self, id: &WorkflowId, tenant: &TenantId) -> Option<Arc<str>> {
        let document = self.shelf.documents.read().by_id.get(id).cloned()?;
        let of = document.plan()?.tenant.clone();
        of.is_none_or(|of| of == *tenant)
            .then(|| Arc::clone(&document.text))
    }

    /// The text of a served document.
    ///
    /// # Errors
    /// When there is none.
    pub fn served_text(&self, id: &WorkflowId) -> Result<Arc<str>, RunsError> {
        let document = self.shelf.documents.read().by_id.get(id).cloned();
        let text = document.map(|document| Arc::clone(&document.text));
        text.ok_or_else(|| RunsError::UnknownWorkflow(id.clone()))
    }

    fn workflow_view(&self, document: &Document) -> Option<wire::WorkflowView> {
        let file = document.file.file_name()?.to_string_lossy().into_owned();
        let said = self.validate(&document.text, None);
        let Some(plan) = document.plan() else {
            return Some(wire::WorkflowView {
                workflow_id: said.workflow_id.or_else(|| file.parse().ok())?,
                name: said.workflow,
                tenant: None,
                file,
                active: false,
                valid: false,
                nodes: said.nodes,
                triggers: Vec::new(),
                findings: said.findings,
            });
        };
        let next = document.next.lock().clone();
        let triggers = plan.triggers.iter().enumerate().filter_map(|(place, trigger)| {
            let (kind, detail) = match &trigger.kind {
                TriggerKind::Manual => ("manual", String::new()),
                TriggerKind::Schedule { cron, timezone } => ("schedule", format!("{cron} {timezone}")),
                TriggerKind::Webhook { path, methods } => {
                    ("webhook", format!("{} {path}", methods.join(",")))
                }
                TriggerKind::Other(kind) => (kind.as_str(), String::new()),
            };
            Some(wire::TriggerView {
                kind: kind.to_owned(),
                node: plan.nodes.get(trigger.node as usize)?.id.clone(),
                enabled: trigger.enabled,
                detail,
                next_at: next
                    .get(&place)
                    .and_then(|at| u64::try_from(*at).ok())
                    .map(UnixMillis),
            })
        });
        Some(wire::WorkflowView {
            workflow_id: plan.id.clone(),
            name: plan.name.clone(),
            tenant: plan.tenant.clone(),
            file,
            active: plan.active,
            valid: said.valid,
            nodes: plan.nodes.len() as u64,
            triggers: triggers.collect(),
            findings: said.findings,
        })
    }
}
