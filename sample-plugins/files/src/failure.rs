//! What a failure of the file system means to a workflow.

use std::io::{self, ErrorKind};

use plugin_api::error::code;
use plugin_api::prelude::*;

/// The code of what is not there.
pub(crate) const NOT_FOUND: &str = "FILE_NOT_FOUND";
/// The code of what is there and should not be.
pub(crate) const EXISTS: &str = "FILE_EXISTS";
/// The code of what is another kind of thing than a node wants.
pub(crate) const WRONG_KIND: &str = "WRONG_KIND_OF_FILE";
/// The code of a folder that is deleted without what is in it.
pub(crate) const NOT_EMPTY: &str = "FOLDER_NOT_EMPTY";

/// An error of the file system at a path. It does not show where the tenant's folder is.
pub(crate) fn failed(what: &str, path: &str, error: &io::Error) -> NodeError {
    let told = |code: &'static str, why: &str| {
        NodeError::with_code(code, format!("{what} `{path}`: {why}")).retryable(false)
    };
    // What the guard of the folder says comes from no system call, or is the kernel's word for a path that leaves it.
    let leads_out = error.raw_os_error().is_none() && error.kind() == ErrorKind::PermissionDenied
        || error.raw_os_error() == Some(rustix::io::Errno::XDEV.raw_os_error());
    if leads_out {
        return told(code::NOT_ALLOWED, "it leads out of the tenant's folder");
    }
    match error.kind() {
        ErrorKind::NotFound => told(NOT_FOUND, "it is not there").status(404),
        ErrorKind::AlreadyExists => told(EXISTS, "it is there already"),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            told(code::NOT_ALLOWED, "the host's user may not do that")
        }
        ErrorKind::NotADirectory => told(WRONG_KIND, "a part of the path is no folder"),
        ErrorKind::IsADirectory => told(WRONG_KIND, "it is a folder"),
        ErrorKind::DirectoryNotEmpty => told(
            NOT_EMPTY,
            "it is not empty; `recursive` deletes what is in it, too",
        ),
        ErrorKind::InvalidFilename => told(code::VALIDATION_FAILED, "the name is too long"),
        ErrorKind::InvalidInput => told(code::VALIDATION_FAILED, "it cannot be done with this path"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            NodeError::with_code(code::LIMIT_EXCEEDED, format!("{what} `{path}`: the disk is full"))
        }
        // A loop of symbolic links has no kind of its own.
        _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            told(code::NOT_ALLOWED, "it leads through too many symbolic links")
        }
        // Nobody reads from a pipe that was put in a file's place.
        _ if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => no_file(what, path),
        _ => NodeError::new(format!("{what} `{path}`: {error}")),
    }
}

/// For a pipe, a socket or a device, which may never end.
pub(crate) fn no_file(what: &str, path: &str) -> NodeError {
    let message = format!("{what} `{path}`: it is no regular file (but a pipe, a socket or a device)");
    NodeError::with_code(WRONG_KIND, message).retryable(false)
}

/// For what is larger than a node takes.
pub(crate) fn too_large(what: &str, path: &str, bytes: u64, most: u64) -> NodeError {
    let message = format!("{what} `{path}`: it has {bytes} bytes, and {most} is the most");
    NodeError::with_code(code::LIMIT_EXCEEDED, message).retryable(false)
}
