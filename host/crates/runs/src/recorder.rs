//! Puts what became of runs into the journal's form, on a thread of its own.
//!
//! Invariant: what was told is written in the order in which it was told, and nobody who tells waits.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use patchbay_executor::{Finished, RunStatus};
use patchbay_journal::{Journal, RunRecord, RunStart};
use patchbay_workflow::SavePolicy;

use crate::error::RunsError;
use crate::failures::Failures;
use crate::record::{self, About};

/// What the recorder is told.
pub(crate) enum Told {
    Begun(Box<RunStart>, SavePolicy),
    Ended(Arc<Finished>, About),
    Record(Box<RunRecord>),
    /// Answered when everything before it has been handed to the journal.
    Flush(Sender<()>),
}

pub(crate) struct Recorder {
    told: Sender<Told>,
}

impl Recorder {
    pub(crate) fn start(journal: Arc<Journal>, failures: Arc<Failures>) -> std::io::Result<Self> {
        let (told, work) = crossbeam_channel::unbounded();
        std::thread::Builder::new()
            .name("pb-recorder".into())
            .spawn(move || record_all(&work, &journal, &failures))?;
        Ok(Self { told })
    }

    pub(crate) fn tell(&self, what: Told) {
        // It ends only when nobody can tell any more.
        let _ = self.told.send(what);
    }

    pub(crate) fn flush(&self, within: Duration) -> Result<(), RunsError> {
        let (answer, done) = crossbeam_channel::bounded(1);
        self.tell(Told::Flush(answer));
        done.recv_timeout(within)
            .map_err(|_| RunsError::Unavailable("the recorder of runs does not answer".into()))
    }
}

fn record_all(work: &Receiver<Told>, journal: &Journal, failures: &Failures) {
    while let Ok(told) = work.recv() {
        match told {
            Told::Begun(start, save) => {
                if save.success || save.failure {
                    journal.begin(*start);
                }
            }
            Told::Ended(finished, about) => {
                if finished.has_failures() {
                    failures.count(&finished);
                }
                let keep = match finished.status {
                    RunStatus::Success => about.save.success,
                    RunStatus::Error | RunStatus::Cancelled | RunStatus::Timeout => about.save.failure,
                };
                if keep {
                    journal.finish(record::ended(&finished, &about));
                } else if about.save.success || about.save.failure {
                    journal.forget(finished.run().id());
                }
            }
            Told::Record(record) => journal.finish(*record),
            Told::Flush(answer) => {
                let _ = answer.send(());
            }
        }
    }
}
