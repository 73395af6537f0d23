//! Two copies of SQLite in one process take turns at a file.
//!
//! Invariant: while a connection to a file is open, no other version of this plugin has that file open.
//!
//! SQLite locks a file with locks of POSIX, which belong to the process: whoever in the process closes *any* descriptor of
//! a file drops *all* of the process's locks on it. SQLite knows of its own descriptors and puts their closing off. But
//! while a new version of this plugin takes over from an old one, there are two copies of SQLite in the process, and
//! neither knows of the other's descriptors: one would close the file and with that drop the lock under which the other is
//! writing, and a third could write at the same time. That corrupts databases (<https://sqlite.org/howtocorrupt.html>,
//! section 2.2).
//!
//! So a version that opens a file first takes a lock of its own on a file beside it. `flock` locks belong to the open
//! file and not to the process, hence they hold against the other version, and against other processes of this kind as
//! well. Connections stay open for one call, and nobody joins a turn that has taken [`TURN`]: then the turn passes, to
//! whoever waits. A second file sees to that: it is held while waiting for the first, so that a version that has just had
//! its turn stands behind the one that waits.
//!
//! ```text
//! Away --ask--> Asking --both locks--> Ours(1) --join--> Ours(n) --all left--> Away
//! ```
//!
//! The files are never removed: a lock on a removed file holds against nobody. What these locks do not reach is somebody
//! in this process who opens the database's file without SQLite: a node that copies it while it is in use, for one.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_io::Stop;

/// How long others may join a turn.
const TURN: Duration = Duration::from_millis(100);

/// How long somebody waits for a turn at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a lock that another one holds is tried: there is no waiting for it with an end.
const RETRY: Duration = Duration::from_millis(1);

/// How often somebody who waits for this version's turn looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(20);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The turns of one copy of SQLite.
pub(crate) struct Turns {
    files: Mutex<Option<HashMap<PathBuf, Arc<Place>>>>,
}

struct Place {
    path: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

enum State {
    Away,
    Asking,
    Ours {
        inside: usize,
        until: Instant,
        /// Held for as long as somebody is inside.
        _lock: File,
    },
}

/// A turn: as long as it lives, connections to its file may be open.
pub(crate) struct Turn {
    place: Arc<Place>,
}

impl Turns {
    pub(crate) const fn new() -> Self {
        Self {
            files: Mutex::new(None),
        }
    }

    /// Waits for a turn at a file, whose path has no links in it any more.
    ///
    /// # Errors
    /// When nobody wants it any more, it takes too long, or the files beside cannot be made.
    pub(crate) fn take(&self, path: &Path, stop: &Stop) -> NodeResult<Turn> {
        let place = {
            let mut files = locked(&self.files);
            let places = files.get_or_insert_with(HashMap::new);
            let made = || {
                Arc::new(Place {
                    path: path.to_owned(),
                    state: Mutex::new(State::Away),
                    changed: Condvar::new(),
                })
            };
            Arc::clone(places.entry(path.to_owned()).or_insert_with(made))
        };
        place.enter(stop)?;
        Ok(Turn { place })
    }
}

impl Place {
    fn enter(&self, stop: &Stop) -> NodeResult<()> {
        let begun = Instant::now();
        let mut state = locked(&self.state);
        loop {
            stop.check()?;
            if begun.elapsed() > PATIENCE {
                return Err(busy());
            }
            match &mut *state {
                State::Ours { inside, until, .. } if Instant::now() < *until => {
                    *inside += 1;
                    return Ok(());
                }
                State::Away => {
                    *state = State::Asking;
                    drop(state);
                    let asked = self.ask(stop, begun);
                    state = locked(&self.state);
                    *state = State::Away;
                    self.changed.notify_all();
                    *state = State::Ours {
                        _lock: asked?,
                        inside: 1,
                        until: Instant::now() + TURN,
                    };
                    return Ok(());
                }
                State::Ours { .. } | State::Asking => {
                    let waited = self.changed.wait_timeout(state, LOOK);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    fn leave(&self) {
        let mut state = locked(&self.state);
        if let State::Ours { inside, .. } = &mut *state {
            *inside -= 1;
            if *inside == 0 {
                *state = State::Away;
                self.changed.notify_all();
            }
        }
    }

    /// Waits until no other version has the file: first for the place at the head of the line, then for the turn.
    fn ask(&self, stop: &Stop, begun: Instant) -> NodeResult<File> {
        let head = self.locked_file(".patchbay-next", stop, begun)?;
        let turn = self.locked_file(".patchbay-lock", stop, begun)?;
        drop(head);
        Ok(turn)
    }

    fn locked_file(&self, ending: &str, stop: &Stop, begun: Instant) -> NodeResult<File> {
        let mut path = OsString::from(&self.path);
        path.push(ending);
        let file = opened(Path::new(&path)).map_err(|error| {
            NodeError::new(format!(
                "the file `*{ending}` beside the database cannot be opened ({}); its folder has to be writable",
                error.kind()
            ))
        })?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => {
                    stop.check()?;
                    if begun.elapsed() > PATIENCE {
                        return Err(busy());
                    }
                    std::thread::sleep(RETRY);
                }
                Err(TryLockError::Error(error)) => {
                    return Err(NodeError::new(format!(
                        "the file `*{ending}` beside the database cannot be locked: {}",
                        error.kind()
                    )));
                }
            }
        }
    }
}

/// A file to lock; one that cannot be made or written will do when it is there.
fn opened(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options
        .open(path)
        .or_else(|error| File::open(path).map_err(|_| error))
}

fn busy() -> NodeError {
    NodeError::with_code(
        code::TEMPORARY_FAILURE,
        "the database is in use by another version of the plugin or another process; try again",
    )
    .status(503)
    .retryable(true)
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.place.leave();
    }
}
