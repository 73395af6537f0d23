//! All hostile files at once, in one directory, next to a plugin that serves.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use patchbay_tests_support::{TestHost, fds, mappings, run};

use super::cases::{CASES, Caught};

/// Compiles all sources, on as many threads as there are processors.
pub(super) fn built(scratch: &Path) -> Vec<Option<PathBuf>> {
    let next = AtomicUsize::new(0);
    let mut done: Vec<_> = std::thread::scope(|threads| {
        let work = || {
            let mut done = Vec::new();
            while let Some(case) = CASES.get(next.fetch_add(1, Ordering::Relaxed)) {
                done.push((case.name, case.build(scratch)));
            }
            done
        };
        let threads: Vec<_> = (0..4).map(|_| threads.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let mut take = |name| {
        let at = done.iter().position(|(built, _)| *built == name).unwrap();
        done.swap_remove(at).1
    };
    CASES.iter().map(|case| take(case.name)).collect()
}

/// Calls the plugin `echo` all the time while `work` is done; gives the number of calls, none of which failed.
pub(super) fn while_calls_go_on(host: &TestHost, work: impl FnOnce(&AtomicU64)) {
    let (over, calls) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|threads| {
        let caller = threads.spawn(|| {
            while !over.load(Ordering::Acquire) {
                assert_eq!(host.version(), "1.0.0");
                calls.fetch_add(1, Ordering::Relaxed);
            }
        });
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&calls)));
        over.store(true, Ordering::Release);
        caller.join().unwrap();
        worked.unwrap();
    });
    assert!(calls.load(Ordering::Relaxed) > 0);
}

/// Processes that run in or below a folder.
pub(super) fn processes_in(dir: &Path) -> Vec<String> {
    let dir = fs::canonicalize(dir).unwrap();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let inside = processes.filter(|process| {
        let cwd = fs::read_link(process.path().join("cwd"));
        cwd.is_ok_and(|cwd| cwd.starts_with(&dir))
    });
    inside
        .map(|process| fs::read_to_string(process.path().join("cmdline")).unwrap_or_default())
        .collect()
}

#[test]
fn every_kind_of_hostile_file_ends_in_its_own_code_while_not_one_call_fails() {
    let host = TestHost::holding(&["echo-1-0"], |config| {
        config.probe_deadline = Duration::from_secs(3);
        config.max_plugin_bytes = 64 << 20;
    });
    let scratch = host.scratch("made");
    fs::create_dir(&scratch).unwrap();
    let built = built(&scratch);
    let before = fds();
    let mut wrong = Vec::new();
    while_calls_go_on(&host, |calls| {
        for (case, built) in CASES.iter().zip(&built) {
            case.put(built.as_deref(), &host.inbox(&case.file()));
        }
        for case in CASES {
            let called = calls.load(Ordering::Relaxed);
            let (file, plugin) = (format!("/{}: ", case.file()), case.plugin());
            let end = host.wait_after(0, &format!("{} to be judged", case.name), |event| {
                match event.kind.as_str() {
                    "file.rejected" => event.message.contains(&file),
                    "plugin.live" => event
                        .plugin
                        .as_ref()
                        .is_some_and(|known| *known.as_str() == *plugin),
                    _ => false,
                }
            });
            let code = end.code.as_deref().unwrap_or("-");
            if code != case.code {
                wrong.push(format!("{}: {code} {}", case.name, end.message));
            } else if case.caught != Caught::Nowhere {
                let rejected = host.wait_rejected(&case.file());
                // A next step is a sentence, not a word.
                let hint = rejected.hint.split_whitespace().count();
                assert!(!rejected.message.is_empty() && hint >= 4, "{rejected:?}");
            }
            host.until("another call", || calls.load(Ordering::Relaxed) > called);
        }
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
    let fit = CASES.iter().filter(|case| case.caught == Caught::Nowhere).count();
    assert_eq!(host.host().rejected().len(), CASES.len() - fit);
    assert_eq!(host.host().plugins().len(), 1 + fit);
    nothing_is_left(&host, before, fit);
}

fn nothing_is_left(host: &TestHost, fds_before: usize, fit: usize) {
    let data = &host.config().data;
    host.until("the children to end", || processes_in(data).is_empty());
    host.until("descriptors to be closed", || fds() <= fds_before);
    // The host's own folder alone: those of the children are gone, and so is what constructors made in them.
    let folders: Vec<_> = fs::read_dir(host.maps())
        .unwrap()
        .flatten()
        .map(|file| file.file_name())
        .collect();
    assert_eq!(folders.len(), 1, "{folders:?}");
    // The plugin that serves, those that are fit, and the one whose thread keeps it mapped.
    let mapped: BTreeSet<_> = mappings(data)
        .iter()
        .filter_map(|line| line.split_whitespace().last().map(str::to_owned))
        .filter(|path| path.ends_with(".so"))
        .collect();
    assert_eq!(mapped.len(), 1 + fit + 1, "{mapped:#?}");
    let stored = fs::read_dir(data.join("artifacts")).unwrap().count();
    // A revision that was refused while it was loaded for service is not kept either.
    assert_eq!(stored, 1 + fit, "copies of refused files");
    assert!(!host.config().plugins.join("left-behind").exists());
}

/// The host itself never reads a pattern: whoever calls the node would, so its author is told.
#[test]
fn a_pattern_that_is_none_is_named_by_a_check() {
    let scratch = tempfile::tempdir().unwrap();
    let case = CASES.iter().find(|case| case.name == "bad-pattern").unwrap();
    let built = case.build(scratch.path()).unwrap();
    let done = run(&["check", built.to_str().unwrap(), "--json"]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.out.contains("PB-LINT-011"), "{done:?}");
}
