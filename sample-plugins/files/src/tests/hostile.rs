//! Ways out of the tenant's folder, and things that hang.

use std::fs;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};

use super::{Disk, call, for_path, metas, text};
use crate::reading::file_read;
use crate::writing::file_write;

/// Nothing outside has changed.
fn untouched(disk: &Disk) {
    assert_eq!(fs::read_to_string(disk.outside("secret.txt")).unwrap(), "hidden");
    assert_eq!(fs::read_dir(disk.outside("")).unwrap().count(), 1);
    assert_eq!(fs::read_dir(disk.place.path()).unwrap().count(), 2);
}

#[test]
fn no_path_leads_out() {
    let disk = Disk::new();
    let absolute = disk.outside("secret.txt").to_str().unwrap().to_owned();
    for path in [
        "../outside/secret.txt",
        "a/../../outside/secret.txt",
        "./../outside/secret.txt",
        "..",
        "../",
        "/etc/passwd",
        "//etc/passwd",
        "/",
        &absolute,
        "a\0b",
        "\0",
        &"x".repeat(256),
        &"x/".repeat(100),
    ] {
        for meta in metas() {
            let node = meta.node_type.as_str();
            let error = call(node, &disk.harness(), &for_path(node, path)).unwrap_err();
            assert_eq!(error.code, "VALIDATION_FAILED", "{node} {path}: {error}");
            assert!(!error.message.contains("hidden"), "{error}");
        }
    }
    for node in ["file.copy", "file.move"] {
        disk.file("a", "x");
        let error = call(node, &disk.harness(), r#"{"from": "a", "to": "../b"}"#).unwrap_err();
        assert!(error.message.contains("`to`"), "{error}");
    }
    untouched(&disk);
}

#[test]
fn no_link_leads_out() {
    let disk = Disk::new();
    disk.file("inner/a", "x");
    disk.link("absolute", disk.outside("secret.txt"));
    disk.link("relative", "../outside/secret.txt");
    disk.link("folder", disk.outside(""));
    disk.link("up", "..");
    disk.link("inner/up", "../..");
    disk.link("proc", "/proc/self/root");
    disk.link("chain", "relative");
    for path in [
        "absolute",
        "relative",
        "chain",
        "folder/secret.txt",
        "folder/new",
        "up/outside/secret.txt",
        "inner/up/outside/secret.txt",
        "proc/etc/passwd",
    ] {
        for meta in metas() {
            let node = meta.node_type.as_str();
            let own = !path.contains('/');
            // The link itself is the tenant's own: it may go, be replaced, and be moved.
            let of_the_link = [
                "file.delete",
                "file.deleteAll",
                "file.write",
                "file.writeJson",
                "file.move",
            ];
            if own && of_the_link.contains(&node) {
                continue;
            }
            let error = call(node, &disk.harness(), &for_path(node, path)).unwrap_err();
            assert_eq!(error.code, "NOT_ALLOWED", "{node} {path}: {error}");
            assert!(error.message.contains("leads out"), "{node} {path}: {error}");
        }
        let appended = format!(r#"{{"path": "{path}", "content": "x", "append": true}}"#);
        let error = disk.harness().call::<file_write>(&appended).unwrap_err();
        assert_eq!(error.code, "NOT_ALLOWED", "{path}: {error}");
        let copied = format!(r#"{{"from": "inner/a", "to": "{path}/x", "overwrite": true}}"#);
        assert!(call("file.copy", &disk.harness(), &copied).is_err(), "{path}");
    }
    for path in ["folder", "up", "inner/up", "proc"] {
        for input in [
            format!(r#"{{"path": "{path}"}}"#),
            format!(r#"{{"path": "{path}", "recursive": true}}"#),
        ] {
            assert_eq!(
                call("file.list", &disk.harness(), &input).unwrap_err().code,
                "NOT_ALLOWED",
                "{path}"
            );
        }
    }
    untouched(&disk);
}

#[test]
fn a_link_is_replaced_deleted_and_moved_and_what_it_leads_to_stays() {
    let disk = Disk::new();
    let link = |name: &str| disk.link(name, disk.outside("secret.txt"));
    link("a");
    call(
        "file.write",
        &disk.harness(),
        r#"{"path": "a", "content": "mine"}"#,
    )
    .unwrap();
    assert_eq!(disk.text("a"), "mine");
    assert!(!fs::symlink_metadata(disk.path("a")).unwrap().is_symlink());
    link("b");
    call("file.move", &disk.harness(), r#"{"from": "b", "to": "c"}"#).unwrap();
    call("file.delete", &disk.harness(), r#"{"path": "c"}"#).unwrap();
    disk.link("d", disk.outside(""));
    disk.file("tree/x", "x");
    disk.link("tree/out", disk.outside(""));
    disk.link("tree/again", ".");
    call("file.deleteAll", &disk.harness(), r#"{"paths": ["d", "tree"]}"#).unwrap();
    assert_eq!(disk.names(), ["a"]);
    untouched(&disk);
}

#[test]
fn links_within_the_folder_are_followed() {
    let disk = Disk::new();
    disk.file("real/a", "x");
    disk.link("link", "real");
    disk.link("real/b", "../real/a");
    for path in ["link/a", "link/b", "real/b"] {
        let read = disk
            .harness()
            .call::<file_read>(&format!(r#"{{"path": "{path}"}}"#))
            .unwrap();
        assert_eq!(text(&read, "/content"), "x", "{path}");
    }
    disk.harness()
        .call::<file_write>(r#"{"path": "link/b", "content": "y", "append": true}"#)
        .unwrap();
    assert_eq!(disk.text("real/a"), "xy");
}

#[test]
fn a_loop_of_links_has_an_end() {
    let disk = Disk::new();
    disk.link("a", "b");
    disk.link("b", "a");
    disk.link("self", "self");
    disk.file("tree/x", "x");
    disk.link("tree/top", "../tree");
    for path in ["a", "self", "a/x"] {
        let error = disk
            .harness()
            .call::<file_read>(&format!(r#"{{"path": "{path}"}}"#))
            .unwrap_err();
        assert!(error.message.contains("symbolic links"), "{path}: {error}");
    }
    let listed = call(
        "file.list",
        &disk.harness(),
        r#"{"path": "tree", "recursive": true}"#,
    )
    .unwrap();
    assert_eq!(listed.as_ref().get("files").unwrap().to_json(), r#"["tree/x"]"#);
    assert_eq!(text(&listed, "/entries/0/type"), "link");
}

#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let disk = Disk::new();
    mknodat(
        CWD,
        disk.path("pipe"),
        FileType::Fifo,
        Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let _socket = UnixListener::bind(disk.path("socket")).unwrap();
    disk.link("to-pipe", "pipe");
    disk.file("a", "x");
    for path in ["pipe", "socket", "to-pipe"] {
        for (node, input) in [
            ("file.read", format!(r#"{{"path": "{path}"}}"#)),
            ("file.readJson", format!(r#"{{"path": "{path}"}}"#)),
            (
                "file.write",
                format!(r#"{{"path": "{path}", "content": "x", "append": true}}"#),
            ),
            ("file.copy", format!(r#"{{"from": "{path}", "to": "b"}}"#)),
        ] {
            let error = call(node, &disk.harness(), &input).unwrap_err();
            assert_eq!(error.code, "WRONG_KIND_OF_FILE", "{node} {path}: {error}");
            assert!(error.message.contains("no regular file"), "{error}");
        }
    }
    for path in ["pipe", "socket"] {
        for (node, input) in [
            ("file.write", format!(r#"{{"path": "{path}", "content": "x"}}"#)),
            (
                "file.copy",
                format!(r#"{{"from": "a", "to": "{path}", "overwrite": true}}"#),
            ),
        ] {
            assert_eq!(
                call(node, &disk.harness(), &input).unwrap_err().code,
                "WRONG_KIND_OF_FILE",
                "{node} {path}"
            );
        }
        let stat = call("file.stat", &disk.harness(), &format!(r#"{{"path": "{path}"}}"#)).unwrap();
        assert_eq!(text(&stat, "/type"), "other");
        call(
            "file.delete",
            &disk.harness(),
            &format!(r#"{{"path": "{path}"}}"#),
        )
        .unwrap();
    }
    assert_eq!(disk.names(), ["a", "to-pipe"]);
}

/// Has `swap` change the disk over and over while `look` runs.
fn while_it_changes(swap: impl Fn() + Send + Sync, look: impl FnOnce()) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                swap();
            }
        });
        // Ends the other thread even if this one panics.
        struct Done<'a>(&'a AtomicBool);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _done = Done(&done);
        look();
    });
}

#[test]
fn a_folder_that_becomes_a_link_meanwhile_leads_nowhere() {
    let disk = Disk::new();
    disk.file("real/secret.txt", "mine");
    disk.file("real/x/y", "mine");
    disk.link("a", "real");
    disk.link("b", disk.outside(""));
    // `a` is by turns a link to a folder of the tenant's and one to the secret.
    let (a, b) = (disk.path("a"), disk.path("b"));
    let swap = || renameat_with(CWD, &a, CWD, &b, RenameFlags::EXCHANGE).unwrap();
    while_it_changes(swap, || {
        let harness = disk.harness();
        for _ in 0..300 {
            if let Ok(read) = harness.call::<file_read>(r#"{"path": "a/secret.txt"}"#) {
                assert_eq!(text(&read, "/content"), "mine");
            }
            let _ = harness.call::<file_write>(r#"{"path": "a/new.txt", "content": "x"}"#);
            let _ = harness.call::<file_write>(r#"{"path": "a/log.txt", "content": "x", "append": true}"#);
            let _ = call("file.delete", &harness, r#"{"path": "a/x", "recursive": true}"#);
            let _ = call("file.mkdir", &harness, r#"{"path": "a/made"}"#);
            let _ = call(
                "file.move",
                &harness,
                r#"{"from": "a/new.txt", "to": "a/moved.txt"}"#,
            );
        }
    });
    untouched(&disk);
}

#[test]
fn a_file_that_becomes_a_pipe_meanwhile_hangs_nobody() {
    let disk = Disk::new();
    disk.file("file", "mine");
    mknodat(
        CWD,
        disk.path("pipe"),
        FileType::Fifo,
        Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let (file, pipe) = (disk.path("file"), disk.path("pipe"));
    let swap = || renameat_with(CWD, &file, CWD, &pipe, RenameFlags::EXCHANGE).unwrap();
    while_it_changes(swap, || {
        for _ in 0..300 {
            if let Ok(read) = disk.harness().call::<file_read>(r#"{"path": "file"}"#) {
                assert_eq!(text(&read, "/content"), "mine");
            }
            let _ = disk
                .harness()
                .call::<file_write>(r#"{"path": "file", "content": "", "append": true}"#);
        }
    });
}
