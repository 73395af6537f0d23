//! The child process of a trial load: what it hears, and who may be one. What constructors do in it is in `hostile`.

use patchbay_tests_support::{TestHost, fixture, hostile, run};

#[test]
fn what_a_plugin_prints_while_it_is_tried_is_not_taken_for_the_childs_word() {
    let host = TestHost::start();
    hostile("flood", &host.inbox("flood.so"));
    host.wait("plugin.live", "c-flood", "1.0.0");
}

#[test]
fn the_host_is_the_same_helper_for_a_check_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let bad = dir.path().join("segfault.so");
    hostile("segfault", &bad);
    let done = run(&["check", bad.to_str().unwrap(), "--json"]);
    assert_eq!(done.code, 1, "{done:?}");
    assert_eq!(
        (&done.json()["fit"], &done.json()["code"]),
        (&false.into(), &"PB-PROBE-003".into())
    );
    let done = run(&["check", fixture("echo-1-0").to_str().unwrap(), "--json"]);
    assert_eq!((done.code, &done.json()["fit"]), (0, &true.into()), "{done:?}");
}

#[test]
fn a_helper_that_is_no_helper_is_refused_and_not_taken_for_a_verdict() {
    let host = TestHost::with(|config| config.probe_helper = "/bin/true".into());
    host.drop_in("echo-1-0");
    assert_eq!(host.wait_rejected("echo-1-0.so").code, "PB-PROBE-002");
}
