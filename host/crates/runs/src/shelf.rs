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
use patchbay_vocab::{Explain, WorkflowId};
use patchbay_workflow::{Plan, Trigger, TriggerKind, next_time};
use plugin_api::value::{Value, ValueRef, Writer};

use crate::compiled::{Compiled, Reading};
use crate::config::Triggers;
use crate::order::Order;
use crate::runs::Runs;

/// How often the directory and the schedules are looked at.
const TICK: Duration = Duration::from_secs(1);
/// Documents that are served.
const MOST: usize = 10_000;
/// A longer document is not read.
const LARGEST: u64 = 16 << 20;

/// When a file was changed, and how long it is.
type Stamp = (SystemTime, u64);

pub(crate) struct Document {
    pub(crate) file: PathBuf,
    seen: Stamp,
    pub(crate) text: Arc<str>,
    reading: Reading,
    /// For each trigger that is a schedule, when it comes next.
    pub(crate) next: Mutex<HashMap<usize, i64>>,
}

impl Document {
    pub(crate) fn plan(&self) -> Option<&Arc<Plan>> {
        self.compiled().map(|compiled| &compiled.plan)
    }

    /// The document when it can be run, as far as that can be said without plugins.
    pub(crate) fn compiled(&self) -> Option<&Arc<Compiled>> {
        match &self.reading {
            Reading::Fit(compiled) => Some(compiled),
            Reading::Unfit(_) => None,
        }
    }
}

#[derive(Default)]
pub(crate) struct Documents {
    pub(crate) by_id: BTreeMap<WorkflowId, Arc<Document>>,
    /// Those that have no id, or another one's: by their file.
    pub(crate) nameless: Vec<Arc<Document>>,
}

/// The documents of a directory.
pub(crate) struct Shelf {
    dir: Option<PathBuf>,
    pub(crate) documents: RwLock<Documents>,
    /// Files that are not served, as they were when that was told.
    refused: Mutex<HashMap<PathBuf, Stamp>>,
    stopped: Mutex<bool>,
    wake: Condvar,
}

impl Shelf {
    pub(crate) fn new(dir: Option<PathBuf>) -> Self {
        Self {
            dir,
            documents: RwLock::default(),
            refused: Mutex::default(),
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
                if self.is_news(dir, (SystemTime::UNIX_EPOCH, 0)) {
                    tracing::warn!(dir = %dir.display(), %error, "the directory of workflows cannot be read");
                }
                return;
            }
        };
        files.sort();
        files.truncate(MOST);
        // What is gone is told again when it comes back; so is the directory.
        self.refused.lock().retain(|file, _| files.contains(file));
        let mut next = Documents::default();
        let (mut changed, mut found) = (false, 0);
        for file in files {
            let Some(seen) = stamp(&file) else { continue };
            let document = match known.get(&file) {
                Some(document) if document.seen == seen => Arc::clone(document),
                known => {
                    let Some(document) = self.read(runs, file, seen, known) else {
                        continue;
                    };
                    changed = true;
                    document
                }
            };
            found += 1;
            match document.plan().map(|plan| plan.id.clone()) {
                Some(id) if !next.by_id.contains_key(&id) => {
                    next.by_id.insert(id, document);
                }
                _ => next.nameless.push(document),
            }
        }
        if changed || found != known.len() {
            *self.documents.write() = next;
        }
    }

    /// Whether it has not been told yet that a file, as it is now, is not served.
    fn is_news(&self, file: &Path, seen: Stamp) -> bool {
        self.refused.lock().insert(file.to_owned(), seen) != Some(seen)
    }

    fn read(
        &self,
        runs: &Runs,
        file: PathBuf,
        seen: Stamp,
        before: Option<&Arc<Document>>,
    ) -> Option<Arc<Document>> {
        if seen.1 > LARGEST {
            if self.is_news(&file, seen) {
                tracing::warn!(file = %file.display(), "a workflow is too large to be served");
            }
            return None;
        }
        // Tried again each time: who may read it can change without the file.
        let text: Arc<str> = match std::fs::read_to_string(&file) {
            Ok(text) => text.into(),
            Err(error) => {
                if self.is_news(&file, seen) {
                    tracing::warn!(file = %file.display(), %error, "a workflow cannot be read");
                }
                return None;
            }
        };
        self.refused.lock().remove(&file);
        let reading = runs.compile(&text);
        if let Reading::Unfit(findings) = &reading {
            let why = crate::error::unfit(findings);
            tracing::warn!(file = %file.display(), "{why}; `patchbay validate` says it all");
        }
        let document = Document {
            file,
            seen,
            text,
            reading,
            next: Mutex::default(),
        };
        if let Some(before) = before {
            document.go_on_from(before);
        }
        Some(Arc::new(document))
    }

    /// The documents that can be run, as far as that can be said without plugins.
    pub(crate) fn compiled(&self) -> Vec<Arc<Compiled>> {
        let documents = self.documents.read();
        documents
            .by_id
            .values()
            .filter_map(|document| document.compiled().cloned())
            .collect()
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
        if runs.config.triggers == Triggers::Off {
            return;
        }
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
                if !trigger.enabled {
                    continue;
                }
                let node = plan.nodes.get(trigger.node as usize);
                while let Some(at) = document.due(place, cron, timezone, now) {
                    let order = Order {
                        kind: Kind::Schedule,
                        from: node.map(|node| node.id.as_str().to_owned()),
                        trigger: scheduled(at),
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
}

impl Document {
    /// The schedule's time, when it has come; once for each. When several have passed since the last look, those that
    /// came before the last of [`TICK`] are left out, but for the first.
    fn due(&self, place: usize, cron: &str, timezone: &str, now: i64) -> Option<i64> {
        let mut next = self.next.lock();
        let at = match next.get(&place) {
            Some(at) => *at,
            None => {
                let at = next_time(cron, timezone, now)?;
                *next.entry(place).or_insert(at)
            }
        };
        if now < at {
            return None;
        }
        let tick = i64::try_from(TICK.as_millis()).unwrap_or(i64::MAX);
        let after = next_time(cron, timezone, at.max(now.saturating_sub(tick)));
        next.insert(place, after.unwrap_or(i64::MAX));
        Some(at)
    }

    /// Takes over when the schedules come next that are the same as in the document before.
    fn go_on_from(&self, before: &Self) {
        let (Some(plan), Some(old)) = (self.plan(), before.plan()) else {
            return;
        };
        let known = before.next.lock();
        let mut next = self.next.lock();
        for (place, trigger) in plan.triggers.iter().enumerate() {
            let same = |(_, other): &(usize, &Trigger)| {
                matches!(other.kind, TriggerKind::Schedule { .. })
                    && other.kind == trigger.kind
                    && id_of(old, other) == id_of(plan, trigger)
            };
            let same = old.triggers.iter().enumerate().find(same);
            if let Some(at) = same.and_then(|(place, _)| known.get(&place)) {
                next.insert(place, *at);
            }
        }
    }
}

fn id_of<'p>(plan: &'p Plan, trigger: &Trigger) -> Option<&'p str> {
    let node = plan.nodes.get(trigger.node as usize);
    node.map(|node| node.id.as_str())
}

fn scheduled(at: i64) -> Value {
    let mut out = Vec::new();
    let written = Writer::new(&mut out).map(|map| map.entry("scheduledAt", |writer| writer.i64(at)));
    written.map_or_else(|_| Value::null(), |()| ValueRef::assume_valid(&out).to_value())
}

fn is_document(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with('.'));
    !hidden && path.extension().is_some_and(|extension| extension == "json")
}

fn stamp(path: &Path) -> Option<Stamp> {
    let about = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some((about.modified().ok()?, about.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compiled::compile;

    fn document(cron: &str) -> Document {
        let text = serde_json::json!({
            "id": "w", "name": "w", "active": true,
            "nodes": [{"id": "tick", "type": "x", "parameters": {}}],
            "triggers": [{"nodeId": "tick", "kind": "schedule", "cron": cron, "timezone": "UTC"}],
        })
        .to_string();
        let document = Document {
            file: "w.json".into(),
            seen: (SystemTime::UNIX_EPOCH, 0),
            reading: compile(&text),
            text: text.into(),
            next: Mutex::default(),
        };
        assert_eq!(document.plan().unwrap().triggers.len(), 1);
        document
    }

    fn dues(document: &Document, cron: &str, now: i64) -> Vec<i64> {
        std::iter::from_fn(|| document.due(0, cron, "UTC", now)).collect()
    }

    #[test]
    fn a_time_that_comes_between_two_looks_is_not_skipped_and_old_ones_are() {
        let cron = "* * * * * *";
        let document = document(cron);
        let looks: [(i64, &[i64]); 6] = [
            (10_200, &[]),
            (11_300, &[11_000]),
            // A look that came late: two of its times have come.
            (13_050, &[12_000, 13_000]),
            (13_900, &[]),
            // One that came very late.
            (60_500, &[14_000, 60_000]),
            (61_400, &[61_000]),
        ];
        for (now, expected) in looks {
            assert_eq!(dues(&document, cron, now), expected, "{now}");
        }
    }

    #[test]
    fn a_document_that_is_written_anew_keeps_its_times_unless_they_are_others() {
        let cron = "0 * * * * *";
        let first = document(cron);
        assert!(dues(&first, cron, 10_000).is_empty());
        // Written while the time comes.
        let second = document(cron);
        second.go_on_from(&first);
        assert_eq!(dues(&second, cron, 60_500), [60_000]);
        let other = document("30 * * * * *");
        other.go_on_from(&first);
        assert!(dues(&other, "30 * * * * *", 60_500).is_empty());
    }
}
