//! Deleting.
//!
//! Invariant: a link is deleted, never what it leads to; a folder is walked by its handle, so what is put in its place
//! meanwhile is not walked into; and a walk ends, however deep or wide somebody made the tree, and has one handle open for
//! each level of it.

use std::ffi::{OsStr, OsString};
use std::io;

use cap_std::fs::{Dir, DirEntry, FileType};
use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Any, Flag, List};
use plugin_io::Stop;

use crate::failure::failed;
use crate::folder::{enter, within};
use crate::path::Below;

/// The deepest tree that is deleted; each of its folders is open meanwhile.
const DEEPEST: usize = 64;
/// The most files and folders that are deleted by one call.
const MOST: usize = 1_000_000;
/// Names of a folder that are read at once.
const AT_ONCE: usize = 1_024;
/// The most paths of one call.
const MOST_PATHS: usize = 1_000;

const WHAT: &str = "cannot delete";

#[parameters]
pub(crate) struct Delete<'a> {
    /// The file or folder, relative to the tenant's folder. It must be given.
    #[serde(default, alias = "file", alias = "filename", alias = "filePath")]
    #[schemars(length(max = 1_024))]
    path: Option<&'a str>,
    /// Whether a folder is deleted with what is in it.
    #[serde(default)]
    recursive: Option<Flag>,
}

/// What was deleted.
#[output]
pub(crate) struct Deleted {
    /// Whether it was there.
    deleted: bool,
    /// Files and folders that were deleted.
    count: usize,
    /// The path.
    path: String,
}

/// Deletes a file, a link, or an empty folder of the tenant's folder; with `recursive` a folder with all that is in it.
/// What is not there is no error.
#[node(
    id = "file.delete",
    aliases = ["file.remove"],
    category = "files",
    effect = "idempotent",
    capabilities = ["fs"],
    tags = ["file", "delete"],
    example(
        title = "a file",
        input = r#"{"path": "old.txt"}"#,
        output = r#"{"deleted": true, "count": 1, "path": "old.txt"}"#
    ),
    example(
        title = "what is not there",
        input = r#"{"path": "never.txt"}"#,
        output = r#"{"deleted": false, "count": 0, "path": "never.txt"}"#
    )
)]
pub(crate) async fn file_delete(input: Delete<'_>, ctx: Ctx<'_>) -> NodeResult<Deleted> {
    let path = Below::read_named(input.path, "path")?;
    let recursive = input.recursive == Some(Flag(true));
    within(ctx, move |folder, stop| {
        let mut walk = Walk { stop, count: 0 };
        let deleted = if recursive {
            walk.delete(folder, &path)?
        } else {
            walk.delete_one(folder, &path)?
        };
        Ok(Deleted {
            deleted,
            count: walk.count,
            path: path.as_str().to_owned(),
        })
    })
    .await
}

#[parameters]
pub(crate) struct DeleteAll<'a> {
    /// The files and folders, relative to the tenant's folder.
    #[serde(default)]
    #[schemars(length(max = 1_000))]
    paths: List<'a>,
    /// One of them, where there is one alone.
    #[serde(default)]
    path: Any<'a>,
}

/// What was deleted.
#[output]
pub(crate) struct DeletedAll {
    /// The paths that were there.
    deleted: Vec<String>,
    /// The paths that were not.
    missing: Vec<String>,
    /// Files and folders that were deleted.
    count: usize,
}

/// Deletes files and folders of the tenant's folder with all that is in them. All paths are checked before the first one is
/// deleted.
#[node(
    id = "file.deleteAll",
    aliases = ["file.delete_all", "file.deleteRecursive", "delete_recursive"],
    category = "files",
    effect = "idempotent",
    timeout_ms = 300_000,
    capabilities = ["fs"],
    tags = ["file", "delete"],
    example(
        title = "a file and what is not there",
        input = r#"{"paths": ["media/a.png", "media/a.png-thumbnail"]}"#,
        output = r#"{"deleted": ["media/a.png"], "missing": ["media/a.png-thumbnail"], "count": 1}"#
    ),
    example(
        title = "a folder",
        input = r#"{"path": "cache"}"#,
        output = r#"{"deleted": ["cache"], "missing": [], "count": 3}"#
    )
)]
pub(crate) async fn file_delete_all(input: DeleteAll<'_>, ctx: Ctx<'_>) -> NodeResult<DeletedAll> {
    let mut paths = Vec::new();
    if !input.path.0.is_null() {
        paths.push(named(input.path.0, "path")?);
    }
    for path in input.paths.iter().take(MOST_PATHS + 1) {
        paths.push(named(path, "paths")?);
    }
    if paths.is_empty() {
        return Err(NodeError::invalid("paths", "is missing or empty"));
    }
    if paths.len() > MOST_PATHS {
        return Err(NodeError::invalid(
            "paths",
            format_args!("must not have more than {MOST_PATHS} items"),
        ));
    }
    within(ctx, move |folder, stop| {
        let mut walk = Walk { stop, count: 0 };
        let (mut deleted, mut missing) = (Vec::new(), Vec::new());
        for path in paths {
            let was_there = walk.delete(folder, &path)?;
            let to = if was_there { &mut deleted } else { &mut missing };
            to.push(path.as_str().to_owned());
        }
        Ok(DeletedAll {
            deleted,
            missing,
            count: walk.count,
        })
    })
    .await
}

fn named(path: ValueRef<'_>, parameter: &str) -> NodeResult<Below> {
    let text = path
        .as_str()
        .ok_or_else(|| NodeError::invalid(parameter, "must have texts, each a path"))?;
    Below::read_named(Some(text), parameter)
}

struct Walk<'s> {
    stop: &'s Stop,
    count: usize,
}

impl Walk<'_> {
    /// Deletes what is no folder with something in it; says whether it was there.
    fn delete_one(&mut self, folder: &Dir, path: &Below) -> NodeResult<bool> {
        let (_, name) = path.parted();
        match found(folder, path)? {
            Some((parent, kind)) => self.remove(&parent, OsStr::new(name), kind, path),
            None => Ok(false),
        }
    }

    /// Deletes with what is in it; says whether it was there.
    fn delete(&mut self, folder: &Dir, path: &Below) -> NodeResult<bool> {
        let (_, name) = path.parted();
        let Some((parent, kind)) = found(folder, path)? else {
            return Ok(false);
        };
        if kind.is_dir() {
            self.empty(&parent, OsStr::new(name), path, 1)?;
        }
        self.remove(&parent, OsStr::new(name), kind, path)
    }

    /// Deletes what is in a folder.
    fn empty(&mut self, parent: &Dir, name: &OsStr, path: &Below, depth: usize) -> NodeResult<()> {
        let error = |error: io::Error| failed(WHAT, path.as_str(), &error);
        if depth > DEEPEST {
            return Err(limit(path, &format!("it is deeper than {DEEPEST} folders")));
        }
        let Some(folder) = unless_gone(enter(parent, name)).map_err(error)? else {
            return Ok(());
        };
        // A list that is read while its entries go may lack some, so it is read until it has none.
        loop {
            let some = some_of(&folder).map_err(error)?;
            if some.is_empty() {
                return Ok(());
            }
            for (child, kind) in some {
                if kind.is_dir() {
                    self.empty(&folder, &child, path, depth + 1)?;
                }
                self.remove(&folder, &child, kind, path)?;
            }
        }
    }

    /// Removes one thing, or nothing if somebody else did.
    fn remove(&mut self, parent: &Dir, name: &OsStr, kind: FileType, path: &Below) -> NodeResult<bool> {
        self.stop.check()?;
        if self.count >= MOST {
            return Err(limit(
                path,
                &format!("more than {MOST} files and folders are in it"),
            ));
        }
        let removed = if kind.is_dir() {
            parent.remove_dir(name)
        } else {
            parent.remove_file(name)
        };
        let removed = unless_gone(removed).map_err(|error| failed(WHAT, path.as_str(), &error))?;
        self.count += usize::from(removed.is_some());
        Ok(removed.is_some())
    }
}

/// Some of what is in a folder; none if nothing is. No handle is left of the reading, since the folders in it are walked next.
fn some_of(folder: &Dir) -> io::Result<Vec<(OsString, FileType)>> {
    let entries = folder.entries()?.take(AT_ONCE);
    let read = |entry: io::Result<DirEntry>| {
        let entry = entry?;
        Ok((entry.file_name(), entry.file_type()?))
    };
    entries.map(read).collect()
}

/// The folder that something is in, and what it is; `None` if it is not there.
fn found(folder: &Dir, path: &Below) -> NodeResult<Option<(Dir, FileType)>> {
    let error = |error: io::Error| failed(WHAT, path.as_str(), &error);
    let (parent, name) = path.parted();
    let Some(parent) = unless_gone(folder.open_dir(parent)).map_err(error)? else {
        return Ok(None);
    };
    let found = unless_gone(parent.symlink_metadata(name)).map_err(error)?;
    Ok(found.map(|found| (parent, found.file_type())))
}

/// `None` for what is not there.
fn unless_gone<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn limit(path: &Below, why: &str) -> NodeError {
    let message = format!("{WHAT} `{}`: {why}; some of it was deleted", path.as_str());
    NodeError::with_code(code::LIMIT_EXCEEDED, message).retryable(false)
}

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;

    use super::*;

    #[test]
    fn a_folder_that_was_read_has_one_handle() {
        let place = tempfile::tempdir().unwrap();
        for name in 0..2 * AT_ONCE {
            std::fs::write(place.path().join(name.to_string()), "").unwrap();
        }
        let folder = Dir::open_ambient_dir(place.path(), ambient_authority()).unwrap();
        let some = some_of(&folder).unwrap();
        assert_eq!(some.len(), AT_ONCE);
        let handles = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        let handles = handles
            .filter(|handle| std::fs::read_link(handle.path()).is_ok_and(|of| of.starts_with(place.path())));
        assert_eq!(handles.count(), 1);
    }
}
