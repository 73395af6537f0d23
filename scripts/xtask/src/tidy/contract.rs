//! What others rely on: error codes, and the binary contract with its prose.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use super::{Finding, Tree};
use crate::{abi, tree};

const ERRORS: &str = "host/docs/errors.md";
const ABI: &str = "plugin-api/src/abi.rs";
/// The first contract as it was.
const FROZEN: &str = "tests/frozen/contract-1-0/src/";
const ABI_DOC: &str = "plugin-api/docs/abi.md";
const SEAL: &str = "<!-- abi.rs: blake3 ";
const SEAL_END: &str = " -->";

/// The codes in a text, each as often as it is there.
fn codes(text: &str) -> Vec<&str> {
    text.match_indices("PB-")
        .filter_map(|(at, _)| {
            let rest = &text[at + 3..];
            let area = rest
                .find(|c: char| !c.is_ascii_uppercase())
                .filter(|length| *length > 0)?;
            let digits = rest[area..].strip_prefix('-')?;
            let length = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            (length == 3).then(|| &text[at..at + 3 + area + 1 + length])
        })
        .collect()
}

pub(super) fn codes_are_documented(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut made: BTreeMap<&str, &str> = BTreeMap::new();
    for source in tree
        .sources
        .iter()
        .filter(|source| source.is_rust() && !source.is_test())
    {
        if !source.path.contains("/src/") || source.path.starts_with("scripts/") {
            continue;
        }
        let lines = source
            .code()
            .lines()
            .filter(|line| !line.trim_start().starts_with("//") && !line.contains("example"));
        for code in lines.flat_map(codes) {
            if let Some(other) = made.insert(code, &source.path)
                && other != source.path
            {
                findings.push(Finding::error(
                    &source.path,
                    format!("{code} is used by {other}, too: a code has one meaning"),
                ));
            }
        }
    }
    let documented = tree
        .file(ERRORS)
        .and_then(|source| source.text.as_deref())
        .unwrap_or_default();
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    for row in documented.lines().filter_map(|line| line.strip_prefix("| `")) {
        if let Some(code) = codes(row).first() {
            *rows.entry(code).or_default() += 1;
        }
    }
    for (code, path) in made.iter().filter(|(code, _)| !rows.contains_key(*code)) {
        findings.push(Finding::error(*path, format!("{code} has no row in {ERRORS}")));
    }
    for (code, count) in &rows {
        if !made.contains_key(code) {
            findings.push(Finding::error(ERRORS, format!("{code} is not in the sources")));
        }
        if *count > 1 {
            findings.push(Finding::error(ERRORS, format!("{code} has {count} rows")));
        }
    }
    findings
}

fn hash_of_abi(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}

fn seal_in(text: &str) -> Option<&str> {
    text.split_once(SEAL)?
        .1
        .split_once(SEAL_END)
        .map(|(seal, _)| seal)
}

pub(super) fn abi_document_is_sealed(tree: &Tree) -> Vec<Finding> {
    let text = |path| {
        tree.file(path)
            .and_then(|source| source.text.as_deref())
            .unwrap_or_default()
    };
    if seal_in(text(ABI_DOC)) == Some(hash_of_abi(text(ABI)).as_str()) {
        return Vec::new();
    }
    let what = format!("{ABI} has changed: bring the prose up to date, then run `cargo xtask seal-abi`");
    vec![Finding::error(ABI_DOC, what)]
}

/// The sources against the snapshots, the snapshots against each other, and the frozen copy against the first of them.
pub(super) fn contract_is_as_recorded(tree: &Tree) -> Vec<Finding> {
    match compared(tree) {
        Ok(findings) => findings,
        Err(error) => vec![Finding::error(abi::FOLDER, format!("{error:#}"))],
    }
}

fn compared(tree: &Tree) -> Result<Vec<Finding>> {
    let text = |path: &str| tree.file(path).and_then(|source| source.text.clone());
    let recorded = abi::recorded(&tree.sources)?;
    let (version, current) = abi::of_sources(text)?;
    let wrong = abi::check(version, &current, &recorded);
    let mut findings: Vec<Finding> = wrong.into_iter().map(|what| Finding::error(ABI, what)).collect();
    let frozen = abi::of_sources(|path| {
        let copy = path
            .strip_prefix("plugin-api/src/")
            .and_then(|name| text(&format!("{FROZEN}{name}")));
        copy.or_else(|| text(path))
    })?
    .1;
    for change in recorded
        .get(&(1, 0))
        .map(|first| abi::compare(first, &frozen))
        .unwrap_or_default()
    {
        findings.push(Finding::error(
            FROZEN,
            format!("{}: the frozen copy is never edited", change.what),
        ));
    }
    findings.extend(additions_are_listed(
        &recorded,
        &text(abi::VERSION).unwrap_or_default(),
    ));
    Ok(findings)
}

/// What a minor added is named in `ADDED`, from which a host says what it lacks.
fn additions_are_listed(recorded: &BTreeMap<abi::Version, abi::Contract>, listed: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (older, newer) in recorded.iter().zip(recorded.iter().skip(1)) {
        for table in newer
            .1
            .types
            .iter()
            .filter(|table| older.0.0 == newer.0.0 && table.is_table)
        {
            let before = older.1.types.iter().find(|known| known.name == table.name);
            let known = before.map_or(0, |before| before.fields.len());
            for field in table.fields.iter().skip(known) {
                let name = format!("\"{}.{}\"", table.name, field.name);
                if !listed.contains(&name) {
                    findings.push(Finding::error(
                        abi::VERSION,
                        format!("ADDED does not list {name} of {}.{}", newer.0.0, newer.0.1),
                    ));
                }
            }
        }
    }
    findings
}

/// Records the contract as it is, and that the prose fits it.
pub(crate) fn seal_abi() -> Result<()> {
    let root = tree::root();
    let sources = tree::sources(&root)?;
    let text = |path: &str| std::fs::read_to_string(root.join(path)).ok();
    let recorded = abi::recorded(&sources)?;
    let (version, current) = abi::of_sources(text)?;
    let path = abi::path_of(version);
    if let Some(known) = recorded.get(&version) {
        // What was recorded may be in use: it is not recorded anew.
        let changes = abi::compare(known, &current);
        if let Some(change) = changes.first() {
            bail!(
                "{path} is recorded and differs ({}): raise CONTRACT, or, if {}.{} was never released, delete the file first",
                change.what,
                version.0,
                version.1
            );
        }
    } else {
        std::fs::create_dir_all(root.join(abi::FOLDER)).context(abi::FOLDER)?;
        std::fs::write(root.join(&path), abi::snapshot(version, &current)?).context(path.clone())?;
        println!("recorded {path}");
    }
    let abi_text = std::fs::read_to_string(root.join(ABI)).context(ABI)?;
    let prose = std::fs::read_to_string(root.join(ABI_DOC)).context(ABI_DOC)?;
    let old = seal_in(&prose).with_context(|| format!("{ABI_DOC} has no line `{SEAL}...{SEAL_END}`"))?;
    let sealed = prose.replace(
        &format!("{SEAL}{old}{SEAL_END}"),
        &format!("{SEAL}{}{SEAL_END}", hash_of_abi(&abi_text)),
    );
    std::fs::write(root.join(ABI_DOC), sealed).context(ABI_DOC)?;
    println!("sealed {ABI_DOC}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_an_area_and_three_digits() {
        assert_eq!(
            codes("`PB-LOAD-001`, PB-X-12 and PB-HTTP-0001, PB-CLI-002."),
            ["PB-LOAD-001", "PB-CLI-002"]
        );
        assert_eq!(codes("PB-AREA-NNN PB-"), [""; 0]);
    }

    #[test]
    fn the_seal_is_read_from_its_line() {
        assert_eq!(seal_in("a\n<!-- abi.rs: blake3 0123 -->\nb"), Some("0123"));
        assert_eq!(seal_in("none"), None);
    }
}
