//! The thread that drives: time, what was counted, and what others tell.

use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};
use parking_lot::Mutex;
use patchbay_lifecycle::GoLive;
use patchbay_registry::{Force, Selector};
use patchbay_rollout::{Input, Order, OrderKind, Phase, Reach, Stage, Window};
use patchbay_state::{Evidence, Write};
use patchbay_vocab::{Explain, PluginName, RevisionNumber, RevisionState};
use serde_json::Value as Json;

use crate::active::Active;
use crate::arms;
use crate::config::Mode;
use crate::delivery::Delivery;
use crate::effects::ITSELF;
use crate::orders::{Ordered, StartOrder};

/// Differences that are kept of one rollout.
const DIFFERENCES: u64 = 50;

/// What others tell the driver.
#[derive(Debug)]
pub(crate) enum Message {
    /// A file became a revision.
    Arrived(PluginName, RevisionNumber),
    /// Copies of calls were compared.
    Shadowed {
        id: String,
        compared: u64,
        differing: u64,
    },
    /// All recorded calls were made again.
    Replayed {
        id: String,
        number: u64,
        compared: u64,
        differing: u64,
    },
    /// An answer differs.
    Difference { id: String, body: Json },
    /// End.
    Stop,
}

pub(crate) fn start_thread(
    delivery: &Arc<Delivery>,
    inbox: Receiver<Message>,
) -> std::io::Result<JoinHandle<()>> {
    let weak = Arc::downgrade(delivery);
    let tick = delivery.config().tick;
    std::thread::Builder::new()
        .name("pb-delivery".into())
        .spawn(move || run(&weak, &inbox, tick))
}

/// Starts the thread that looks at faults and at how well the host is: no rollout's work keeps it waiting.
pub(crate) fn start_breaker(delivery: &Arc<Delivery>, end: Receiver<()>) -> std::io::Result<JoinHandle<()>> {
    let weak = Arc::downgrade(delivery);
    let tick = delivery.config().tick;
    std::thread::Builder::new()
        .name("pb-breaker".into())
        .spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = end.recv_timeout(tick) {
                let Some(delivery) = weak.upgrade() else { return };
                if delivery.config().mode != Mode::Safe {
                    delivery.look_for_faults();
                }
                delivery.look_for_stability();
            }
        })
}

fn run(delivery: &Weak<Delivery>, inbox: &Receiver<Message>, tick: Duration) {
    let mut next = std::time::Instant::now() + tick;
    loop {
        let message = inbox.recv_deadline(next);
        let Some(delivery) = delivery.upgrade() else {
            return;
        };
        match message {
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(message) => delivery.heard(message),
            Err(RecvTimeoutError::Timeout) => {
                delivery.look();
                next = std::time::Instant::now() + tick;
            }
        }
    }
}

impl Delivery {
    fn heard(&self, message: Message) {
        match message {
            Message::Arrived(plugin, number) => self.arrived(&plugin, number),
            Message::Shadowed {
                id,
                compared,
                differing,
            } => self.told(&id, |_| Some(Input::Shadowed { compared, differing })),
            Message::Replayed {
                id,
                number,
                compared,
                differing,
            } => self.told(&id, |active| {
                (active.replays == number).then_some(Input::Replayed { compared, differing })
            }),
            Message::Difference { id, body } => self.note_difference(id, &body),
            Message::Stop => {}
        }
    }

    fn told(&self, id: &str, input: impl FnOnce(&Active) -> Option<Input>) {
        let Some(entry) = self.by_id(id) else { return };
        let mut active = entry.lock();
        if let Some(input) = input(&active) {
            // A result comes once: what it leads to may be only too early.
            if self.advance(&mut active, input.clone(), None).is_err() {
                active.untold = Some(input);
            }
        }
        drop(active);
        self.forget_finished(&entry);
    }

    fn note_difference(&self, id: String, body: &Json) {
        // One that has ended since does not begin to be counted anew.
        if self.by_id(&id).is_none() || self.count_difference(&id) > DIFFERENCES {
            return;
        }
        self.parts().state.tell(vec![Write::Evidence(Evidence {
            rollout: id,
            at: self.now(),
            kind: "difference".to_owned(),
            body: body.to_string(),
        })]);
    }

    /// A version came in that a rollout is to bring live.
    fn arrived(&self, plugin: &PluginName, number: RevisionNumber) {
        if self.config().mode != Mode::Normal {
            return;
        }
        self.roll_out_arrival(plugin, number);
        if self.waiting().lock().get(plugin) == Some(&number) {
            return;
        }
        self.parts().state.tell(vec![Write::Decided {
            plugin: plugin.clone(),
            number,
        }]);
    }

    fn roll_out_arrival(&self, plugin: &PluginName, number: RevisionNumber) {
        let registry = &self.parts().registry;
        let is_wanted = registry.should_go_live(plugin, number)
            && self.policies().go_live(plugin) == GoLive::Rollout
            && self.parts().lifecycle.blocked_by(plugin, number).is_none();
        if !is_wanted {
            return;
        }
        let (policy, _) = self.policies().of(plugin);
        let order = Ordered {
            actor: ITSELF.to_owned(),
            reason: "a new version arrived".to_owned(),
            ..Ordered::default()
        };
        if let Some(entry) = self.running_of(plugin) {
            let mut active = entry.lock();
            let older = registry.version(plugin, active.to) < registry.version(plugin, number);
            if !older || active.to == number {
                return;
            }
            let why = Order {
                kind: OrderKind::Abort,
                by: ITSELF.to_owned(),
                reason: "a newer version arrived".to_owned(),
            };
            let _ = self.advance(&mut active, Input::Order(why), Some(&order));
            drop(active);
            self.forget_finished(&entry);
        }
        let start = StartOrder {
            to: Selector::Revision(number),
            policy: Some(policy),
            force: Force::No,
        };
        if let Err(error) = self.begin(plugin, start, &order) {
            if error.waits() {
                tracing::info!(%plugin, revision = %number, error = %error.chain(), "a rollout waits");
                self.waiting().lock().insert(plugin.clone(), number);
                return;
            }
            tracing::warn!(%plugin, revision = %number, code = %error.code(), error = %error.chain(), "a rollout could not begin");
            self.tell(crate::DeliveryEvent {
                kind: "rollout.failed",
                plugin: Some(plugin.clone()),
                version: registry.version(plugin, number),
                revision: Some(number),
                message: error.explained().message,
                code: Some(error.code()),
            });
        }
    }

    /// Looks at everything that goes by time.
    pub(crate) fn look(&self) {
        for entry in self.all() {
            self.look_at(&entry);
        }
        let waiting = std::mem::take(&mut *self.waiting().lock());
        for (plugin, number) in waiting {
            self.arrived(&plugin, number);
        }
        self.look_for_surplus();
    }

    fn look_at(&self, entry: &Arc<Mutex<Active>>) {
        // Whoever has it is at work for it, and one plugin's work does not keep the others waiting.
        let Some(mut active) = entry.try_lock() else {
            return;
        };
        let rests = active.rests_until.is_some_and(|until| self.now() < until);
        if rests || self.config().mode == Mode::Safe {
            return;
        }
        let untold = active.untold.take();
        let input = self
            .overtaken(&active)
            .or_else(|| untold.clone())
            .unwrap_or_else(|| {
                self.watch_traffic(&mut active);
                let window = match active.rollout.wants_window(self.now()) {
                    true => self.window(&active),
                    false => None,
                };
                Input::Tick { window }
            });
        if self.advance(&mut active, input, None).is_err() {
            active.untold = untold;
        }
        drop(active);
        self.forget_finished(entry);
    }

    /// Somebody changed what is live, or took the candidate out of service: the rollout ends.
    pub(crate) fn overtaken(&self, active: &Active) -> Option<Input> {
        let status = self.parts().registry.plugin(&active.plugin).ok()?;
        let candidate = status.revisions.iter().find(|known| known.number == active.to);
        match candidate {
            None => return Some(Input::CandidateLost("it is not known any more".to_owned())),
            Some(known) if known.state == RevisionState::Quarantined => {
                return Some(Input::CandidateLost("it was quarantined".to_owned()));
            }
            Some(_) => {}
        }
        let order = |kind, reason: &str| {
            Some(Input::Order(Order {
                kind,
                by: ITSELF.to_owned(),
                reason: reason.to_owned(),
            }))
        };
        let stage = match active.rollout.phase() {
            Phase::Paused { at, .. } => at,
            Phase::Step(step) => Stage::Step(step),
            Phase::Baking => Stage::Baking,
            Phase::Preparing => Stage::Preparing,
            Phase::Replay => Stage::Replay,
            Phase::Shadow => Stage::Shadow,
            Phase::Promoted | Phase::Aborted | Phase::Failed => return None,
        };
        match stage {
            Stage::Baking if status.live == Some(active.to) => None,
            Stage::Baking => order(OrderKind::Abort, "another version was made live"),
            _ if status.live == Some(active.to) => {
                order(OrderKind::Promote(Reach::Full), "the candidate was made live")
            }
            _ if status.live != active.from => order(OrderKind::Abort, "another version was made live"),
            _ => None,
        }
    }

    /// Times as many calls as are worth it.
    fn watch_traffic(&self, active: &mut Active) {
        if active.since.is_none() {
            return;
        }
        let registry = &self.parts().registry;
        let calls = |number| {
            let loads = registry.loads(&active.plugin, number);
            loads.iter().map(|mount| mount.gate().entered()).sum::<u64>()
        };
        let now = (active.from.map_or(0, calls), calls(active.to));
        if let Some(then) = active.looked.replace(now) {
            let (stable, candidate) = (now.0.saturating_sub(then.0), now.1.saturating_sub(then.1));
            if let Some(from) = active.from {
                arms::sample(registry, &active.plugin, from, stable);
            }
            arms::sample(registry, &active.plugin, active.to, candidate);
        }
    }

    fn window(&self, active: &Active) -> Option<Window> {
        let since = active.since.as_ref()?;
        let registry = &self.parts().registry;
        let count = |number| arms::count(registry, &active.plugin, number);
        let stable = active.from.map(count).unwrap_or_default();
        Some(Window {
            stable: stable.minus(&since.stable),
            candidate: count(active.to).minus(&since.candidate),
            span: Duration::from_millis(self.now().0.saturating_sub(since.at.0)),
        })
    }
}
