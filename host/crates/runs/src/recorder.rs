//! Puts what became of runs into the journal's form, on a thread of its own.
//!
//! Invariant: what was told is written in the order in which it was told, and nobody who tells waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use patchbay_executor::{Finished, RunStatus};
use patchbay_journal::{Journal, RunRecord, RunStart};
use patchbay_workflow::SavePolicy;
use plugin_api::value::Value;

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

/// Bytes that may wait to be recorded before no more runs may begin, as far as they are counted.
const MOST: usize = 64 << 20;
/// What a node of a run that waits to be recorded takes, beside what is counted of its values.
const NODE: usize = 256;

impl Told {
    /// About how much memory it keeps. Outputs are not counted: that would cost every run a walk through them.
    fn bytes(&self) -> usize {
        let values =
            |trigger: &Value, variables: &Value| trigger.as_bytes().len() + variables.as_bytes().len();
        match self {
            Self::Begun(start, _) => {
                let of = |value: &Option<Value>| value.as_ref().map_or(0, |value| value.as_bytes().len());
                NODE + of(&start.trigger_value) + of(&start.variables)
            }
            Self::Ended(finished, _) => {
                NODE * (1 + finished.plan().nodes.len())
                    + values(finished.run().trigger(), &finished.variables)
            }
            Self::Record(record) => NODE * (1 + record.nodes.len()),
            Self::Flush(_) => 0,
        }
    }
}

pub(crate) struct Recorder {
    told: Sender<(Told, usize)>,
    /// Bytes that were told and are not recorded.
    waiting: Arc<AtomicUsize>,
}

impl Recorder {
    pub(crate) fn start(journal: Arc<Journal>, failures: Arc<Failures>) -> std::io::Result<Self> {
        let (told, work) = crossbeam_channel::unbounded();
        let waiting = Arc::<AtomicUsize>::default();
        let recorded = Arc::clone(&waiting);
        std::thread::Builder::new()
            .name("pb-recorder".into())
            .spawn(move || record_all(&work, &journal, &failures, &recorded))?;
        Ok(Self { told, waiting })
    }

    /// Whether so much waits to be recorded that no more runs should begin: the journal sees only what has been recorded.
    pub(crate) fn is_behind(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) >= MOST
    }

    pub(crate) fn tell(&self, what: Told) {
        // It ends only when nobody can tell any more.
        let bytes = what.bytes();
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
        let _ = self.told.send((what, bytes));
    }

    pub(crate) fn flush(&self, within: Duration) -> Result<(), RunsError> {
        let (answer, done) = crossbeam_channel::bounded(1);
        self.tell(Told::Flush(answer));
        done.recv_timeout(within)
            .map_err(|_| RunsError::Unavailable("the recorder of runs does not answer".into()))
    }
}

fn record_all(work: &Receiver<(Told, usize)>, journal: &Journal, failures: &Failures, waiting: &AtomicUsize) {
    while let Ok((told, bytes)) = work.recv() {
        match told {
            Told::Begun(start, save) => {
                if save.success || save.failure {
                    journal.begin(*start);
                }
            }
            Told::Ended(finished, about) => {
                if finished.has_failures() {
                    let replay = about.replay.as_ref();
                    failures.count(&finished, replay.and_then(|replay| replay.from.as_ref()));
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
        waiting.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use patchbay_journal::{JournalConfig, TriggerKind};
    use patchbay_vocab::{Digest, FakeClock, UnixMillis};

    use super::*;

    #[test]
    fn what_was_told_counts_until_it_is_recorded() {
        let dir = tempfile::tempdir().unwrap();
        let config = JournalConfig::at(dir.path().join("runs.db"));
        let journal = Arc::new(Journal::open(&config, Arc::new(FakeClock::new())).unwrap());
        // One that nobody works for.
        let (told, work) = crossbeam_channel::unbounded();
        let waiting = Arc::<AtomicUsize>::default();
        let recorder = Recorder {
            told,
            waiting: Arc::clone(&waiting),
        };
        let start = |id: u32| RunStart {
            id: format!("r{id}").parse().unwrap(),
            workflow: "w".parse().unwrap(),
            name: "w".into(),
            digest: Digest::of(b"{}"),
            document: "{}".into(),
            tenant: "acme".parse().unwrap(),
            trigger: TriggerKind::Manual,
            trigger_value: Some(Value::from("x".repeat(MOST / 4).as_str())),
            variables: None,
            started_at: UnixMillis(1),
            parent: None,
            replay: None,
        };
        let save = SavePolicy {
            success: true,
            failure: true,
            contents: true,
        };
        for id in 0..4 {
            assert!(!recorder.is_behind());
            recorder.tell(Told::Begun(Box::new(start(id)), save));
        }
        assert!(recorder.is_behind());
        drop(recorder);
        record_all(&work, &journal, &Failures::default(), &waiting);
        assert_eq!(waiting.load(Ordering::Relaxed), 0);
    }
}
