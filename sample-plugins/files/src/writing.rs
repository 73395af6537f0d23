//! Writing a file.
//!
//! Invariant: a file that is written anew is there whole or as it was before: the content goes to a file of another name
//! in the same folder, which then takes the place of the old one in one step.

use std::io::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cap_std::fs::{Dir, File};
use plugin_api::prelude::*;
use plugin_api::reading::{Any, Flag, text_of};
use plugin_io::Stop;
use rustix::fs::{RenameFlags, renameat, renameat_with};
use rustix::io::Errno;

use crate::failure::{failed, too_large};
use crate::folder::{LARGEST_CONTENT, LARGEST_FILE, regular, steps, within, without_waiting};
use crate::path::Below;
use crate::reading::Encoding;

/// Whether something may be in the place already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overwrite {
    /// It is replaced.
    Yes,
    /// It is an error.
    No,
}

impl Overwrite {
    pub(crate) const fn of(flag: bool) -> Self {
        if flag { Self::Yes } else { Self::No }
    }
}

#[parameters]
pub(crate) struct Write<'a> {
    /// The file, relative to the tenant's folder. It must be given. Folders that are not there are made.
    #[serde(default, alias = "file", alias = "filename", alias = "filePath")]
    #[schemars(length(max = 1_024))]
    path: Option<&'a str>,
    /// What is written: a text; a number or boolean is written as one.
    #[serde(default, alias = "data", alias = "text")]
    content: Any<'a>,
    /// What the content is written as: `utf8`, or `base64` for bytes that are given so.
    #[serde(default)]
    #[schemars(extend("default" = "utf8"), length(max = 10))]
    encoding: Option<&'a str>,
    /// Whether the content is added to the end of what is there.
    #[serde(default)]
    append: Option<Flag>,
    /// Whether a file that is there is replaced; it is an error otherwise.
    #[serde(default)]
    #[schemars(extend("default" = true))]
    overwrite: Option<Flag>,
}

/// A file that was written.
#[output]
pub(crate) struct Written {
    /// The file.
    path: String,
    /// Bytes that were written.
    bytes: usize,
    /// Whether the file was not there before.
    created: bool,
}

/// Writes a file of the tenant's folder, whole or not at all, or adds to its end.
#[node(
    id = "file.write",
    aliases = ["tools.write_file", "tools.writeFile"],
    category = "files",
    effect = "effectful",
    capabilities = ["fs"],
    tags = ["file"],
    example(
        title = "a text in a new folder",
        input = r#"{"path": "reports/new.txt", "content": "done"}"#,
        output = r#"{"path": "reports/new.txt", "bytes": 4, "created": true}"#
    ),
    example(
        title = "one more line",
        input = r#"{"path": "log.txt", "content": "second\n", "append": true}"#,
        output = r#"{"path": "log.txt", "bytes": 7, "created": false}"#
    )
)]
pub(crate) async fn file_write(input: Write<'_>, ctx: Ctx<'_>) -> NodeResult<Written> {
    let path = Below::read_named(input.path, "path")?;
    let content = bytes(input.content.0, Encoding::read(input.encoding)?)?;
    let append = input.append == Some(Flag(true));
    let overwrite = Overwrite::of(input.overwrite != Some(Flag(false)));
    if append && overwrite == Overwrite::No {
        return Err(NodeError::invalid(
            "overwrite",
            "says nothing beside `append`: leave one of them out",
        ));
    }
    within(ctx, move |folder, stop| {
        if append {
            add(folder, &path, &content, stop)
        } else {
            replace(folder, &path, &content, overwrite, stop)
        }
    })
    .await
}

fn bytes(content: ValueRef<'_>, encoding: Encoding) -> NodeResult<Vec<u8>> {
    let bytes = match (content.as_bytes(), content.is_null(), encoding) {
        (Some(bytes), ..) => bytes.to_vec(),
        (_, true, _) => {
            return Err(NodeError::invalid(
                "content",
                "is missing; an empty file has the content \"\"",
            ));
        }
        (.., Encoding::Utf8) => {
            let wrong = || {
                NodeError::invalid(
                    "content",
                    "must be a text, a number or a boolean; `file.writeJson` writes the rest",
                )
            };
            text_of(content).ok_or_else(wrong)?.into_owned().into_bytes()
        }
        (.., Encoding::Base64) => {
            let text = content.as_str().map(str::trim);
            let decoded = text.and_then(|text| BASE64_STANDARD.decode(text).ok());
            decoded.ok_or_else(|| NodeError::invalid("content", "is no base64"))?
        }
    };
    if bytes.len() as u64 > LARGEST_CONTENT {
        return Err(NodeError::invalid(
            "content",
            format_args!("must not have more than {LARGEST_CONTENT} bytes"),
        ));
    }
    Ok(bytes)
}

const WHAT: &str = "cannot write";

/// Opens the folder that something is going to be in, and makes it if it is not there.
///
/// # Errors
/// When it cannot be opened or made.
pub(crate) fn parent(folder: &Dir, path: &str, what: &str) -> NodeResult<Dir> {
    let error = |error: std::io::Error| failed(what, path, &error);
    match folder.open_dir(path) {
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {
            folder.create_dir_all(path).map_err(error)?;
            folder.open_dir(path).map_err(error)
        }
        opened => opened.map_err(error),
    }
}

/// Writes a file whole, or leaves what is there.
///
/// # Errors
/// When it cannot be written, or is there and may not be replaced.
pub(crate) fn replace(
    folder: &Dir,
    path: &Below,
    content: &[u8],
    overwrite: Overwrite,
    stop: &Stop,
) -> NodeResult<Written> {
    let created = in_place(folder, path, overwrite, WHAT, |file| {
        for step in steps(content) {
            stop.check()?;
            file.write_all(step)
                .map_err(|error| failed(WHAT, path.as_str(), &error))?;
        }
        Ok(())
    })?;
    Ok(Written {
        path: path.as_str().to_owned(),
        bytes: content.len(),
        created,
    })
}

/// Has `fill` write a new file, which then takes its place in one step; says whether the place was empty.
///
/// # Errors
/// When that cannot be done; the place is as it was then.
pub(crate) fn in_place(
    folder: &Dir,
    path: &Below,
    overwrite: Overwrite,
    what: &str,
    fill: impl FnOnce(&mut File) -> NodeResult<()>,
) -> NodeResult<bool> {
    let error = |error: std::io::Error| failed(what, path.as_str(), &error);
    let (parent_path, name) = path.parted();
    let parent = parent(folder, parent_path, what)?;
    let before = match parent.symlink_metadata(name) {
        Ok(found) if overwrite == Overwrite::Yes => {
            // A link is replaced, not followed: where it leads to may be anybody's.
            if !found.is_symlink() {
                regular(found.file_type(), path.as_str(), what)?;
            }
            Some(found)
        }
        Ok(_) => return Err(error(std::io::ErrorKind::AlreadyExists.into())),
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => None,
        Err(other) => return Err(error(other)),
    };
    let (draft, mut file) = draft(&parent).map_err(error)?;
    let done = fill(&mut file).and_then(|()| {
        if let Some(found) = before.as_ref().filter(|found| found.is_file()) {
            file.set_permissions(found.permissions()).map_err(error)?;
        }
        file.sync_data().map_err(error)?;
        put(&parent, &draft, &parent, name, overwrite).map_err(error)
    });
    if done.is_err() {
        // It has a name that nobody else has; whether it can be removed changes nothing for the caller.
        let _ = parent.remove_file(&draft);
    }
    done.map(|()| before.is_none())
}

/// A new file under a name that nobody knows.
fn draft(parent: &Dir) -> std::io::Result<(String, File)> {
    let mut random = [0; 12];
    getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
    let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let name = format!(".patchbay-{digits}.part");
    let file = parent.open_with(&name, without_waiting().write(true).create_new(true))?;
    Ok((name, file))
}

/// Gives what has a name in one folder another name in another. Both are names alone, so neither leads anywhere.
///
/// # Errors
/// When it cannot be done, or the new name is taken and may not be.
pub(crate) fn put(
    from: &Dir,
    name: &str,
    to: &Dir,
    new_name: &str,
    overwrite: Overwrite,
) -> std::io::Result<()> {
    if overwrite == Overwrite::Yes {
        return Ok(renameat(from, name, to, new_name)?);
    }
    match renameat_with(from, name, to, new_name, RenameFlags::NOREPLACE) {
        // A file system that cannot do it in one step: the look and the step are two.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if to.symlink_metadata(new_name).is_err() => {
            Ok(renameat(from, name, to, new_name)?)
        }
        done => Ok(done?),
    }
}

/// Adds to the end of a file.
fn add(folder: &Dir, path: &Below, content: &[u8], stop: &Stop) -> NodeResult<Written> {
    let error = |error: std::io::Error| failed(WHAT, path.as_str(), &error);
    let (parent_path, _) = path.parted();
    // Through the tenant's folder, not its parent's handle: a link may lead to another place in it.
    parent(folder, parent_path, WHAT)?;
    let created = match folder.metadata(path.as_str()) {
        Ok(found) => {
            regular(found.file_type(), path.as_str(), WHAT)?;
            false
        }
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => true,
        Err(other) => return Err(error(other)),
    };
    let opened = folder.open_with(path.as_str(), without_waiting().append(true).create(true));
    let mut file = opened.map_err(error)?;
    let found = file.metadata().map_err(error)?;
    regular(found.file_type(), path.as_str(), WHAT)?;
    let size = found.len().saturating_add(content.len() as u64);
    if size > LARGEST_FILE {
        return Err(too_large(WHAT, path.as_str(), size, LARGEST_FILE));
    }
    for step in steps(content) {
        stop.check()?;
        file.write_all(step).map_err(error)?;
    }
    Ok(Written {
        path: path.as_str().to_owned(),
        bytes: content.len(),
        created,
    })
}
