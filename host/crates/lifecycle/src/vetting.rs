//! Staging, verifying, inspecting and probing, on threads of their own: none of it runs plugin code in this process, all of it may
//! take long.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender};
use patchbay_intake::signature::{Provenance, TrustPolicy, Vouched, verify};
use patchbay_intake::{InspectPolicy, Inspected, Settled, StageError, Store, inspect, stage};
use patchbay_isolate::{ProbeConfig, Probed, VerdictCache};
use patchbay_vocab::{Digest, Explain, Explained, Monotonic};

use crate::error::LifecycleError;
use crate::lifecycle::Lifecycle;

/// Files that are read once more at one go.
const YOUNG: usize = 64;

/// What vetting needs.
#[derive(Debug)]
pub(crate) struct Vetting {
    pub(crate) store: Store,
    pub(crate) trust: TrustPolicy,
    pub(crate) policy: InspectPolicy,
    pub(crate) probe: ProbeConfig,
    pub(crate) verdicts: VerdictCache,
}

/// One file to vet.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) file: Settled,
    pub(crate) since: Monotonic,
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Vetted {
    pub(crate) path: PathBuf,
    pub(crate) since: Monotonic,
    pub(crate) outcome: Outcome,
}

#[derive(Debug)]
pub(crate) enum Outcome {
    Fit(Box<Probed>),
    /// The same content has been admitted before.
    Known {
        digest: Digest,
        provenance: Provenance,
    },
    Unfit {
        /// Its content, once it is known, and who stands behind it.
        artifact: Option<(Digest, Option<Provenance>)>,
        why: Explained,
    },
    /// The file changed while it was read, or is gone: the watcher will say more.
    Changed,
}

impl Vetting {
    /// Takes a stored artifact through the stages again, for a revision that is to be mapped once more. Its signature was
    /// kept with it, and is held against the keys of today.
    pub(crate) fn again(&self, digest: Digest) -> Result<Probed, LifecycleError> {
        let vouched = verify(self.store.reopen(digest)?, &self.trust)?;
        let inspected = inspect(vouched, &self.policy)?;
        Ok(self.verdicts.probe(&inspected, &self.policy, &self.probe)?)
    }

    /// Whether an artifact is stored.
    pub(crate) fn has_copy(&self, digest: Digest) -> bool {
        self.store.path_of(digest).exists()
    }

    /// How long a stored artifact is; 0 when it is not there.
    pub(crate) fn bytes_of(&self, digest: Digest) -> u64 {
        self.store.config().bytes_of(digest)
    }

    /// Remembers the file that was admitted, so that the next start does not read it again.
    pub(crate) fn remember(&self, inspected: &Inspected) {
        self.store.remember(inspected.staged());
    }

    /// Reads some of the files once more that were admitted too soon after their last change to be known by it.
    pub(crate) fn read_young(&self) {
        self.store.read_young(YOUNG);
    }

    /// Removes what is kept of a content that was refused: a directory of bad files must not fill the store.
    pub(crate) fn forget(&self, digest: Digest) {
        self.verdicts.forget(digest);
        if let Err(error) = self.store.remove(digest) {
            tracing::debug!(%digest, %error, "a refused copy could not be removed");
        }
    }

    fn vet(&self, file: Settled, known: impl Fn(Digest) -> bool) -> Outcome {
        let staged = match stage(file, &self.store) {
            Ok(staged) => staged,
            Err(error) if error.is_transient() || matches!(error, StageError::Vanished { .. }) => {
                return Outcome::Changed;
            }
            Err(error) => {
                return Outcome::Unfit {
                    artifact: None,
                    why: error.explained(),
                };
            }
        };
        let digest = staged.digest();
        let mut provenance = None;
        let done = verify(staged, &self.trust)
            .map_err(LifecycleError::from)
            .and_then(|vouched| {
                provenance = Some(vouched.provenance().clone());
                self.examine(vouched, known(digest))
            });
        match done {
            Ok(outcome) => outcome,
            // A file with the same content was refused meanwhile, and its copy with it.
            Err(_) if !self.has_copy(digest) => Outcome::Changed,
            Err(error) => Outcome::Unfit {
                artifact: Some((digest, provenance)),
                why: error.explained(),
            },
        }
    }

    fn examine(&self, vouched: Vouched, known: bool) -> Result<Outcome, LifecycleError> {
        let inspected = inspect(vouched, &self.policy)?;
        let provenance = inspected.provenance().clone();
        if known {
            if provenance != Provenance::Unsigned {
                self.store.keep_signature(&inspected)?;
            }
            self.store.remember(inspected.staged());
            let digest = inspected.digest();
            return Ok(Outcome::Known { digest, provenance });
        }
        let probed = self.verdicts.probe(&inspected, &self.policy, &self.probe)?;
        self.store.keep_signature(&inspected)?;
        Ok(Outcome::Fit(Box::new(probed)))
    }
}

/// Starts a vetting thread; it ends when the jobs' sender is dropped.
pub(crate) fn start_thread(
    number: usize,
    lifecycle: Arc<Lifecycle>,
    jobs: Receiver<Job>,
    done: Sender<Vetted>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(format!("pb-vet-{number}"))
        .spawn(move || {
            for Job { file, since } in jobs {
                let path = file.path().to_owned();
                let outcome = lifecycle
                    .vetting()
                    .vet(file, |digest| lifecycle.is_admitted(digest));
                if done.send(Vetted { path, since, outcome }).is_err() {
                    return;
                }
            }
        })
}
