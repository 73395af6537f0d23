//! The runs of a host: what they share, and what is known of those that have not ended.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use patchbay_dispatch::{Dispatcher, Routes, Served};
use patchbay_executor::{Executor, ExecutorConfig};
use patchbay_expression::EvalLimits;
use patchbay_journal::{Journal, JournalConfig};
use patchbay_lifecycle::Lifecycle;
use patchbay_registry::Registry;
use patchbay_vocab::{Clock, Digest, RunId, TenantId};
use patchbay_wire as wire;
use plugin_api::value::Value;

use crate::catalogue::{Schemas, View};
use crate::compiled::{Bound, Compiled, Looked, Reading, Stand, compile};
use crate::config::RunsConfig;
use crate::counted::{CacheNumbers, Counted};
use crate::error::RunsError;
use crate::failures::Failures;
use crate::hold::Ground;
use crate::host::RunsHost;
use crate::live::{Cancelled, Live, Watch};
use crate::overlay::Overlays;
use crate::recorder::Recorder;
use crate::results::Results;
use crate::shelf::Shelf;

/// What runs are made of.
pub struct Parts {
    /// The database of runs.
    pub journal: PathBuf,
    /// Where versions are found.
    pub registry: Arc<Registry<Served>>,
    /// How nodes are called.
    pub dispatcher: Arc<Dispatcher>,
    /// How versions are loaded that are not.
    pub lifecycle: Arc<Lifecycle>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where polled nodes run.
    pub tasks: tokio::runtime::Handle,
}

/// Workflows on this host.
pub struct Runs {
    pub(crate) config: RunsConfig,
    pub(crate) registry: Arc<Registry<Served>>,
    pub(crate) ground: Ground,
    pub(crate) executor: OnceLock<Executor>,
    plans: Counted<Digest, Reading>,
    schemas: Schemas,
    bound_hits: AtomicU64,
    bound_misses: AtomicU64,
    pub(crate) overlays: Overlays,
    pub(crate) journal: Arc<Journal>,
    pub(crate) failures: Arc<Failures>,
    pub(crate) recorder: Recorder,
    pub(crate) live: Mutex<HashMap<RunId, Arc<Live>>>,
    /// Told when the last of them has ended.
    all_ended: Condvar,
    /// No more of them begin.
    closed: AtomicBool,
    pub(crate) tasks: tokio::runtime::Handle,
    pub(crate) shelf: Shelf,
    serial: AtomicU64,
}

impl Runs {
    /// Opens the journal, starts the threads, and serves the workflows of the directory.
    ///
    /// # Errors
    /// When the journal cannot be opened, or a thread cannot be started.
    pub fn open(config: RunsConfig, parts: Parts) -> Result<Arc<Self>, RunsError> {
        let mut journal = JournalConfig::at(parts.journal);
        journal.keep = config.keep;
        let journal = Arc::new(Journal::open(&journal, Arc::clone(&parts.clock))?);
        let unavailable = |error: std::io::Error| RunsError::Unavailable(error.to_string());
        let failures = Arc::new(Failures::default());
        let recorder = Recorder::start(Arc::clone(&journal), Arc::clone(&failures)).map_err(unavailable)?;
        let ground = Ground {
            dispatcher: parts.dispatcher,
            lifecycle: parts.lifecycle,
            clock: Arc::clone(&parts.clock),
            results: Arc::new(Results::new(config.result_bytes, config.result_from)),
        };
        let runs = Arc::new(Self {
            registry: parts.registry,
            ground,
            executor: OnceLock::new(),
            plans: Counted::new(config.plan_bytes, 1_000),
            schemas: Counted::new(64 << 20, 4_000),
            bound_hits: AtomicU64::new(0),
            bound_misses: AtomicU64::new(0),
            overlays: Overlays::new(),
            journal,
            failures,
            recorder,
            live: Mutex::default(),
            all_ended: Condvar::new(),
            closed: AtomicBool::new(false),
            tasks: parts.tasks.clone(),
            shelf: Shelf::new(config.workflows.clone()),
            serial: AtomicU64::new(0),
            config,
        });
        let env = runs.config.env.iter().filter_map(|name| {
            let value = std::env::var(name).ok()?;
            Some((name.clone(), Value::from(value.as_str())))
        });
        let host = RunsHost {
            runs: Arc::downgrade(&runs),
            tasks: parts.tasks,
            env: env.collect(),
        };
        let executor = ExecutorConfig {
            threads: runs.config.threads,
            output_bytes: runs.config.output_bytes,
            expressions: runs.limits(),
            grace: runs.config.grace,
        };
        let executor = Executor::start(executor, parts.clock, Arc::new(host)).map_err(unavailable)?;
        let _ = runs.executor.set(executor);
        runs.shelf.start(&runs).map_err(unavailable)?;
        Ok(runs)
    }

    const fn limits(&self) -> EvalLimits {
        EvalLimits {
            millis: self.config.script_millis,
            memory_bytes: self.config.script_memory,
            output_bytes: self.config.output_bytes,
        }
    }

    /// Reads a document, or finds that it was read before.
    pub(crate) fn compile(&self, text: &str) -> Reading {
        let digest = Digest::of(text.as_bytes());
        if let Some(known) = self.plans.get(&digest) {
            return known;
        }
        let reading = compile(text);
        self.plans.insert(digest, reading.clone());
        reading
    }

    pub(crate) fn compiled(&self, text: &str) -> Result<Arc<Compiled>, RunsError> {
        match self.compile(text) {
            Reading::Fit(compiled) => Ok(compiled),
            Reading::Unfit(findings) => Err(RunsError::Refused {
                findings: Box::new(Clone::clone(&findings)),
            }),
        }
    }

    pub(crate) fn view<'v>(&'v self, snapshot: &'v Routes, tenant: Option<&'v TenantId>) -> View<'v> {
        View {
            snapshot,
            dispatcher: &self.ground.dispatcher,
            schemas: &self.schemas,
            rules: &self.config.rules,
            tenant,
        }
    }

    pub(crate) fn bind(
        &self,
        compiled: &Compiled,
        (snapshot, stand): (&Routes, Stand),
        tenant: &TenantId,
    ) -> Arc<Bound> {
        let (bound, looked) = compiled.bind(&self.view(snapshot, Some(tenant)), stand);
        let count = match looked {
            Looked::Hit => &self.bound_hits,
            Looked::Miss => &self.bound_misses,
        };
        count.fetch_add(1, Ordering::Relaxed);
        bound
    }

    /// A new id of a run: in the order of the ids is the order in which they were made, to the millisecond.
    pub(crate) fn fresh_id(&self) -> RunId {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let millis = self.ground.clock.wall().0;
        let text = format!("r{millis:012x}{:04x}{:08x}", serial & 0xffff, fastrand::u32(..));
        // Letters and digits are an id.
        text.parse().unwrap_or_else(|_| unreachable_id())
    }

    pub(crate) fn forget(&self, id: &RunId) {
        let mut live = self.live.lock();
        live.remove(id);
        if live.is_empty() {
            self.all_ended.notify_all();
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Watches a run that has not ended.
    ///
    /// # Errors
    /// When it has, or is unknown.
    pub fn watch(&self, id: &RunId) -> Result<Watch, RunsError> {
        let live = self.live.lock().get(id).cloned();
        match live {
            Some(live) => live.watch_on().ok_or_else(|| RunsError::Ended(id.clone())),
            None => Err(self.ended_or_unknown(id)),
        }
    }

    /// Ends a run.
    ///
    /// # Errors
    /// When it has ended, or is unknown.
    pub fn cancel(&self, id: &RunId) -> Result<(), RunsError> {
        let live = self.live.lock().get(id).cloned();
        match live {
            Some(live) if self.end(&live) => Ok(()),
            Some(_) => Err(RunsError::Ended(id.clone())),
            None => Err(self.ended_or_unknown(id)),
        }
    }

    /// Ends a run; whether there was anything to end.
    fn end(&self, live: &Live) -> bool {
        match live.cancel() {
            Cancelled::Waiting(launch) => self.end_unbegun(live, *launch),
            Cancelled::Told => {}
            Cancelled::Over => return false,
        }
        true
    }

    fn ended_or_unknown(&self, id: &RunId) -> RunsError {
        // What has just ended may not be written yet.
        if let Err(error) = self.sync(Duration::from_secs(10)) {
            return error;
        }
        match self.journal.run(id) {
            Ok(Some(_)) => RunsError::Ended(id.clone()),
            Ok(None) => RunsError::UnknownRun(id.clone()),
            Err(error) => error.into(),
        }
    }

    /// Runs that have not ended.
    #[must_use]
    pub fn running(&self) -> Vec<wire::RunSummaryView> {
        let now = self.ground.clock.wall();
        let live: Vec<_> = self.live.lock().values().cloned().collect();
        let mut views: Vec<_> = live.iter().map(|live| live.summary(now)).collect();
        views.sort_by(|a, b| b.run_id.cmp(&a.run_id));
        views
    }

    pub(crate) fn live_summary(&self, id: &RunId) -> Option<wire::RunSummaryView> {
        let live = self.live.lock().get(id).cloned()?;
        Some(live.summary(self.ground.clock.wall()))
    }

    /// Waits until every run that has ended so far is on disk.
    ///
    /// # Errors
    /// When the journal cannot write, or it takes longer than `within`.
    pub fn sync(&self, within: Duration) -> Result<(), RunsError> {
        let end = self.ground.clock.now().0 + within;
        self.recorder.flush(within)?;
        Ok(self.journal.sync(end.saturating_sub(self.ground.clock.now().0))?)
    }

    /// The caches of workflows, by name: compiled documents, what they come to on the registry, what runs see that have
    /// other versions than the live ones, schemas, results.
    #[must_use]
    pub fn caches(&self) -> [(&'static str, CacheNumbers); 5] {
        let plans = self.plans.numbers();
        let bound = CacheNumbers {
            entries: plans.entries,
            bytes: 0,
            hits: self.bound_hits.load(Ordering::Relaxed),
            misses: self.bound_misses.load(Ordering::Relaxed),
            evictions: 0,
        };
        [
            ("plans", plans),
            ("validations", bound),
            ("overlays", self.overlays.numbers()),
            ("metadata", self.schemas.numbers()),
            ("results", self.ground.results.numbers()),
        ]
    }

    /// Whether a tenant may use a node type, by the rules of the configuration.
    #[must_use]
    pub fn may_use(&self, tenant: &TenantId, node_type: &str) -> bool {
        use patchbay_workflow::Catalogue as _;
        let snapshot = self.registry.snapshot();
        self.view(&snapshot, Some(tenant)).allows(node_type)
    }

    /// How often nodes failed since the host began, and how recovery went; the most frequent first.
    #[must_use]
    pub fn failures(&self) -> Vec<wire::FailureCountView> {
        self.failures.list()
    }

    /// Ends what runs, for good: nothing begins any more, what runs or waits is cancelled and waited for, and the journal
    /// is written. At most `within` in all.
    pub fn close(&self, within: Duration) {
        self.closed.store(true, Ordering::SeqCst);
        self.shelf.stop();
        let now = || self.ground.clock.now().0;
        let end = now() + within;
        let running: Vec<_> = self.live.lock().values().cloned().collect();
        for live in &running {
            self.end(live);
        }
        // The journal needs some of the time, too.
        let runs_end = end.saturating_sub(within / 4);
        let mut live = self.live.lock();
        while !live.is_empty() {
            let left = runs_end.saturating_sub(now());
            if self.all_ended.wait_for(&mut live, left).timed_out() {
                break;
            }
        }
        drop(live);
        if let Err(error) = self.sync(end.saturating_sub(now())) {
            tracing::warn!(%error, "the last runs may not be in the journal");
        }
        // Others may still hold a handle of this host; another host may have the journal now.
        self.journal.close();
    }
}

/// An id for hosts that are going down: nobody asks for it any more.
pub(crate) fn unreachable_id() -> RunId {
    loop {
        if let Ok(id) = format!("r{:016x}", fastrand::u64(..)).parse() {
            return id;
        }
    }
}

impl std::fmt::Debug for Runs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runs")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
