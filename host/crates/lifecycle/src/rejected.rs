//! Files that were refused, until they are replaced or removed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use patchbay_intake::signature::Provenance;
use patchbay_vocab::{Digest, Explained, UnixMillis};

/// Files that are remembered; the oldest go first.
const MAX_REMEMBERED: usize = 10_000;

/// A file that was refused.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// The file.
    pub path: PathBuf,
    /// Its content, when it could be read.
    pub digest: Option<Digest>,
    /// Who stands behind it, when that was found out before it was refused.
    pub provenance: Option<Provenance>,
    /// Why.
    pub why: Explained,
    /// When.
    pub at: UnixMillis,
}

#[derive(Debug, Default)]
pub(crate) struct Rejections {
    by_path: Mutex<BTreeMap<PathBuf, Rejection>>,
}

impl Rejections {
    /// Remembers a refusal; says whether it is news: not the same content of the same path for the same reason.
    pub(crate) fn add(&self, rejection: Rejection) -> bool {
        let mut by_path = self.by_path.lock();
        let known = by_path.get(&rejection.path);
        let same = known.is_some_and(|known| {
            known.digest == rejection.digest
                && known.why == rejection.why
                && known.provenance == rejection.provenance
        });
        if by_path.len() >= MAX_REMEMBERED && !by_path.contains_key(&rejection.path) {
            let oldest = by_path
                .values()
                .min_by_key(|known| known.at)
                .map(|known| known.path.clone());
            if let Some(oldest) = oldest {
                by_path.remove(&oldest);
            }
        }
        by_path.insert(rejection.path.clone(), rejection);
        !same
    }

    pub(crate) fn clear(&self, path: &Path) {
        self.by_path.lock().remove(path);
    }

    pub(crate) fn list(&self) -> Vec<Rejection> {
        self.by_path.lock().values().cloned().collect()
    }
}
