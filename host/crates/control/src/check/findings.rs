//! What an author should mend in a file and in what its trial load showed.

use std::collections::BTreeMap;

use patchbay_intake::{Anatomy, Entry, Inspected};
use patchbay_isolate::Verdict;
use patchbay_lint::{Finding, Level};
use patchbay_vocab::{Code, PinReason};
use patchbay_wire::{ExampleOutcome, ExampleRunView};

/// Calls that act on the whole process; what a Rust library takes from its own standard library is not among them.
const UNUSUAL: [(&str, &str); 21] = [
    ("system", "starts a shell"),
    ("popen", "starts a shell"),
    ("fork", "copies the host with all its threads gone but one"),
    ("vfork", "stops the host until the child has begun"),
    ("exit", "ends the host"),
    ("_exit", "ends the host"),
    ("_Exit", "ends the host"),
    (
        "atexit",
        "leaves a function behind that runs when the plugin may be gone",
    ),
    ("setenv", "changes the environment while other threads read it"),
    ("unsetenv", "changes the environment while other threads read it"),
    ("putenv", "changes the environment while other threads read it"),
    ("chdir", "changes the working directory of the host"),
    ("fchdir", "changes the working directory of the host"),
    ("umask", "changes the rights of files that the host makes"),
    ("setlocale", "changes the language of the host"),
    ("setrlimit", "changes the limits of the host"),
    ("setuid", "changes the rights of the host"),
    ("setgid", "changes the rights of the host"),
    ("chroot", "changes the root of the host"),
    ("longjmp", "jumps over the host's frames"),
    ("kill", "signals other processes"),
];

/// Libraries that every plugin needs.
const USUAL_LIBRARIES: [&str; 4] = ["libc.so.6", "libm.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2"];

/// Of the file itself.
pub(super) fn of_the_file(inspected: &Inspected, anatomy: &Anatomy, findings: &mut Vec<Finding>) {
    let size = inspected.size();
    if anatomy.debug > size / 2 {
        findings.push(Finding::new(
            Level::Warning,
            Code("PB-LINT-020"),
            "size",
            format!(
                "{} of 100 bytes are debug information",
                percent(anatomy.debug, size)
            ),
            "ship it with `strip = true` in [profile.release]; a host copies and hashes every byte",
        ));
    } else if anatomy.symbols > size / 10 {
        findings.push(Finding::new(
            Level::Note,
            Code("PB-LINT-021"),
            "size",
            format!(
                "{} of 100 bytes are symbols that only tools need",
                percent(anatomy.symbols, size)
            ),
            "ship it with `strip = true` in [profile.release]",
        ));
    }
    let entry = inspected.entry_kind().symbol();
    let others: Vec<&str> = anatomy
        .exports
        .iter()
        .map(String::as_str)
        .filter(|name| *name != entry && !belongs_to_the_sdk(name))
        .collect();
    if !others.is_empty() {
        let fix = match inspected.entry_kind() {
            Entry::Sdk => "take `#[no_mangle]` away, or keep it if another program needs the symbol",
            Entry::C => "compile with -fvisibility=hidden",
        };
        findings.push(Finding::new(
            Level::Warning,
            Code("PB-LINT-022"),
            "exports",
            format!("{} symbol(s) beside the entry: {}", others.len(), listed(&others)),
            fix,
        ));
    }
    for (name, what) in UNUSUAL {
        if anatomy.imports.iter().any(|import| import == name) && !(name == "exit" && is_rust(inspected)) {
            findings.push(Finding::new(
                Level::Warning,
                Code("PB-LINT-023"),
                format!("imports {name}"),
                format!("it takes `{name}`, which {what}"),
                "do without it if you can; a host carries many plugins",
            ));
        }
    }
    for library in inspected.needed() {
        if !USUAL_LIBRARIES.contains(&library.as_str()) {
            findings.push(Finding::new(
                Level::Note,
                Code("PB-LINT-024"),
                format!("needs {library}"),
                "the library is shared with every other plugin and version that needs it",
                "link it statically if it keeps state, or see that every host has it",
            ));
        }
    }
}

/// What `export_plugin!` makes visible beside the entry.
fn belongs_to_the_sdk(name: &str) -> bool {
    name.starts_with("_1as_0lib_1header_0root_bmodule_bloader") || name.starts_with("PATCHBAY_")
}

fn is_rust(inspected: &Inspected) -> bool {
    inspected.entry_kind() == Entry::Sdk
}

/// Of what would keep a version mapped after its last call.
pub(super) fn of_the_trial(verdict: &Verdict, findings: &mut Vec<Finding>) {
    for reason in &verdict.pinned_by {
        let (code, why, fix) = match reason {
            PinReason::Threads(_) => (
                Code("PB-LINT-025"),
                "a thread that runs plugin code keeps the code mapped for as long as it runs",
                "end and join every thread in the node's Drop, or use `ctx.sleep` and async nodes instead",
            ),
            PinReason::ThreadLocals(_) => (
                Code("PB-LINT-026"),
                "a thread-local with a destructor keeps the code mapped until the host's thread that used it ends",
                "keep the value in the node, or make it a type without Drop; `rand::thread_rng` is a usual cause",
            ),
            PinReason::Calls(_) | PinReason::Objects(_) | PinReason::StillMapped | PinReason::KeepMapped => (
                Code("PB-LINT-027"),
                "the version stays mapped until that is gone",
                "see that every instance and future ends",
            ),
        };
        findings.push(Finding::new(
            Level::Warning,
            code,
            "unloading",
            format!("the trial load could not be unmapped at once: {reason}; {why}"),
            fix,
        ));
    }
    if verdict.keys > 0 {
        findings.push(Finding::new(
            Level::Note,
            Code("PB-LINT-028"),
            "unloading",
            format!(
                "it made {} thread-specific key(s); the host deletes them before it unmaps, and a process has 1,024",
                verdict.keys
            ),
            "nothing, as long as the number does not grow with use; `std::thread::current` makes one",
        ));
    }
}

/// Of the examples.
pub(super) fn of_the_examples(runs: &[ExampleRunView], findings: &mut Vec<Finding>) {
    let mut silent: BTreeMap<&str, usize> = BTreeMap::new();
    for run in runs {
        let (what, fix) = match run.outcome {
            ExampleOutcome::Holds => continue,
            ExampleOutcome::NotRun => {
                *silent.entry(run.node.as_str()).or_default() += 1;
                continue;
            }
            ExampleOutcome::Differs => ("gives another output", "correct the node or the example"),
            ExampleOutcome::Failed => ("fails", "correct the node or the example's input"),
        };
        let detail = run
            .notes
            .first()
            .or(run.got.as_ref())
            .cloned()
            .unwrap_or_default();
        findings.push(Finding::new(
            Level::Error,
            Code("PB-LINT-029"),
            format!("{} example `{}`", run.node, run.title),
            format!("the example {what}: {detail}"),
            fix,
        ));
    }
    for (node, count) in silent {
        findings.push(Finding::new(
            Level::Note,
            Code("PB-LINT-030"),
            node,
            format!(
                "{count} example(s) were not run: only nodes without effect that are not async are tried"
            ),
            "say effect = \"pure\" if the node has none",
        ));
    }
}

fn percent(part: u64, whole: u64) -> u64 {
    part.saturating_mul(100).checked_div(whole).unwrap_or(0)
}

fn listed(names: &[&str]) -> String {
    let mut text = names.iter().take(8).copied().collect::<Vec<_>>().join(", ");
    if names.len() > 8 {
        text.push_str(&format!(", and {} more", names.len() - 8));
    }
    text
}
