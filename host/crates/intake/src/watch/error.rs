//! Why a directory cannot be watched.

use std::io;
use std::path::PathBuf;

use patchbay_vocab::{Code, Explain};

/// What impairs watching.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The plugin directory is not there, or was taken away.
    #[error("the plugin directory `{}` does not exist", dir.display())]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// The path is something else.
    #[error("the plugin directory `{}` is not a directory", dir.display())]
    NotDirectory {
        /// The path.
        dir: PathBuf,
    },
    /// The directory cannot be listed.
    #[error("the plugin directory `{}` cannot be listed", dir.display())]
    Unlistable {
        /// The directory.
        dir: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The system has no more inotify watches or instances for this user.
    #[error("the system grants no further file watch for `{}`", dir.display())]
    NoWatches {
        /// The directory.
        dir: PathBuf,
    },
    /// File events cannot be had for another reason.
    #[error("file events of `{}` cannot be had", dir.display())]
    NoEvents {
        /// The directory.
        dir: PathBuf,
        /// Why.
        #[source]
        cause: notify::Error,
    },
    /// The watcher's thread could not be started.
    #[error("the watcher's thread could not be started")]
    Thread(#[source] io::Error),
}

impl Explain for WatchError {
    fn code(&self) -> Code {
        match self {
            Self::Missing { .. } => Code("PB-WATCH-001"),
            Self::NotDirectory { .. } => Code("PB-WATCH-002"),
            Self::Unlistable { .. } => Code("PB-WATCH-003"),
            Self::NoWatches { .. } => Code("PB-WATCH-004"),
            Self::NoEvents { .. } => Code("PB-WATCH-005"),
            Self::Thread(_) => Code("PB-WATCH-006"),
        }
    }

    fn help(&self) -> String {
        match self {
            Self::Missing { dir } => {
                format!("create `{}`; loaded plugins keep serving, and it is watched again as soon as it is there", dir.display())
            }
            Self::NotDirectory { .. } => "point the plugin directory at a folder".into(),
            Self::Unlistable { .. } => "give the host's user the right to list the plugin directory".into(),
            Self::NoWatches { .. } => {
                "raise fs.inotify.max_user_instances and fs.inotify.max_user_watches; until then the directory is only listed at each rescan".into()
            }
            Self::NoEvents { .. } => {
                "the directory is listed at each rescan instead; shorten the rescan interval if uploads show up too late".into()
            }
            Self::Thread(_) => "raise the limit on threads of the host's user".into(),
        }
    }
}
