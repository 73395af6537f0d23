//! Staging, inspecting and probing, on threads of their own: none of it runs plugin code in this process, all of it may
//! take long.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender};
use patchbay_intake::{InspectPolicy, Settled, StageError, Store, inspect, stage};
use patchbay_isolate::{ProbeConfig, Probed, VerdictCache};
use patchbay_vocab::{Digest, Explain, Explained, Monotonic};

use crate::error::LifecycleError;
use crate::lifecycle::Lifecycle;

/// What vetting needs.
#[derive(Debug)]
pub(crate) struct Vetting {
    pub(crate) store: Store,
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
    Known,
    Unfit {
        digest: Option<Digest>,
        why: Explained,
    },
    /// The file changed while it was read, or is gone: the watcher will say more.
    Changed,
}

impl Vetting {
    /// Takes a stored artifact through the stages again, for a revision that is to be mapped once more.
    pub(crate) fn again(&self, digest: Digest) -> Result<Probed, LifecycleError> {
        let staged = self.store.reopen(digest)?;
        let inspected = inspect(staged, &self.policy)?;
        Ok(self.verdicts.probe(&inspected, &self.policy, &self.probe)?)
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
                    digest: None,
                    why: error.explained(),
                };
            }
        };
        let digest = staged.digest();
        if known(digest) {
            return Outcome::Known;
        }
        let probed = inspect(staged, &self.policy)
            .map_err(LifecycleError::from)
            .and_then(|inspected| Ok(self.verdicts.probe(&inspected, &self.policy, &self.probe)?));
        match probed {
            Ok(probed) => Outcome::Fit(Box::new(probed)),
            Err(error) => {
                self.forget(digest);
                Outcome::Unfit {
                    digest: Some(digest),
                    why: error.explained(),
                }
            }
        }
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
