//! What is there, and making folders.

use cap_std::fs::{Metadata, MetadataExt as _};
use chrono::{DateTime, SecondsFormat, Utc};
use plugin_api::prelude::*;

use crate::failure::{WRONG_KIND, failed};
use crate::folder::{kind, within};
use crate::path::Below;

#[parameters]
pub(crate) struct Place<'a> {
    /// The file or folder, relative to the tenant's folder; `.` for that one itself. It must be given.
    #[serde(
        default,
        alias = "file",
        alias = "filename",
        alias = "filePath",
        alias = "folder"
    )]
    #[schemars(length(max = 1_024))]
    path: Option<&'a str>,
}

/// Whether something is there.
#[output]
pub(crate) struct Exists {
    /// Whether it is.
    exists: bool,
    /// `file`, `folder` or `other`; null if it is not there. What a link leads to counts.
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    /// The path.
    path: String,
}

/// Says whether there is a file or folder in the tenant's folder. A link that leads nowhere is not there.
#[node(
    id = "file.exists",
    category = "files",
    effect = "idempotent",
    capabilities = ["fs"],
    tags = ["file"],
    example(
        title = "a folder",
        input = r#"{"path": "notes"}"#,
        output = r#"{"exists": true, "type": "folder", "path": "notes"}"#
    ),
    example(
        title = "what is not there",
        input = r#"{"path": "notes/tomorrow.txt"}"#,
        output = r#"{"exists": false, "type": null, "path": "notes/tomorrow.txt"}"#
    )
)]
pub(crate) async fn file_exists(input: Place<'_>, ctx: Ctx<'_>) -> NodeResult<Exists> {
    let path = Below::read(input.path, "path")?;
    within(ctx, move |folder, _| {
        use std::io::ErrorKind;
        let found = match folder.metadata(path.as_str()) {
            Ok(found) => Some(kind(found.file_type())),
            // Nothing is in a file either.
            Err(missing) if matches!(missing.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => None,
            Err(error) => return Err(failed("cannot look at", path.as_str(), &error)),
        };
        Ok(Exists {
            exists: found.is_some(),
            kind: found,
            path: path.as_str().to_owned(),
        })
    })
    .await
}

/// What is there.
#[output]
pub(crate) struct Stat {
    /// The path.
    path: String,
    /// The name.
    name: String,
    /// `file`, `folder` or `other`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Bytes of a file; 0 for other things.
    size: u64,
    /// When its content changed last, as an ISO text in UTC; null where that is not known.
    modified: Option<String>,
    /// Whether nobody may write to it.
    read_only: bool,
}

/// Says what a file or folder of the tenant's folder is: its kind, its size, when it changed. A link is followed.
#[node(
    id = "file.stat",
    aliases = ["file.info"],
    category = "files",
    effect = "idempotent",
    capabilities = ["fs"],
    tags = ["file"],
    example(
        title = "a file",
        input = r#"{"path": "notes/today.txt"}"#,
        output = r#"{
            "path": "notes/today.txt", "name": "today.txt", "type": "file", "size": 10,
            "modified": "2026-01-02T03:04:05.000Z", "readOnly": false
        }"#
    ),
    example(
        title = "a folder",
        input = r#"{"path": "notes/old"}"#,
        output = r#"{
            "path": "notes/old", "name": "old", "type": "folder", "size": 0,
            "modified": "2026-01-02T03:04:05.000Z", "readOnly": false
        }"#
    )
)]
pub(crate) async fn file_stat(input: Place<'_>, ctx: Ctx<'_>) -> NodeResult<Stat> {
    let path = Below::read(input.path, "path")?;
    within(ctx, move |folder, _| {
        let found = folder.metadata(path.as_str());
        let found = found.map_err(|error| failed("cannot look at", path.as_str(), &error))?;
        Ok(Stat {
            name: path.parted().1.to_owned(),
            kind: kind(found.file_type()),
            size: if found.is_file() { found.len() } else { 0 },
            modified: modified(&found),
            read_only: found.permissions().readonly(),
            path: path.as_str().to_owned(),
        })
    })
    .await
}

fn modified(found: &Metadata) -> Option<String> {
    let nanos = u32::try_from(found.mtime_nsec()).ok()?;
    let time = DateTime::<Utc>::from_timestamp(found.mtime(), nanos)?;
    Some(time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// A folder.
#[output]
pub(crate) struct Made {
    /// The folder.
    path: String,
    /// Whether it was not there before.
    created: bool,
}

/// Makes a folder in the tenant's folder, with those above it. One that is there is no error.
#[node(
    id = "file.mkdir",
    aliases = ["folder.create", "file.createFolder"],
    category = "files",
    effect = "idempotent",
    capabilities = ["fs"],
    tags = ["folder"],
    example(
        title = "a folder in a new folder",
        input = r#"{"path": "a/b"}"#,
        output = r#"{"path": "a/b", "created": true}"#
    ),
    example(
        title = "one that is there",
        input = r#"{"path": "notes"}"#,
        output = r#"{"path": "notes", "created": false}"#
    )
)]
pub(crate) async fn file_mkdir(input: Place<'_>, ctx: Ctx<'_>) -> NodeResult<Made> {
    let path = Below::read_named(input.path, "path")?;
    within(ctx, move |folder, _| {
        let created = match folder.metadata(path.as_str()) {
            Ok(found) if found.is_dir() => false,
            Ok(_) => {
                let message = format!("cannot make `{}`: it is there, and no folder", path.as_str());
                return Err(NodeError::with_code(WRONG_KIND, message).retryable(false));
            }
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => true,
            Err(error) => return Err(failed("cannot make", path.as_str(), &error)),
        };
        let made = folder.create_dir_all(path.as_str());
        made.map_err(|error| failed("cannot make", path.as_str(), &error))?;
        Ok(Made {
            created,
            path: path.as_str().to_owned(),
        })
    })
    .await
}
