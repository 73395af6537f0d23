//! The handle: what the rest of the host orders and asks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;
use patchbay_dispatch::{Dispatcher, Served};
use patchbay_lifecycle::Lifecycle;
use patchbay_registry::Registry;
use patchbay_rollout::Tickets;
use patchbay_state::{Entry, State, StoredRollout, Write};
use patchbay_vocab::{Clock, Explain, Monotonic, PluginName, RevisionNumber, UnixMillis, kill_point};

use crate::active::{self, Active};
use crate::breaker::Watched;
use crate::config::{DeliveryConfig, Mode};
use crate::driver::{self, Message};
use crate::error::DeliveryError;
use crate::event::DeliveryEvent;
use crate::policies::Policies;
use crate::replay::Recordings;
use crate::retention::Upkeep;

/// How long an order waits for the disk.
pub(crate) const SETTLE: Duration = Duration::from_secs(10);

/// What delivery is given by its owner.
pub struct Parts {
    /// Revisions and routes.
    pub registry: Arc<Registry<Served>>,
    /// Calls nodes.
    pub dispatcher: Arc<Dispatcher>,
    /// Loads, promotes, retires.
    pub lifecycle: Arc<Lifecycle>,
    /// What is remembered.
    pub state: Arc<State>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Recorded calls.
    pub recordings: Box<dyn Recordings>,
    /// Revisions that stored workflows need, beside what is live and pinned.
    pub reach: Box<dyn Fn() -> Vec<(PluginName, RevisionNumber)> + Send + Sync>,
    /// Is told of every event; must be quick.
    pub on_event: Box<dyn Fn(DeliveryEvent) + Send + Sync>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts")
    }
}

/// Drives the rollouts of a host.
#[derive(Debug)]
pub struct Delivery {
    parts: Parts,
    config: DeliveryConfig,
    policies: Arc<Policies>,
    active: Mutex<BTreeMap<PluginName, Arc<Mutex<Active>>>>,
    differences: Mutex<HashMap<String, u64>>,
    /// The last number that a rollout of each plugin was given.
    numbers: Mutex<HashMap<PluginName, u64>>,
    watched: Mutex<Watched>,
    upkeep: Mutex<Upkeep>,
    messages: Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// The thread of the breaker ends when the sender is dropped.
    breaker: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
    /// Revisions whose rollouts wait for other plugins.
    waiting: Mutex<BTreeMap<PluginName, RevisionNumber>>,
    /// A wall clock that does not jump: where it began, and the steady time then.
    began: (UnixMillis, Monotonic),
}

/// Where arrivals are told; made before delivery, since the lifecycle tells of them from its first moment on.
#[derive(Clone, Debug)]
pub struct Arrivals(Sender<Message>);

impl Arrivals {
    /// A file became a revision that a rollout is to bring live.
    pub fn tell(&self, plugin: &PluginName, number: RevisionNumber) {
        let _ = self.0.send(Message::Arrived(plugin.clone(), number));
    }
}

/// The other end of [`Arrivals`].
#[derive(Debug)]
pub struct Inbox(Sender<Message>, Receiver<Message>);

/// Both ends of what delivery hears.
#[must_use]
pub fn channel() -> (Arrivals, Inbox) {
    let (sender, receiver) = unbounded();
    (Arrivals(sender.clone()), Inbox(sender, receiver))
}

impl Delivery {
    /// Takes up the rollouts that had not ended, and drives from now on.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        config: DeliveryConfig,
        policies: Arc<Policies>,
        unfinished: &[StoredRollout],
        inbox: Inbox,
        parts: Parts,
    ) -> Result<Arc<Self>, DeliveryError> {
        let Inbox(messages, received) = inbox;
        let began = (parts.clock.wall(), parts.clock.now());
        let delivery = Arc::new(Self {
            parts,
            config,
            policies,
            active: Mutex::default(),
            differences: Mutex::default(),
            numbers: Mutex::default(),
            watched: Mutex::default(),
            upkeep: Mutex::new(Upkeep::at(began.1)),
            messages,
            thread: Mutex::default(),
            breaker: Mutex::default(),
            waiting: Mutex::default(),
            began,
        });
        for stored in unfinished {
            delivery.restore(stored);
        }
        let thread = driver::start_thread(&delivery, received).map_err(DeliveryError::Thread)?;
        *delivery.thread.lock() = Some(thread);
        let (stays, ends) = crossbeam_channel::bounded(0);
        let breaker = driver::start_breaker(&delivery, ends).map_err(DeliveryError::Thread)?;
        *delivery.breaker.lock() = Some((stays, breaker));
        Ok(delivery)
    }

    /// Ends the thread; rollouts stay as they are, to go on at the next start.
    pub fn stop(&self) {
        let _ = self.messages.send(Message::Stop);
        if let Some(thread) = self.thread.lock().take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
        if let Some((stays, thread)) = self.breaker.lock().take() {
            drop(stays);
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
        // Copies of calls end with the host.
        self.active.lock().clear();
    }

    /// The policies of the plugins.
    #[must_use]
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    pub(crate) const fn parts(&self) -> &Parts {
        &self.parts
    }

    pub(crate) const fn config(&self) -> &DeliveryConfig {
        &self.config
    }

    pub(crate) const fn active_map(&self) -> &Mutex<BTreeMap<PluginName, Arc<Mutex<Active>>>> {
        &self.active
    }

    pub(crate) const fn numbers(&self) -> &Mutex<HashMap<PluginName, u64>> {
        &self.numbers
    }

    pub(crate) const fn waiting(&self) -> &Mutex<BTreeMap<PluginName, RevisionNumber>> {
        &self.waiting
    }

    pub(crate) const fn watched(&self) -> &Mutex<Watched> {
        &self.watched
    }

    pub(crate) const fn upkeep(&self) -> &Mutex<Upkeep> {
        &self.upkeep
    }

    pub(crate) fn messages(&self) -> Sender<Message> {
        self.messages.clone()
    }

    pub(crate) fn tell(&self, event: DeliveryEvent) {
        (self.parts.on_event)(event);
    }

    /// The wall clock as it was at the start, and the steady time since.
    pub(crate) fn now(&self) -> UnixMillis {
        let since = self.parts.clock.now().since(self.began.1).as_millis();
        UnixMillis(
            self.began
                .0
                .0
                .saturating_add(u64::try_from(since).unwrap_or(u64::MAX)),
        )
    }

    pub(crate) fn of_plugin(&self, plugin: &PluginName) -> Option<Arc<Mutex<Active>>> {
        self.active.lock().get(plugin).cloned()
    }

    /// The rollout of a plugin that has not ended. One that has stays for a moment, until who ended it lets go of it.
    pub(crate) fn running_of(&self, plugin: &PluginName) -> Option<Arc<Mutex<Active>>> {
        let entry = self.of_plugin(plugin)?;
        if entry.lock().rollout.phase().is_finished() {
            self.forget_finished(&entry);
            return None;
        }
        Some(entry)
    }

    pub(crate) fn all(&self) -> Vec<Arc<Mutex<Active>>> {
        self.active.lock().values().cloned().collect()
    }

    pub(crate) fn by_id(&self, id: &str) -> Option<Arc<Mutex<Active>>> {
        let plugin: PluginName = id.rsplit_once('-')?.0.parse().ok()?;
        let entry = self.of_plugin(&plugin)?;
        let is_it = entry.lock().id == id;
        is_it.then_some(entry)
    }

    pub(crate) fn put(&self, plugin: &PluginName, active: Arc<Mutex<Active>>) {
        self.active.lock().insert(plugin.clone(), active);
    }

    /// Whether time alone is to be stored: now and then, so that a restart loses little of it.
    pub(crate) fn is_time_to_store(&self, active: &Active) -> bool {
        const EVERY: u64 = 5_000;
        let progress = active.rollout.progress();
        let tick = u64::try_from(self.config.tick.as_millis())
            .unwrap_or(u64::MAX)
            .max(1);
        progress.here_ms % EVERY < tick
    }

    /// Forgets a rollout that has ended: what there is to know of it is stored.
    pub(crate) fn forget_finished(&self, entry: &Arc<Mutex<Active>>) {
        let (plugin, id) = {
            let active = entry.lock();
            if !active.rollout.phase().is_finished() {
                return;
            }
            (active.plugin.clone(), active.id.clone())
        };
        let mut all = self.active.lock();
        if all.get(&plugin).is_some_and(|known| Arc::ptr_eq(known, entry)) {
            all.remove(&plugin);
        }
        drop(all);
        self.differences.lock().remove(&id);
    }

    /// Counts a difference that a rollout has found, and says how many there are.
    pub(crate) fn count_difference(&self, id: &str) -> u64 {
        let mut all = self.differences.lock();
        let count = all.entry(id.to_owned()).or_default();
        *count += 1;
        *count
    }

    fn restore(&self, stored: &StoredRollout) {
        let (rollout, force) = match active::read(&stored.state) {
            Ok(read) => read,
            Err(error) => {
                tracing::error!(rollout = stored.id, error = %error.chain(), "a stored rollout cannot be read and has ended");
                self.end_unreadable(stored, &error.chain());
                return;
            }
        };
        let version = self.parts.registry.version(&stored.plugin, stored.to);
        let mut active = Active {
            id: stored.id.clone(),
            plugin: stored.plugin.clone(),
            from: stored.from,
            to: stored.to,
            version: version.unwrap_or_else(|| patchbay_vocab::Version::new(0, 0, 0)),
            rollout,
            force,
            actor: stored.actor.clone(),
            reason: stored.reason.clone(),
            left_out: Vec::new(),
            tickets: Arc::new(Tickets::starting_at(self.began.0.0)),
            since: None,
            looked: None,
            holds: Vec::new(),
            rests_until: None,
            untold: None,
            shadowing: None,
            replaying: None,
            replays: 0,
        };
        // Somebody looks for what is wrong: a share of the calls may be it.
        if self.config.mode != Mode::Safe {
            // What was changed by hand since it was stored last goes before what it would do.
            match self.overtaken(&active) {
                Some(input) => drop(self.advance(&mut active, input, None)),
                None => self.take_up(&mut active),
            }
        }
        kill_point("rollout.resumed");
        if !active.rollout.phase().is_finished() {
            self.put(&stored.plugin, Arc::new(Mutex::new(active)));
        }
    }

    /// Nothing can be done with it any more, and nothing should be kept for it.
    fn end_unreadable(&self, stored: &StoredRollout, why: &str) {
        let ended = StoredRollout {
            phase: "failed".to_owned(),
            finished: true,
            changed_at: self.now(),
            ..stored.clone()
        };
        let entry = Entry {
            at: self.parts.clock.wall(),
            actor: "host".to_owned(),
            action: "rollout.failed".to_owned(),
            plugin: Some(stored.plugin.clone()),
            revision: Some(stored.to),
            tenant: None,
            workflow: None,
            reason: format!("its record cannot be read: {why}"),
            key: None,
            detail: serde_json::json!({"rollout": stored.id}).to_string(),
        };
        self.parts
            .state
            .tell(vec![Write::Rollout(ended), Write::Audit(entry)]);
    }

    /// How many rollouts are under way.
    #[must_use]
    pub fn count(&self) -> usize {
        self.active.lock().len()
    }
}
