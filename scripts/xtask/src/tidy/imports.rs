//! Who may import whom: the table in ARCHITECTURE.md against the manifests.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Tree};

const TABLE: &str = "ARCHITECTURE.md";
const HEADING: &str = "| crate | may import |";

/// The name of a package in the table, by its folder.
fn name_of(folder: &str) -> &str {
    if let Some(name) = folder.strip_prefix("host/crates/") {
        return name;
    }
    if folder.starts_with("sample-plugins/") {
        return "sample-plugins";
    }
    for shared in ["tests/fixtures", "tests/frozen", "tests/hostile"] {
        if folder.starts_with(shared) {
            return shared;
        }
    }
    folder
}

fn table(tree: &Tree) -> Option<BTreeMap<String, BTreeSet<String>>> {
    let text = tree.file(TABLE)?.text.as_deref()?;
    let rows = text.lines().skip_while(|line| *line != HEADING).skip(2);
    let mut table = BTreeMap::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let (crates, imports) = (cells.next()?, cells.next()?);
        let imports: BTreeSet<String> = imports
            .split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| name != "none")
            .collect();
        for name in crates.split(',') {
            table.insert(name.trim().to_owned(), imports.clone());
        }
    }
    (!table.is_empty()).then_some(table)
}

pub(super) fn follow_the_table(tree: &Tree) -> Vec<Finding> {
    let Some(table) = table(tree) else {
        return vec![Finding::error(
            TABLE,
            format!("has no table that begins with `{HEADING}`"),
        )];
    };
    let mut actual: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in &tree.packages {
        let folder = package.folder(&tree.root);
        let name = name_of(&folder);
        let imports = actual.entry(name.to_owned()).or_default();
        for path in package
            .dependencies
            .iter()
            .filter_map(|dependency| dependency.path.as_deref())
        {
            let relative = path
                .strip_prefix(&tree.root)
                .unwrap_or(path)
                .to_string_lossy()
                .into_owned();
            let imported = name_of(&relative);
            if imported != name {
                imports.insert(imported.to_owned());
            }
        }
    }
    let mut findings = Vec::new();
    for (name, imports) in &actual {
        let Some(allowed) = table.get(name) else {
            findings.push(Finding::error(
                TABLE,
                format!("`{name}` is missing from the table of imports"),
            ));
            continue;
        };
        for extra in imports.difference(allowed) {
            let what = format!("`{name}` imports `{extra}`, which the table does not allow");
            findings.push(Finding::error(TABLE, what));
        }
        for unused in allowed.difference(imports) {
            let what = format!("`{name}` may import `{unused}` but does not: take it out of the table");
            findings.push(Finding::error(TABLE, what));
        }
    }
    for name in table.keys().filter(|name| !actual.contains_key(*name)) {
        findings.push(Finding::error(
            TABLE,
            format!("`{name}` is in the table but not in the workspace"),
        ));
    }
    findings
}

/// `patchbay_loader::load` takes what was merely inspected, for the child calls it too; a load for service begins
/// with what was probed.
pub(super) fn one_caller_loads(tree: &Tree) -> Vec<Finding> {
    const CALLERS: &[&str] = &[
        "host/crates/isolate/src/child.rs",
        "host/crates/lifecycle/src/admit.rs",
    ];
    let calls = tree
        .sources
        .iter()
        .filter(|source| source.is_rust() && !source.is_test())
        .filter(|source| {
            !source.path.starts_with("host/crates/loader/")
                && !source.path.starts_with("scripts/")
                && imports_load(source.code())
        });
    calls
        .filter(|source| !CALLERS.contains(&source.path.as_str()))
        .map(|source| {
            Finding::error(
                &source.path,
                "loads a plugin; only `lifecycle::admit` may, from what was probed",
            )
        })
        .collect()
}

fn imports_load(code: &str) -> bool {
    let mut rest = code;
    while let Some(at) = rest.find("patchbay_loader::") {
        rest = &rest[at + "patchbay_loader::".len()..];
        let list = rest.strip_prefix('{').and_then(|inner| inner.split('}').next());
        let names = list.unwrap_or_else(|| {
            rest.split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .next()
                .unwrap_or("")
        });
        if names.split(',').any(|name| name.trim() == "load") {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_of_load_is_found_alone_and_in_a_list() {
        assert!(imports_load("use patchbay_loader::load;"));
        assert!(imports_load("use patchbay_loader::{LoadedPlugin,\n    load};"));
        assert!(imports_load("patchbay_loader::load(&file)"));
        assert!(!imports_load("use patchbay_loader::{LoadedPlugin, Unloaded};"));
        assert!(!imports_load("patchbay_loader::loaded()"));
    }

    #[test]
    fn a_package_is_named_after_its_folder() {
        assert_eq!(name_of("host/crates/vocab"), "vocab");
        assert_eq!(name_of("sample-plugins/math"), "sample-plugins");
        assert_eq!(name_of("tests/fixtures/echo"), "tests/fixtures");
        assert_eq!(name_of("plugin-api/macros"), "plugin-api/macros");
    }
}
