//! The contract grows and old plugins keep loading; what cannot work is refused with a message that says what to do.

use std::path::Path;

use patchbay_tests_support::patchbay::{Config, Contract};
use patchbay_tests_support::{Native, TestHost, deploy, fixture, frozen, mappings};
use serde_json::json;

const FIRST: Contract = Contract { major: 1, minor: 0 };

fn old_host(config: &mut Config) {
    config.inspect.contract = FIRST;
}

/// Compiles `shape.c` into the plugin directory and waits until it is live.
fn shape_goes_live(host: &TestHost, shape: &Native, version: &str) {
    shape.compile(&host.inbox(&format!("shape-{version}.so")));
    host.wait("plugin.live", "shape", version);
    assert_eq!(host.call("shape.version", json!({})), version);
}

/// Drops a file in that must be refused; code, message and hint.
fn refused(host: &TestHost, make: impl FnOnce(&Path), file: &str) -> (String, String, String) {
    make(&host.inbox(file));
    let rejected = host.wait_rejected(file);
    (rejected.code, rejected.message, rejected.hint)
}

#[test]
fn a_plugin_of_the_first_contract_loads_runs_and_is_swapped_for_one_of_today_and_back() {
    let host = TestHost::with(|config| config.history_limit = 1);
    deploy(&frozen("contract-1-0"), &host.inbox("frozen.so"));
    host.wait("plugin.live", "echo", "0.9.0");
    assert_eq!(host.version(), "0.9.0");
    host.bring_in("echo-1-0");
    assert_eq!(host.version(), "1.0.0");
    host.promote("echo", "0.9.0").unwrap();
    assert_eq!(host.version(), "0.9.0");
    host.bring_in("echo-1-1");
    assert_eq!(host.version(), "1.1.0");
    host.bring_in("echo-2-0");
    host.wait("revision.retired", "echo", "0.9.0");
    let left = mappings(&host.maps());
    assert!(!left.iter().any(|line| line.contains("echo-0.9.0")), "{left:#?}");
}

#[test]
fn an_sdk_of_another_version_with_the_same_contract_is_taken() {
    let host = TestHost::start();
    deploy(&frozen("other-sdk"), &host.inbox("other.so"));
    host.wait("plugin.live", "echo", "0.9.1");
    assert_eq!(host.version(), "0.9.1");
}

#[test]
fn a_shape_that_differs_is_refused_and_the_message_names_it_and_both_versions() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    let (code, message, help) = refused(&host, |to| deploy(&frozen("wide-bytes"), to), "wide.so");
    assert_eq!(code, "PB-LOAD-007");
    for says in [
        "`Bytes`",
        "24 bytes instead of 16",
        "(ptr, len, spare) instead of (ptr, len)",
        "plugin-api 0.1.0 and needs contract 1.0",
        &format!("speaks contract {}", host.host().status().contract),
    ] {
        assert!(message.contains(says), "{says}: {message}");
    }
    assert!(message.len() < 600, "{message}");
    assert!(help.contains("rebuild"), "{help}");
    assert_eq!(host.version(), "1.0.0", "the host serves what it served");
}

#[test]
fn an_old_host_refuses_what_needs_a_newer_contract_and_takes_what_does_not() {
    let host = TestHost::with(old_host);
    assert_eq!(host.host().status().contract, "1.0");
    host.bring_in("clock-1-0");
    let (code, message, help) = refused(&host, |to| deploy(&fixture("clock-1-1"), to), "clock-1-1.so");
    assert_eq!(code, "PB-INSPECT-027");
    assert!(
        message.contains("needs contract 1.1, this host speaks 1.0 and lacks HostTable.wall_clock"),
        "{message}"
    );
    assert!(
        help.contains("start a host that speaks contract 1.1") && help.contains("`needs: \"1.0\"`"),
        "{help}"
    );
    // What the host lacks is absent to the plugin that asks for it, too.
    assert_eq!(host.call("fx.clock", json!({})), json!(null));
    // Plugins in other languages meet the same table.
    shape_goes_live(&host, &Native::new("shape.c", "1.0.0"), "1.0.0");
    assert_eq!(host.call("shape.spoken", json!({})), "1.0");
    let needy = Native::new("shape.c", "1.1.0").define("NEEDS", 1);
    let (code, ..) = refused(&host, |to| needy.compile(to), "needy.so");
    assert_eq!(code, "PB-INSPECT-027");
}

#[test]
fn a_host_of_the_second_contract_refuses_what_needs_the_third_and_names_what_it_lacks() {
    let host = TestHost::with(|config| config.inspect.contract = Contract { major: 1, minor: 1 });
    // What needs the second is at home, and meets a table that ends where the second's does.
    host.bring_in("clock-1-1");
    let second = Native::new("shape.c", "1.0.0").define("NEEDS", 1);
    shape_goes_live(&host, &second, "1.0.0");
    assert_eq!(host.call("shape.spoken", json!({})), "1.1");
    let third = Native::new("shape.c", "1.2.0").define("NEEDS", 2);
    let (code, message, help) = refused(&host, |to| third.compile(to), "third.so");
    assert_eq!(code, "PB-INSPECT-027");
    for says in [
        "needs contract 1.2, this host speaks 1.1 and lacks",
        "HostTable.list",
        "HostTable.replace",
        "HostTable.select_output",
        "HostTable.evaluate",
    ] {
        assert!(message.contains(says), "{says}: {message}");
    }
    assert!(!message.contains("wall_clock"), "{message}");
    assert!(help.contains("start a host that speaks contract 1.2"), "{help}");
}

#[test]
fn a_host_of_today_takes_both_and_lends_its_clock() {
    let host = TestHost::start();
    for fixture in ["clock-1-0", "clock-1-1"] {
        host.bring_in(fixture);
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let seconds = host.call("fx.clock", json!({})).as_u64().unwrap();
        assert!(seconds.abs_diff(now.as_secs()) < 600, "{seconds}");
    }
    shape_goes_live(
        &host,
        &Native::new("shape.c", "1.0.0").define("NEEDS", 1),
        "1.0.0",
    );
    shape_goes_live(
        &host,
        &Native::new("shape.c", "1.2.0").define("NEEDS", 2),
        "1.2.0",
    );
    assert_eq!(
        host.call("shape.spoken", json!({})),
        host.host().status().contract
    );
}

#[test]
fn a_verdict_of_a_host_of_one_contract_is_none_for_another() {
    // The old host refused it at the inspection; the new one on the same directories takes it.
    let mut host = TestHost::with(old_host);
    refused(&host, |to| deploy(&fixture("clock-1-1"), to), "clock-1-1.so");
    let (plugins, data) = (host.config().plugins.clone(), host.config().data.clone());
    host.close();
    let newer = TestHost::with(|config| (config.plugins, config.data) = (plugins, data));
    // `open` waits for the files that are there.
    assert_eq!(newer.live("clock"), "1.1.0");
}

#[test]
fn a_plugin_of_another_major_is_refused_before_it_is_mapped() {
    let host = TestHost::start();
    let (code, message, help) = refused(
        &host,
        |to| Native::new("shape.c", "1.0.0").define("MAJOR", 2).compile(to),
        "two.so",
    );
    assert_eq!(code, "PB-INSPECT-027");
    assert!(message.contains("needs contract 2.0"), "{message}");
    assert!(help.contains("a plugin-api for contract 1.x"), "{help}");
    let (code, ..) = refused(
        &host,
        |to| Native::new("shape.c", "1.0.0").define("MAJOR", 0).compile(to),
        "zero.so",
    );
    assert_eq!(code, "PB-INSPECT-028");
}

#[test]
fn tables_of_a_later_minor_are_read_as_far_as_they_are_known() {
    let host = TestHost::start();
    let shape = Native::new("shape.c", "1.0.0")
        .define("PLUGIN_SIZE", "sizeof(newer_plugin)")
        .define("NODE_SIZE", "sizeof(newer_node)");
    shape_goes_live(&host, &shape, "1.0.0");
    // The stride alone may be wider than the tables, too.
    shape_goes_live(&host, &Native::new("shape.c", "1.1.0"), "1.1.0");
}

#[test]
fn tables_smaller_than_the_first_contract_has_them_are_refused() {
    let host = TestHost::start();
    for (name, value, says) in [
        (
            "PLUGIN_SIZE",
            "sizeof(pb_plugin_table) - 8",
            "the plugin table is smaller than contract 1.0 has it",
        ),
        ("PLUGIN_SIZE", "0", "the plugin table is smaller"),
        (
            "NODE_SIZE",
            "sizeof(pb_node_table) - 8",
            "the node table is smaller",
        ),
        ("NODE_SIZE", "0", "the node table is smaller"),
        ("NODE_SIZE", "sizeof(newer_node) + 8", "the node table is smaller"),
        ("STRIDE", "sizeof(pb_node_table) - 8", "the node table is smaller"),
        ("STRIDE", "0", "the node table is smaller"),
        ("STRIDE", "sizeof(newer_node) + 1", "is not aligned to 8 bytes"),
    ] {
        let file = format!("{}-{}.so", name.to_lowercase(), value.len());
        let shape = Native::new("shape.c", "1.0.0").define(name, value);
        let (code, message, _) = refused(&host, |to| shape.compile(to), &file);
        assert_eq!(code, "PB-LOAD-008", "{name} {value}: {message}");
        assert!(message.contains(says), "{name} {value}: {message}");
    }
}

#[test]
fn metadata_that_asks_for_a_later_contract_than_the_host_speaks_is_refused() {
    let host = TestHost::with(old_host);
    let shape = Native::new("shape.c", "1.0.0").define("HOST_API", "\"^1.1.0\"");
    let (code, message, _) = refused(&host, |to| shape.compile(to), "later.so");
    assert_eq!(code, "PB-LOAD-010");
    assert!(
        message.contains("supports contract ^1.1.0, this host speaks 1.0.0"),
        "{message}"
    );
}
