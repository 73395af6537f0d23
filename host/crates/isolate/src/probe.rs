//! What the host asks of a trial load, and what it gets.

use std::collections::BTreeSet;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use patchbay_intake::{InspectPolicy, Inspected};
use patchbay_loader::LoadError;
use patchbay_vocab::Explain;

use crate::error::ProbeError;
use crate::trial::Trial;
use crate::verdict::{Depth, Request, Verdict};

/// How trial loads are made.
#[derive(Clone, Debug)]
pub struct ProbeConfig {
    /// The executable that serves as the child: one whose `main` begins with `serve_if_asked`.
    pub helper: PathBuf,
    /// How long one trial load may take.
    pub deadline: Duration,
    /// The store that holds the artifacts.
    pub store: PathBuf,
    /// The largest artifact.
    pub max_bytes: u64,
    /// Where children make their copies.
    pub maps: PathBuf,
    /// Address space a child may take, in bytes.
    pub memory_bytes: u64,
}

impl ProbeConfig {
    /// This very executable as the helper.
    #[must_use]
    pub fn own_executable() -> PathBuf {
        if cfg!(target_os = "linux") {
            // Right even when the file was replaced since this process was started.
            return PathBuf::from("/proc/self/exe");
        }
        std::env::current_exe().unwrap_or_default()
    }
}

/// An artifact that a child has loaded, tried and unloaded.
#[derive(Clone, Debug)]
pub struct Probed {
    inspected: Inspected,
    verdict: Verdict,
}

impl Probed {
    /// With a verdict of an earlier trial load of the same bytes by the same executable; only for the cache.
    pub(crate) const fn remembered(inspected: Inspected, verdict: Verdict) -> Self {
        Self { inspected, verdict }
    }

    /// The artifact.
    #[must_use]
    pub const fn inspected(&self) -> &Inspected {
        &self.inspected
    }

    /// What was found.
    #[must_use]
    pub const fn verdict(&self) -> &Verdict {
        &self.verdict
    }
}

/// Has a child load the artifact. Blocks for the deadline at most.
///
/// # Errors
/// When the artifact is unfit, or took the child down.
pub fn probe(
    inspected: &Inspected,
    policy: &InspectPolicy,
    config: &ProbeConfig,
) -> Result<Probed, ProbeError> {
    probe_to(Depth::Brief, inspected, policy, config)
}

/// Like [`probe`], with what the plugin says of itself in the verdict and the outputs of its examples in full.
///
/// # Errors
/// As [`probe`].
pub fn probe_in_full(
    inspected: &Inspected,
    policy: &InspectPolicy,
    config: &ProbeConfig,
) -> Result<Probed, ProbeError> {
    probe_to(Depth::Full, inspected, policy, config)
}

fn probe_to(
    depth: Depth,
    inspected: &Inspected,
    policy: &InspectPolicy,
    config: &ProbeConfig,
) -> Result<Probed, ProbeError> {
    let nonce = nonce();
    let request = Request {
        nonce: nonce.clone(),
        store: config.store.clone(),
        max_bytes: config.max_bytes,
        maps: config.maps.join(format!("probe-{}", place_name())),
        digest: inspected.digest(),
        allowed_libraries: policy.allowed_libraries.clone(),
        forbidden_imports: policy.forbidden_imports.clone(),
        contract: (policy.contract.major, policy.contract.minor),
        cpu_seconds: config.deadline.as_secs().max(1) + 1,
        memory_bytes: config.memory_bytes,
        example_millis: u64::try_from(config.deadline.as_millis()).unwrap_or(u64::MAX) / 2,
        depth,
    };
    let maps = request.maps.clone();
    // It was made at the start; a folder that nothing but copies were in may have been cleared away since.
    let place = DirBuilder::new().recursive(true).mode(0o700).create(&config.maps);
    place.map_err(|cause| ProbeError::Unfit(LoadError::Copy(cause).explained()))?;
    let outcome = Trial::start(config, &request).and_then(|mut trial| trial.listen(nonce, config.deadline));
    // A child that was killed leaves its copy behind.
    let _ = std::fs::remove_dir_all(&maps);
    outcome.map(|verdict| Probed {
        inspected: inspected.clone(),
        verdict,
    })
}

/// A name for the child's folder, which its plugin sees as part of its own path: nothing of the nonce is in it.
fn place_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn nonce() -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("{:016x}", RandomState::new().hash_one(0))
}

/// The policy's parts that a verdict depends on, for the cache's fingerprint.
pub(crate) fn policy_text(policy: &InspectPolicy) -> String {
    let join = |set: &BTreeSet<String>| set.iter().map(String::as_str).collect::<Vec<_>>().join(",");
    format!(
        "{};{};{}",
        join(&policy.allowed_libraries),
        join(&policy.forbidden_imports),
        policy.contract
    )
}
