//! Listing what is in a folder.
//!
//! Invariant: a list has the same order whatever the disk says, a link is listed and never walked into, and a walk is
//! bounded in depth and in what it finds.

use std::ffi::OsStr;

use cap_std::fs::Dir;
use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Whole};
use plugin_io::Stop;

use crate::failure::failed;
use crate::folder::{enter, kind, within};
use crate::path::Below;

/// The deepest folder that is listed, from the first one on; each one above it is open meanwhile.
const DEEPEST: usize = 32;
/// Entries of a list, if the workflow does not say.
const USUAL_ENTRIES: i64 = 1_000;
/// The most entries of a list.
const MOST_ENTRIES: i64 = 100_000;

const WHAT: &str = "cannot list";

#[parameters]
pub(crate) struct List<'a> {
    /// The folder, relative to the tenant's folder; `.` for that one itself.
    #[serde(default, alias = "folder", alias = "directory", alias = "dir")]
    #[schemars(extend("default" = "."), length(max = 1_024))]
    path: Option<&'a str>,
    /// Whether folders in it are listed, too.
    #[serde(default)]
    recursive: Option<Flag>,
    /// How many files and folders there may be; it is an error if there are more.
    #[serde(default, alias = "max_entries")]
    #[schemars(extend("default" = 1_000), range(min = 1, max = 100_000))]
    max_entries: Option<Whole>,
}

/// What is in a folder.
#[output]
#[derive(Default)]
pub(crate) struct Listed {
    /// The files, relative to the tenant's folder, in the order of their names.
    files: Vec<String>,
    /// The folders.
    folders: Vec<String>,
    /// Files, folders and other things, with what they are.
    entries: Vec<Entry>,
}

/// One thing in a folder.
#[output]
pub(crate) struct Entry {
    /// Where it is, relative to the tenant's folder.
    path: String,
    /// Its name.
    name: String,
    /// `file`, `folder`, `link` or `other`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Bytes of a file; 0 for other things.
    size: u64,
}

/// Lists what is in a folder of the tenant's folder, and what is in the folders in it if `recursive` says so.
#[node(
    id = "file.list",
    aliases = ["tools.list_files", "tools.listFiles"],
    category = "files",
    effect = "idempotent",
    capabilities = ["fs"],
    tags = ["file", "folder"],
    example(
        title = "one folder",
        input = r#"{"path": "notes"}"#,
        output = r#"{
            "files": ["notes/today.txt"], "folders": ["notes/old"],
            "entries": [
                {"path": "notes/old", "name": "old", "type": "folder", "size": 0},
                {"path": "notes/today.txt", "name": "today.txt", "type": "file", "size": 10}
            ]
        }"#
    ),
    example(
        title = "with all below",
        input = r#"{"path": "notes", "recursive": true}"#,
        output = r#"{
            "files": ["notes/old/a.txt", "notes/today.txt"], "folders": ["notes/old"],
            "entries": [
                {"path": "notes/old", "name": "old", "type": "folder", "size": 0},
                {"path": "notes/old/a.txt", "name": "a.txt", "type": "file", "size": 1},
                {"path": "notes/today.txt", "name": "today.txt", "type": "file", "size": 10}
            ]
        }"#
    )
)]
pub(crate) async fn file_list(input: List<'_>, ctx: Ctx<'_>) -> NodeResult<Listed> {
    let path = Below::read(Some(input.path.unwrap_or(".")), "path")?;
    let most = input
        .max_entries
        .unwrap_or(Whole(USUAL_ENTRIES))
        .within("maxEntries", 1..=MOST_ENTRIES)?;
    let most = usize::try_from(most).unwrap_or_default();
    let deepest = if input.recursive == Some(Flag(true)) {
        DEEPEST
    } else {
        1
    };
    within(ctx, move |folder, stop| {
        let opened = folder.open_dir(path.as_str());
        let opened = opened.map_err(|error| failed(WHAT, path.as_str(), &error))?;
        let mut walk = Walk {
            listed: Listed::default(),
            seen: 0,
            most,
            deepest,
            stop,
        };
        walk.folder(&opened, &shown(&path), 1)?;
        Ok(walk.listed)
    })
    .await
}

/// The tenant's folder has no name in the paths of what is in it.
fn shown(path: &Below) -> String {
    match path.as_str() {
        "." => String::new(),
        path => format!("{path}/"),
    }
}

struct Walk<'s> {
    listed: Listed,
    /// Entries that were found, walked into or not.
    seen: usize,
    most: usize,
    deepest: usize,
    stop: &'s Stop,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Dir, prefix: &str, depth: usize) -> NodeResult<()> {
        let error = |error: std::io::Error| failed(WHAT, prefix.trim_end_matches('/'), &error);
        let mut found = Vec::new();
        for entry in folder.entries().map_err(error)? {
            self.stop.check()?;
            self.seen += 1;
            if self.seen > self.most {
                return Err(limit(&format!(
                    "there are more than {} entries; `maxEntries` says how many there may be",
                    self.most
                )));
            }
            // The name alone: an entry holds a handle, and the folders in this one are walked while it is kept.
            found.push(entry.map_err(error)?.file_name());
        }
        found.sort_unstable();
        for name in found {
            self.stop.check()?;
            let metadata = match folder.symlink_metadata(&name) {
                Ok(metadata) => metadata,
                // It went meanwhile.
                Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => continue,
                Err(other) => return Err(error(other)),
            };
            let text = name.to_string_lossy().into_owned();
            let path = format!("{prefix}{text}");
            let is_dir = metadata.is_dir();
            if is_dir {
                self.listed.folders.push(path.clone());
            } else if metadata.is_file() {
                self.listed.files.push(path.clone());
            }
            self.listed.entries.push(Entry {
                path: path.clone(),
                name: text,
                kind: kind(metadata.file_type()),
                size: if metadata.is_file() { metadata.len() } else { 0 },
            });
            if is_dir && self.deepest > 1 {
                self.below(folder, &name, &path, depth + 1)?;
            }
        }
        Ok(())
    }

    fn below(&mut self, folder: &Dir, name: &OsStr, path: &str, depth: usize) -> NodeResult<()> {
        if depth > self.deepest {
            return Err(limit(&format!("there are folders more than {DEEPEST} deep")));
        }
        match enter(folder, name) {
            Ok(inner) => self.folder(&inner, &format!("{path}/"), depth),
            Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(other) => Err(failed(WHAT, path, &other)),
        }
    }
}

fn limit(why: &str) -> NodeError {
    NodeError::with_code(code::LIMIT_EXCEEDED, format!("{WHAT} so much: {why}")).retryable(false)
}
