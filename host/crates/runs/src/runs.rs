//! Beginning runs, and what is known of those that were begun.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use parking_lot::Mutex;
use patchbay_dispatch::{CallError, Dispatcher, Mount, Routes, Served, Variables};
use patchbay_executor::{
    Admitted, Children, Executor, ExecutorConfig, Finished, Given, Jitter, Place, Prepared, Refusal,
    RunRequest, RunStatus,
};
use patchbay_expression::EvalLimits;
use patchbay_journal::{Journal, JournalConfig, Replay, TriggerKind};
use patchbay_lifecycle::Lifecycle;
use patchbay_registry::{Registry, Selector};
use patchbay_vocab::{Clock, Digest, PluginName, RunId, TenantId};
use patchbay_wire as wire;
use plugin_api::value::{Value, ValueRef, Writer};

use crate::catalogue::{Schemas, View};
use crate::compiled::{Bound, Compiled, Looked, Reading, compile};
use crate::config::RunsConfig;
use crate::counted::{CacheNumbers, Counted};
use crate::error::RunsError;
use crate::failures::Failures;
use crate::hold::{Ground, HostHold};
use crate::host::RunsHost;
use crate::live::{Live, Watch, Who};
use crate::record::{self, About};
use crate::recorder::{Recorder, Told};
use crate::results::Results;
use crate::shelf::Shelf;

/// How often a run is begun anew when a version it was to hold has gone meanwhile.
const TRIES: u32 = 64;
/// The tenant of runs that name none.
const DEFAULT_TENANT: &str = "default";

/// What runs are made of.
pub struct Parts {
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
    pub(crate) journal: Arc<Journal>,
    failures: Arc<Failures>,
    recorder: Recorder,
    live: Mutex<HashMap<RunId, Arc<Live>>>,
    pub(crate) shelf: Shelf,
    serial: AtomicU64,
}

/// A run to begin.
#[derive(Clone, Debug)]
pub struct Order {
    /// The document's text.
    pub text: Arc<str>,
    /// `$json`.
    pub trigger: Value,
    /// Variables over the document's defaults: a map.
    pub variables: Option<Value>,
    /// Whose data it may see; the document's tenant when `None`.
    pub tenant: Option<TenantId>,
    /// `$context.user`.
    pub user: Option<Value>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// Versions to run on instead of what is live.
    pub versions: BTreeMap<PluginName, String>,
    /// What starts it.
    pub kind: TriggerKind,
    /// Where it begins: the node's id; where the document says, when `None`.
    pub from: Option<String>,
    /// What it repeats.
    pub(crate) again: Option<Again>,
}

/// What a replay takes over.
#[derive(Clone, Debug)]
pub(crate) struct Again {
    pub(crate) replay: Replay,
    pub(crate) given: Vec<(String, Option<Value>)>,
}

impl Order {
    /// A run of a document, triggered by an empty map.
    #[must_use]
    pub fn of(text: impl Into<Arc<str>>) -> Self {
        Self {
            text: text.into(),
            trigger: empty_map(),
            variables: None,
            tenant: None,
            user: None,
            timeout: None,
            versions: BTreeMap::new(),
            kind: TriggerKind::Manual,
            from: None,
            again: None,
        }
    }
}

pub(crate) fn empty_map() -> Value {
    Value::from_json("{}").unwrap_or_default()
}

/// A run that was begun.
pub struct Begun {
    id: RunId,
    queued: bool,
    ended: mpsc::Receiver<Outcome>,
}

/// How a run came to its end, for whoever waits: a queued one may not have begun at all.
pub(crate) type Outcome = Result<(Arc<Finished>, About), RunsError>;

impl Begun {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &RunId {
        &self.id
    }

    /// Whether it waits for a place.
    #[must_use]
    pub const fn is_queued(&self) -> bool {
        self.queued
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it was queued and could not begin.
    pub fn wait(self) -> Result<wire::RunView, RunsError> {
        let (finished, about) = self.finish()?;
        Ok(record::view(&finished, &about))
    }

    pub(crate) fn finish(self) -> Outcome {
        self.ended
            .recv()
            .unwrap_or_else(|_| Err(RunsError::Unavailable("it is shutting down".into())))
    }

    /// Waits for its end and gives what its executor knows, without putting it into JSON: for measuring.
    ///
    /// # Errors
    /// When it was queued and could not begin.
    pub fn wait_status(self) -> Result<(RunStatus, Arc<Finished>), RunsError> {
        let (finished, _) = self.finish()?;
        Ok((finished.status, finished))
    }
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begun")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Runs {
    /// Opens the journal, starts the threads, and serves the workflows of the directory.
    ///
    /// # Errors
    /// When the journal cannot be opened, or a thread cannot be started.
    pub fn open(config: RunsConfig, parts: Parts) -> Result<Arc<Self>, RunsError> {
        let mut journal = JournalConfig::at(&config.journal);
        journal.keep = config.keep.clone();
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
            journal,
            failures,
            recorder,
            live: Mutex::default(),
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

    fn view<'v>(&'v self, snapshot: &'v Routes, tenant: Option<&'v TenantId>) -> View<'v> {
        View {
            snapshot,
            dispatcher: &self.ground.dispatcher,
            schemas: &self.schemas,
            rules: &self.config.rules,
            tenant,
        }
    }

    fn bind(&self, compiled: &Compiled, snapshot: &Routes, tenant: &TenantId) -> Arc<Bound> {
        let (bound, looked) = compiled.bind(&self.view(snapshot, Some(tenant)));
        let count = match looked {
            Looked::Hit => &self.bound_hits,
            Looked::Miss => &self.bound_misses,
        };
        count.fetch_add(1, Ordering::Relaxed);
        bound
    }

    /// Everything that is wrong, or odd, with a document.
    #[must_use]
    pub fn validate(&self, text: &str, tenant: Option<&TenantId>) -> wire::ValidateView {
        let snapshot = self.registry.snapshot();
        let (findings, document) = match patchbay_workflow::read(text.as_bytes()) {
            Err(findings) => (findings, None),
            Ok(document) => {
                let own = document.tenant().and_then(|tenant| tenant.parse().ok());
                let tenant = tenant.cloned().or(own);
                let added = patchbay_workflow::check(&document, &self.view(&snapshot, tenant.as_ref()));
                let findings = match patchbay_workflow::validate(document.clone()) {
                    Ok(valid) => valid.warnings().clone(),
                    Err(findings) => findings,
                };
                (findings.merged(added), Some(document))
            }
        };
        let name = document
            .as_ref()
            .and_then(|document| document.name())
            .unwrap_or_default();
        let id = document
            .as_ref()
            .and_then(|document| document.id())
            .and_then(|id| id.parse().ok());
        wire::ValidateView {
            valid: findings.is_fit(),
            workflow_id: id,
            workflow: name,
            nodes: document.map_or(0, |document| document.node_count() as u64),
            errors: findings.errors().count() as u64,
            warnings: findings.warnings().count() as u64,
            findings: record::findings(&findings),
        }
    }

    /// A new id of a run: in the order of the ids is the order in which they were made, to the millisecond.
    pub(crate) fn fresh_id(&self) -> RunId {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let millis = self.ground.clock.wall().0;
        let text = format!("r{millis:012x}{:04x}{:08x}", serial & 0xffff, fastrand::u32(..));
        // Letters and digits are an id.
        text.parse().unwrap_or_else(|_| unreachable_id())
    }

    /// Begins a run.
    ///
    /// # Errors
    /// Why there is none.
    pub fn begin(self: &Arc<Self>, order: Order) -> Result<Begun, RunsError> {
        if self.journal.is_behind() {
            return Err(RunsError::Behind);
        }
        let compiled = self.compiled(&order.text)?;
        let tenant = tenant_of(&order, &compiled)?;
        let mounts = self.versions(&order.versions)?;
        // Refused at once, also where it would have to wait.
        self.fit(&compiled, &mounts, &tenant)?;
        let key = match compiled.plan.rate.as_ref().map(|rate| rate.key.as_str()) {
            None | Some("workflow" | "") => String::new(),
            Some("user") => order.user.as_ref().map(Value::to_json).unwrap_or_default(),
            Some(_) => tenant.as_str().to_owned(),
        };
        let id = self.fresh_id();
        let live = Live::new(
            Who {
                id: id.clone(),
                workflow: compiled.plan.id.clone(),
                name: compiled.plan.name.as_str().into(),
                tenant: tenant.clone(),
                trigger: order.kind.as_str(),
                parent: order.again.as_ref().map(|again| again.replay.of.clone()),
            },
            self.ground.clock.wall(),
        );
        self.live.lock().insert(id.clone(), Arc::clone(&live));
        let (sender, ended) = mpsc::channel();
        let plan = Arc::clone(&compiled.plan);
        let launch = Launch {
            order,
            compiled,
            tenant,
            mounts,
            live,
            ended: sender,
        };
        let runs = Arc::clone(self);
        let start = Box::new(move |place| runs.launch(launch, place));
        let Some(executor) = self.executor.get() else {
            self.forget(&id);
            return Err(RunsError::Unavailable("it is starting".into()));
        };
        match executor.admit(&plan, &key, start) {
            Ok(admitted) => {
                let queued = admitted == Admitted::Queued;
                // What could not begin says so at once.
                if !queued && let Ok(outcome) = ended.try_recv() {
                    if let Err(error) = outcome {
                        return Err(error);
                    }
                    let (sender, again) = mpsc::channel();
                    let _ = sender.send(outcome);
                    return Ok(Begun {
                        id,
                        queued,
                        ended: again,
                    });
                }
                Ok(Begun { id, queued, ended })
            }
            Err(refusal) => {
                self.forget(&id);
                Err(match refusal {
                    Refusal::TooOften {
                        requests,
                        window,
                        again,
                    } => RunsError::TooOften {
                        requests,
                        window,
                        again,
                    },
                    Refusal::QueueFull => RunsError::QueueFull,
                })
            }
        }
    }

    fn forget(&self, id: &RunId) {
        self.live.lock().remove(id);
    }

    /// The document on what is live now, with `mounts` in place of live versions; refused when it cannot be run there.
    fn fit(
        &self,
        compiled: &Arc<Compiled>,
        mounts: &[Arc<Mount<Served>>],
        tenant: &TenantId,
    ) -> Result<Arc<Bound>, RunsError> {
        let snapshot = self.registry.snapshot();
        let bound = match mounts {
            [] => self.bind(compiled, &snapshot, tenant),
            mounts => {
                let overlaid = snapshot.overlaid(mounts);
                Arc::new(compiled.bind_anew(&self.view(&overlaid, Some(tenant))))
            }
        };
        if bound.fatal {
            let findings = Box::new(compiled.findings(&bound));
            return Err(RunsError::Refused { findings });
        }
        Ok(bound)
    }

    /// Holds what a run needs, all of one snapshot.
    fn take_hold(
        &self,
        compiled: &Arc<Compiled>,
        mounts: &Arc<[Arc<Mount<Served>>]>,
        tenant: &TenantId,
        variables: &Arc<Variables>,
    ) -> Result<(Arc<Bound>, HostHold), RunsError> {
        let mut last = CallError::Closing;
        for _ in 0..TRIES {
            let bound = self.fit(compiled, mounts, tenant)?;
            // Types that nothing has are not held: their nodes are refused one by one.
            let snapshot = self.registry.snapshot();
            let overlaid;
            let routes: &Routes = match &**mounts {
                [] => &snapshot,
                mounts => {
                    overlaid = snapshot.overlaid(mounts);
                    &overlaid
                }
            };
            let routed = |slot: &Option<patchbay_dispatch::NodeSlot>| {
                slot.filter(|slot| routes.route(*slot).is_some())
            };
            let slots: Vec<_> = bound.slots.iter().map(routed).collect();
            let types = &compiled.plan.node_types;
            match HostHold::take(&self.ground, types, &slots, mounts, Arc::clone(variables)) {
                Ok(hold) => return Ok((bound, hold)),
                // A version has gone since the look: look again.
                Err(error) => last = error,
            }
        }
        Err(RunsError::Hold(last))
    }

    fn versions(
        &self,
        wanted: &BTreeMap<PluginName, String>,
    ) -> Result<Arc<[Arc<Mount<Served>>]>, RunsError> {
        let mut mounts = Vec::new();
        for (plugin, version) in wanted {
            let selector: Selector = version.parse().map_err(|_| RunsError::Input {
                what: "versions",
                why: format!("`{version}` is neither a version such as 1.2.0 nor a revision such as r3"),
            })?;
            let mount = self.ground.lifecycle.warm(plugin, Some(&selector));
            mounts.push(mount.map_err(|cause| RunsError::Version {
                plugin: plugin.to_string(),
                version: version.clone(),
                cause: Box::new(cause),
            })?);
        }
        Ok(mounts.into())
    }

    /// A run has its place: begins it, or tells why it cannot begin.
    fn launch(self: &Arc<Self>, launch: Launch, place: Place) {
        let (live, ended) = (Arc::clone(&launch.live), launch.ended.clone());
        if let Err(error) = self.try_launch(launch, place) {
            self.forget(&live.id);
            let _ = ended.send(Err(error));
        }
    }

    fn try_launch(self: &Arc<Self>, launch: Launch, place: Place) -> Result<(), RunsError> {
        let Launch {
            order,
            compiled,
            tenant,
            mounts,
            live,
            ended,
        } = launch;
        let plan = &compiled.plan;
        let variables = Arc::new(variables_of(&order, plan)?);
        let (bound, hold) = self.take_hold(&compiled, &mounts, &tenant, &variables)?;
        let begins_with = hold.variables().all();
        let about = About {
            workflow: plan.id.clone(),
            name: plan.name.as_str().into(),
            text: Arc::clone(&compiled.text),
            digest: compiled.digest,
            trigger: order.kind,
            parent: None,
            replay: order.again.as_ref().map(|again| again.replay.clone()),
            variables: begins_with,
            save: plan.save,
            warnings: record::findings(&compiled.findings(&bound)),
        };
        let starts = match &order.from {
            None => None,
            Some(node) => Some(vec![place_of(&bound.prepared, node).ok_or_else(|| {
                RunsError::Input {
                    what: "from",
                    why: format!("the workflow has no node `{node}`"),
                }
            })?]),
        };
        let given = order
            .again
            .as_ref()
            .map(|again| &*again.given)
            .unwrap_or_default();
        let given = given.iter().filter_map(|(node, output)| {
            Some(Given {
                node: place_of(&bound.prepared, node)?,
                output: output.clone(),
            })
        });
        let request = RunRequest {
            id: live.id.clone(),
            prepared: Arc::clone(&bound.prepared),
            tenant: tenant.clone(),
            hold: Arc::new(hold),
            context: context_of(&tenant, order.user.as_ref(), &live.id),
            trigger: order.trigger.clone(),
            starts,
            given: given.collect(),
            timeout: order.timeout,
            jitter: match order.again {
                Some(_) => Jitter::Off,
                None => Jitter::AsPlanned,
            },
            observer: Some(Arc::clone(&live) as Arc<dyn patchbay_executor::Observer>),
            children: Some(Arc::new(Sub {
                runs: Arc::downgrade(self),
                about: about.clone(),
            })),
            parent: None,
            depth: 0,
            place: Some(place),
        };
        let Some(executor) = self.executor.get() else {
            return Err(RunsError::Unavailable("it is starting".into()));
        };
        let (runs, id, told) = (Arc::downgrade(self), live.id.clone(), about.clone());
        let on_end = Box::new(move |finished: Finished| {
            let finished = Arc::new(finished);
            if let Some(runs) = runs.upgrade() {
                runs.recorder
                    .tell(Told::Ended(Arc::clone(&finished), told.clone()));
                runs.forget(&id);
            }
            let _ = ended.send(Ok((finished, told)));
        });
        let at = self.ground.clock.wall();
        let run = executor.run(request, on_end);
        self.recorder
            .tell(Told::Begun(Box::new(record::begun(&run, &about, at)), about.save));
        live.begun(&run);
        Ok(())
    }

    /// A workflow for a node that runs it.
    pub(crate) fn sub_workflow(&self, text: &str, tenant: &TenantId) -> Result<Arc<Prepared>, String> {
        let compiled = self.compiled(text).map_err(|error| error.to_string())?;
        if let Some(of) = &compiled.plan.tenant
            && of != tenant
        {
            return Err(format!("the workflow is of tenant `{of}`"));
        }
        let snapshot = self.registry.snapshot();
        let bound = self.bind(&compiled, &snapshot, tenant);
        if bound.fatal {
            let findings = Box::new(compiled.findings(&bound));
            return Err(RunsError::Refused { findings }.to_string());
        }
        Ok(Arc::clone(&bound.prepared))
    }

    /// Watches a run that has not ended.
    ///
    /// # Errors
    /// When it has, or is unknown.
    pub fn watch(&self, id: &RunId) -> Result<Watch, RunsError> {
        let live = self.live.lock().get(id).cloned();
        match live {
            Some(live) => Ok(live.watch()),
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
            Some(live) => {
                live.cancel();
                Ok(())
            }
            None => Err(self.ended_or_unknown(id)),
        }
    }

    fn ended_or_unknown(&self, id: &RunId) -> RunsError {
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
        self.recorder.flush(within)?;
        Ok(self.journal.sync(within)?)
    }

    /// The caches of workflows, by name: compiled documents, what they come to on the registry, schemas, results.
    #[must_use]
    pub fn caches(&self) -> [(&'static str, CacheNumbers); 4] {
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
            ("metadata", self.schemas.numbers()),
            ("results", self.ground.results.numbers()),
        ]
    }

    /// How often nodes failed since the host began, and how recovery went; the most frequent first.
    #[must_use]
    pub fn failures(&self) -> Vec<wire::FailureCountView> {
        self.failures.list()
    }

    /// Ends what runs: cancels it, waits for it, and writes the journal. At most `within` in all.
    pub fn close(&self, within: Duration) {
        self.shelf.stop();
        let running: Vec<_> = self.live.lock().values().cloned().collect();
        for live in &running {
            live.cancel();
        }
        let end = self.ground.clock.now().0 + within;
        while !self.live.lock().is_empty() && self.ground.clock.now().0 < end {
            std::thread::yield_now();
        }
        if let Err(error) = self.sync(within) {
            tracing::warn!(%error, "the last runs may not be in the journal");
        }
    }
}

/// What is kept of an order until it has its place.
struct Launch {
    order: Order,
    compiled: Arc<Compiled>,
    tenant: TenantId,
    mounts: Arc<[Arc<Mount<Served>>]>,
    live: Arc<Live>,
    ended: mpsc::Sender<Outcome>,
}

/// Runs of workflows that a run runs.
struct Sub {
    runs: std::sync::Weak<Runs>,
    about: About,
}

impl Children for Sub {
    fn id(&self) -> RunId {
        self.runs
            .upgrade()
            .map_or_else(unreachable_id, |runs| runs.fresh_id())
    }

    fn ended(&self, finished: &Finished) {
        let Some(runs) = self.runs.upgrade() else { return };
        let plan = finished.plan();
        let about = About {
            workflow: plan.id.clone(),
            name: plan.name.as_str().into(),
            trigger: TriggerKind::Workflow,
            parent: finished.run().parent().cloned(),
            replay: None,
            variables: plan.variables.clone(),
            save: plan.save,
            warnings: Vec::new(),
            ..self.about.clone()
        };
        if about.save.success || finished.status != RunStatus::Success {
            runs.recorder
                .tell(Told::Record(Box::new(record::ended(finished, &about))));
        }
    }
}

/// An id for hosts that are going down: nobody asks for it any more.
fn unreachable_id() -> RunId {
    loop {
        if let Ok(id) = format!("r{:016x}", fastrand::u64(..)).parse() {
            return id;
        }
    }
}

pub(crate) fn place_of(prepared: &Prepared, node: &str) -> Option<u32> {
    let names = &prepared.plan().names;
    names
        .iter()
        .find(|(name, _)| **name == *node)
        .map(|(_, index)| *index)
}

fn tenant_of(order: &Order, compiled: &Compiled) -> Result<TenantId, RunsError> {
    match (&order.tenant, &compiled.plan.tenant) {
        (Some(asked), Some(document)) if asked != document => Err(RunsError::OtherTenant {
            document: document.clone(),
            asked: asked.clone(),
        }),
        (Some(tenant), _) | (None, Some(tenant)) => Ok(tenant.clone()),
        (None, None) => DEFAULT_TENANT
            .parse()
            .map_err(|error: patchbay_vocab::BadId| RunsError::Input {
                what: "tenant",
                why: error.to_string(),
            }),
    }
}

fn variables_of(order: &Order, plan: &patchbay_workflow::Plan) -> Result<Variables, RunsError> {
    let bad = |why: &str| RunsError::Input {
        what: "variables",
        why: why.to_owned(),
    };
    let over = |_| bad("there are too many, or one is too large");
    let variables = Variables::from_value(plan.variables.as_ref()).map_err(over)?;
    if let Some(given) = &order.variables {
        let given = given.as_ref().as_map().ok_or_else(|| bad("they are no object"))?;
        for (name, value) in given.iter() {
            variables.set(name, value).map_err(over)?;
        }
    }
    match plan
        .required_variables
        .iter()
        .find(|name| variables.get(name).is_none())
    {
        Some(missing) => Err(RunsError::VariableMissing(missing.to_string())),
        None => Ok(variables),
    }
}

/// `$context` without its variables.
fn context_of(tenant: &TenantId, user: Option<&Value>, run: &RunId) -> Value {
    let mut out = Vec::new();
    let id = user
        .and_then(|user| user.as_ref().get("id"))
        .unwrap_or(ValueRef::NULL);
    let written = Writer::new(&mut out).map(|map| {
        map.entry("tenantId", |writer| writer.str(tenant.as_str()))?;
        map.entry("userId", |writer| writer.value(id))?;
        map.entry("user", |writer| {
            writer.value(user.map_or(ValueRef::NULL, Value::as_ref))
        })?;
        map.entry("executionId", |writer| writer.str(run.as_str()))
    });
    written.map_or_else(|_| empty_map(), |()| ValueRef::assume_valid(&out).to_value())
}

impl std::fmt::Debug for Runs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runs")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
