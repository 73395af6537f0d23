//! The conductor's thread: one loop, one event at a time.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, select};
use patchbay_dispatch::Served;
use patchbay_intake::signature::Provenance;
use patchbay_intake::{Settled, WatchEvent};
use patchbay_isolate::Probed;
use patchbay_loader::Unloaded;
use patchbay_registry::{Change, Force, Mount};
use patchbay_vocab::{Digest, Explain, Explained, Monotonic, PluginName, RevisionNumber, kill_point};

use crate::admit::admit;
use crate::error::LifecycleError;
use crate::event::{Event, EventKind};
use crate::lifecycle::{Lifecycle, OnDelete};
use crate::rejected::Rejection;
use crate::vetting::{Job, Outcome, Vetted};

/// What others ask of the conductor.
#[derive(Debug)]
pub(crate) enum Message {
    /// Something was promoted: look for what is surplus and for what waited.
    Tidy,
    /// A revision came in, and the host died before it was decided whether it goes live.
    Arrived(PluginName, RevisionNumber),
    /// No revision has this content any more.
    Forget(Digest),
    /// A load was put to sleep: unmap it.
    Asleep(Arc<Mount<Served>>),
    /// Unload everything that is not live; answer when nothing is left or the time is up.
    Empty { until: Instant, answer: Sender<()> },
    /// End.
    Stop,
}

pub(crate) struct Channels {
    pub(crate) inbox: Receiver<Message>,
    pub(crate) seen: Receiver<WatchEvent>,
    pub(crate) jobs: Sender<Job>,
    pub(crate) vetted: Receiver<Vetted>,
}

pub(crate) fn start_thread(lifecycle: Arc<Lifecycle>, channels: Channels) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name("pb-conductor".into())
        .spawn(move || {
            let mut conductor = Conductor {
                lifecycle,
                jobs: channels.jobs,
                vetting: HashMap::new(),
                scanned: false,
                draining: Vec::new(),
                retry: None,
                emptying: None,
            };
            conductor.run(&channels.inbox, &channels.seen, &channels.vetted);
        })
}

/// A load on its way out.
struct Draining {
    mount: Arc<Mount<Served>>,
    why: Why,
    next_try: Instant,
    pause: Duration,
    told: bool,
}

/// Why a load is unmapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// Its revision is not needed any more.
    Retires,
    /// Its revision sleeps, or has been woken since.
    Sleeps,
}

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

pub(crate) struct Conductor {
    pub(crate) lifecycle: Arc<Lifecycle>,
    jobs: Sender<Job>,
    /// Files being vetted, each with the event that came meanwhile: one job for a path at a time, so that an older
    /// content cannot overtake a newer one.
    vetting: HashMap<PathBuf, Option<Settled>>,
    scanned: bool,
    draining: Vec<Draining>,
    /// When to try again what waits for calls to end, and how long the wait for that was.
    retry: Option<(Instant, Duration)>,
    emptying: Option<(Instant, Sender<()>)>,
}

impl Conductor {
    fn run(&mut self, inbox: &Receiver<Message>, seen: &Receiver<WatchEvent>, vetted: &Receiver<Vetted>) {
        let mut seen = seen.clone();
        loop {
            let pause = self.next_try().map_or(Duration::from_secs(3600), |at| {
                at.saturating_duration_since(Instant::now())
            });
            select! {
                recv(inbox) -> message => match message {
                    Ok(Message::Tidy) => self.tidy(),
                    Ok(Message::Arrived(plugin, number)) => self.decide_again(&plugin, number),
                    // Here and not on the thread of whoever forgets: this one alone admits.
                    Ok(Message::Forget(digest)) => {
                        if !self.lifecycle.is_admitted(digest) {
                            self.lifecycle.vetting().forget(digest);
                        }
                    }
                    Ok(Message::Asleep(mount)) => self.unload(mount, Why::Sleeps),
                    Ok(Message::Empty { until, answer }) => self.begin_emptying(until, answer),
                    Ok(Message::Stop) | Err(_) => return,
                },
                recv(seen) -> event => match event {
                    Ok(event) => self.watched(event),
                    // The watcher has ended; the rest goes on.
                    Err(_) => seen = crossbeam_channel::never(),
                },
                recv(vetted) -> done => match done {
                    Ok(done) => self.vetted(done),
                    Err(_) => return,
                },
                default(pause) => {}
            }
            self.drain();
            self.retry_when_due();
            if !self.lifecycle.is_ready() && self.scanned && self.vetting.is_empty() {
                self.lifecycle.became_ready();
            }
        }
    }

    fn watched(&mut self, event: WatchEvent) {
        match event {
            WatchEvent::Settled(file) => self.vet(file),
            WatchEvent::Removed(path) => self.removed(&path),
            WatchEvent::Scanned => self.scanned = true,
            WatchEvent::Trouble(error) => {
                tracing::warn!(code = %error.code(), error = %error.chain(), "the plugin directory is not watched as it should be");
                self.lifecycle
                    .tell(Event::about_nobody(EventKind::Trouble(error.explained())));
            }
        }
    }

    fn vet(&mut self, file: Settled) {
        let path = file.path().to_owned();
        if let Some(next) = self.vetting.get_mut(&path) {
            *next = Some(file);
            return;
        }
        self.vetting.insert(path, None);
        let _ = self.jobs.send(Job {
            file,
            since: self.lifecycle.clock().now(),
        });
    }

    fn vetted(&mut self, done: Vetted) {
        let Vetted { path, since, outcome } = done;
        match outcome {
            Outcome::Fit(probed) => match self.bring_in(&probed, since) {
                Ok(()) => {
                    self.lifecycle.vetting().remember(probed.inspected());
                    self.lifecycle.rejections().clear(&path);
                }
                // A file with the same content was refused meanwhile, and its copy with it.
                Err(_) if !self.lifecycle.vetting().has_copy(probed.inspected().digest()) => {
                    self.lifecycle.settle_again(path.clone());
                }
                Err(error) => {
                    let inspected = probed.inspected();
                    let artifact = Some((inspected.digest(), Some(inspected.provenance().clone())));
                    self.reject(&path, artifact, error.explained());
                }
            },
            Outcome::Known { digest, provenance } => {
                // What was signed once stays so: the signature is kept with the artifact.
                if provenance != Provenance::Unsigned {
                    self.lifecycle.note_provenance(digest, provenance);
                }
                self.lifecycle.rejections().clear(&path);
                self.lifecycle.came_again(digest);
            }
            Outcome::Unfit { artifact, why } => self.reject(&path, artifact, why),
            Outcome::Changed => self.lifecycle.settle_again(path.clone()),
        }
        if let Some(Some(next)) = self.vetting.remove(&path) {
            self.vet(next);
        }
    }

    /// A probed artifact becomes a revision, and live when it should.
    fn bring_in(&mut self, probed: &Probed, since: Monotonic) -> Result<(), LifecycleError> {
        let change = Change::by("watcher", "a new file in the plugin directory");
        let inspected = probed.inspected();
        let number = admit(&self.lifecycle, probed, &change)?;
        kill_point("admit.mounted");
        self.lifecycle
            .note_provenance(inspected.digest(), inspected.provenance().clone());
        let plugin = inspected.plugin();
        self.lifecycle.tell_about(plugin, number, EventKind::Registered);
        let decided = self.decide(plugin, number, &change, Some(since));
        if decided.is_err() {
            self.retire(plugin, number);
            return decided;
        }
        self.tidy();
        Ok(())
    }

    fn reject(&self, path: &std::path::Path, artifact: Option<(Digest, Option<Provenance>)>, why: Explained) {
        let at = self.lifecycle.clock().wall();
        let digest = artifact.as_ref().map(|(digest, _)| *digest);
        // What is refused is not kept: a directory of bad files must not fill the store. Only this thread admits, so
        // that what is not admitted now is not admitted under its hands.
        if let Some(digest) = digest.filter(|digest| !self.lifecycle.is_admitted(*digest)) {
            self.lifecycle.vetting().forget(digest);
        }
        let rejection = Rejection {
            path: path.to_owned(),
            digest,
            provenance: artifact.and_then(|(_, provenance)| provenance),
            why: why.clone(),
            at,
        };
        // A file that is gone by now has been told of as such: nothing would clear it again. And a file that was looked at
        // twice, as after a storm of events, is refused once.
        if path.symlink_metadata().is_err() || !self.lifecycle.rejections().add(rejection) {
            tracing::debug!(?path, code = why.code, "gone, or refused for the same before");
            return;
        }
        let kind = EventKind::Rejected {
            path: path.to_owned(),
            why,
        };
        self.lifecycle.tell(Event::about_nobody(kind));
    }

    fn removed(&mut self, path: &std::path::Path) {
        self.lifecycle.rejections().clear(path);
        if self.lifecycle.config().on_delete == OnDelete::Keep {
            return;
        }
        let origin = path.display().to_string();
        let change = Change::by("watcher", "its file was removed from the plugin directory");
        for status in self.lifecycle.registry().plugins() {
            let from_here = |number| {
                let mut revisions = status.revisions.iter();
                revisions.any(|revision| revision.number == number && *revision.origin == *origin)
            };
            if !status.live.is_some_and(from_here) {
                continue;
            }
            let turn = self.lifecycle.turn(&status.plugin);
            let Ok(_turn) = self.lifecycle.take(&turn, &status.plugin) else {
                continue;
            };
            match self
                .lifecycle
                .registry()
                .remove_live(&status.plugin, Force::No, &change)
            {
                Ok(removed) => {
                    self.lifecycle.missing().lock().remove(&status.plugin);
                    self.lifecycle
                        .tell_about(&status.plugin, removed.from, EventKind::Removed);
                    self.retire(&status.plugin, removed.from);
                }
                Err(error) => {
                    tracing::warn!(plugin = %status.plugin, %error, "a plugin whose file is gone stays live");
                }
            }
        }
    }

    /// Retires what is surplus, and tries again what waited for others.
    pub(crate) fn tidy(&mut self) {
        let lifecycle = Arc::clone(&self.lifecycle);
        let keep = lifecycle.config().history_limit;
        for (plugin, number) in lifecycle.registry().surplus_of_all(keep) {
            // One that waits for others keeps its place: it will be wanted as soon as they are there.
            if !lifecycle.waits_for_others(&plugin, number) {
                self.retire(&plugin, number);
            }
        }
        let change = Change::by("watcher", "what it waited for is live");
        for (plugin, number, before) in lifecycle.take_blocked() {
            let wanted = lifecycle.registry().should_go_live(&plugin, number);
            if !wanted || lifecycle.held_back(&plugin, number).is_some() {
                continue;
            }
            match lifecycle.go_live(&plugin, number, Force::No, &change, None) {
                Ok(_) => {}
                Err(error) if error.waits() => {
                    lifecycle.block(&plugin, number, error.explained());
                    self.try_again_after(&error);
                }
                Err(error) => {
                    let why = error.explained();
                    if why != before {
                        lifecycle.tell_about(&plugin, number, EventKind::Blocked(why.clone()));
                    }
                    lifecycle.block(&plugin, number, why);
                }
            }
        }
    }

    pub(crate) fn retire(&mut self, plugin: &PluginName, number: RevisionNumber) {
        match self.lifecycle.registry().begin_retire(plugin, number) {
            Ok(mount) => {
                self.lifecycle.tell_of(&mount, EventKind::Draining);
                // It may be on its way to sleep.
                self.draining
                    .retain(|draining| !Arc::ptr_eq(&draining.mount, &mount));
                self.unload(mount, Why::Retires);
            }
            // Promoted or retired by somebody else meanwhile.
            Err(error) => tracing::debug!(%plugin, revision = %number, %error, "nothing to retire"),
        }
    }

    fn unload(&mut self, mount: Arc<Mount<Served>>, why: Why) {
        self.draining.push(Draining {
            mount,
            why,
            next_try: Instant::now(),
            pause: FIRST_PAUSE,
            told: false,
        });
    }

    fn next_try(&self) -> Option<Instant> {
        let drains = self.draining.iter().map(|draining| draining.next_try);
        drains.chain(self.retry.map(|(at, _)| at)).min()
    }

    /// What waits for calls to end is tried again after a while, which grows; what waits for other plugins when one of
    /// them goes live.
    pub(crate) fn try_again_after(&mut self, error: &LifecycleError) {
        if matches!(error, LifecycleError::State(_)) {
            let pause = self
                .retry
                .map_or(FIRST_RETRY, |(_, pause)| (pause * 2).min(LONGEST_RETRY));
            self.retry = Some((Instant::now() + pause, pause));
        }
    }

    fn retry_when_due(&mut self) {
        let Some((at, pause)) = self.retry else { return };
        if at > Instant::now() {
            return;
        }
        self.tidy();
        // Nothing waited for calls any more.
        if self.retry == Some((at, pause)) {
            self.retry = None;
        }
    }

    /// Takes the next step of every unload that is due.
    fn drain(&mut self) {
        let now = Instant::now();
        let mut at = 0;
        while at < self.draining.len() {
            if self.draining[at].next_try > now || self.step(at) {
                at += 1;
            } else {
                self.draining.swap_remove(at);
            }
        }
        let over = |(until, _): &(Instant, Sender<()>)| self.draining.is_empty() || now >= *until;
        if self.emptying.as_ref().is_some_and(over)
            && let Some((_, answer)) = self.emptying.take()
        {
            let _ = answer.send(());
        }
    }

    /// One step of one unload; says whether it is still on its way.
    fn step(&mut self, at: usize) -> bool {
        let draining = &mut self.draining[at];
        let mount = &draining.mount;
        let change = Change::by("host", "not needed any more");
        match mount.handle().plugin().unload() {
            Unloaded::Unmapped if draining.why == Why::Sleeps => {
                if !self.lifecycle.forget_replaced(mount) && self.lifecycle.registry().is_asleep(mount) {
                    self.lifecycle.tell_of(mount, EventKind::Asleep);
                }
                false
            }
            Unloaded::Unmapped => {
                self.lifecycle.remember_instances(mount);
                let _ = self.lifecycle.registry().retired(mount, &change);
                self.lifecycle.tell_of(mount, EventKind::Retired);
                false
            }
            Unloaded::Kept(reason) => {
                let _ = self.lifecycle.registry().note_pinned(mount, vec![reason]);
                self.lifecycle.tell_of(mount, EventKind::Kept(reason));
                false
            }
            Unloaded::Pinned(reasons) => {
                let _ = self.lifecycle.registry().note_pinned(mount, reasons.clone());
                if !draining.told && draining.pause >= LONGEST_PAUSE {
                    draining.told = true;
                    self.lifecycle.tell_of(mount, EventKind::Pinned(reasons));
                }
                draining.next_try = Instant::now() + draining.pause;
                draining.pause = (draining.pause * 2).min(LONGEST_PAUSE);
                true
            }
        }
    }

    fn begin_emptying(&mut self, until: Instant, answer: Sender<()>) {
        let lifecycle = Arc::clone(&self.lifecycle);
        lifecycle.take_blocked();
        for (plugin, number) in lifecycle.registry().surplus_of_all(0) {
            self.retire(&plugin, number);
        }
        self.emptying = Some((until, answer));
    }
}
