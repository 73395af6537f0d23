//! Copying and moving.

use std::io::{self, Read as _, Write as _};

use cap_std::fs::Dir;
use plugin_api::prelude::*;
use plugin_api::reading::Flag;
use plugin_io::Stop;

use crate::failure::{failed, too_large};
use crate::folder::{LARGEST_FILE, open, within};
use crate::path::Below;
use crate::writing::{Overwrite, in_place, parent, put};

#[parameters]
pub(crate) struct Transfer<'a> {
    /// What there is, relative to the tenant's folder. It must be given.
    #[serde(default, alias = "source", alias = "path")]
    #[schemars(length(max = 1_024))]
    from: Option<&'a str>,
    /// Where it is to be, with its name. It must be given. Folders that are not there are made.
    #[serde(default, alias = "destination", alias = "target")]
    #[schemars(length(max = 1_024))]
    to: Option<&'a str>,
    /// Whether a file that is there is replaced; it is an error otherwise.
    #[serde(default)]
    overwrite: Option<Flag>,
}

impl Transfer<'_> {
    fn read(&self) -> NodeResult<(Below, Below, Overwrite)> {
        let (from, to) = (
            Below::read_named(self.from, "from")?,
            Below::read_named(self.to, "to")?,
        );
        if from == to {
            return Err(NodeError::invalid("to", "is the same as `from`"));
        }
        Ok((from, to, Overwrite::of(self.overwrite == Some(Flag(true)))))
    }
}

/// A copy.
#[output]
pub(crate) struct Copied {
    /// What was copied.
    from: String,
    /// The copy.
    to: String,
    /// Bytes of it.
    bytes: u64,
}

/// Copies a file within the tenant's folder, whole or not at all.
#[node(
    id = "file.copy",
    category = "files",
    effect = "effectful",
    timeout_ms = 300_000,
    capabilities = ["fs"],
    tags = ["file"],
    example(
        title = "into a new folder",
        input = r#"{"from": "notes/today.txt", "to": "backup/today.txt"}"#,
        output = r#"{"from": "notes/today.txt", "to": "backup/today.txt", "bytes": 10}"#
    ),
    example(
        title = "over another file",
        input = r#"{"from": "notes/today.txt", "to": "log.txt", "overwrite": true}"#,
        output = r#"{"from": "notes/today.txt", "to": "log.txt", "bytes": 10}"#
    )
)]
pub(crate) async fn file_copy(input: Transfer<'_>, ctx: Ctx<'_>) -> NodeResult<Copied> {
    let (from, to, overwrite) = input.read()?;
    within(ctx, move |folder, stop| copy(folder, &from, &to, overwrite, stop)).await
}

fn copy(folder: &Dir, from: &Below, to: &Below, overwrite: Overwrite, stop: &Stop) -> NodeResult<Copied> {
    let what = "cannot copy";
    let (mut source, size) = open(folder, from.as_str(), what)?;
    if size > LARGEST_FILE {
        return Err(too_large(what, from.as_str(), size, LARGEST_FILE));
    }
    let mut bytes = 0_u64;
    in_place(folder, to, overwrite, what, |target| {
        let mut buffer = vec![0; 256 << 10];
        loop {
            stop.check()?;
            let read = source
                .read(&mut buffer)
                .map_err(|error| failed(what, from.as_str(), &error))?;
            let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
                return Ok(());
            };
            bytes += part.len() as u64;
            // It may grow meanwhile, for instance by this very copy through a link.
            if bytes > LARGEST_FILE {
                return Err(too_large(what, from.as_str(), bytes, LARGEST_FILE));
            }
            target
                .write_all(part)
                .map_err(|error| failed(what, to.as_str(), &error))?;
        }
    })?;
    Ok(Copied {
        from: from.as_str().to_owned(),
        to: to.as_str().to_owned(),
        bytes,
    })
}

/// A move.
#[output]
pub(crate) struct Moved {
    /// Where it was.
    from: String,
    /// Where it is.
    to: String,
}

/// Moves or renames a file or folder within the tenant's folder, in one step. A link is moved, not what it leads to.
#[node(
    id = "file.move",
    aliases = ["file.rename"],
    category = "files",
    effect = "effectful",
    capabilities = ["fs"],
    tags = ["file"],
    example(
        title = "another name",
        input = r#"{"from": "old.txt", "to": "older.txt"}"#,
        output = r#"{"from": "old.txt", "to": "older.txt"}"#
    ),
    example(
        title = "a folder into a new folder",
        input = r#"{"from": "cache", "to": "archive/cache"}"#,
        output = r#"{"from": "cache", "to": "archive/cache"}"#
    )
)]
pub(crate) async fn file_move(input: Transfer<'_>, ctx: Ctx<'_>) -> NodeResult<Moved> {
    let (from, to, overwrite) = input.read()?;
    within(ctx, move |folder, _| {
        let what = "cannot move";
        let error = |error: io::Error| failed(what, from.as_str(), &error);
        let (from_parent, from_name) = from.parted();
        let (to_parent, to_name) = to.parted();
        let source = folder.open_dir(from_parent).map_err(error)?;
        // Looked for before folders are made for it.
        source.symlink_metadata(from_name).map_err(error)?;
        let target = parent(folder, to_parent, what)?;
        let moved = put(&source, from_name, &target, to_name, overwrite);
        moved.map_err(|error| {
            failed(
                what,
                if error.kind() == io::ErrorKind::NotFound {
                    from.as_str()
                } else {
                    to.as_str()
                },
                &error,
            )
        })?;
        Ok(Moved {
            from: from.as_str().to_owned(),
            to: to.as_str().to_owned(),
        })
    })
    .await
}
