//! What the conductor, the vetting threads and the admins share.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Sender;
use parking_lot::{Condvar, Mutex};
use patchbay_dispatch::{Dispatcher, HandOverLimits, InstanceCounts, PluginWaker, Served};
use patchbay_intake::signature::{Provenance, TrustPolicy};
use patchbay_intake::{
    InspectPolicy, KnownFile, OnKnown, StageConfig, Store, WatchConfig, WatchEvent, Watcher,
};
use patchbay_isolate::{ProbeConfig, VerdictCache};
use patchbay_loader::MapsDir;
use patchbay_registry::{Change, Force, Mount, Quarantined, Registry, RegistryError, Selector};
use patchbay_vocab::{Clock, Digest, Explained, PluginName, RevisionNumber, Version, kill_point};

use crate::admit::mount_again;
use crate::conductor::{self, Message};
use crate::decide::{Decision, OnDecided};
use crate::error::LifecycleError;
use crate::event::{Event, EventKind};
use crate::idle::{self, IdleConfig};
use crate::ledger::Ledger;
use crate::rejected::{Rejection, Rejections};
use crate::swap::{Turns, WentLive};
use crate::vetting::{self, Vetting};
use crate::wake::Wakes;

/// Whether a higher version goes live by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoLive {
    /// As soon as it is registered.
    Immediate,
    /// When an admin promotes it.
    Manual,
    /// By a rollout, which somebody begins who is told of its registration. Where nothing of the plugin is live, at once.
    Rollout,
}

/// What a quarantine does when no other revision can take over from the live one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    /// The plugin's node types stop resolving.
    TakeOut,
    /// It is refused.
    Refuse,
}

/// A load for service, as it begins and ends: what was being loaded when a process died is a suspect.
#[derive(Clone, Copy, Debug)]
pub enum Loading<'l> {
    /// It begins.
    Begins {
        /// The plugin.
        plugin: &'l PluginName,
        /// Its version.
        version: &'l Version,
        /// The hash of the artifact.
        digest: Digest,
    },
    /// The load of this artifact has ended, however it ended.
    Ended {
        /// The hash of the artifact.
        digest: Digest,
    },
}

/// What the removal of a file means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// Nothing: the directory is an inbox.
    Keep,
    /// The plugin whose live version came from it is taken out of the routes.
    Retire,
}

/// How plugins come, stay and go.
#[derive(Clone, Debug)]
pub struct LifecycleConfig {
    /// The watched directory.
    pub watch: WatchConfig,
    /// Where artifacts are kept.
    pub store: StageConfig,
    /// Where private copies are mapped from.
    pub maps: PathBuf,
    /// Where verdicts are kept.
    pub verdicts: PathBuf,
    /// Where what is to outlast the process lies.
    pub data: PathBuf,
    /// Who may sign plugins, and whether they must be signed.
    pub trust: TrustPolicy,
    /// What is demanded of a file.
    pub policy: InspectPolicy,
    /// How trial loads are made.
    pub probe: ProbeConfig,
    /// Versions kept warm beside the live one.
    pub history_limit: usize,
    /// How the state of stateful nodes is handed over at a swap.
    pub handover: HandOverLimits,
    /// What becomes of what is idle.
    pub idle: IdleConfig,
    /// What the removal of a file means.
    pub on_delete: OnDelete,
    /// Vetting threads.
    pub vetting_threads: usize,
}

/// What the lifecycle is given by its owner.
pub struct Parts {
    /// Revisions and routes.
    pub registry: Arc<Registry<Served>>,
    /// What calls nodes, for the services of instances that take over a state.
    pub dispatcher: Arc<Dispatcher>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Is told of every event; must be quick.
    pub on_event: Box<dyn Fn(Event) + Send + Sync>,
    /// Says whether a higher version of a plugin goes live by itself; must be quick.
    pub go_live: Box<dyn Fn(&PluginName) -> GoLive + Send + Sync>,
    /// Files that were admitted before.
    pub files: Vec<KnownFile>,
    /// Is told of files that are admitted; must be quick.
    pub on_file: OnKnown,
    /// Is told of loads; must be quick.
    pub on_load: Box<dyn Fn(Loading<'_>) + Send + Sync>,
    /// Is told what is decided of a revision that came in; must be quick.
    pub on_decided: OnDecided,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts")
    }
}

/// The lifecycle of all plugins of a host.
pub struct Lifecycle {
    parts: Parts,
    config: LifecycleConfig,
    vetting: Vetting,
    maps: MapsDir,
    ledger: Ledger,
    provenances: Mutex<BTreeMap<Digest, Provenance>>,
    rejections: Rejections,
    blocked: Mutex<Vec<Blocked>>,
    turns: Turns,
    wakes: Wakes,
    /// What should be live and could not be loaded at the start: it is, when its content comes in again.
    missing: Mutex<BTreeMap<PluginName, RevisionNumber>>,
    /// What the instances of loads that are gone counted.
    past_instances: Mutex<BTreeMap<PluginName, InstanceCounts>>,
    me: Weak<Self>,
    messages: Sender<Message>,
    ready: Mutex<bool>,
    became_ready: Condvar,
    threads: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    watcher: Option<Watcher>,
    /// What the watcher is going to send through.
    watched: Option<Sender<WatchEvent>>,
    conductor: Option<JoinHandle<()>>,
    /// Ends when the sender is dropped.
    idle: Option<(Sender<()>, JoinHandle<()>)>,
    vetting: Vec<JoinHandle<()>>,
}

/// A revision that waits for other plugins.
#[derive(Clone, Debug)]
struct Blocked {
    plugin: PluginName,
    number: RevisionNumber,
    why: Explained,
}

impl std::fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lifecycle")
            .field("watch", &self.config.watch)
            .finish_non_exhaustive()
    }
}

impl Lifecycle {
    /// Opens the stores and starts the threads; the directory is not watched before [`Lifecycle::watch`].
    ///
    /// # Errors
    /// When a folder cannot be used, or a thread not started.
    pub fn start(config: LifecycleConfig, mut parts: Parts) -> Result<Arc<Self>, LifecycleError> {
        let ledger = Ledger::open(&config.data, &config.trust)?;
        let files = std::mem::take(&mut parts.files);
        let store = Store::open(config.store.clone())?.knowing(files, Arc::clone(&parts.on_file));
        let maps = MapsDir::create(&config.maps)?;
        let verdicts = VerdictCache::open(config.verdicts.clone(), &config.policy, &config.probe)?;
        let (policy, probe) = (config.policy.clone(), config.probe.clone());
        let vetting = Vetting {
            store,
            trust: config.trust.clone(),
            policy,
            probe,
            verdicts,
        };
        let (messages, inbox) = crossbeam_channel::unbounded();
        let (watched, seen) = crossbeam_channel::unbounded::<WatchEvent>();
        let (jobs, taken) = crossbeam_channel::unbounded();
        let (done, vetted) = crossbeam_channel::unbounded();
        let lifecycle = Arc::new_cyclic(|me: &Weak<Self>| Self {
            parts,
            config,
            vetting,
            maps,
            ledger,
            provenances: Mutex::default(),
            rejections: Rejections::default(),
            blocked: Mutex::default(),
            turns: Turns::default(),
            wakes: Wakes::default(),
            missing: Mutex::default(),
            past_instances: Mutex::default(),
            me: Weak::clone(me),
            messages,
            ready: Mutex::new(false),
            became_ready: Condvar::new(),
            threads: Mutex::default(),
        });
        let mut threads = Threads::default();
        for number in 0..lifecycle.config.vetting_threads.max(1) {
            let thread = vetting::start_thread(number, Arc::clone(&lifecycle), taken.clone(), done.clone());
            threads.vetting.push(thread.map_err(LifecycleError::Thread)?);
        }
        let channels = conductor::Channels {
            inbox,
            seen,
            jobs,
            vetted,
        };
        let conductor = conductor::start_thread(Arc::clone(&lifecycle), channels);
        threads.conductor = Some(conductor.map_err(LifecycleError::Thread)?);
        let waker: Weak<dyn PluginWaker> = Weak::<Self>::clone(&lifecycle.me);
        lifecycle.dispatcher().woken_by(waker);
        let (stays, ends) = crossbeam_channel::bounded(0);
        let idle = idle::start_thread(Arc::clone(&lifecycle), ends).map_err(LifecycleError::Thread)?;
        threads.idle = Some((stays, idle));
        threads.watched = Some(watched);
        *lifecycle.threads.lock() = threads;
        Ok(lifecycle)
    }

    /// Begins to watch the directory, and takes in what is there.
    ///
    /// # Errors
    /// When it cannot be watched; everything is stopped then.
    pub fn watch(&self) -> Result<(), LifecycleError> {
        let Some(watched) = self.threads.lock().watched.take() else {
            return Ok(());
        };
        let clock = Arc::clone(&self.parts.clock);
        match Watcher::start(self.config.watch.clone(), clock, watched) {
            Ok(watcher) => {
                self.threads.lock().watcher = Some(watcher);
                Ok(())
            }
            Err(error) => {
                self.stop();
                Err(error.into())
            }
        }
    }

    /// Takes in no file: the host serves what it knows. Instead of [`Lifecycle::watch`].
    pub fn leave_directory_alone(&self) {
        if let Some(watched) = self.threads.lock().watched.take() {
            let _ = watched.send(WatchEvent::Scanned);
        }
    }

    /// Waits until every file that was there at the start has been dealt with; says whether that came to pass.
    pub fn wait_ready(&self, most: Duration) -> bool {
        let mut ready = self.ready.lock();
        let until = std::time::Instant::now() + most;
        while !*ready {
            if self.became_ready.wait_until(&mut ready, until).timed_out() {
                return *ready;
            }
        }
        true
    }

    /// Whether every file that was there at the start has been dealt with.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        *self.ready.lock()
    }

    /// Files that were refused.
    #[must_use]
    pub fn rejected(&self) -> Vec<Rejection> {
        self.rejections.list()
    }

    /// Why a revision waits, when it does.
    #[must_use]
    pub fn blocked_by(&self, plugin: &PluginName, number: RevisionNumber) -> Option<Explained> {
        let blocked = self.blocked.lock();
        let found = blocked
            .iter()
            .find(|blocked| blocked.plugin == *plugin && blocked.number == number);
        let why = found.map(|blocked| blocked.why.clone());
        drop(blocked);
        why.or_else(|| self.wakes.failure(plugin, number))
            .or_else(|| self.held_back(plugin, number))
    }

    /// Who stands behind an artifact, once it has been admitted.
    #[must_use]
    pub fn provenance(&self, digest: Digest) -> Option<Provenance> {
        self.provenances.lock().get(&digest).cloned()
    }

    /// Remembers who stands behind an artifact.
    pub(crate) fn note_provenance(&self, digest: Digest, provenance: Provenance) {
        self.provenances.lock().insert(digest, provenance);
    }

    /// Whether a revision waits for other plugins.
    pub(crate) fn waits_for_others(&self, plugin: &PluginName, number: RevisionNumber) -> bool {
        let blocked = self.blocked.lock();
        blocked
            .iter()
            .any(|blocked| blocked.plugin == *plugin && blocked.number == number)
    }

    /// Makes a revision live, mapping it first when it is not.
    ///
    /// # Errors
    /// When the registry refuses, or the stored artifact cannot be loaded.
    pub fn promote(
        &self,
        plugin: &PluginName,
        to: &Selector,
        force: Force,
        change: &Change,
    ) -> Result<WentLive, LifecycleError> {
        let number = self.registry().rollback_target(plugin, Some(to))?;
        self.go_live(plugin, number, force, change, None)
    }

    /// Makes a revision live that was live before: the one given, or the previous one.
    ///
    /// # Errors
    /// As [`Lifecycle::promote`].
    pub fn roll_back(
        &self,
        plugin: &PluginName,
        to: Option<&Selector>,
        force: Force,
        change: &Change,
    ) -> Result<WentLive, LifecycleError> {
        let number = self.registry().rollback_target(plugin, to)?;
        self.go_live(plugin, number, force, change, None)
    }

    /// Takes a revision out of service, the live one when none is given; the previous one takes over.
    ///
    /// # Errors
    /// When there is no such revision.
    pub fn quarantine(
        &self,
        plugin: &PluginName,
        which: Option<&Selector>,
        without: Without,
        change: &Change,
    ) -> Result<(RevisionNumber, Quarantined), LifecycleError> {
        let registry = self.registry();
        let turn = self.turn(plugin);
        let _turn = self.take(&turn, plugin)?;
        let number = match which {
            Some(selector) => registry.rollback_target(plugin, Some(selector))?,
            None => registry
                .plugin(plugin)?
                .live
                .ok_or_else(|| RegistryError::NotLive {
                    plugin: plugin.clone(),
                })?,
        };
        // The one that takes over must be mapped to do so; the next one does when it cannot be.
        let fallbacks = registry.fallbacks_for(plugin, number);
        let is_live = registry
            .live(plugin)
            .is_some_and(|live| live.revision() == number);
        let mapped = fallbacks.iter().any(|fallback| {
            let done = mount_again(self, plugin, *fallback);
            if let Err(error) = &done {
                tracing::warn!(%plugin, revision = %fallback, %error, "a fallback could not be mapped");
            }
            done.is_ok()
        });
        if is_live && !mapped && without == Without::Refuse {
            return Err(LifecycleError::NoFallback {
                plugin: plugin.clone(),
            });
        }
        kill_point("quarantine.ready");
        let done = registry.quarantine(plugin, number, change)?;
        self.missing().lock().remove(plugin);
        kill_point("quarantine.stored");
        self.tell_about(plugin, number, EventKind::Quarantined);
        if let Some(swap) = &done.fallback {
            self.remember_choice(plugin, swap.to);
            self.tell_about(
                plugin,
                swap.to,
                EventKind::Live {
                    from: swap.from,
                    micros: None,
                    state: None,
                },
            );
        }
        self.kick();
        Ok((number, done))
    }

    /// Takes every plugin out of the routes, unloads what can be unloaded within `most`, ends the threads.
    pub fn shut_down(&self, most: Duration) {
        self.threads.lock().watcher = None;
        // What is taken out of the routes now is to be there again at the next start.
        self.registry().end_witnessing();
        let change = Change::by("host", "shutdown");
        // Dependents first would need an order; forced, any order will do.
        for status in self.registry().plugins() {
            let _ = self.registry().remove_live(&status.plugin, Force::Yes, &change);
        }
        let until = std::time::Instant::now() + most;
        let (answer, done) = crossbeam_channel::bounded(1);
        if self.messages.send(Message::Empty { until, answer }).is_ok() {
            let _ = done.recv_timeout(most + Duration::from_secs(1));
        }
        self.stop();
    }

    fn stop(&self) {
        self.threads.lock().watcher = None;
        let _ = self.messages.send(Message::Stop);
        let threads = std::mem::take(&mut *self.threads.lock());
        let idle = threads.idle.map(|(stays, thread)| {
            drop(stays);
            thread
        });
        for thread in threads.conductor.into_iter().chain(threads.vetting).chain(idle) {
            // The threads hold this lifecycle: one of them may be the one that lets go of it last.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }

    /// The right to change what is live of a plugin, until the lock is let go of.
    pub(crate) fn turn(&self, plugin: &PluginName) -> Arc<Mutex<()>> {
        self.turns.of(plugin)
    }

    pub(crate) fn dispatcher(&self) -> &Arc<Dispatcher> {
        &self.parts.dispatcher
    }

    pub(crate) fn registry(&self) -> &Registry<Served> {
        &self.parts.registry
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.parts.clock
    }

    /// Whether a higher version of a plugin goes live by itself.
    pub(crate) fn go_live_of(&self, plugin: &PluginName) -> GoLive {
        (self.parts.go_live)(plugin)
    }

    pub(crate) fn decided(&self, plugin: &PluginName, number: RevisionNumber, decision: Decision) {
        (self.parts.on_decided)(plugin, number, decision);
    }

    pub(crate) fn on_load(&self, loading: Loading<'_>) {
        (self.parts.on_load)(loading);
    }

    pub(crate) const fn config(&self) -> &LifecycleConfig {
        &self.config
    }

    pub(crate) const fn vetting(&self) -> &Vetting {
        &self.vetting
    }

    pub(crate) const fn maps(&self) -> &MapsDir {
        &self.maps
    }

    pub(crate) const fn wakes(&self) -> &Wakes {
        &self.wakes
    }

    pub(crate) fn me(&self) -> Option<Arc<Self>> {
        self.me.upgrade()
    }

    pub(crate) const fn past_instances(&self) -> &Mutex<BTreeMap<PluginName, InstanceCounts>> {
        &self.past_instances
    }

    pub(crate) fn send(&self, message: Message) {
        let _ = self.messages.send(message);
    }

    pub(crate) const fn missing(&self) -> &Mutex<BTreeMap<PluginName, RevisionNumber>> {
        &self.missing
    }

    pub(crate) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) const fn rejections(&self) -> &Rejections {
        &self.rejections
    }

    pub(crate) fn is_admitted(&self, digest: Digest) -> bool {
        self.registry().has_content(digest)
    }

    pub(crate) fn settle_again(&self, path: PathBuf) {
        if let Some(watcher) = &self.threads.lock().watcher {
            watcher.settle_again(path);
        }
    }

    /// Has what is surplus retired, when the conductor comes to it.
    pub fn tidy(&self) {
        self.kick();
    }

    /// Has the conductor look for what is surplus.
    pub(crate) fn kick(&self) {
        self.send(Message::Tidy);
    }

    pub(crate) fn became_ready(&self) {
        *self.ready.lock() = true;
        self.became_ready.notify_all();
    }

    pub(crate) fn tell(&self, event: Event) {
        (self.parts.on_event)(event);
    }

    pub(crate) fn tell_about(&self, plugin: &PluginName, number: RevisionNumber, kind: EventKind) {
        let version = self
            .registry()
            .version(plugin, number)
            .unwrap_or_else(|| Version::new(0, 0, 0));
        self.tell(Event::of(kind, plugin.clone(), version, number));
    }

    pub(crate) fn tell_of(&self, mount: &Mount<Served>, kind: EventKind) {
        self.tell(Event::of(
            kind,
            mount.plugin().clone(),
            mount.version().clone(),
            mount.revision(),
        ));
    }

    /// Remembers that a revision waits for others.
    pub(crate) fn block(&self, plugin: &PluginName, number: RevisionNumber, why: Explained) {
        let mut blocked = self.blocked.lock();
        blocked.retain(|known| !(known.plugin == *plugin && known.number == number));
        blocked.push(Blocked {
            plugin: plugin.clone(),
            number,
            why,
        });
    }

    /// Takes the revisions that wait, to try them again.
    pub(crate) fn take_blocked(&self) -> Vec<(PluginName, RevisionNumber, Explained)> {
        let taken = std::mem::take(&mut *self.blocked.lock());
        taken
            .into_iter()
            .map(|blocked| (blocked.plugin, blocked.number, blocked.why))
            .collect()
    }
}
