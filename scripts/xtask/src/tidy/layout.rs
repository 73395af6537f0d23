//! How the tree is laid out: folders, file lengths, names, unsafe zones.

use std::os::unix::fs::PermissionsExt;

use super::{Finding, Tree};

/// A file longer than this is refused.
const LONGEST: usize = 600;
/// A file longer than this is pointed at.
const LONG: usize = 400;

/// Crates whose root cannot forbid `unsafe`, since a zone lies in them.
const ZONE_CRATES: &[&str] = &["plugin-api", "plugin-api/io", "host/crates/loader"];
/// Where the lint is lifted, and for how many modules.
const ZONE_GATES: &[(&str, usize)] = &[
    ("plugin-api/src/lib.rs", 2),
    ("plugin-api/io/src/lib.rs", 1),
    ("host/crates/loader/src/lib.rs", 1),
];

const EMPTY_NAMES: &[&str] = &[
    "manager", "managers", "helper", "helpers", "util", "utils", "common", "misc", "data", "info",
];

const FOLDERS: &[&str] = &["host", "plugin-api", "sample-plugins", "scripts", "tests"];
const SCRIPTS: &[&str] = &[
    "scripts/up",
    "scripts/test",
    "scripts/bench",
    "scripts/peers/run",
    ".ci/run",
];

pub(super) fn lints_are_shared(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &tree.packages {
        let path = format!("{}/Cargo.toml", package.folder(&tree.root));
        let text = tree
            .file(&path)
            .and_then(|source| source.text.as_deref())
            .unwrap_or_default();
        // Plugins that misbehave on purpose set their own.
        let exempt = path.starts_with("tests/hostile/") || path.starts_with("tests/fixtures/");
        if !exempt && !text.contains("[lints]\nworkspace = true") {
            findings.push(Finding::error(
                path,
                format!("`{}` needs `[lints] workspace = true`", package.name),
            ));
        }
    }
    findings
}

pub(super) fn unsafe_stays_in_its_zones(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &tree.packages {
        let folder = package.folder(&tree.root);
        if ZONE_CRATES.contains(&folder.as_str()) || folder.starts_with("tests/") {
            continue;
        }
        // Examples, tests and build scripts are under the workspace's lint alone, which is not lifted there (see below).
        let minor = ["custom-build", "example", "test", "bench"];
        for target in package
            .targets
            .iter()
            .filter(|target| target.kind.iter().all(|kind| !minor.contains(&kind.as_str())))
        {
            let path = target
                .src_path
                .strip_prefix(&tree.root)
                .unwrap_or(&target.src_path)
                .to_string_lossy();
            let text = tree
                .file(&path)
                .and_then(|source| source.text.as_deref())
                .unwrap_or_default();
            if !text.contains("#![forbid(unsafe_code)]") {
                findings.push(Finding::error(
                    path,
                    "a crate root outside the zones says `#![forbid(unsafe_code)]`",
                ));
            }
        }
    }
    for source in tree.sources.iter().filter(|source| source.is_rust()) {
        if source.path.starts_with("tests/") || source.path.starts_with("scripts/") {
            continue;
        }
        let text = source.text.as_deref().unwrap_or_default();
        let lifts = |line: &&str| {
            let line = line.trim_start();
            !line.starts_with("//") && line.contains("unsafe_code") && !line.contains("forbid(unsafe_code)")
        };
        let found = text.lines().filter(lifts).count();
        let agreed = ZONE_GATES
            .iter()
            .find(|(path, _)| *path == source.path)
            .map_or(0, |(_, gates)| *gates);
        if found != agreed {
            let what = format!(
                "lifts `unsafe_code` {found} time(s), {agreed} agreed: see the unsafe zones in ARCHITECTURE.md"
            );
            findings.push(Finding::error(&source.path, what));
        }
    }
    findings
}

pub(super) fn files_are_short(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree
        .sources
        .iter()
        .filter(|source| source.is_rust() && !source.is_test())
    {
        match source.code().lines().count() {
            lines if lines > LONGEST => {
                findings.push(Finding::error(
                    &source.path,
                    format!("{lines} lines, {LONGEST} at most: split it by subject"),
                ));
            }
            lines if lines > LONG => {
                findings.push(Finding::warning(
                    &source.path,
                    format!("{lines} lines, {LONG} read well"),
                ));
            }
            _ => {}
        }
    }
    findings
}

pub(super) fn names_say_something(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.sources.iter().filter(|source| source.is_rust()) {
        let parts = source.path.trim_end_matches(".rs").split('/');
        for part in parts.filter(|part| EMPTY_NAMES.contains(part) || part.starts_with("handle_")) {
            findings.push(Finding::error(
                &source.path,
                format!("`{part}` says nothing: name it after what is in it"),
            ));
        }
        // A module written in place.
        for name in source
            .text
            .iter()
            .flat_map(|text| text.lines())
            .filter_map(module_name)
        {
            if EMPTY_NAMES.contains(&name) {
                findings.push(Finding::error(
                    &source.path,
                    format!("module `{name}` says nothing"),
                ));
            }
        }
    }
    findings
}

fn module_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = line.strip_prefix("mod ").or_else(|| {
        line.split_once(" mod ")
            .filter(|(before, _)| before.starts_with("pub"))
            .map(|(_, rest)| rest)
    })?;
    rest.strip_suffix(" {").or_else(|| rest.strip_suffix(';'))
}

pub(super) fn top_level_is_as_agreed(tree: &Tree) -> Vec<Finding> {
    let mut extra: Vec<&str> = tree
        .sources
        .iter()
        .filter_map(|source| source.path.split_once('/').map(|(folder, _)| folder))
        .filter(|folder| !FOLDERS.contains(folder) && !folder.starts_with('.'))
        .collect();
    extra.dedup();
    extra
        .into_iter()
        .map(|folder| Finding::error(folder, "is no folder of the top level; see STYLE.md, Layout"))
        .collect()
}

pub(super) fn scripts_can_be_run(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for script in SCRIPTS {
        let mode = std::fs::metadata(tree.root.join(script)).map(|found| found.permissions().mode());
        let text = tree
            .file(script)
            .and_then(|source| source.text.as_deref())
            .unwrap_or_default();
        if !mode.is_ok_and(|mode| mode & 0o111 == 0o111) {
            findings.push(Finding::error(*script, "is missing or not executable: chmod +x"));
        } else if !text.starts_with("#!/usr/bin/env bash\n") || !text.contains("\nset -euo pipefail\n") {
            findings.push(Finding::error(
                *script,
                "begins with `#!/usr/bin/env bash` and sets `-euo pipefail`",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_in_place_and_in_files() {
        assert_eq!(module_name("mod common;"), Some("common"));
        assert_eq!(module_name("    pub(crate) mod util {"), Some("util"));
        assert_eq!(module_name("// a mod of its own;"), None);
        assert_eq!(module_name("let module = 1;"), None);
    }
}
