//! What outlasts the process: an older version does not come back by itself, and settings do not loosen.

use std::fs;

use patchbay_tests_support::patchbay::{CallRequest, Config, Explain, Signatures};
use patchbay_tests_support::{Signer, TestHost, Up, deploy, fixture, run};
use serde_json::json;

use crate::signatures::{drop_signed, strict};

/// Takes away what a data directory remembers of versions; what it remembers of trust stays.
fn forget_versions(config: &Config) {
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(config.data.join(format!("state.db{end}")));
    }
}

/// A host on which 1.1.0 was live before its file was replaced by that of 1.0.0, and that has forgotten its versions and
/// started again.
fn replayed(signer: &Signer) -> TestHost {
    let mut host = strict(signer, |_| {});
    drop_signed(&host, signer, "echo-1-1");
    host.wait("plugin.live", "echo", "1.1.0");
    drop_signed(&host, signer, "echo-1-0");
    host.wait("revision.registered", "echo", "1.0.0");
    // While the newer one is live it is one that came late, as ever.
    assert!(host.revision("echo", "1.0.0").blocked_by.is_none());
    assert_eq!(host.version(), "1.1.0");
    host.restart(|config| {
        for name in ["echo-1-1.so", "echo-1-1.so.minisig"] {
            fs::remove_file(config.plugins.join(name)).unwrap();
        }
        forget_versions(config);
    });
    host
}

#[test]
fn an_older_version_waits_for_an_admin_also_after_a_restart_without_the_newer_file() {
    let core = Signer::new("core");
    let mut host = replayed(&core);
    for _ in 0..2 {
        assert_eq!(host.live("echo"), "");
        let why = host.revision("echo", "1.0.0").blocked_by.unwrap();
        assert_eq!(why.code, "PB-SIGN-023");
        assert!(why.hint.contains("patchbay promote echo 1.0.0"), "{}", why.hint);
        assert_eq!(
            host.try_call("fx.version", json!({})).unwrap_err().code().0,
            "PB-CALL-001"
        );
        host.restart(|_| {});
    }
    drop_signed(&host, &core, "echo-1-1");
    host.wait("plugin.live", "echo", "1.1.0");
    assert!(host.revision("echo", "1.0.0").blocked_by.is_none());
}

#[test]
fn what_an_admin_promoted_comes_back_by_itself_until_a_newer_one_is_live() {
    let core = Signer::new("core");
    let mut host = replayed(&core);
    host.promote("echo", "1.0.0").unwrap();
    host.restart(|_| {});
    assert_eq!(host.version(), "1.0.0");
    drop_signed(&host, &core, "echo-1-1");
    host.wait("plugin.live", "echo", "1.1.0");
    host.restart(|config| {
        fs::remove_file(config.plugins.join("echo-1-1.so")).unwrap();
        forget_versions(config);
    });
    assert_eq!(host.live("echo"), "");
}

#[test]
fn a_rollback_goes_back_as_ever_and_is_remembered() {
    let core = Signer::new("core");
    let mut host = strict(&core, |_| {});
    drop_signed(&host, &core, "echo-1-0");
    host.wait("plugin.live", "echo", "1.0.0");
    drop_signed(&host, &core, "echo-1-1");
    host.wait("plugin.live", "echo", "1.1.0");
    host.promote("echo", "1.0.0").unwrap();
    assert_eq!(host.version(), "1.0.0");
    host.restart(|config| fs::remove_file(config.plugins.join("echo-1-1.so")).unwrap());
    assert_eq!(host.version(), "1.0.0");
}

#[test]
fn what_was_live_stays_live_without_its_file_and_a_host_without_a_memory_takes_the_highest_that_is_there() {
    let mut host = TestHost::holding(&["echo-1-1"], |_| {});
    host.restart(|config| {
        fs::remove_file(config.plugins.join("echo-1-1.so")).unwrap();
        deploy(&fixture("echo-1-0"), &config.plugins.join("echo-1-0.so"));
    });
    host.until("1.0.0 to be known", || host.plugin("echo").revisions.len() == 2);
    assert_eq!(host.version(), "1.1.0");
    host.restart(forget_versions);
    assert_eq!(host.version(), "1.0.0");
}

#[test]
fn a_data_directory_is_not_served_more_loosely_and_not_with_a_damaged_memory() {
    let core = Signer::new("core");
    let mut host = strict(&core, |_| {});
    let error = host
        .reopen(|config| config.trust.signatures = Signatures::Optional)
        .unwrap_err();
    assert_eq!(error.code().0, "PB-SIGN-020");
    assert!(
        error.help().contains("patchbay trust relax --data"),
        "{}",
        error.help()
    );
    host.reopen(|config| config.trust.signatures = Signatures::Required)
        .unwrap();
    host.close();
    let path = host.config().data.join("trust.json");
    let good = fs::read(&path).unwrap();
    for bad in [&b""[..], b"{}", &good[..good.len() - 2]] {
        fs::write(&path, bad).unwrap();
        assert_eq!(host.reopen(|_| {}).unwrap_err().code().0, "PB-SIGN-022");
    }
    fs::write(&path, good).unwrap();
    host.reopen(|_| {}).unwrap();
}

#[test]
fn required_on_the_command_line_once_is_required_until_somebody_relaxes_it_with_a_reason() {
    let up = Up::start(|_| {}, &["--require-signature"]);
    deploy(&fixture("echo-1-0"), &up.plugins().join("echo.so"));
    up.run_until(&["plugins", "--rejected", "--json"], |files| {
        files[0]["code"] == "PB-SIGN-001"
    });
    let (plugins, data) = (up.plugins(), up.data());
    let (plugins, data) = (plugins.to_str().unwrap(), data.to_str().unwrap());
    let relax = ["trust", "relax", "--data", data, "--reason", "a test", "--json"];
    let busy = run(&relax);
    assert!(busy.code == 1 && busy.err.contains("PB-OPEN-003"), "{busy:?}");

    let mut up = up;
    up.end();
    let looser = [
        "up",
        "--listen",
        "127.0.0.1:0",
        "--plugins",
        plugins,
        "--data",
        data,
    ];
    let refused = run(&looser);
    assert!(
        refused.code == 4 && refused.err.contains("PB-SIGN-020"),
        "{refused:?}"
    );
    let relaxed = run(&relax);
    assert_eq!(
        relaxed.json()["relaxed"],
        json!(["signatures were required"]),
        "{relaxed:?}"
    );
    assert_eq!(relaxed.json()["actor"], "ada");
    up.again();
    up.run_until(&["plugins", "echo", "--json"], |plugin| plugin["live"] == "1.0.0");
}

#[test]
fn a_version_that_could_not_take_the_state_over_was_never_live() {
    let core = Signer::new("core");
    let mut host = strict(&core, |_| {});
    drop_signed(&host, &core, "counter-1-0");
    host.wait("plugin.live", "counter", "1.0.0");
    let request = CallRequest {
        config: Some(json!({"load": "1.1.0"})),
        ..CallRequest::of(json!({"by": 1}))
    };
    host.host().call_json("fx.count", request).unwrap();
    drop_signed(&host, &core, "counter-1-1");
    assert_eq!(host.wait_rejected("counter-1-1.so").code, "PB-STATE-004");
    host.restart(|config| fs::remove_file(config.plugins.join("counter-1-1.so")).unwrap());
    assert_eq!(host.live("counter"), "1.0.0");
}
