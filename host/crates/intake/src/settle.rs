//! Which files are complete: a pure machine that is fed sightings and the time.
//!
//! Invariant: a path is settled at once when its writer closed it or renamed it into place, and otherwise when its
//! [`Stamp`] has stayed the same for `stable_for`; an unfinished file is never settled while writes keep coming.
//!
//! ```text
//!            written, seen anew                    stable_for without a change
//!  unknown ----------------------> pending ---------------------------------------> settled
//!     \______________________________/____ closed, renamed in, not a regular file ____/
//! ```

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use patchbay_vocab::{Monotonic, UnixMillis};

use crate::stamp::{Kind, Stamp};

/// A path in the plugin directory that nobody is writing to any more.
#[derive(Debug, PartialEq, Eq)]
pub struct Settled {
    path: PathBuf,
}

impl Settled {
    /// Evidence by the caller's word: a person named this very file and says it is complete (`patchbay check FILE`).
    #[must_use]
    pub fn vouched(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn into_path(self) -> PathBuf {
        self.path
    }
}

/// What was learnt of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Its writer closed it, or it was renamed into place.
    Complete,
    /// Bytes were written, and nobody has said that they were the last.
    Written,
    /// Something may have changed.
    Seen,
}

/// What the machine decided.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Settled(Settled),
    Removed(PathBuf),
}

impl Decision {
    /// What it is about.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Settled(settled) => settled.path(),
            Self::Removed(path) => path,
        }
    }
}

#[derive(Debug)]
struct Pending {
    stamp: Stamp,
    since: Monotonic,
    /// Bytes were written, so it is to be settled even if the stamp ends as it was: clocks are coarse.
    written: bool,
}

#[derive(Debug)]
pub(crate) struct Settler {
    stable_for: Duration,
    pending: HashMap<PathBuf, Pending>,
    settled: HashMap<PathBuf, Stamp>,
}

impl Settler {
    pub(crate) fn new(stable_for: Duration) -> Self {
        Self {
            stable_for,
            pending: HashMap::new(),
            settled: HashMap::new(),
        }
    }

    /// Takes in one sighting; `stamp` is what the path is now, `None` when there is nothing.
    pub(crate) fn observe(
        &mut self,
        path: &Path,
        sight: Sight,
        stamp: Option<Stamp>,
        now: Monotonic,
    ) -> Option<Decision> {
        let Some(stamp) = stamp else {
            self.pending.remove(path);
            return self
                .settled
                .remove(path)
                .map(|_| Decision::Removed(path.to_owned()));
        };
        let known = self.settled.get(path) == Some(&stamp);
        if stamp.kind != Kind::File {
            self.pending.remove(path);
            return if known {
                None
            } else {
                Some(self.settle(path, stamp))
            };
        }
        match sight {
            Sight::Complete => Some(self.settle(path, stamp)),
            Sight::Written => {
                self.pending.insert(
                    path.to_owned(),
                    Pending {
                        stamp,
                        since: now,
                        written: true,
                    },
                );
                None
            }
            Sight::Seen => {
                match self.pending.get_mut(path) {
                    Some(pending) if pending.stamp == stamp => {}
                    Some(pending) => (pending.stamp, pending.since) = (stamp, now),
                    None if known => {}
                    None => {
                        self.pending.insert(
                            path.to_owned(),
                            Pending {
                                stamp,
                                since: now,
                                written: false,
                            },
                        );
                    }
                }
                None
            }
        }
    }

    /// Takes in the files that were there at the start: what has not been touched for `stable_for` is complete.
    pub(crate) fn first_scan(
        &mut self,
        found: Vec<(PathBuf, Stamp)>,
        now: Monotonic,
        wall: UnixMillis,
    ) -> Vec<Decision> {
        let wall = i128::from(wall.0) * 1_000_000;
        let stable_for = i128::try_from(self.stable_for.as_nanos()).unwrap_or(i128::MAX);
        found
            .into_iter()
            .filter_map(|(path, stamp)| {
                let old = wall.saturating_sub(stamp.mtime) >= stable_for;
                self.observe(
                    &path,
                    if old { Sight::Complete } else { Sight::Seen },
                    Some(stamp),
                    now,
                )
            })
            .collect()
    }

    /// Takes in a full listing: finds what the events missed, and what is gone.
    pub(crate) fn rescan(&mut self, found: Vec<(PathBuf, Stamp)>, now: Monotonic) -> Vec<Decision> {
        let mut decisions = Vec::new();
        let mut there = HashSet::with_capacity(found.len());
        for (path, stamp) in found {
            decisions.extend(self.observe(&path, Sight::Seen, Some(stamp), now));
            there.insert(path);
        }
        let mut gone: Vec<PathBuf> = self
            .settled
            .keys()
            .chain(self.pending.keys())
            .filter(|p| !there.contains(*p))
            .cloned()
            .collect();
        gone.sort();
        gone.dedup();
        decisions.extend(
            gone.into_iter()
                .filter_map(|path| self.observe(&path, Sight::Seen, None, now)),
        );
        decisions
    }

    /// The pending paths whose time has come; each is to be looked at again.
    pub(crate) fn due(&self, now: Monotonic) -> Vec<PathBuf> {
        let mut due: Vec<_> = self
            .pending
            .iter()
            .filter(|(_, pending)| now.since(pending.since) >= self.stable_for)
            .map(|(path, pending)| (pending.since, path.clone()))
            .collect();
        due.sort();
        due.into_iter().map(|(_, path)| path).collect()
    }

    /// Looks again at a path that was due.
    pub(crate) fn look(&mut self, path: &Path, stamp: Option<Stamp>, now: Monotonic) -> Option<Decision> {
        let quiet = self.pending.get(path).is_some_and(|pending| {
            Some(pending.stamp) == stamp && now.since(pending.since) >= self.stable_for
        });
        let Some(stamp) = stamp.filter(|_| quiet) else {
            return self.observe(path, Sight::Seen, stamp, now);
        };
        let written = self.pending.remove(path).is_some_and(|pending| pending.written);
        if !written && self.settled.get(path) == Some(&stamp) {
            return None;
        }
        Some(self.settle(path, stamp))
    }

    /// When the next pending path is due.
    pub(crate) fn next_wake(&self) -> Option<Monotonic> {
        self.pending
            .values()
            .map(|pending| Monotonic(pending.since.0 + self.stable_for))
            .min()
    }

    /// The paths that are waiting.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &PathBuf> {
        self.pending.keys()
    }

    /// Whether `path` was settled as it is now: nobody has touched it since.
    pub(crate) fn is_settled(&self, path: &Path, stamp: Stamp) -> bool {
        self.settled.get(path) == Some(&stamp) && !self.pending.contains_key(path)
    }

    /// Whether `path` is waiting.
    pub(crate) fn is_waiting(&self, path: &Path) -> bool {
        self.pending.contains_key(path)
    }

    fn settle(&mut self, path: &Path, stamp: Stamp) -> Decision {
        self.pending.remove(path);
        self.settled.insert(path.to_owned(), stamp);
        Decision::Settled(Settled {
            path: path.to_owned(),
        })
    }
}

/// Drops the sightings of one batch that a later completion of the same path makes pointless; keeps the order.
pub(crate) fn coalesce(batch: Vec<(PathBuf, Sight)>) -> Vec<(PathBuf, Sight)> {
    let mut last_complete = HashMap::new();
    let mut last_of_kind = HashMap::new();
    for (at, (path, sight)) in batch.iter().enumerate() {
        if *sight == Sight::Complete {
            last_complete.insert(path.clone(), at);
        }
        last_of_kind.insert((path.clone(), *sight as u8), at);
    }
    let keep = |at: usize, path: &PathBuf, sight: Sight| {
        last_complete.get(path).is_none_or(|&last| at >= last)
            && last_of_kind.get(&(path.clone(), sight as u8)) == Some(&at)
    };
    batch
        .into_iter()
        .enumerate()
        .filter(|(at, (path, sight))| keep(*at, path, *sight))
        .map(|(_, seen)| seen)
        .collect()
}

#[cfg(test)]
mod tests;
