//! A plugin in Rust that panics in each of the functions that the host calls, with a payload that panics in turn.

use std::fs;

use patchbay_tests_support::patchbay::{Explain, OnDelete};
use patchbay_tests_support::{TestHost, deploy, fixture};
use serde_json::json;

/// A host with the plugin `echo`, and a file of the plugin that panics at this place.
fn with_panic_in(place: &str) -> TestHost {
    let host = TestHost::holding(&["echo-1-0"], |config| config.on_delete = OnDelete::Retire);
    let mut bytes = fs::read(fixture("panics")).unwrap();
    let mark = b"panics in=nowhere       ";
    let at: Vec<_> = (0..bytes.len() - mark.len())
        .filter(|at| bytes[*at..].starts_with(mark))
        .collect();
    assert_eq!(at.len(), 1);
    let told = format!("{place:<14}");
    bytes[at[0] + 10..at[0] + 24].copy_from_slice(told.as_bytes());
    let made = host.scratch("panics.so");
    fs::write(&made, bytes).unwrap();
    deploy(&made, &host.inbox("panics.so"));
    host
}

#[test]
fn a_panic_while_it_describes_itself_is_told_with_the_panics_place() {
    let host = with_panic_in("describe");
    let refused = host.wait_rejected("panics.so");
    assert_eq!(refused.code, "PB-LOAD-009", "{refused:?}");
    assert!(refused.message.contains("panicked"), "{refused:?}");
    assert_eq!(host.version(), "1.0.0");
}

#[test]
fn a_panic_while_an_instance_is_made_or_called_fails_the_call_alone() {
    for place in ["create", "execute"] {
        let host = with_panic_in(place);
        host.wait("plugin.live", "panics", "1.0.0");
        for _ in 0..3 {
            let error = host.try_call("fx.panics", json!({})).unwrap_err();
            assert_eq!(error.code().0, "PB-CALL-003", "{place}: {}", error.chain());
            assert_eq!(host.version(), "1.0.0");
        }
    }
}

#[test]
fn a_panic_at_the_end_of_an_instance_or_in_shutdown_holds_up_no_unload() {
    for place in ["destroy", "shutdown"] {
        let host = with_panic_in(place);
        host.wait("plugin.live", "panics", "1.0.0");
        assert_eq!(host.call("fx.panics", json!({})), true);
        fs::remove_file(host.inbox("panics.so")).unwrap();
        host.wait("revision.retired", "panics", "1.0.0");
        assert_eq!(host.version(), "1.0.0");
    }
}
