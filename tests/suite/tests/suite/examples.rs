//! The example programs of the host do what they show.

use std::process::Command;

use patchbay_tests_support::example;

#[test]
fn a_program_that_embeds_the_host_calls_it_and_ends_well() {
    let output = Command::new(example("embed")).output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("HELLO"), "{out}");
    assert!(!out.contains("refused"), "{out}");
    assert!(!out.contains("lacks the thread hooks"), "{out}");
}
