//! The binary contract as data: read from its sources, written as a snapshot, compared with the ones recorded.
//!
//! Invariant: a recorded snapshot is never rewritten, and each minor's contains the one before it: same constants, same
//! shapes, and tables that begin with the same fields.
//!
//! ```text
//! abi.rs, note.rs --read--> Contract --text--> plugin-api/abi/1.1.txt
//!                               \------rules------/
//! ```

mod read;
mod rules;
mod text;

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

pub(crate) use rules::{Kind, compare};

use crate::tree::Source;

/// Where the snapshots are.
pub(crate) const FOLDER: &str = "plugin-api/abi";
/// What the contract is read from: constants and types of the binary interface, the note, the tags of values.
pub(crate) const SOURCES: [&str; 3] = [
    "plugin-api/src/abi.rs",
    "plugin-api/src/note.rs",
    "plugin-api/src/value/layout.rs",
];
/// Where the version of the contract is.
pub(crate) const VERSION: &str = "plugin-api/src/contract.rs";

/// A version of the contract: major, minor.
pub(crate) type Version = (u32, u32);

/// What of the contract a binary depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contract {
    /// `type` aliases: name, type.
    pub(crate) aliases: BTreeMap<String, String>,
    /// Name, with its module; type and value.
    pub(crate) constants: BTreeMap<String, String>,
    pub(crate) types: Vec<Type>,
}

/// A `repr(C)` type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Type {
    pub(crate) name: String,
    /// Grows at the tail; otherwise it never changes.
    pub(crate) is_table: bool,
    pub(crate) size: usize,
    pub(crate) fields: Vec<Field>,
}

/// A field of a [`Type`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) ty: String,
    pub(crate) offset: usize,
    pub(crate) size: usize,
}

/// The contract as the sources have it.
pub(crate) fn of_sources(file: impl Fn(&str) -> Option<String>) -> Result<(Version, Contract)> {
    let open = |path: &str| file(path).with_context(|| format!("{path} is not there"));
    let sources = SOURCES
        .iter()
        .map(|path| Ok((module_of(path), open(path)?)))
        .collect::<Result<Vec<_>>>()?;
    let contract = read::contract(&sources)?;
    Ok((read::version(&open(VERSION)?)?, contract))
}

/// The module that a source's constants are named after; those of `abi.rs` bear the names of their own modules.
fn module_of(path: &str) -> &'static str {
    match path.rsplit('/').next() {
        Some("note.rs") => "note",
        Some("layout.rs") => "value",
        _ => "",
    }
}

/// The path of a version's snapshot.
pub(crate) fn path_of(version: Version) -> String {
    format!("{FOLDER}/{}.{}.txt", version.0, version.1)
}

/// The recorded snapshots.
pub(crate) fn recorded<'s>(
    sources: impl IntoIterator<Item = &'s Source>,
) -> Result<BTreeMap<Version, Contract>> {
    let mut found = BTreeMap::new();
    for source in sources {
        let Some(name) = source
            .path
            .strip_prefix(FOLDER)
            .and_then(|rest| rest.strip_prefix('/'))
        else {
            continue;
        };
        let version = name.strip_suffix(".txt").and_then(|name| name.split_once('.'));
        let version = version.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        let Some(version) = version else {
            bail!("{}: a snapshot is named MAJOR.MINOR.txt", source.path);
        };
        let text = source.text.as_deref().unwrap_or_default();
        let contract = text::parse(text).with_context(|| source.path.clone())?;
        found.insert(version, contract);
    }
    Ok(found)
}

/// The text of a snapshot.
pub(crate) fn snapshot(version: Version, contract: &Contract) -> Result<String> {
    let text = text::render(version, contract);
    ensure!(
        text::parse(&text)? == *contract,
        "a snapshot does not read back as what was written"
    );
    Ok(text)
}

/// What is wrong with the contract as the sources have it, beside what was recorded.
pub(crate) fn check(
    version: Version,
    current: &Contract,
    recorded: &BTreeMap<Version, Contract>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let (major, minor) = version;
    for (older, newer) in recorded.iter().zip(recorded.iter().skip(1)) {
        if older.0.0 != newer.0.0 {
            continue;
        }
        for change in compare(older.1, newer.1)
            .into_iter()
            .filter(|change| change.kind == Kind::Break)
        {
            wrong.push(format!(
                "{} does not begin with {}: {}",
                path_of(*newer.0),
                path_of(*older.0),
                change.what
            ));
        }
    }
    let Some(known) = recorded.get(&version) else {
        wrong.push(format!(
            "contract {major}.{minor} is not recorded: run `cargo xtask seal-abi`"
        ));
        return wrong;
    };
    for change in compare(known, current) {
        let what = &change.what;
        wrong.push(match change.kind {
            Kind::Growth => format!(
                "{what}: a new minor. Raise CONTRACT in {VERSION} to {major}.{}, list it in ADDED, and record it with \
                 `cargo xtask seal-abi`",
                minor + 1
            ),
            Kind::Break => format!(
                "{what}: old plugins can no longer load. Take it back, or make it contract {}.0",
                major + 1
            ),
        });
    }
    wrong
}

#[cfg(test)]
mod tests;
