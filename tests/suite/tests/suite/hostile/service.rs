//! Plugins that behave on trial and misbehave when they are loaded for service.

use patchbay_tests_support::{TestHost, hostile, mappings};

fn mapped(host: &TestHost, plugin: &str) -> bool {
    let lines = mappings(&host.config().data);
    lines
        .iter()
        .any(|line| line.contains(&format!("/{plugin}-1.0.0-")))
}

#[test]
fn a_plugin_that_describes_itself_otherwise_in_service_is_unmapped_again() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    hostile("describe_changes", &host.inbox("changes.so"));
    let rejected = host.wait_rejected("changes.so");
    assert_eq!(rejected.code, "PB-LOAD-014");
    assert!(rejected.hint.contains("same map each time"), "{rejected:?}");
    assert!(!mapped(&host, "c-describe_changes"));
    assert_eq!(
        (host.version().as_str(), host.host().plugins().len()),
        ("1.0.0", 1)
    );
}

/// A `start` that failed in the host used to close the library at once, with the thread that it had started in it.
#[test]
fn a_plugin_that_refuses_to_start_in_service_stays_mapped_while_its_thread_runs() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    hostile("refuses_in_service", &host.inbox("refuses.so"));
    assert_eq!(host.wait_rejected("refuses.so").code, "PB-LOAD-011");
    assert!(mapped(&host, "c-refuses_in_service"));
    for _ in 0..100 {
        assert_eq!(host.version(), "1.0.0");
    }
}
