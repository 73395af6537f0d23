//! From a file in the directory to a live version, or to a line in the list of refused files.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use patchbay_tests_support::patchbay::{Config, Explain, OnDelete, Patchbay};
use patchbay_tests_support::{CPlugin, TestHost, deploy, fixture, hostile, name};
use serde_json::json;

#[test]
fn a_renamed_file_goes_live_without_waiting_for_it_to_settle() {
    let host = TestHost::with(|config| config.stable_for = std::time::Duration::from_secs(3600));
    host.bring_in("echo-1-0");
    assert_eq!(host.version(), "1.0.0");
}

#[test]
fn a_copied_file_goes_live_when_its_writer_closes_it() {
    let host = TestHost::with(|config| config.stable_for = std::time::Duration::from_secs(3600));
    let bytes = fs::read(fixture("echo-1-0")).unwrap();
    let mut file = File::create(host.inbox("echo.so")).unwrap();
    for chunk in bytes.chunks(1 << 20) {
        file.write_all(chunk).unwrap();
        file.flush().unwrap();
        assert!(host.host().plugins().is_empty(), "an unfinished file was taken");
    }
    drop(file);
    host.wait("plugin.live", "echo", "1.0.0");
    assert!(host.host().rejected().is_empty());
}

#[test]
fn a_hard_link_goes_live_when_it_has_been_stable() {
    let host = TestHost::start();
    let original = host.scratch("echo.so");
    fs::copy(fixture("echo-1-0"), &original).unwrap();
    fs::hard_link(&original, host.inbox("echo.so")).unwrap();
    host.wait("plugin.live", "echo", "1.0.0");
}

#[test]
fn a_content_is_admitted_once_however_often_it_arrives() {
    let host = TestHost::start();
    host.bring_in("echo-1-0");
    for round in 0..500 {
        match round % 4 {
            0 => deploy(&fixture("echo-1-0"), &host.inbox("echo-1-0.so")),
            1 => deploy(&fixture("echo-1-0"), &host.inbox("again.so")),
            2 => fs::rename(host.inbox("again.so"), host.inbox("once-more.so")).unwrap(),
            _ => File::options()
                .append(true)
                .open(host.inbox("echo-1-0.so"))
                .unwrap()
                .set_modified(std::time::SystemTime::now())
                .unwrap(),
        }
    }
    // What comes after the storm has been dealt with: the storm itself has been, too.
    host.bring_in("tls-1-0");
    host.bring_in("echo-1-1");
    assert_eq!(host.plugin("echo").revisions.len(), 2);
    assert_eq!(
        host.tape().all(|event| event.kind == "revision.registered").len(),
        3
    );
    assert_eq!(host.version(), "1.1.0");
    assert!(host.host().rejected().is_empty(), "{:#?}", host.host().rejected());
}

/// Puts a bad file of one kind at the path.
type Spoil = fn(&TestHost, &std::path::Path);

#[test]
fn every_kind_of_bad_file_is_listed_with_its_reason_and_what_serves_goes_on() {
    let host = TestHost::holding(&["echo-1-0"], |config| config.max_plugin_bytes = 64 << 20);
    let kinds: [(&str, &str, Spoil); 13] = [
        ("text.so", "PB-INSPECT-001", |_, path| {
            fs::write(path, "hello\n").unwrap();
        }),
        ("zeros.so", "PB-INSPECT-001", |_, path| {
            fs::write(path, [0; 4096]).unwrap();
        }),
        ("archive.so", "PB-INSPECT-002", |_, path| {
            fs::write(path, "!<arch>\n/ 0 ").unwrap();
        }),
        ("windows.so", "PB-INSPECT-003", |_, path| {
            fs::write(path, b"MZ\x90\0").unwrap();
        }),
        ("empty.so", "PB-STAGE-008", |_, path| fs::write(path, "").unwrap()),
        ("large.so", "PB-STAGE-009", |_, path| {
            File::create(path).unwrap().set_len(65 << 20).unwrap();
        }),
        ("folder.so", "PB-STAGE-003", |_, path| {
            fs::create_dir(path).unwrap();
        }),
        ("link.so", "PB-STAGE-002", |host, path| {
            symlink(host.inbox("echo-1-0.so"), path).unwrap();
        }),
        ("socket.so", "PB-STAGE-005", |_, path| {
            drop(UnixListener::bind(path).unwrap());
        }),
        ("library.so", "PB-INSPECT-021", |host, path| {
            compiled(host, "int f(void) { return 0; }", &["-shared"], path);
        }),
        ("program.so", "PB-INSPECT-007", |host, path| {
            compiled(host, "int main(void) { return 0; }", &[], path);
        }),
        ("cut.so", "PB-INSPECT-010", |_, path| {
            let whole = fs::read(fixture("echo-1-1")).unwrap();
            fs::write(path, &whole[..whole.len() / 2]).unwrap();
        }),
        ("forbidden.so", "PB-INSPECT-032", |_, path| {
            hostile("forbidden", path);
        }),
    ];
    for (file, code, spoil) in kinds {
        spoil(&host, &host.inbox(file));
        let rejected = host.wait_rejected(file);
        assert_eq!(rejected.code, code, "{file}: {rejected:?}");
        assert!(
            !rejected.message.is_empty() && !rejected.hint.is_empty(),
            "{rejected:?}"
        );
        assert_eq!(host.version(), "1.0.0");
    }
    assert_eq!(host.host().rejected().len(), 13);
    assert_eq!(host.plugin("echo").revisions.len(), 1);
}

fn compiled(host: &TestHost, source: &str, flags: &[&str], path: &std::path::Path) {
    let (c, out) = (host.scratch("source.c"), host.scratch("compiled"));
    fs::write(&c, source).unwrap();
    let mut cc = std::process::Command::new("cc");
    let output = cc
        .args(flags)
        .args(["-fPIC", "-w", "-o"])
        .arg(&out)
        .arg(&c)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    deploy(&out, path);
}

#[test]
fn an_unreadable_file_is_refused_and_taken_once_it_is_readable() {
    let host = TestHost::start();
    let out = host.scratch("echo.so");
    fs::copy(fixture("echo-1-0"), &out).unwrap();
    fs::set_permissions(&out, fs::Permissions::from_mode(0o000)).unwrap();
    if File::open(&out).is_ok() {
        // The superuser reads everything: then there is nothing to refuse.
        fs::rename(&out, host.inbox("echo.so")).unwrap();
    } else {
        fs::rename(&out, host.inbox("echo.so")).unwrap();
        assert_eq!(host.wait_rejected("echo.so").code, "PB-STAGE-007");
        fs::set_permissions(host.inbox("echo.so"), fs::Permissions::from_mode(0o644)).unwrap();
    }
    host.wait("plugin.live", "echo", "1.0.0");
    assert!(host.rejected("echo.so").is_none());
}

#[test]
fn a_bad_file_that_is_replaced_by_a_good_one_leaves_the_list() {
    let host = TestHost::start();
    fs::write(host.inbox("echo.so"), "not yet").unwrap();
    host.wait_rejected("echo.so");
    deploy(&fixture("echo-1-0"), &host.inbox("echo.so"));
    host.wait("plugin.live", "echo", "1.0.0");
    host.until("the list to be empty", || host.host().rejected().is_empty());
}

#[test]
fn a_bad_file_that_is_removed_leaves_the_list() {
    let host = TestHost::start();
    fs::write(host.inbox("bad.so"), "not a plugin").unwrap();
    host.wait_rejected("bad.so");
    fs::remove_file(host.inbox("bad.so")).unwrap();
    host.until("the list to be empty", || host.host().rejected().is_empty());
}

#[test]
fn a_plugin_outlives_its_file_by_default() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    fs::remove_file(host.inbox("echo-1-0.so")).unwrap();
    // The removal has been seen when a later file has.
    host.bring_in("tls-1-0");
    assert_eq!(host.version(), "1.0.0");
}

#[test]
fn a_plugin_goes_with_its_file_when_so_configured() {
    let host = TestHost::holding(&["echo-1-0"], |config| config.on_delete = OnDelete::Retire);
    fs::remove_file(host.inbox("echo-1-0.so")).unwrap();
    host.wait("plugin.removed", "echo", "1.0.0");
    host.wait("revision.retired", "echo", "1.0.0");
    let error = host.try_call("fx.version", json!({})).unwrap_err();
    assert_eq!(error.code().0, "PB-CALL-001");
}

#[test]
fn a_restart_finds_the_same_versions_live_without_a_trial_load() {
    let mut host = TestHost::holding(&["echo-1-0", "echo-1-1", "tls-1-0"], |_| {});
    let verdicts = |config: &Config| {
        let files = fs::read_dir(config.data.join("verdicts"))
            .unwrap()
            .map(Result::unwrap);
        let mut files: Vec<_> = files
            .map(|file| (file.path(), file.metadata().unwrap().modified().unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = verdicts(host.config());
    assert_eq!(before.len(), 3);
    host.restart(|_| {});
    assert!(host.host().is_ready());
    assert_eq!(
        (host.live("echo").as_str(), host.live("tls").as_str()),
        ("1.1.0", "1.0.0")
    );
    assert_eq!(host.version(), "1.1.0");
    assert_eq!(verdicts(host.config()), before, "a verdict was written anew");
}

#[test]
fn a_data_directory_in_use_is_refused_and_free_again_after_a_close() {
    let mut host = TestHost::start();
    let error = Patchbay::open(host.config().clone()).unwrap_err();
    assert_eq!(error.code().0, "PB-OPEN-003");
    assert!(error.help().contains("--data"));
    let config = host.config().clone();
    host.close();
    Patchbay::open(config).unwrap();
}

#[test]
fn a_thousand_pieces_of_rubbish_are_all_refused_while_a_plugin_serves() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    for number in 0..1000 {
        fs::write(
            host.inbox(&format!("rubbish-{number}.so")),
            format!("rubbish {number}"),
        )
        .unwrap();
        if number % 100 == 0 {
            assert_eq!(host.version(), "1.0.0");
        }
    }
    host.until("all of it to be refused", || host.host().rejected().len() == 1000);
    host.bring_in("echo-1-1");
    assert_eq!(host.version(), "1.1.0");
    // Nothing of it is kept.
    let stored = fs::read_dir(host.config().data.join("artifacts"))
        .unwrap()
        .count();
    assert_eq!(stored, 2);
}

#[test]
fn a_plugin_in_c_is_a_plugin_like_any_other() {
    let host = TestHost::with(|config| config.history_limit = 0);
    for version in ["1.0.0", "1.1.0"] {
        let plugin = CPlugin {
            source: "fit",
            plugin: "c-fit",
            version,
            node: "c.fit",
            target: "",
        };
        plugin.compile(&host.inbox("c-fit.so"));
        host.wait("plugin.live", "c-fit", version);
        assert_eq!(host.call("c.fit", json!({})), version);
    }
    host.wait("revision.retired", "c-fit", "1.0.0");
    let history = host.host().history(&name("c-fit")).unwrap();
    assert_eq!(history.iter().filter(|line| line.action == "promoted").count(), 2);
}

#[test]
fn files_that_are_there_at_the_start_are_live_when_the_host_is_open() {
    let mut host = TestHost::start();
    host.restart(|config| {
        for of in ["echo-1-0", "echo-1-1", "needs-echo"] {
            deploy(&fixture(of), &config.plugins.join(format!("{of}.so")));
        }
        fs::write(config.plugins.join("bad.so"), "bad").unwrap();
    });
    assert_eq!(host.version(), "1.1.0");
    assert_eq!(host.call("needs.version", json!({})), "1.0.0");
    assert_eq!(host.host().rejected().len(), 1);
}
