//! `doctor`: what is wrong with a data directory, and what can be done about it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use patchbay_cli::{DoctorArgs, Exit, Format, render_doctor, with_process_streams};
use patchbay_state::{Finding, Repaired, Severity, examine, repair};
use patchbay_vocab::SystemClock;
use patchbay_wire::{DoctorFindingView, DoctorRepairView, DoctorView};

/// How often whoever waits is told what for.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn doctor(arguments: &DoctorArgs) -> Exit {
    let format = Format::of_flag(arguments.json);
    let waiting = match format {
        Format::Human => Waiting::start(arguments.data.clone()),
        // Errors alone go to stderr then, as JSON.
        Format::Json => Waiting { _over: None },
    };
    let view = match arguments.repair {
        true => mended(&arguments.data),
        false => looked_at(&arguments.data),
    };
    drop(waiting);
    with_process_streams(|streams| {
        let shown = match format {
            Format::Json => streams.json(&view),
            Format::Human => streams.answer(&render_doctor(&view)),
        };
        match (view.healthy, shown) {
            (false, Exit::Success) => Exit::No,
            (_, shown) => shown,
        }
    })
}

fn looked_at(data: &Path) -> DoctorView {
    view(data, &examine(data), Vec::new())
}

/// Mends what can be mended, and looks once more: what counts is how the directory is then.
fn mended(data: &Path) -> DoctorView {
    let clock = SystemClock::new();
    let (left, repaired) = rounds(|| examine(data), |found| repair(data, found, &clock));
    view(data, &left, repaired)
}

/// How often mending may uncover something else: what a damaged state remembers of artifacts can be seen when it is
/// mended, and what is live, when those are.
const ROUNDS: usize = 4;

/// Looks and mends until nothing is mended any more; what is left then, and all that was mended.
fn rounds<F>(
    mut look: impl FnMut() -> Vec<F>,
    mut mend: impl FnMut(&[F]) -> Vec<Repaired>,
) -> (Vec<F>, Vec<Repaired>) {
    let (mut found, mut all) = (look(), Vec::new());
    for _ in 0..ROUNDS {
        let repaired = mend(&found);
        let any = repaired.iter().any(|one| one.done);
        all.extend(repaired);
        if !any {
            break;
        }
        found = look();
    }
    (found, all)
}

fn view(data: &Path, findings: &[Finding], repaired: Vec<Repaired>) -> DoctorView {
    DoctorView {
        data: data.display().to_string(),
        healthy: findings.iter().all(|one| one.severity < Severity::Error),
        findings: findings.iter().map(finding).collect(),
        repaired: repaired
            .into_iter()
            .map(|one| DoctorRepairView {
                code: one.code.0.to_owned(),
                done: one.done,
                message: one.message,
            })
            .collect(),
    }
}

fn finding(found: &Finding) -> DoctorFindingView {
    let severity = match found.severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    DoctorFindingView {
        code: found.code.0.to_owned(),
        severity: severity.to_owned(),
        message: found.message.clone(),
        hint: found.hint.clone(),
        path: found.path.as_ref().map(|path| path.display().to_string()),
        repairable: found.repairable,
    }
}

/// Tells whoever waits that there is something to wait for: every artifact is read and hashed.
struct Waiting {
    /// Its drop ends the thread that tells.
    _over: Option<Sender<()>>,
}

impl Waiting {
    fn start(data: PathBuf) -> Self {
        let (over, wait) = channel::<()>();
        let teller = std::thread::Builder::new().name("pb-doctor".into());
        let started = teller.spawn(move || {
            let begun = Instant::now();
            while let Err(RecvTimeoutError::Timeout) = wait.recv_timeout(PATIENCE) {
                let seconds = begun.elapsed().as_secs();
                with_process_streams(|streams| {
                    streams.note(&format!(
                        "reading every file in {}, for {seconds} s so far",
                        data.display()
                    ));
                });
            }
        });
        Self {
            _over: started.is_ok().then_some(over),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use patchbay_state::{State, StateConfig};
    use patchbay_vocab::Code;

    use super::*;

    fn data() -> tempfile::TempDir {
        let data = tempfile::tempdir().unwrap();
        let config = StateConfig::within(data.path(), "0.0.0");
        std::fs::create_dir_all(&config.artifacts).unwrap();
        let (state, _) = State::open(&config, Arc::new(SystemClock::new())).unwrap();
        state.end_clean(Duration::from_secs(60)).unwrap();
        state.close();
        data
    }

    #[test]
    fn a_sound_directory_is_healthy() {
        let data = data();
        let view = looked_at(data.path());
        assert!(view.healthy, "{view:?}");
        assert!(view.repaired.is_empty());
    }

    #[test]
    fn a_damaged_state_is_found_and_mended() {
        let data = data();
        let state = StateConfig::within(data.path(), "").path;
        let length = std::fs::metadata(&state).unwrap().len();
        std::fs::write(&state, vec![0; usize::try_from(length).unwrap()]).unwrap();
        let sick = looked_at(data.path());
        assert!(!sick.healthy && !sick.findings.is_empty(), "{sick:?}");
        assert!(
            sick.findings.iter().all(|one| one.code.starts_with("PB-DOCTOR-")),
            "{sick:?}"
        );
        let mended = mended(data.path());
        assert!(mended.healthy, "{mended:?}");
        assert!(
            mended
                .repaired
                .iter()
                .any(|one| one.done && !one.message.is_empty()),
            "{mended:?}"
        );
    }

    #[test]
    fn what_a_repair_uncovers_is_mended_as_well_and_what_resists_is_tried_once() {
        let repaired = |done| Repaired {
            code: Code("PB-DOCTOR-004"),
            message: String::new(),
            done,
        };
        // Three layers, each of which is seen when the one before is mended; the last one resists.
        let layer = std::cell::Cell::new(0);
        let (left, all) = rounds(
            || vec![layer.get()],
            |found| {
                let done = found[0] < 2;
                layer.set(layer.get() + i32::from(done));
                vec![repaired(done)]
            },
        );
        let done: Vec<_> = all.iter().map(|one| one.done).collect();
        assert_eq!((left, done), (vec![2], vec![true, true, false]));
        // What comes back each time is not mended for ever.
        let (left, all) = rounds(|| vec![1], |_| vec![repaired(true)]);
        assert_eq!((left.len(), all.len()), (1, ROUNDS));
    }

    #[test]
    fn a_directory_that_is_not_there_is_not_healthy() {
        let data = tempfile::tempdir().unwrap();
        let view = looked_at(&data.path().join("none"));
        assert!(!view.healthy, "{view:?}");
    }

    #[test]
    fn whoever_tells_of_waiting_ends_with_it() {
        drop(Waiting::start("data".into()));
    }
}
