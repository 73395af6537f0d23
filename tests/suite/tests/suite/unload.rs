//! A version that is not needed is unmapped: not before its last call has returned, and not while it can still run.

use std::fs;
use std::path::PathBuf;

use patchbay_tests_support::patchbay::{Call, RevisionState, UnloadMode};
use patchbay_tests_support::{TestHost, mappings};
use serde_json::json;

/// Keeps nothing warm.
fn lean(fixtures: &[&str]) -> TestHost {
    let host = TestHost::holding(fixtures, |config| config.history_limit = 0);
    assert_eq!(host.host().status().unload, UnloadMode::Unmap);
    host
}

/// Mappings and files of one version's private copies.
fn traces(host: &TestHost, of: &str) -> (usize, usize) {
    let mapped = mappings(&host.maps())
        .iter()
        .filter(|line| line.contains(of))
        .count();
    let mut files = 0;
    for dir in fs::read_dir(host.maps()).unwrap().flatten() {
        let names = fs::read_dir(dir.path()).unwrap().flatten();
        files += names
            .filter(|file| file.file_name().to_str().unwrap().starts_with(of))
            .count();
    }
    (mapped, files)
}

#[test]
fn after_a_swap_nothing_is_left_of_the_old_version() {
    let host = lean(&["echo-1-0"]);
    assert_eq!(host.version(), "1.0.0");
    let (mapped, files) = traces(&host, "echo-1.0.0");
    assert!(mapped > 0 && files == 1, "{mapped} {files}");
    host.bring_in("echo-1-1");
    host.wait("revision.retired", "echo", "1.0.0");
    assert_eq!(traces(&host, "echo-1.0.0"), (0, 0));
    let old = host.revision("echo", "1.0.0");
    assert_eq!((old.state, old.memory_bytes), (RevisionState::Retired, None));
    assert_eq!(host.version(), "1.1.0");
    // It comes back from the stored artifact.
    host.promote("echo", "1.0.0").unwrap();
    assert_eq!(host.version(), "1.0.0");
    host.wait("revision.retired", "echo", "1.1.0");
    assert_eq!(traces(&host, "echo-1.1.0"), (0, 0));
}

#[test]
fn after_panics_the_version_is_unmapped_all_the_same() {
    let host = lean(&["echo-1-0"]);
    for kind in ["text", "number", "bomb"] {
        host.try_call("fx.panic", json!({"kind": kind})).unwrap_err();
    }
    host.bring_in("echo-1-1");
    host.wait("revision.retired", "echo", "1.0.0");
    assert_eq!(traces(&host, "echo-1.0.0"), (0, 0));
}

#[test]
fn as_many_versions_stay_warm_as_the_history_says() {
    let host = TestHost::holding(&["echo-1-0", "echo-1-1", "echo-2-0"], |config| {
        config.history_limit = 1;
    });
    host.wait("revision.retired", "echo", "1.0.0");
    assert_eq!(host.revision("echo", "1.1.0").state, RevisionState::Warm);
    assert_eq!(host.revision("echo", "2.0.0").state, RevisionState::Live);
}

/// Makes a file when the test ends, however it ends: a thread that waits for it would keep a failed test for ever.
struct Release(PathBuf);

impl Drop for Release {
    fn drop(&mut self) {
        fs::write(&self.0, "").unwrap();
    }
}

/// Holds the old version with a call of `node`, swaps, and lets the call return.
fn a_call_in_flight_holds_its_version(node: &str) {
    let host = lean(&["echo-1-0"]);
    let (began, until) = (host.scratch("began"), host.scratch("until"));
    let input = json!({"began": began, "until": until});
    let call = Call::of("default".parse().unwrap());
    std::thread::scope(|threads| {
        let held = threads.spawn(|| host.host().call_as(node, &input, &call).unwrap());
        let release = Release(until.clone());
        host.until("the call to begin", || fs::exists(&began).unwrap());
        host.bring_in("echo-1-1");
        assert_eq!(host.version(), "1.1.0");
        host.wait("revision.pinned", "echo", "1.0.0");
        let old = host.revision("echo", "1.0.0");
        assert_eq!(old.state, RevisionState::Draining);
        assert!(
            old.calls_in_flight > 0 && old.pinned_by.iter().any(|why| why.contains("running call")),
            "{old:?}"
        );
        assert!(traces(&host, "echo-1.0.0").0 > 0);
        drop(release);
        assert_eq!(held.join().unwrap().as_ref().to_json(), r#"{"result":"1.0.0"}"#);
    });
    host.wait("revision.retired", "echo", "1.0.0");
    assert_eq!(traces(&host, "echo-1.0.0"), (0, 0));
}

#[test]
fn a_running_call_holds_its_version_and_is_reported() {
    a_call_in_flight_holds_its_version("fx.block");
}

#[test]
fn one_call_is_reported_as_one_call_whichever_way_it_came() {
    let host = lean(&["echo-1-0"]);
    let mut counts = Vec::new();
    for node in ["fx.block", "fx.await"] {
        for json_call in [false, true] {
            let (began, until) = (
                host.scratch(&format!("{node}-{json_call}")),
                host.scratch(&format!("{node}-{json_call}-until")),
            );
            let input = json!({"began": began, "until": until});
            let call = Call::of("default".parse().unwrap());
            std::thread::scope(|threads| {
                let _release = Release(until.clone());
                threads.spawn(|| match json_call {
                    true => drop(host.call(node, input.clone())),
                    false => drop(host.host().call_as(node, &input, &call).unwrap()),
                });
                host.until("the call to begin", || fs::exists(&began).unwrap());
                counts.push((node, json_call, host.revision("echo", "1.0.0").calls_in_flight));
            });
        }
    }
    assert!(counts.iter().all(|(_, _, count)| *count == 1), "{counts:?}");
}

#[test]
fn a_polled_call_holds_its_version_and_is_reported() {
    a_call_in_flight_holds_its_version("fx.await");
}

#[test]
fn a_session_holds_its_version_until_it_is_dropped() {
    let host = lean(&["echo-1-0"]);
    let session = host.host().session(&["fx.version"]).unwrap();
    host.bring_in("echo-1-1");
    host.wait("revision.draining", "echo", "1.0.0");
    assert!(traces(&host, "echo-1.0.0").0 > 0);
    assert_eq!(session.served_by(0).unwrap().version.to_string(), "1.0.0");
    drop(session);
    host.wait("revision.retired", "echo", "1.0.0");
    assert_eq!(traces(&host, "echo-1.0.0"), (0, 0));
}

#[test]
fn thread_locals_hold_a_version_until_their_thread_ends() {
    let host = lean(&["tls-1-0"]);
    let (told, hear) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|threads| {
        let (called, begun) = std::sync::mpsc::channel();
        let host = &host;
        let caller = threads.spawn(move || {
            let reply = host.try_call("tls.use", json!({})).unwrap();
            called.send(reply.output["calls"].clone()).unwrap();
            hear.recv().unwrap();
        });
        assert_eq!(begun.recv().unwrap(), 1);
        host.bring_in("tls-1-1");
        host.wait("revision.pinned", "tls", "1.0.0");
        let old = host.revision("tls", "1.0.0");
        assert!(
            old.pinned_by.iter().any(|reason| reason.contains("thread-local")),
            "{:?}",
            old.pinned_by
        );
        assert!(traces(host, "tls-1.0.0").0 > 0);
        told.send(()).unwrap();
        caller.join().unwrap();
    });
    host.wait("revision.retired", "tls", "1.0.0");
    assert_eq!(traces(&host, "tls-1.0.0"), (0, 0));
}

#[test]
fn a_stray_thread_holds_its_version_until_it_ends() {
    let host = lean(&["stray"]);
    let until = host.scratch("until");
    // From a thread that ends: starting a thread leaves a thread-local behind in the one that does it.
    std::thread::scope(|threads| {
        threads
            .spawn(|| host.call("stray.start", json!({"until": until})))
            .join()
            .unwrap();
    });
    assert_eq!(host.revision("stray", "1.0.0").threads, 1);
    let order = patchbay_tests_support::patchbay::Order::by("ada", "it is in the way");
    host.host()
        .quarantine(&patchbay_tests_support::name("stray"), None, order)
        .unwrap();
    host.wait("revision.pinned", "stray", "1.0.0");
    let old = host.revision("stray", "1.0.0");
    assert!(
        old.pinned_by.contains(&"1 thread(s) it started".to_owned()),
        "{:?}",
        old.pinned_by
    );
    assert!(traces(&host, "stray-1.0.0").0 > 0);
    fs::write(&until, "").unwrap();
    host.wait("revision.retired", "stray", "1.0.0");
    assert_eq!(traces(&host, "stray-1.0.0"), (0, 0));
}

#[test]
fn closing_a_host_leaves_nothing_mapped_and_no_files() {
    let mut host = TestHost::holding(&["echo-1-0", "echo-1-1", "needs-echo"], |_| {});
    assert_eq!(host.call("needs.version", json!({})), "1.0.0");
    host.close();
    assert_eq!(mappings(&host.maps()), Vec::<String>::new());
    let left: Vec<_> = fs::read_dir(host.maps())
        .unwrap()
        .flatten()
        .map(|file| file.path())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
