//! Plugins that are fit, and answer calls with what is no answer.

use patchbay_tests_support::patchbay::Explain;
use patchbay_tests_support::{TestHost, hostile};
use serde_json::json;

#[test]
fn every_kind_of_hostile_answer_ends_in_its_own_code() {
    let host = TestHost::holding(&["echo-1-0"], |_| {});
    for (source, code) in [
        ("output_garbage", "PB-CALL-005"),
        ("output_lies", "PB-CALL-005"),
        ("output_nothing", "PB-CALL-005"),
        ("output_flood", "PB-CALL-004"),
        ("output_deep", "PB-CALL-005"),
        ("output_counts", "PB-CALL-005"),
        ("status_unknown", "PB-CALL-002"),
    ] {
        hostile(source, &host.inbox(&format!("{source}.so")));
        host.wait("plugin.live", &format!("c-{source}"), "1.0.0");
        let error = host.try_call(&format!("c.{source}"), json!({})).unwrap_err();
        assert_eq!(error.code().0, code, "{source}: {}", error.chain());
        assert!(!error.help().is_empty());
        assert_eq!(host.version(), "1.0.0");
    }
}

#[test]
fn an_answer_with_any_byte_changed_is_a_value_or_is_refused() {
    let host = TestHost::start();
    hostile("output_mutants", &host.inbox("mutants.so"));
    host.wait("plugin.live", "c-output_mutants", "1.0.0");
    let (mut values, mut refused) = (0, 0);
    // Every value of every byte: lengths, offsets and kinds that lie, and texts that are none.
    for _ in 0..64 * 256 {
        match host.try_call("c.output_mutants", json!({})) {
            Ok(_) => values += 1,
            Err(error) => {
                assert_eq!(error.code().0, "PB-CALL-005", "{}", error.chain());
                refused += 1;
            }
        }
    }
    assert!(
        values > 1000 && refused > 1000,
        "{values} values, {refused} refused"
    );
}
