//! What the host's user may not do, and what the system has no more of.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use patchbay_tests_support::{Up, deploy, fixture};

use super::directory::plugin;

fn told(up: &Up, code: &str) {
    up.run_until(&["plugins", "--json"], |_| up.log().contains(code));
}

/// A configuration file with a short time between listings; the folder goes with the value.
fn often() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let file = dir.path().join("patchbay.toml");
    fs::write(&file, "[lifecycle]\nrescan_ms = 50\n").unwrap();
    let path = file.to_str().unwrap().to_owned();
    (dir, path)
}

#[test]
fn a_file_that_the_host_may_not_read_is_refused_until_it_may() {
    let up = Up::start_unprivileged(|_| {}, &[]);
    let closed = up.plugins().join("closed.so");
    let part = up.plugins().join(".part");
    fs::copy(fixture("echo-1-0"), &part).unwrap();
    fs::set_permissions(&part, Permissions::from_mode(0o000)).unwrap();
    fs::rename(&part, &closed).unwrap();
    let refused = up.wait_rejected("closed.so", "PB-STAGE-007");
    assert!(
        refused["hint"].as_str().unwrap().contains("readable"),
        "{refused}"
    );
    deploy(&plugin("c-open"), &up.plugins().join("open.so"));
    up.wait_live("c-open", "1.0.0");
    fs::set_permissions(&closed, Permissions::from_mode(0o444)).unwrap();
    up.wait_live("echo", "1.0.0");
}

#[test]
fn a_directory_that_the_host_may_not_list_is_told_of_and_watched_when_it_may() {
    let (_config, often) = often();
    let up = Up::start_unprivileged(|_| {}, &["--config", &often]);
    deploy(&plugin("c-before"), &up.plugins().join("before.so"));
    up.wait_live("c-before", "1.0.0");
    fs::set_permissions(up.plugins(), Permissions::from_mode(0o000)).unwrap();
    told(&up, "PB-WATCH-003");
    up.wait_live("c-before", "1.0.0");
    fs::set_permissions(up.plugins(), Permissions::from_mode(0o755)).unwrap();
    deploy(&plugin("c-after"), &up.plugins().join("after.so"));
    up.wait_live("c-after", "1.0.0");
}

/// Where the system permits namespaces of one's own, whose limits can be set; `intake` tests the rest.
#[test]
fn without_any_file_watch_left_new_files_are_found_by_listing() {
    let (_config, often) = often();
    for limit in ["instances", "watches"] {
        let script = format!("echo 0 > /proc/sys/user/max_inotify_{limit}; shift; exec \"$@\"");
        let Some(up) = Up::start_apart(&script, &["--config", &often]) else {
            return;
        };
        told(&up, "PB-WATCH-004");
        deploy(&plugin("c-late"), &up.plugins().join("late.so"));
        up.wait_live("c-late", "1.0.0");
    }
}
