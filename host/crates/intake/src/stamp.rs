//! What tells two states of one path apart without reading the file.

use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

/// What kind of thing a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Symlink,
    Fifo,
    Socket,
    Device,
}

impl Kind {
    pub(crate) fn of(meta: &Metadata) -> Self {
        let kind = meta.file_type();
        if kind.is_file() {
            Self::File
        } else if kind.is_dir() {
            Self::Directory
        } else if kind.is_symlink() {
            Self::Symlink
        } else if kind.is_fifo() {
            Self::Fifo
        } else if kind.is_socket() {
            Self::Socket
        } else {
            Self::Device
        }
    }
}

/// Identity, size and times of a path at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) kind: Kind,
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    pub(crate) size: u64,
    /// Nanoseconds since 1970.
    pub(crate) mtime: i128,
    /// As `mtime`; nobody can set it, so it also shows a change whose author reset `mtime`.
    pub(crate) ctime: i128,
}

impl Stamp {
    pub(crate) fn of(meta: &Metadata) -> Self {
        let kind = Kind::of(meta);
        let nanos = |secs: i64, nanos: i64| i128::from(secs) * 1_000_000_000 + i128::from(nanos);
        let mut stamp = Self {
            kind,
            dev: meta.dev(),
            ino: meta.ino(),
            size: meta.size(),
            mtime: nanos(meta.mtime(), meta.mtime_nsec()),
            ctime: nanos(meta.ctime(), meta.ctime_nsec()),
        };
        if kind != Kind::File {
            // Only a regular file has contents of its own: work inside a directory does not change what it is here.
            (stamp.size, stamp.mtime, stamp.ctime) = (0, 0, 0);
        }
        stamp
    }

    /// A regular file's stamp as a text.
    pub(crate) fn written(self) -> String {
        let Self {
            dev,
            ino,
            size,
            mtime,
            ctime,
            ..
        } = self;
        format!("{dev} {ino} {size} {mtime} {ctime}")
    }

    /// What [`Stamp::written`] wrote.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let stamp = Self {
            kind: Kind::File,
            dev: parts.next()?.parse().ok()?,
            ino: parts.next()?.parse().ok()?,
            size: parts.next()?.parse().ok()?,
            mtime: parts.next()?.parse().ok()?,
            ctime: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(stamp)
    }
}
