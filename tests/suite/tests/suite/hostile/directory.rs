//! What happens to the directory itself, and to files while they are taken in.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStringExt;

use patchbay_tests_support::{CPlugin, Extra, TestHost, Up, deploy, fixture};

use super::whole::while_calls_go_on;

/// A plugin in C of this name, compiled once.
pub(super) fn plugin(name: &str) -> std::path::PathBuf {
    let plugin = CPlugin {
        source: "fit",
        plugin: name,
        version: "1.0.0",
        node: &format!("c.{name}"),
        target: "",
    };
    plugin.built(Extra::default())
}

#[test]
fn a_file_that_arrives_in_pieces_is_taken_when_it_is_whole() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    let bytes = fs::read(plugin("c-slow")).unwrap();
    for piece in bytes.chunks(bytes.len() / 8) {
        // Each piece is closed, and each is dealt with before the next one comes.
        let mut options = File::options();
        let mut file = options
            .create(true)
            .append(true)
            .open(host.inbox("slow.so"))
            .unwrap();
        file.write_all(piece).unwrap();
        drop(file);
        host.until("the piece to be judged", || {
            host.rejected("slow.so").is_some() || host.host().plugins().len() == 2
        });
    }
    host.wait("plugin.live", "c-slow", "1.0.0");
    host.until("the list to be empty", || host.host().rejected().is_empty());
}

#[test]
fn a_plugin_cut_at_every_percent_is_refused_before_it_is_mapped() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    let whole = fs::read(fixture("echo-1-1")).unwrap();
    for percent in 0..100 {
        let part = host.scratch("cut");
        fs::write(&part, &whole[..whole.len() * percent / 100]).unwrap();
        fs::rename(part, host.inbox(&format!("cut-{percent}.so"))).unwrap();
    }
    for percent in 0..100 {
        let rejected = host.wait_rejected(&format!("cut-{percent}.so"));
        let expected = if percent == 0 {
            "PB-STAGE-008"
        } else {
            "PB-INSPECT-010"
        };
        assert_eq!(rejected.code, expected, "{percent} %: {rejected:?}");
    }
    assert_eq!(host.version(), "1.0.0");
}

#[test]
fn of_a_thousand_files_at_once_each_is_dealt_with_once() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    let good: Vec<_> = (0..10).map(|n| plugin(&format!("c-of-many-{n}"))).collect();
    let half = fs::read(&good[0]).unwrap();
    let parts = host.scratch("parts");
    fs::create_dir(&parts).unwrap();
    for n in 0..1000 {
        match n % 100 {
            0 => drop(fs::copy(&good[n / 100], parts.join(format!("{n}.so"))).unwrap()),
            // No two of them are the same.
            _ => fs::write(parts.join(format!("{n}.so")), &half[..half.len() / 2 + n]).unwrap(),
        }
    }
    while_calls_go_on(&host, |_| {
        for n in 0..1000 {
            fs::rename(parts.join(format!("{n}.so")), host.inbox(&format!("{n}.so"))).unwrap();
        }
        for n in 0..10 {
            host.wait("plugin.live", &format!("c-of-many-{n}"), "1.0.0");
        }
        host.until("all others to be refused", || host.host().rejected().len() == 990);
    });
    assert_eq!(host.tape().all(|event| event.kind == "file.rejected").len(), 990);
    assert_eq!(
        host.tape().all(|event| event.kind == "revision.registered").len(),
        11
    );
}

#[test]
fn a_file_that_is_replaced_cut_and_removed_while_it_is_taken_in_ends_as_what_is_there_last() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    let (small, large) = (plugin("c-restless"), fs::read(fixture("echo-1-1")).unwrap());
    let path = host.inbox("restless.so");
    while_calls_go_on(&host, |_| {
        for round in 0..400 {
            match round % 5 {
                // Never whole: what is cut, and what is rewritten in place, is refused whenever it is looked at.
                0 => fs::write(&path, &large[..large.len() / 2]).unwrap(),
                1 => drop(
                    File::options()
                        .write(true)
                        .open(&path)
                        .map(|file| file.set_len(round)),
                ),
                2 => fs::write(&path, format!("round {round}")).unwrap(),
                3 => deploy(&small, &path),
                _ => drop(fs::remove_file(&path)),
            }
        }
        deploy(&small, &path);
        host.wait("plugin.live", "c-restless", "1.0.0");
        host.until("the list to be empty", || host.host().rejected().is_empty());
    });
    assert_eq!(host.plugin("c-restless").revisions.len(), 1);
}

#[test]
fn a_thousand_renames_back_and_forth_load_a_plugin_once() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    deploy(&plugin("c-renamed"), &host.inbox("here.so"));
    while_calls_go_on(&host, |_| {
        for round in 0..1000 {
            let (from, to) = if round % 2 == 0 {
                ("here.so", "there.so")
            } else {
                ("there.so", "here.so")
            };
            fs::rename(host.inbox(from), host.inbox(to)).unwrap();
        }
        host.wait("plugin.live", "c-renamed", "1.0.0");
        host.bring_in("tls-1-0");
    });
    assert_eq!(host.plugin("c-renamed").revisions.len(), 1);
    assert!(host.host().rejected().is_empty());
}

#[test]
fn a_directory_that_goes_away_comes_back_and_becomes_a_file_is_watched_again_each_time() {
    let host = TestHost::holding(&["echo-1-0"], |config| {
        config.rescan = std::time::Duration::from_millis(100);
    });
    let (dir, aside) = (host.config().plugins.clone(), host.scratch("aside"));
    let told = |code: &str| {
        host.wait_after(0, &format!("{code} to be told"), |event| {
            event.code.as_deref() == Some(code)
        });
    };
    while_calls_go_on(&host, |_| {
        fs::rename(&dir, &aside).unwrap();
        told("PB-WATCH-001");
        fs::write(&dir, "not a directory").unwrap();
        told("PB-WATCH-002");
        fs::remove_file(&dir).unwrap();
        fs::create_dir(&dir).unwrap();
        deploy(&plugin("c-new-folder"), &host.inbox("new.so"));
        host.wait("plugin.live", "c-new-folder", "1.0.0");
        fs::remove_dir_all(&dir).unwrap();
        fs::rename(&aside, &dir).unwrap();
        deploy(&plugin("c-old-folder"), &host.inbox("old.so"));
        host.wait("plugin.live", "c-old-folder", "1.0.0");
    });
}

#[test]
fn names_of_files_cannot_harm_a_terminal_and_unfinished_names_are_never_taken() {
    let odd: [&[u8]; 4] = [b"\xff\xfe.so", b"two\nlines.so", b"\x1b[2Jclear.so", &[b'x'; 252]];
    let up = Up::start(|_| {}, &[]);
    for name in odd {
        let mut name = name.to_vec();
        if !name.ends_with(b".so") {
            name.extend(b".so");
        }
        fs::write(up.plugins().join(OsString::from_vec(name)), "text").unwrap();
    }
    for name in [
        ".hidden.so",
        "upload.so.tmp",
        "upload.so.part",
        "upload.so~",
        "so",
        ".so",
    ] {
        fs::write(up.plugins().join(name), "text").unwrap();
    }
    let asked = ["plugins", "--rejected", "--json"];
    let listed = up.run_until(&asked, |json| json.as_array().is_some_and(|all| all.len() >= 4));
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 4, "{listed:?}");
    for rejected in listed {
        assert_eq!(rejected["code"], "PB-INSPECT-001");
        assert!(rejected["hint"].as_str().unwrap().len() > 10);
    }
    let shown = up.run(&["plugins", "--rejected"]);
    let all = format!("{}{}", shown.out, shown.err);
    assert!(
        all.contains("PB-INSPECT-001") && all.contains("clear.so"),
        "{all}"
    );
    assert!(
        !all.as_bytes().contains(&0x1b) && !all.contains("two\nlines"),
        "{all:?}"
    );
    // Nor a log: no line begins with what a name says.
    let log = up.log();
    assert!(!log.contains('\u{1b}') && !log.contains("two\nlines"), "{log}");
}
