//! Every way to pass a file off for a signed one, on real plugin files.

use std::fs;
use std::path::Path;
use std::process::Command;

use patchbay_tests_support::patchbay::{Config, Explain, Force, Signatures};
use patchbay_tests_support::{Signer, TestHost, deploy, fixture, run};
use serde_json::json;

/// A host that takes what this team signed, and nothing else.
pub(crate) fn strict(signer: &Signer, change: impl FnOnce(&mut Config)) -> TestHost {
    TestHost::with(|config| {
        config.trust.signatures = Signatures::Required;
        config.trust.teams = vec![signer.team(None)];
        change(config);
    })
}

/// Puts a fixture into the inbox, the signature first.
pub(crate) fn drop_signed(host: &TestHost, signer: &Signer, of: &str) {
    let target = host.inbox(&format!("{of}.so"));
    signer.sign_for(&fixture(of), &target);
    deploy(&fixture(of), &target);
}

#[track_caller]
fn refused(host: &TestHost, code: &str) {
    host.until(&format!("a refusal with {code}"), || {
        host.rejected("echo.so")
            .is_some_and(|rejected| rejected.code == code)
    });
}

#[test]
fn a_signed_plugin_goes_live_and_every_listing_names_the_team_and_the_key() {
    let core = Signer::new("core");
    let host = strict(&core, |_| {});
    drop_signed(&host, &core, "echo-1-0");
    host.wait("plugin.live", "echo", "1.0.0");
    let by = host.revision("echo", "1.0.0").signed_by.unwrap();
    assert_eq!(by.team.unwrap().as_str(), "core");
    assert_eq!(by.key, core.public().id());
    assert!(by.signed_at.is_some());
    let history = host.host().history(&"echo".parse().unwrap()).unwrap();
    assert!(history.iter().all(|line| {
        line.signed_by
            .as_ref()
            .is_some_and(|by| by.key == core.public().id())
    }));
}

#[test]
fn file_and_signature_may_come_in_any_order_and_each_is_acted_on_at_once() {
    let core = Signer::new("core");
    let host = strict(&core, |_| {});
    let target = host.inbox("echo.so");
    deploy(&fixture("echo-1-0"), &target);
    refused(&host, "PB-SIGN-001");
    core.sign_for(&fixture("echo-1-0"), &target);
    host.wait("plugin.live", "echo", "1.0.0");
    host.until("the refusal to be gone", || host.host().rejected().is_empty());

    // The next version: its signature comes while the old file is there, and then the file.
    core.sign_for(&fixture("echo-1-1"), &target);
    refused(&host, "PB-SIGN-009");
    assert_eq!(host.version(), "1.0.0");
    deploy(&fixture("echo-1-1"), &target);
    host.wait("plugin.live", "echo", "1.1.0");
    host.until("the refusal to be gone", || host.host().rejected().is_empty());
}

#[test]
fn a_signature_of_another_plugin_by_another_key_or_over_another_byte_is_refused_with_its_code() {
    let (core, stranger) = (Signer::new("core"), Signer::new("stranger"));
    let host = strict(&core, |_| {});
    let target = host.inbox("echo.so");
    deploy(&fixture("echo-1-0"), &target);
    core.sign_for(&fixture("tls-1-0"), &target);
    refused(&host, "PB-SIGN-009");
    stranger.sign_for(&fixture("echo-1-0"), &target);
    refused(&host, "PB-SIGN-007");
    let signature = fs::read_to_string(core.signature_of(&fixture("echo-1-0"))).unwrap();
    let beside = host.inbox("echo.so.minisig");
    fs::write(&beside, signature.replace("version:1.0.0", "version:9.0.0")).unwrap();
    refused(&host, "PB-SIGN-009");
    fs::write(&beside, &signature[..signature.len() / 2]).unwrap();
    refused(&host, "PB-SIGN-005");
    fs::remove_file(&beside).unwrap();
    refused(&host, "PB-SIGN-001");
    fs::write(&beside, &signature).unwrap();
    host.wait("plugin.live", "echo", "1.0.0");

    // One byte at the end of the file, behind everything that is mapped.
    let mut bytes = fs::read(fixture("echo-1-0")).unwrap();
    bytes.push(0);
    let longer = host.scratch("longer.so");
    fs::write(&longer, bytes).unwrap();
    deploy(&longer, &target);
    refused(&host, "PB-SIGN-009");
    assert_eq!(host.version(), "1.0.0");
}

#[test]
fn what_is_beside_a_plugin_and_no_small_regular_file_is_refused_and_holds_nobody_up() {
    let core = Signer::new("core");
    let host = strict(&core, |_| {});
    let (target, beside) = (host.inbox("echo.so"), host.inbox("echo.so.minisig"));
    deploy(&fixture("echo-1-0"), &target);
    let elsewhere = core.signature_of(&fixture("echo-1-0"));
    std::os::unix::fs::symlink(&elsewhere, &beside).unwrap();
    refused(&host, "PB-SIGN-002");
    fs::remove_file(&beside).unwrap();
    refused(&host, "PB-SIGN-001");
    assert!(Command::new("mkfifo").arg(&beside).status().unwrap().success());
    refused(&host, "PB-SIGN-002");
    fs::remove_file(&beside).unwrap();
    fs::write(&beside, vec![b'x'; 1 << 20]).unwrap();
    refused(&host, "PB-SIGN-003");
    drop_signed(&host, &core, "tls-1-0");
    host.wait("plugin.live", "tls", "1.0.0");
}

#[test]
fn a_key_signs_the_names_of_its_team_and_no_others() {
    let (core, texts) = (Signer::new("core"), Signer::new("texts"));
    let host = strict(&core, |config| {
        config.trust.teams = vec![core.team(Some(&["tls"])), texts.team(Some(&["e*o", "text-*"]))];
    });
    let target = host.inbox("echo.so");
    core.sign_for(&fixture("echo-1-0"), &target);
    deploy(&fixture("echo-1-0"), &target);
    refused(&host, "PB-SIGN-013");
    let rejected = host.rejected("echo.so").unwrap();
    assert_eq!(rejected.signed_by.unwrap().key, core.public().id());
    texts.sign_for(&fixture("echo-1-0"), &target);
    host.wait("plugin.live", "echo", "1.0.0");
}

#[test]
fn a_key_that_is_revoked_takes_its_plugins_out_at_the_next_start() {
    let core = Signer::new("core");
    let mut host = strict(&core, |_| {});
    drop_signed(&host, &core, "echo-1-0");
    host.wait("plugin.live", "echo", "1.0.0");
    host.reopen(|config| {
        config.trust.revoked.insert(core.public().id());
    })
    .unwrap();
    assert_eq!(host.rejected("echo-1-0.so").unwrap().code, "PB-SIGN-008");
    assert_eq!(
        host.try_call("fx.version", json!({})).unwrap_err().code().0,
        "PB-CALL-001"
    );
}

#[test]
fn a_retired_revision_is_mapped_again_only_with_a_signature_that_still_holds() {
    let core = Signer::new("core");
    let host = strict(&core, |config| config.history_limit = 0);
    for of in ["echo-1-0", "echo-1-1"] {
        drop_signed(&host, &core, of);
        host.wait(
            "plugin.live",
            "echo",
            if of == "echo-1-0" { "1.0.0" } else { "1.1.0" },
        );
    }
    host.wait("revision.retired", "echo", "1.0.0");
    let digest = host.revision("echo", "1.0.0").digest;
    let kept = host.config().data.join(format!("artifacts/{digest}.so.minisig"));
    let good = fs::read(&kept).unwrap();
    fs::remove_file(&kept).unwrap();
    for (exchanged, code) in [
        (None, "PB-SIGN-001"),
        (Some(core.signature_of(&fixture("echo-1-1"))), "PB-SIGN-009"),
        (
            Some(Signer::new("core").signature_of(&fixture("echo-1-0"))),
            "PB-SIGN-007",
        ),
    ] {
        if let Some(other) = exchanged {
            fs::copy(other, &kept).unwrap();
        }
        assert_eq!(host.promote("echo", "1.0.0").unwrap_err().code().0, code);
        assert_eq!(host.version(), "1.1.0");
    }
    fs::write(&kept, good).unwrap();
    host.promote("echo", "1.0.0").unwrap();
    assert_eq!(host.version(), "1.0.0");
}

#[test]
fn an_unsigned_copy_of_a_signed_plugin_is_refused_and_takes_nothing_away() {
    let core = Signer::new("core");
    let host = strict(&core, |config| config.history_limit = 0);
    drop_signed(&host, &core, "echo-1-0");
    host.wait("plugin.live", "echo", "1.0.0");
    deploy(&fixture("echo-1-0"), &host.inbox("copy.so"));
    assert_eq!(host.wait_rejected("copy.so").code, "PB-SIGN-001");
    drop_signed(&host, &core, "echo-1-1");
    host.wait("revision.retired", "echo", "1.0.0");
    host.promote("echo", "1.0.0").unwrap();
    assert_eq!(
        host.revision("echo", "1.0.0").signed_by.unwrap().key,
        core.public().id()
    );
}

#[test]
fn without_required_signatures_unsigned_files_pass_and_wrong_signatures_do_not() {
    let core = Signer::new("core");
    let host = strict(&core, |config| config.trust.signatures = Signatures::Optional);
    host.bring_in("tls-1-0");
    assert!(host.revision("tls", "1.0.0").signed_by.is_none());
    let target = host.inbox("echo.so");
    core.sign_for(&fixture("echo-1-1"), &target);
    deploy(&fixture("echo-1-0"), &target);
    refused(&host, "PB-SIGN-009");
    // Signed after the fact, a plugin that serves already is known to be signed.
    core.sign_for(&fixture("tls-1-0"), &host.inbox("tls-1-0.so"));
    host.until("the signer to be known", || {
        host.revision("tls", "1.0.0").signed_by.is_some()
    });
}

#[test]
fn a_version_below_the_minimum_is_refused() {
    let core = Signer::new("core");
    let host = strict(&core, |config| {
        let minimum = "1.1.0".parse().unwrap();
        config
            .trust
            .minimum_versions
            .insert("echo".parse().unwrap(), minimum);
    });
    drop_signed(&host, &core, "echo-1-0");
    assert_eq!(host.wait_rejected("echo-1-0.so").code, "PB-SIGN-014");
    drop_signed(&host, &core, "echo-1-1");
    host.wait("plugin.live", "echo", "1.1.0");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_key_is_made_a_plugin_signed_with_it_and_the_signature_checked_from_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let keygen = [
        "keygen",
        "--no-password",
        "--json",
        "--name",
        "core",
        "--out",
        text(dir.path()),
    ];
    let made = run(&keygen);
    assert_eq!(made.code, 0, "{made:?}");
    let key = made.json()["key"].as_str().unwrap().to_owned();
    let again = run(&keygen);
    assert!(again.code == 2 && again.err.contains("PB-SIGN-030"), "{again:?}");

    let plugin = at("echo.so");
    fs::copy(fixture("echo-1-0"), &plugin).unwrap();
    fs::write(at("rubbish.so"), "rubbish").unwrap();
    let (secret, public) = (at("core.key"), at("core.pub"));
    let signed = run(&[
        "sign",
        "--json",
        "--key",
        text(&secret),
        text(&at("rubbish.so")),
        text(&plugin),
    ]);
    assert!(
        signed.code == 1 && signed.err.contains("PB-INSPECT-001"),
        "{signed:?}"
    );
    assert_eq!(signed.json()[0]["version"], "1.0.0");
    assert!(at("echo.so.minisig").exists() && !at("rubbish.so.minisig").exists());

    let check = |arguments: &[&str]| run(&[&["check", "--json", text(&plugin)], arguments].concat());
    let good = check(&["--key", text(&public), "--require-signature"]);
    assert_eq!(good.code, 0, "{good:?}");
    let report = good.json();
    assert_eq!(report["signedBy"]["key"], key.as_str());
    assert_eq!(report["stages"][1]["stage"], "signature");
    let inspected = run(&["inspect", "--json", text(&plugin), "--key", text(&public)]);
    assert_eq!(inspected.json()["signedBy"]["team"], "given", "{inspected:?}");

    let config = at("patchbay.toml");
    fs::write(
        &config,
        "[trust]\nrequire_signature = true\n[trust.teams.core]\nkeys = [{ file = \"core.pub\" }]\n",
    )
    .unwrap();
    assert_eq!(
        check(&["--config", text(&config)]).json()["signedBy"]["team"],
        "core"
    );
    let secret_as_public = check(&["--key", text(&secret)]);
    assert!(
        secret_as_public.code == 2 && secret_as_public.err.contains("this is a secret key"),
        "{secret_as_public:?}"
    );
    fs::write(at("echo.so.minisig"), "no signature").unwrap();
    let bad = check(&["--key", text(&public)]);
    assert_eq!(
        (bad.code, &bad.json()["code"]),
        (1, &json!("PB-SIGN-005")),
        "{bad:?}"
    );
    // What lies there is no reason not to sign anew.
    assert_eq!(run(&["sign", "--key", text(&secret), text(&plugin)]).code, 0);
    assert_eq!(check(&["--config", text(&config)]).code, 0);
}

#[test]
fn a_protected_key_signs_with_the_password_from_a_file_and_with_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("right"), "correct horse\n").unwrap();
    fs::write(at("wrong"), "battery").unwrap();
    fs::copy(fixture("echo-1-0"), at("echo.so")).unwrap();
    let (right, wrong) = (at("right"), at("wrong"));
    let made = run(&[
        "keygen",
        "--out",
        text(dir.path()),
        "--password-file",
        text(&right),
    ]);
    assert_eq!(made.code, 0, "{made:?}");
    let (key, plugin) = (at("patchbay.key"), at("echo.so"));
    let sign = |more: &[&str]| run(&[&["sign", "--key", text(&key), text(&plugin)], more].concat());
    for (more, code) in [
        (&[][..], "PB-SIGN-034"),
        (&["--password-file", text(&wrong)], "PB-SIGN-035"),
    ] {
        let refused = sign(more);
        assert!(refused.code == 2 && refused.err.contains(code), "{refused:?}");
        assert!(!at("echo.so.minisig").exists());
    }
    assert_eq!(sign(&["--password-file", text(&right)]).code, 0);
}

#[test]
fn force_does_not_lead_past_a_signature() {
    let core = Signer::new("core");
    let host = strict(&core, |config| config.history_limit = 0);
    drop_signed(&host, &core, "echo-1-0");
    host.wait("plugin.live", "echo", "1.0.0");
    drop_signed(&host, &core, "echo-1-1");
    host.wait("revision.retired", "echo", "1.0.0");
    let digest = host.revision("echo", "1.0.0").digest;
    fs::remove_file(host.config().data.join(format!("artifacts/{digest}.so.minisig"))).unwrap();
    let mut order = patchbay_tests_support::patchbay::Order::by("test", "a test");
    order.force = Force::Yes;
    let to = "1.0.0".parse().unwrap();
    let error = host
        .host()
        .promote(&"echo".parse().unwrap(), &to, order)
        .unwrap_err();
    assert_eq!(error.code().0, "PB-SIGN-001");
}
