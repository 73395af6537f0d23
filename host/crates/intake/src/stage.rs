//! From a file that others can write to a private copy that nobody writes to.
//!
//! Invariant: the bytes under a digest's name in the store hash to that digest. A copy is written under another name,
//! hashed as it is written, and renamed into place only when its source is known not to have changed meanwhile.
//!
//! Nothing but a regular file is ever opened, and nothing is read before its size is known to be allowed.

mod error;
mod known;
mod store;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use patchbay_vocab::Digest;
use rustix::fs::{Mode, OFlags};

pub use error::StageError;
pub use known::{KnownFile, OnKnown};
pub use store::{StageConfig, Store};

use crate::settle::Settled;
use crate::stamp::{Kind, Stamp};

/// A private copy of a settled file, named by its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    digest: Digest,
    path: PathBuf,
    origin: PathBuf,
    size: u64,
    /// What the system said of the origin while it was read.
    stamp: Option<Stamp>,
}

impl Staged {
    /// The hash of the content.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The private copy.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file it was copied from; the private copy itself when it was reopened.
    #[must_use]
    pub fn origin(&self) -> &Path {
        &self.origin
    }

    /// The size in bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }
}

/// Copies a settled file into the store while hashing it. One that the store [knows](Store::knowing) is not read again.
///
/// # Errors
/// When it is not a regular file of an allowed size, changes while it is read ([`StageError::is_transient`]: settle it
/// again), or cannot be read or stored. Nothing is left behind in the store.
pub fn stage(settled: Settled, store: &Store) -> Result<Staged, StageError> {
    let origin = settled.into_path();
    match store.recall(&origin) {
        Some(staged) => Ok(staged),
        None => copy_in(origin, store, &mut |_| Ok(())),
    }
}

/// `during` runs after each piece with the number of bytes so far; it lets tests change the world at that point.
fn copy_in(
    origin: PathBuf,
    store: &Store,
    during: &mut dyn FnMut(u64) -> io::Result<()>,
) -> Result<Staged, StageError> {
    let (mut source, before) = open_regular(&origin)?;
    check_size(&origin, before.size, store.config().max_bytes)?;
    store.reserve(before.size)?;
    let mut copy = store.begin()?;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE];
    let mut total = 0_u64;
    loop {
        let got = read(&mut source, &mut piece, &origin)?;
        if got == 0 {
            break;
        }
        total += got as u64;
        if total > before.size {
            return Err(StageError::Changed { path: origin });
        }
        hasher.update(&piece[..got]);
        copy.file()
            .write_all(&piece[..got])
            .and_then(|()| during(total))
            .map_err(|e| store.refused(e))?;
    }
    let after = source.metadata().map_err(|cause| StageError::Read {
        path: origin.clone(),
        cause,
    })?;
    if total != before.size || Stamp::of(&after) != before {
        return Err(StageError::Changed { path: origin });
    }
    let digest = Digest::from_bytes(*hasher.finalize().as_bytes());
    let path = store.place(copy, digest, total)?;
    Ok(Staged {
        digest,
        path,
        origin,
        size: total,
        stamp: Some(before),
    })
}

const PIECE: usize = 128 * 1024;

fn read(source: &mut File, piece: &mut [u8], path: &Path) -> Result<usize, StageError> {
    loop {
        match source.read(piece) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => {
                return other.map_err(|cause| StageError::Read {
                    path: path.to_owned(),
                    cause,
                });
            }
        }
    }
}

fn check_size(path: &Path, size: u64, limit: u64) -> Result<(), StageError> {
    match size {
        0 => Err(StageError::Empty {
            path: path.to_owned(),
        }),
        _ if size > limit => Err(StageError::TooLarge {
            path: path.to_owned(),
            size,
            limit,
        }),
        _ => Ok(()),
    }
}

/// Opens `path` if it is a regular file itself; opening anything else may block or have effects.
fn open_regular(path: &Path) -> Result<(File, Stamp), StageError> {
    let refuse = |cause: io::Error| match cause.kind() {
        io::ErrorKind::NotFound => StageError::Vanished {
            path: path.to_owned(),
        },
        io::ErrorKind::PermissionDenied => StageError::Unreadable {
            path: path.to_owned(),
        },
        _ => StageError::Read {
            path: path.to_owned(),
            cause,
        },
    };
    check_kind(path, Kind::of(&fs::symlink_metadata(path).map_err(refuse)?))?;
    // The path may name something else by now, hence the flags and the second look.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(|e| match e {
        rustix::io::Errno::LOOP => StageError::Symlink {
            path: path.to_owned(),
        },
        other => refuse(other.into()),
    })?);
    let stamp = Stamp::of(&file.metadata().map_err(refuse)?);
    check_kind(path, stamp.kind)?;
    Ok((file, stamp))
}

fn check_kind(path: &Path, kind: Kind) -> Result<(), StageError> {
    let path = path.to_owned();
    Err(match kind {
        Kind::File => return Ok(()),
        Kind::Directory => StageError::Directory { path },
        Kind::Symlink => StageError::Symlink { path },
        Kind::Fifo => StageError::Fifo { path },
        Kind::Socket => StageError::Socket { path },
        Kind::Device => StageError::Device { path },
    })
}

/// Hashes a whole open file of at most `limit` bytes; `None` when it is longer.
fn hash(file: &mut File, limit: u64, path: &Path) -> Result<Option<Digest>, StageError> {
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE];
    let mut total = 0_u64;
    loop {
        let got = read(file, &mut piece, path)?;
        if got == 0 {
            return Ok(Some(Digest::from_bytes(*hasher.finalize().as_bytes())));
        }
        total += got as u64;
        if total > limit {
            return Ok(None);
        }
        hasher.update(&piece[..got]);
    }
}

#[cfg(test)]
mod tests;
