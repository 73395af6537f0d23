//! Files whose content was hashed before, so that a start does not read every one of them again.
//!
//! Invariant: a file is taken for what it was only while nothing that the system says of it has changed: device, inode,
//! size, and both times to the nanosecond. Anybody can set the time of the last write; the time of the last change (ctime)
//! is the kernel's own, and no call sets it. Its clock ticks some hundred times a second, so a file that was changed just
//! before it was read is not known by it yet: it is read once more, when it is older.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use patchbay_vocab::Digest;

use super::{Staged, Store, hash, open_regular};
use crate::stamp::Stamp;

/// How much older than its last change a file has to be when it is read. Much more than a tick of any kernel's clock.
const OLD: Duration = Duration::from_secs(2);
/// Files that wait to be read once more; further ones are read at the next start.
const WAITING: usize = 10_000;

/// What a file was when it was last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// Where it is.
    pub path: PathBuf,
    /// What the system said of it, in a form that only this crate reads.
    pub stamp: String,
    /// The hash of its content.
    pub digest: Digest,
}

/// Is told of files that are known from now on; must be quick.
pub type OnKnown = Arc<dyn Fn(KnownFile) + Send + Sync>;

type Files = HashMap<PathBuf, (Stamp, Digest)>;
type Young = Vec<(PathBuf, Stamp, Digest)>;

/// What a store knows of files outside and of its own.
pub(super) struct Known {
    files: Mutex<Files>,
    young: Mutex<Young>,
    on_known: Option<OnKnown>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Known")
    }
}

impl Known {
    pub(super) fn nothing() -> Self {
        Self::of(Vec::new(), None)
    }

    fn of(files: Vec<KnownFile>, on_known: Option<OnKnown>) -> Self {
        let read = |file: KnownFile| Some((file.path, (Stamp::read(&file.stamp)?, file.digest)));
        Self {
            files: Mutex::new(files.into_iter().filter_map(read).collect()),
            young: Mutex::default(),
            on_known,
        }
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn young(&self) -> MutexGuard<'_, Young> {
        self.young.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn digest_of(&self, path: &Path, stamp: Stamp) -> Option<Digest> {
        let files = self.files();
        let (known, digest) = files.get(path)?;
        (*known == stamp).then_some(*digest)
    }

    fn add(&self, path: &Path, stamp: Stamp, digest: Digest) {
        let before = self.files().insert(path.to_owned(), (stamp, digest));
        if before != Some((stamp, digest))
            && let Some(tell) = &self.on_known
        {
            tell(KnownFile {
                path: path.to_owned(),
                stamp: stamp.written(),
                digest,
            });
        }
    }

    pub(super) fn forget(&self, digest: Digest) {
        self.files().retain(|_, (_, known)| *known != digest);
        self.young().retain(|(_, _, known)| *known != digest);
    }
}

impl Store {
    /// The same store, which knows these files, and tells of those that it comes to know.
    #[must_use]
    pub fn knowing(mut self, files: Vec<KnownFile>, on_known: OnKnown) -> Self {
        self.known = Known::of(files, Some(on_known));
        self
    }

    /// Remembers the file that an artifact came from, now that the artifact is admitted, and the private copy.
    pub fn remember(&self, staged: &Staged) {
        self.remember_at(staged, SystemTime::now());
    }

    fn remember_at(&self, staged: &Staged, now: SystemTime) {
        let Some(stamp) = staged.stamp.filter(|_| self.known.on_known.is_some()) else {
            return;
        };
        // Nobody else writes to the copy: what it is now is what it was when it was hashed.
        if let Some(copy) = stamp_of(&staged.path) {
            self.known.add(&staged.path, copy, staged.digest);
        }
        if staged.origin == staged.path {
            return;
        }
        if is_old(stamp, now) {
            return self.known.add(&staged.origin, stamp, staged.digest);
        }
        let mut young = self.known.young();
        young.retain(|(path, ..)| *path != staged.origin);
        if young.len() < WAITING {
            young.push((staged.origin.clone(), stamp, staged.digest));
        }
    }

    /// Reads files once more that were too young to be known by their times, at most so many; says how many it read.
    pub fn read_young(&self, most: usize) -> usize {
        self.read_young_at(most, SystemTime::now())
    }

    fn read_young_at(&self, most: usize, now: SystemTime) -> usize {
        let grown: Vec<_> = {
            let mut young = self.known.young();
            let grown = young.extract_if(.., |(_, stamp, _)| is_old(*stamp, now));
            grown.take(most).collect()
        };
        for (path, stamp, digest) in &grown {
            let Ok((mut file, found)) = open_regular(path) else {
                continue;
            };
            // One that has changed meanwhile is told of by the watcher.
            if found == *stamp
                && matches!(hash(&mut file, stamp.size, path), Ok(Some(content)) if content == *digest)
                && stamp_of(path) == Some(*stamp)
            {
                self.known.add(path, *stamp, *digest);
            }
        }
        grown.len()
    }

    /// Takes a file for what it was, when it and the copy of its content are as they were.
    pub(super) fn recall(&self, origin: &Path) -> Option<Staged> {
        let stamp = stamp_of(origin)?;
        let digest = self.known.digest_of(origin, stamp)?;
        let path = self.path_of(digest);
        let copy = stamp_of(&path)?;
        let is_whole = self.known.digest_of(&path, copy) == Some(digest) && copy.size == stamp.size;
        is_whole.then(|| Staged {
            digest,
            path,
            origin: origin.to_owned(),
            size: stamp.size,
            stamp: Some(stamp),
        })
    }
}

fn stamp_of(path: &Path) -> Option<Stamp> {
    Some(Stamp::of(&fs::symlink_metadata(path).ok()?))
}

/// Whether a file that is read now will show by its times that it was changed after that.
fn is_old(stamp: Stamp, now: SystemTime) -> bool {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i128::try_from(now.as_nanos()).unwrap_or(i128::MAX);
    let old = i128::try_from(OLD.as_nanos()).unwrap_or(i128::MAX);
    now.saturating_sub(stamp.ctime) >= old
}

#[cfg(test)]
mod tests;
