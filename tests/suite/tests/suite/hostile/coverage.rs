//! No code without a file that ends in it, and no row of the document without a case.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::cases::{CASES, Caught};

/// Codes that are shown by a test beside their source, and the text of that test.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "PB-WATCH-001",
        "tests/suite/tests/suite/hostile/directory.rs",
        "PB-WATCH-001",
    ),
    (
        "PB-WATCH-002",
        "tests/suite/tests/suite/hostile/directory.rs",
        "PB-WATCH-002",
    ),
    (
        "PB-WATCH-003",
        "tests/suite/tests/suite/hostile/rights.rs",
        "PB-WATCH-003",
    ),
    (
        "PB-WATCH-004",
        "tests/suite/tests/suite/hostile/rights.rs",
        "PB-WATCH-004",
    ),
    (
        "PB-STAGE-001",
        "host/crates/intake/src/stage/tests.rs",
        "\"PB-STAGE-001\"",
    ),
    (
        "PB-STAGE-007",
        "tests/suite/tests/suite/hostile/rights.rs",
        "PB-STAGE-007",
    ),
    (
        "PB-STAGE-010",
        "host/crates/intake/src/stage/tests.rs",
        "\"PB-STAGE-010\"",
    ),
    (
        "PB-STAGE-011",
        "tests/suite/tests/suite/hostile/disk.rs",
        "PB-STAGE-011",
    ),
    (
        "PB-STAGE-013",
        "tests/suite/tests/suite/hostile/disk.rs",
        "PB-STAGE-013",
    ),
    (
        "PB-STAGE-014",
        "host/crates/intake/src/stage/tests.rs",
        "\"PB-STAGE-014\"",
    ),
    (
        "PB-STAGE-015",
        "host/crates/intake/src/stage/tests.rs",
        "\"PB-STAGE-015\"",
    ),
    (
        "PB-INSPECT-036",
        "host/crates/intake/src/inspect/tests/kinds.rs",
        "\"PB-INSPECT-036\"",
    ),
    ("PB-PROBE-002", "tests/suite/tests/suite/probe.rs", "PB-PROBE-002"),
    (
        "PB-LOAD-001",
        "tests/suite/tests/suite/hostile/disk.rs",
        "PB-LOAD-001",
    ),
];

/// Codes that no file can bring about, and why.
const NOT_BY_A_FILE: &[(&str, &str)] = &[
    ("PB-WATCH-005", "needs a file system without events"),
    ("PB-WATCH-006", "needs the limit on threads to be used up"),
    ("PB-STAGE-012", "needs a disk that fails"),
    ("PB-PROBE-001", "needs the limit on processes to be used up"),
    (
        "PB-PROBE-007",
        "the child bounds its metadata below what the host hears; only another helper says more",
    ),
    (
        "PB-PROBE-008",
        "is never shown where the child gave a code of its own, and it always does",
    ),
    ("PB-LOAD-002", "needs a disk that changes what was written"),
    (
        "PB-LOAD-003",
        "needs a data directory whose path has a NUL, which no system allows",
    ),
    ("PB-LOAD-004", "needs 4,096 libraries"),
    (
        "PB-LOAD-005",
        "what the dynamic linker refuses was refused before, but for some random damage: see the mutants",
    ),
    (
        "PB-LOAD-006",
        "the inspection has looked the entry up; some random damage gets past it: see the mutants",
    ),
    ("PB-LOAD-007", "needs a plugin of another SDK"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_code_of_the_pipeline_is_brought_about_or_excused() {
    let errors = fs::read_to_string(root().join("host/docs/errors.md")).unwrap();
    let areas = ["PB-WATCH-", "PB-STAGE-", "PB-INSPECT-", "PB-PROBE-", "PB-LOAD-"];
    let documented = errors
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let documented: Vec<_> = documented
        .filter(|code| areas.iter().any(|area| code.starts_with(area)))
        .collect();
    assert!(documented.len() > 70, "{}", documented.len());
    let mut shown = BTreeMap::<&str, Vec<&str>>::new();
    for case in CASES.iter().filter(|case| case.caught != Caught::Nowhere) {
        shown.entry(case.code).or_default().push(case.name);
    }
    for (code, file, text) in ELSEWHERE {
        let source = fs::read_to_string(root().join(file)).unwrap();
        assert!(source.contains(text), "{file} does not speak of {text}");
        shown.entry(code).or_default().push(file);
    }
    for (code, why) in NOT_BY_A_FILE {
        assert!(!shown.contains_key(code), "{code} is brought about: {why}");
        shown.entry(code).or_default().push(why);
    }
    let missing: Vec<_> = documented
        .iter()
        .filter(|code| !shown.contains_key(**code))
        .collect();
    assert!(missing.is_empty(), "no test brings about {missing:?}");
    let unknown: Vec<_> = shown.keys().filter(|code| !documented.contains(code)).collect();
    assert!(unknown.is_empty(), "not in errors.md: {unknown:?}");
}

#[test]
fn the_document_has_one_row_for_each_case() {
    let page = fs::read_to_string(root().join("host/docs/hostile-files.md")).unwrap();
    let rows: Vec<_> = page
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains(" | "))
        .collect();
    let mut expected = Vec::new();
    for case in CASES {
        let caught = match case.caught {
            Caught::Stage => "stage",
            Caught::Inspect => "inspect",
            Caught::Probe => "probe",
            Caught::Load => "load",
            Caught::Nowhere => "nowhere",
        };
        let code = if case.caught == Caught::Nowhere {
            "none: it goes live".to_owned()
        } else {
            format!("`{}`", case.code)
        };
        expected.push(format!("| {} | {caught} | {code} |", case.what));
    }
    let missing: Vec<_> = expected
        .iter()
        .filter(|row| !rows.contains(&row.as_str()))
        .cloned()
        .collect();
    assert!(missing.is_empty(), "rows to add:\n{}", missing.join("\n"));
    let stages = ["stage", "inspect", "probe", "load", "nowhere"];
    let listed = rows.iter().filter(|row| {
        let caught = row.split(" | ").nth(1);
        caught.is_some_and(|caught| stages.contains(&caught))
    });
    assert_eq!(listed.count(), expected.len(), "rows of cases that are gone");
}
