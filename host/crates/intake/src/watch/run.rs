//! The watcher's thread.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError};
use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind, RemoveKind, RenameMode};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use patchbay_vocab::{Clock, Explain, Monotonic};

use super::{Stopped, WatchConfig, WatchError, WatchEvent};
use crate::settle::{Decision, Settled, Settler, Sight, coalesce};
use crate::signature::signed_path;
use crate::stamp::Stamp;

/// Events that may wait; beyond it they are dropped and the directory is listed instead.
const QUEUE: usize = 16 * 1024;
/// Events taken in one go: what one file storm repeats is then looked at once.
const BATCH: usize = 1024;
/// How often a directory that went away is looked for.
const RETRY: Duration = Duration::from_millis(250);
/// The shortest sleep, so that a clock that stands still does not spin the thread.
const NAP: Duration = Duration::from_millis(1);

/// The channels of the thread.
pub(super) struct Ends {
    pub(super) out: Sender<WatchEvent>,
    pub(super) stopped: Stopped,
    pub(super) asked: Receiver<PathBuf>,
}

/// The receiver is gone or the watcher was dropped.
struct Over;

struct Attached {
    _watcher: RecommendedWatcher,
    identity: (u64, u64),
}

pub(super) struct Run {
    config: WatchConfig,
    clock: Arc<dyn Clock>,
    ends: Ends,
    settler: Settler,
    events: Receiver<notify::Result<Event>>,
    feed: Sender<notify::Result<Event>>,
    overflow: Arc<AtomicBool>,
    attached: Option<Attached>,
    /// What was last told to be wrong, so that it is told once.
    trouble: Option<&'static str>,
    next_scan: Monotonic,
    /// The files of the first scan that are still waited for, and until when; `None` once `Scanned` was sent.
    first: Option<(HashSet<PathBuf>, Monotonic)>,
}

impl Run {
    pub(super) fn new(
        mut config: WatchConfig,
        clock: Arc<dyn Clock>,
        ends: Ends,
    ) -> Result<Self, WatchError> {
        // notify names paths from the root; the scan has to use the same names.
        config.dir = std::path::absolute(&config.dir).map_err(|cause| WatchError::Unlistable {
            dir: config.dir.clone(),
            cause,
        })?;
        list(&config.dir)?;
        let (feed, events) = crossbeam_channel::bounded(QUEUE);
        let now = clock.now();
        Ok(Self {
            settler: Settler::new(config.stable_for),
            config,
            clock,
            ends,
            events,
            feed,
            overflow: Arc::new(AtomicBool::new(false)),
            attached: None,
            trouble: None,
            next_scan: now,
            first: None,
        })
    }

    pub(super) fn until_stopped(mut self) {
        // Whoever ended the work knows that it ended.
        let Err(Over) = self.start().and_then(|()| self.work());
    }

    fn work(&mut self) -> Result<std::convert::Infallible, Over> {
        loop {
            let wait = self.wait();
            let mut batch = Vec::new();
            crossbeam_channel::select! {
                recv(self.events) -> event => batch.extend(event.ok()),
                recv(self.ends.asked) -> path => if let Ok(path) = path {
                    self.look_at(&path, Sight::Written)?;
                },
                recv(self.ends.stopped) -> _ => return Err(Over),
                default(wait) => {}
            }
            batch.extend(self.events.try_iter().take(BATCH));
            self.take_in(batch)?;
            self.look_at_due()?;
            if self.clock.now() >= self.next_scan || self.overflow.swap(false, Ordering::AcqRel) {
                self.scan()?;
            }
            self.tell_scanned()?;
        }
    }

    fn start(&mut self) -> Result<(), Over> {
        // The watch comes first: what arrives between the two is then seen twice, never missed.
        self.attach()?;
        let found = self.listing()?.unwrap_or_default();
        let now = self.clock.now();
        self.next_scan = Monotonic(now.0 + self.pause());
        let decisions = self.settler.first_scan(found, now, self.clock.wall());
        self.tell_all(decisions)?;
        let waiting = self.settler.waiting().cloned().collect();
        self.first = Some((waiting, Monotonic(now.0 + 3 * self.config.stable_for)));
        self.tell_scanned()
    }

    fn pause(&self) -> Duration {
        let lost = self.attached.is_none() && !self.config.dir.is_dir();
        if lost {
            RETRY.min(self.config.rescan)
        } else {
            self.config.rescan
        }
    }

    fn wait(&self) -> Duration {
        let deadline = self.first.as_ref().map(|(_, until)| *until);
        let next = [self.settler.next_wake(), deadline]
            .into_iter()
            .flatten()
            .fold(self.next_scan, Ord::min);
        next.since(self.clock.now()).max(NAP)
    }

    fn take_in(&mut self, batch: Vec<notify::Result<Event>>) -> Result<(), Over> {
        let mut sights = Vec::new();
        for event in batch {
            match event {
                Ok(event) if event.need_rescan() => self.overflow.store(true, Ordering::Release),
                Ok(event) => self.sort(&event, &mut sights),
                Err(error) => {
                    tracing::warn!(error = %error, "file events failed");
                    self.overflow.store(true, Ordering::Release);
                }
            }
        }
        coalesce(sights)
            .into_iter()
            .try_for_each(|(path, sight)| self.look_at(&path, sight))
    }

    fn sort(&mut self, event: &Event, sights: &mut Vec<(PathBuf, Sight)>) {
        let sight = match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => Sight::Complete,
            // The notice with both names only repeats the one of the new name.
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Sight::Complete,
            // Opening and reading change nothing.
            EventKind::Access(_) => return,
            EventKind::Create(CreateKind::File) | EventKind::Modify(ModifyKind::Data(_)) => Sight::Written,
            _ => Sight::Seen,
        };
        let leaves = matches!(
            event.kind,
            EventKind::Remove(RemoveKind::Folder | RemoveKind::Any | RemoveKind::Other)
                | EventKind::Modify(ModifyKind::Name(_))
        );
        for path in &event.paths {
            if leaves && *path == self.config.dir {
                self.attached = None;
                self.next_scan = Monotonic(Duration::ZERO);
            } else if is_candidate(path) {
                sights.push((path.clone(), sight));
            }
        }
    }

    fn look_at(&mut self, path: &Path, sight: Sight) -> Result<(), Over> {
        let stamp = stamp_of(path);
        if stamp.is_none() && stamp_of(&self.config.dir).is_none() {
            // The directory went away, perhaps with the disk it is on: that is not a removal of its files.
            return Ok(());
        }
        let decision = self.settler.observe(path, sight, stamp, self.clock.now());
        decision.map_or(Ok(()), |decision| self.tell(decision))
    }

    fn look_at_due(&mut self) -> Result<(), Over> {
        let now = self.clock.now();
        for path in self.settler.due(now) {
            if let Some(decision) = self.settler.look(&path, stamp_of(&path), now) {
                self.tell(decision)?;
            }
        }
        Ok(())
    }

    fn scan(&mut self) -> Result<(), Over> {
        let here = identity(&self.config.dir);
        if self
            .attached
            .as_ref()
            .is_some_and(|attached| Some(attached.identity) != here)
        {
            self.attached = None;
        }
        if self.attached.is_none() {
            self.attach()?;
        }
        if let Some(found) = self.listing()? {
            let decisions = self.settler.rescan(found, self.clock.now());
            self.tell_all(decisions)?;
        }
        self.next_scan = Monotonic(self.clock.now().0 + self.pause());
        Ok(())
    }

    fn attach(&mut self) -> Result<(), Over> {
        let dir = self.config.dir.clone();
        let Some(identity) = identity(&dir) else {
            return Ok(());
        };
        let (feed, overflow) = (self.feed.clone(), Arc::clone(&self.overflow));
        let deliver = move |event| {
            if let Err(TrySendError::Full(_)) = feed.try_send(event) {
                overflow.store(true, Ordering::Release);
            }
        };
        let made = RecommendedWatcher::new(deliver, notify::Config::default()).and_then(|mut watcher| {
            watcher.watch(&dir, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        match made {
            Ok(watcher) => {
                self.attached = Some(Attached {
                    _watcher: watcher,
                    identity,
                });
                Ok(())
            }
            Err(cause) => self.complain(no_events(dir, cause)),
        }
    }

    fn listing(&mut self) -> Result<Option<Vec<(PathBuf, Stamp)>>, Over> {
        match list(&self.config.dir) {
            Ok(found) => {
                if self.attached.is_some() {
                    self.trouble = None;
                }
                Ok(Some(found))
            }
            Err(error) => {
                self.attached = None;
                self.complain(error)?;
                Ok(None)
            }
        }
    }

    fn complain(&mut self, error: WatchError) -> Result<(), Over> {
        if self.trouble.replace(error.code().0) == Some(error.code().0) {
            return Ok(());
        }
        tracing::warn!(error = %error.chain(), "the plugin directory is not watched as it should be");
        self.send(WatchEvent::Trouble(error))
    }

    /// Tells of a whole listing. A signature that settled with its plugin has nothing to add: whoever is told of the
    /// plugin finds it there.
    fn tell_all(&mut self, decisions: Vec<Decision>) -> Result<(), Over> {
        let settled: HashSet<PathBuf> = decisions
            .iter()
            .filter_map(|decision| match decision {
                Decision::Settled(settled) => Some(settled.path().to_owned()),
                Decision::Removed(_) => None,
            })
            .collect();
        decisions
            .into_iter()
            .filter(|decision| signed_path(decision.path()).is_none_or(|plugin| !settled.contains(&plugin)))
            .try_for_each(|decision| self.tell(decision))
    }

    fn tell(&mut self, decision: Decision) -> Result<(), Over> {
        if let Some(plugin) = signed_path(decision.path()) {
            return self.tell_of_signed(&plugin);
        }
        self.send(match decision {
            Decision::Settled(settled) => WatchEvent::Settled(settled),
            Decision::Removed(path) => WatchEvent::Removed(path),
        })
    }

    /// The signature of a plugin came, changed or went, so the plugin is to be judged anew. One that is not there, or
    /// not settled as it is now, will be told of by itself.
    fn tell_of_signed(&self, plugin: &Path) -> Result<(), Over> {
        match stamp_of(plugin) {
            Some(stamp) if self.settler.is_settled(plugin, stamp) => {
                self.send(WatchEvent::Settled(Settled::vouched(plugin)))
            }
            _ => Ok(()),
        }
    }

    fn tell_scanned(&mut self) -> Result<(), Over> {
        let Some((waiting, until)) = &mut self.first else {
            return Ok(());
        };
        waiting.retain(|path| self.settler.is_waiting(path));
        if waiting.is_empty() || self.clock.now() >= *until {
            self.first = None;
            self.send(WatchEvent::Scanned)?;
        }
        Ok(())
    }

    fn send(&self, event: WatchEvent) -> Result<(), Over> {
        crossbeam_channel::select! {
            send(self.ends.out, event) -> sent => sent.map_err(|_| Over),
            recv(self.ends.stopped) -> _ => Err(Over),
        }
    }
}

/// Whether a name in the directory is meant to be a plugin or the signature of one; partial uploads and dotfiles are
/// not.
fn is_candidate(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let plugin = signed_path(path);
    let plugin = plugin.as_deref().unwrap_or(path);
    !hidden
        && plugin
            .extension()
            .is_some_and(|ext| ext == std::env::consts::DLL_EXTENSION)
}

fn stamp_of(path: &Path) -> Option<Stamp> {
    fs::symlink_metadata(path).ok().map(|meta| Stamp::of(&meta))
}

fn identity(dir: &Path) -> Option<(u64, u64)> {
    fs::metadata(dir)
        .ok()
        .filter(fs::Metadata::is_dir)
        .map(|meta| Stamp::of(&meta))
        .map(|s| (s.dev, s.ino))
}

fn list(dir: &Path) -> Result<Vec<(PathBuf, Stamp)>, WatchError> {
    let refuse = |cause: io::Error| match cause.kind() {
        io::ErrorKind::NotFound => WatchError::Missing { dir: dir.to_owned() },
        io::ErrorKind::NotADirectory => WatchError::NotDirectory { dir: dir.to_owned() },
        _ => WatchError::Unlistable {
            dir: dir.to_owned(),
            cause,
        },
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(refuse)? {
        let path = entry.map_err(refuse)?.path();
        if is_candidate(&path)
            && let Some(stamp) = stamp_of(&path)
        {
            found.push((path, stamp));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

fn no_events(dir: PathBuf, cause: notify::Error) -> WatchError {
    // EMFILE: the user's inotify instances are used up. The crate reports the limit on watches by a kind of its own.
    let no_instance = matches!(&cause.kind, notify::ErrorKind::Io(e) if e.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()));
    match cause.kind {
        notify::ErrorKind::MaxFilesWatch => WatchError::NoWatches { dir },
        _ if no_instance => WatchError::NoWatches { dir },
        _ => WatchError::NoEvents { dir, cause },
    }
}

#[cfg(test)]
mod tests;
