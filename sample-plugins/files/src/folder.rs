//! The tenant's folder, and files in it.
//!
//! Invariant: the only path that is looked up from the root of the host's file system is the setting; all others are
//! looked up from the folder's handle.

use std::ffi::OsStr;
use std::io::{self, Read as _};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, FileType, OpenOptions, OpenOptionsExt};
use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_io::Stop;
use rustix::fs::{Mode, OFlags};

use crate::failure::{failed, no_file, too_large};

/// The largest content of a file that is a parameter or a result: 64 MiB.
pub(crate) const LARGEST_CONTENT: u64 = 64 << 20;
/// The largest file that is copied, or made by appending: 4 GiB.
pub(crate) const LARGEST_FILE: u64 = 4 << 30;
/// What is read or written between two looks at whether anybody still waits.
const STEP: usize = 1 << 20;

const SETTING: &str = "files.folder";

/// Does `work` in the tenant's folder, on a thread of the plugin's own.
///
/// # Errors
/// `NOT_ALLOWED` when the administrator gave the tenant no folder, or it cannot be opened; those of `work`.
pub(crate) async fn within<T, F>(ctx: Ctx<'_>, work: F) -> NodeResult<T>
where
    T: Send + 'static,
    F: FnOnce(&Dir, &Stop) -> NodeResult<T> + Send + 'static,
{
    let refused = |why: &str| NodeError::with_code(code::NOT_ALLOWED, why.to_owned()).retryable(false);
    let Some(folder) = ctx.setting(SETTING)?.filter(|folder| !folder.is_empty()) else {
        return Err(refused(
            "the tenant has no folder for files: an administrator gives it one with the setting `files.folder`",
        ));
    };
    if !folder.starts_with('/') {
        return Err(refused(
            "the setting `files.folder` cannot be used: it must be an absolute path",
        ));
    }
    plugin_io::run_blocking(ctx, move |stop| {
        let opened = Dir::open_ambient_dir(&folder, ambient_authority());
        let opened = opened.map_err(|error| {
            refused(&format!(
                "the setting `files.folder` cannot be used: its folder cannot be opened ({})",
                error.kind()
            ))
        })?;
        work(&opened, stop)
    })
    .await
}

/// Opens a folder by its name in another one; a link in its place is none.
///
/// # Errors
/// When it cannot be opened.
pub(crate) fn enter(parent: &Dir, name: &OsStr) -> io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(parent, name, flags, Mode::empty())?;
    Ok(Dir::from_std_file(opened.into()))
}

/// What kind of thing is there, as results say it.
pub(crate) fn kind(found: FileType) -> &'static str {
    if found.is_file() {
        "file"
    } else if found.is_dir() {
        "folder"
    } else if found.is_symlink() {
        "link"
    } else {
        "other"
    }
}

/// Options that never wait for the other end of a pipe.
pub(crate) fn without_waiting() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    options
}

/// Opens a regular file for reading, and gives its size.
///
/// # Errors
/// When it is not there, is something else, or leads out.
pub(crate) fn open(folder: &Dir, path: &str, what: &str) -> NodeResult<(File, u64)> {
    // Looked at first, since opening a device can do something already; and then again, since it may be another one.
    let found = folder
        .metadata(path)
        .map_err(|error| failed(what, path, &error))?;
    regular(found.file_type(), path, what)?;
    let opened = folder.open_with(path, without_waiting().read(true));
    let file = opened.map_err(|error| failed(what, path, &error))?;
    let found = file.metadata().map_err(|error| failed(what, path, &error))?;
    regular(found.file_type(), path, what)?;
    Ok((file, found.len()))
}

/// Refuses what is no regular file.
///
/// # Errors
/// When it is none.
pub(crate) fn regular(found: FileType, path: &str, what: &str) -> NodeResult<()> {
    if found.is_file() {
        Ok(())
    } else if found.is_dir() {
        Err(failed(what, path, &io::ErrorKind::IsADirectory.into()))
    } else {
        Err(no_file(what, path))
    }
}

/// Reads a whole file, which may grow meanwhile.
///
/// # Errors
/// When it is larger than `most`, or cannot be read.
pub(crate) fn read(folder: &Dir, path: &str, most: u64, stop: &Stop) -> NodeResult<Vec<u8>> {
    let what = "cannot read";
    let (mut file, size) = open(folder, path, what)?;
    if size > most {
        return Err(too_large(what, path, size, most));
    }
    let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    loop {
        stop.check()?;
        let before = content.len();
        let step = (&mut file).take(STEP as u64).read_to_end(&mut content);
        step.map_err(|error| failed(what, path, &error))?;
        if content.len() as u64 > most {
            return Err(too_large(what, path, content.len() as u64, most));
        }
        if content.len() == before {
            return Ok(content);
        }
    }
}

/// What is written in steps.
pub(crate) fn steps(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    content.chunks(STEP)
}
