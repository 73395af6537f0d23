//! Verdicts of earlier trial loads.
//!
//! Invariant: a verdict is used again only for the same bytes, by the same executable, under the same policy. Only
//! fit verdicts are kept: what failed once may have failed for want of time. Only those of whole trials are: one
//! without a layer would outlive the system that did not give it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use patchbay_intake::{InspectPolicy, Inspected};
use patchbay_vocab::{Digest, kill_point};

use crate::probe::{ProbeConfig, Probed, policy_text, probe};
use crate::{ProbeError, Verdict};

/// Verdicts on disk, one file for each content.
#[derive(Debug)]
pub struct VerdictCache {
    dir: PathBuf,
    fingerprint: Digest,
    /// Whether a missing layer was told of.
    told: AtomicBool,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Kept {
    fingerprint: Digest,
    verdict: Verdict,
}

impl VerdictCache {
    /// Opens the cache in `dir`.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(dir: PathBuf, policy: &InspectPolicy, config: &ProbeConfig) -> Result<Self, ProbeError> {
        fs::create_dir_all(&dir).map_err(ProbeError::Spawn)?;
        // The executable by its identity on disk: hashing some 20 MB at each start would cost more than it tells.
        let executable = fs::metadata(&config.helper).map_err(ProbeError::Spawn)?;
        let text = format!(
            "{};{};{};{};{};{}",
            env!("CARGO_PKG_VERSION"),
            executable.dev(),
            executable.ino(),
            executable.size(),
            executable.mtime_nsec().wrapping_add(executable.mtime()),
            policy_text(policy),
        );
        Ok(Self {
            dir,
            fingerprint: Digest::of(text.as_bytes()),
            told: AtomicBool::new(false),
        })
    }

    /// The verdict on an artifact: a remembered one, or a trial load's.
    ///
    /// # Errors
    /// As [`probe`].
    pub fn probe(
        &self,
        inspected: &Inspected,
        policy: &InspectPolicy,
        config: &ProbeConfig,
    ) -> Result<Probed, ProbeError> {
        if let Some(verdict) = self.recall(inspected.digest()) {
            return Ok(Probed::remembered(inspected.clone(), verdict));
        }
        let probed = probe(inspected, policy, config)?;
        self.tell(probed.verdict());
        self.keep(inspected.digest(), probed.verdict());
        Ok(probed)
    }

    /// Removes the verdict on a content that turned out unfit after all; it need not be there.
    pub fn forget(&self, digest: Digest) {
        let _ = fs::remove_file(self.path(digest));
    }

    /// Once: it is the system that lacks something, not the file.
    fn tell(&self, verdict: &Verdict) {
        if verdict.missing.is_empty() || self.told.swap(true, Ordering::Relaxed) {
            return;
        }
        for layer in &verdict.missing {
            tracing::warn!("trial loads lack a layer here, and no verdict is kept: {layer}");
        }
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.dir.join(format!("{digest}.json"))
    }

    fn recall(&self, digest: Digest) -> Option<Verdict> {
        let bytes = fs::read(self.path(digest)).ok()?;
        let kept: Kept = serde_json::from_slice(&bytes).ok()?;
        (kept.fingerprint == self.fingerprint && kept.verdict.missing.is_empty()).then_some(kept.verdict)
    }

    /// A verdict that cannot be kept is found again at the next start.
    fn keep(&self, digest: Digest, verdict: &Verdict) {
        if !verdict.missing.is_empty() {
            return;
        }
        let kept = Kept {
            fingerprint: self.fingerprint,
            verdict: verdict.clone(),
        };
        let Ok(bytes) = serde_json::to_vec(&kept) else {
            return;
        };
        let part = self.dir.join(format!("{digest}.part"));
        let written = fs::write(&part, bytes).and_then(|()| {
            kill_point("verdict.written");
            fs::rename(&part, self.path(digest))
        });
        if let Err(error) = written {
            tracing::debug!(%digest, %error, "a verdict could not be kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Layer;

    fn verdict(missing: Vec<Layer>) -> Verdict {
        Verdict {
            stages: Vec::new(),
            description: Digest::of(b""),
            nodes: Vec::new(),
            examples: Vec::new(),
            pinned_by: Vec::new(),
            keys: 0,
            meta: None,
            missing,
        }
    }

    #[test]
    fn a_verdict_is_kept_only_when_no_layer_of_its_trial_was_missing() {
        let dir = tempfile::tempdir().unwrap();
        let cache = VerdictCache {
            dir: dir.path().to_owned(),
            fingerprint: Digest::of(b"this"),
            told: AtomicBool::new(false),
        };
        let (whole, unfenced, unseen) = (Digest::of(b"1"), Digest::of(b"2"), Digest::of(b"3"));
        cache.keep(whole, &verdict(Vec::new()));
        cache.keep(unfenced, &verdict(vec![Layer::Fence("no filters".into())]));
        cache.keep(unseen, &verdict(vec![Layer::Witness]));
        assert!(cache.recall(whole).is_some());
        assert!(cache.recall(unfenced).is_none());
        assert!(cache.recall(unseen).is_none());
        let other = VerdictCache {
            fingerprint: Digest::of(b"another"),
            ..cache
        };
        assert!(other.recall(whole).is_none());
    }
}
