//! Why a file is not staged.

use std::io;
use std::path::PathBuf;

use patchbay_vocab::{Code, Digest, Explain};

/// Why a file is not staged.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each field is the path, size, folder or cause that the message names"
)]
pub enum StageError {
    /// It was removed before it could be read.
    #[error("there is no file `{}`", path.display())]
    Vanished { path: PathBuf },
    /// A symbolic link, wherever it leads.
    #[error("`{}` is a symbolic link", path.display())]
    Symlink { path: PathBuf },
    /// A directory.
    #[error("`{}` is a directory", path.display())]
    Directory { path: PathBuf },
    /// A named pipe.
    #[error("`{}` is a named pipe", path.display())]
    Fifo { path: PathBuf },
    /// A socket.
    #[error("`{}` is a socket", path.display())]
    Socket { path: PathBuf },
    /// A device node.
    #[error("`{}` is a device", path.display())]
    Device { path: PathBuf },
    /// The host may not read it.
    #[error("the host may not read `{}`", path.display())]
    Unreadable { path: PathBuf },
    /// It has no bytes.
    #[error("`{}` is empty", path.display())]
    Empty { path: PathBuf },
    /// It is larger than the host takes.
    #[error("`{}` has {size} bytes, the limit is {limit}", path.display())]
    TooLarge { path: PathBuf, size: u64, limit: u64 },
    /// It changed while it was read.
    #[error("`{}` changed while it was read", path.display())]
    Changed { path: PathBuf },
    /// The disk of the store is full, or its user may take no more of it.
    #[error("the staging folder `{}` has no room for a copy", dir.display())]
    NoSpace { dir: PathBuf },
    /// Reading failed.
    #[error("`{}` cannot be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// The store cannot be used.
    #[error("the staging folder `{}` cannot be used", dir.display())]
    Store {
        dir: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// No copy with this content.
    #[error("there is no copy of artifact {}", digest.short())]
    NotStored { digest: Digest },
    /// The copy is not what its name says.
    #[error("the copy `{}` no longer has the content it was stored with", path.display())]
    Corrupt { digest: Digest, path: PathBuf },
}

impl StageError {
    /// Whether the same path may well succeed once it has settled again.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Changed { .. })
    }
}

impl Explain for StageError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Vanished { .. } => "PB-STAGE-001",
            Self::Symlink { .. } => "PB-STAGE-002",
            Self::Directory { .. } => "PB-STAGE-003",
            Self::Fifo { .. } => "PB-STAGE-004",
            Self::Socket { .. } => "PB-STAGE-005",
            Self::Device { .. } => "PB-STAGE-006",
            Self::Unreadable { .. } => "PB-STAGE-007",
            Self::Empty { .. } => "PB-STAGE-008",
            Self::TooLarge { .. } => "PB-STAGE-009",
            Self::Changed { .. } => "PB-STAGE-010",
            Self::NoSpace { .. } => "PB-STAGE-011",
            Self::Read { .. } => "PB-STAGE-012",
            Self::Store { .. } => "PB-STAGE-013",
            Self::NotStored { .. } => "PB-STAGE-014",
            Self::Corrupt { .. } => "PB-STAGE-015",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::Vanished { .. } => "check the path; a file that was removed can be put back",
            Self::Symlink { .. } => "use the file itself, or a copy of it; links are not followed",
            Self::Directory { .. } => "use the plugin file itself; folders are not searched",
            Self::Fifo { .. } | Self::Socket { .. } | Self::Device { .. } => {
                "use a regular file; nothing else is loaded"
            }
            Self::Unreadable { .. } => "make the file readable for the user that the host runs as",
            Self::Empty { .. } => "upload the file again, best under another name that is then renamed",
            Self::TooLarge { .. } => "strip the plugin (`strip = true` in its profile), or raise the size limit of the host",
            Self::Changed { .. } => "nothing to do, it is tried again when it is quiet; rename finished files into place to avoid it",
            Self::NoSpace { .. } => "free some disk space, or raise the user's limits on it (quota, `ulimit -f`), then touch the file to have it tried again",
            Self::Read { .. } => "check the disk or the network share that it is on",
            Self::Store { .. } => "make the staging folder a real directory that belongs to the host's user alone and is writable",
            Self::NotStored { .. } => "put the plugin into the plugin directory again",
            Self::Corrupt { .. } => "check the disk, then put the plugin into the plugin directory again",
        }
        .into()
    }
}
