//! Verdicts of earlier trial loads.
//!
//! Invariant: a verdict is used again only for the same bytes, by the same executable, under the same policy. Only
//! fit verdicts are kept: what failed once may have failed for want of time.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use patchbay_intake::{InspectPolicy, Inspected};
use patchbay_vocab::Digest;

use crate::probe::{ProbeConfig, Probed, policy_text, probe};
use crate::{ProbeError, Verdict};

/// Verdicts on disk, one file for each content.
#[derive(Debug)]
pub struct VerdictCache {
    dir: PathBuf,
    fingerprint: Digest,
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
        self.keep(inspected.digest(), probed.verdict());
        Ok(probed)
    }

    /// Removes the verdict on a content that turned out unfit after all; it need not be there.
    pub fn forget(&self, digest: Digest) {
        let _ = fs::remove_file(self.path(digest));
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.dir.join(format!("{digest}.json"))
    }

    fn recall(&self, digest: Digest) -> Option<Verdict> {
        let bytes = fs::read(self.path(digest)).ok()?;
        let kept: Kept = serde_json::from_slice(&bytes).ok()?;
        (kept.fingerprint == self.fingerprint).then_some(kept.verdict)
    }

    /// A verdict that cannot be kept is found again at the next start.
    fn keep(&self, digest: Digest, verdict: &Verdict) {
        let kept = Kept {
            fingerprint: self.fingerprint,
            verdict: verdict.clone(),
        };
        let Ok(bytes) = serde_json::to_vec(&kept) else {
            return;
        };
        let part = self.dir.join(format!("{digest}.part"));
        let written = fs::write(&part, bytes).and_then(|()| fs::rename(&part, self.path(digest)));
        if let Err(error) = written {
            tracing::debug!(%digest, %error, "a verdict could not be kept");
        }
    }
}
