//! What an author should mend in a file and in what its trial load showed.

use std::collections::BTreeMap;

use patchbay_intake::{Anatomy, Entry};
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

/// What is known of a file without running it.
pub(super) struct FileFacts<'a> {
    pub(super) size: u64,
    pub(super) entry: Entry,
    pub(super) needed: &'a [String],
    pub(super) anatomy: &'a Anatomy,
}

/// Of the file itself.
pub(super) fn of_the_file(file: &FileFacts<'_>, findings: &mut Vec<Finding>) {
    let FileFacts { size, anatomy, .. } = *file;
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
    let entry = file.entry.symbol();
    let others: Vec<&str> = anatomy
        .exports
        .iter()
        .map(String::as_str)
        .filter(|name| *name != entry && !belongs_to_the_sdk(name))
        .collect();
    if !others.is_empty() {
        let fix = match file.entry {
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
        if anatomy.imports.iter().any(|import| import == name)
            && !(name == "exit" && file.entry == Entry::Sdk)
        {
            findings.push(Finding::new(
                Level::Warning,
                Code("PB-LINT-023"),
                format!("imports {name}"),
                format!("it takes `{name}`, which {what}"),
                "do without it if you can; a host carries many plugins",
            ));
        }
    }
    for library in file.needed {
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

/// Of what the trial lacked, and of what would keep a version mapped after its last call.
pub(super) fn of_the_trial(verdict: &Verdict, findings: &mut Vec<Finding>) {
    for layer in &verdict.missing {
        findings.push(Finding::new(
            Level::Warning,
            Code("PB-LINT-031"),
            "trial load",
            format!("a layer of the trial was missing: {layer}"),
            "check it on a system that gives seccomp filters and /proc to children; a host without them keeps no verdict",
        ));
    }
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
            .or(run.error.as_ref())
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

#[cfg(test)]
mod tests {
    use patchbay_isolate::{Layer, Verdict};

    use super::*;

    fn codes(findings: &[Finding]) -> Vec<(&str, Level)> {
        findings
            .iter()
            .map(|finding| (finding.code.0, finding.level))
            .collect()
    }

    fn of_file(entry: Entry, needed: &[&str], change: impl FnOnce(&mut Anatomy)) -> Vec<Finding> {
        let mut anatomy = Anatomy {
            code: 800,
            symbols: 100,
            exports: vec![entry.symbol().into()],
            imports: vec!["malloc".into(), "exit".into()],
            ..Anatomy::default()
        };
        change(&mut anatomy);
        let needed: Vec<String> = needed.iter().map(ToString::to_string).collect();
        let file = FileFacts {
            size: 1_000,
            entry,
            needed: &needed,
            anatomy: &anatomy,
        };
        let mut findings = Vec::new();
        of_the_file(&file, &mut findings);
        findings
    }

    #[test]
    fn a_small_file_with_its_entry_alone_gives_no_finding() {
        assert_eq!(of_file(Entry::Sdk, &["libc.so.6"], |_| {}), []);
    }

    #[test]
    fn debug_information_is_a_warning_when_it_is_most_of_the_file_and_symbols_are_a_note() {
        let debug = of_file(Entry::Sdk, &[], |anatomy| anatomy.debug = 600);
        assert_eq!(codes(&debug), [("PB-LINT-020", Level::Warning)]);
        assert!(debug[0].message.starts_with("60 of 100"), "{debug:?}");
        let symbols = of_file(Entry::Sdk, &[], |anatomy| anatomy.symbols = 300);
        assert_eq!(codes(&symbols), [("PB-LINT-021", Level::Note)]);
    }

    #[test]
    fn other_exports_and_calls_that_act_on_the_whole_process_are_warnings() {
        let exports = of_file(Entry::Sdk, &[], |anatomy| anatomy.exports.push("stray".into()));
        assert_eq!(codes(&exports), [("PB-LINT-022", Level::Warning)]);
        assert!(exports[0].message.contains("stray"));
        let imports = of_file(Entry::Sdk, &[], |anatomy| anatomy.imports.push("setenv".into()));
        assert_eq!(codes(&imports), [("PB-LINT-023", Level::Warning)]);
        // Every Rust library takes `exit`; one in C that does so means it.
        assert_eq!(
            codes(&of_file(Entry::C, &[], |_| {})),
            [("PB-LINT-023", Level::Warning)]
        );
        let needs = of_file(Entry::Sdk, &["libstdc++.so.6"], |_| {});
        assert_eq!(codes(&needs), [("PB-LINT-024", Level::Note)]);
    }

    #[test]
    fn what_a_trial_lacked_and_what_would_pin_a_version_is_told_with_its_meaning() {
        let verdict = Verdict {
            stages: Vec::new(),
            nodes: Vec::new(),
            examples: Vec::new(),
            pinned_by: vec![
                PinReason::Threads(2),
                PinReason::ThreadLocals(1),
                PinReason::Objects(1),
            ],
            keys: 3,
            description: patchbay_vocab::Digest::of(b""),
            meta: None,
            missing: vec![Layer::Fence("no filters".into()), Layer::Witness],
        };
        let mut findings = Vec::new();
        of_the_trial(&verdict, &mut findings);
        assert_eq!(
            codes(&findings),
            [
                ("PB-LINT-031", Level::Warning),
                ("PB-LINT-031", Level::Warning),
                ("PB-LINT-025", Level::Warning),
                ("PB-LINT-026", Level::Warning),
                ("PB-LINT-027", Level::Warning),
                ("PB-LINT-028", Level::Note),
            ]
        );
        assert!(findings[0].message.contains("no filters"), "{findings:?}");
        assert!(
            findings[1].message.contains("where the child halts"),
            "{findings:?}"
        );
        assert!(findings[2].message.contains("2 thread(s)"), "{findings:?}");
    }

    #[test]
    fn an_example_that_fails_is_an_error_and_those_not_run_are_one_note_for_the_node() {
        let run = |outcome| ExampleRunView {
            node: "a.b".parse().unwrap(),
            title: "first".into(),
            outcome,
            micros: None,
            expected: serde_json::Value::Null,
            got: None,
            error: Some("got".into()),
            notes: Vec::new(),
        };
        let runs = [
            run(ExampleOutcome::Holds),
            run(ExampleOutcome::NotRun),
            run(ExampleOutcome::NotRun),
            run(ExampleOutcome::Differs),
            run(ExampleOutcome::Failed),
        ];
        let mut findings = Vec::new();
        of_the_examples(&runs, &mut findings);
        assert_eq!(
            codes(&findings),
            [
                ("PB-LINT-029", Level::Error),
                ("PB-LINT-029", Level::Error),
                ("PB-LINT-030", Level::Note),
            ]
        );
    }
}
