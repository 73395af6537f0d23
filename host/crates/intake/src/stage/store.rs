//! The private folder of copies, one file per content.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use patchbay_vocab::{Digest, kill_point};

use super::known::Known;
use super::{StageError, Staged, check_size, hash, open_regular};
use crate::inspect::Inspected;
use crate::signature::signature_path;

/// Where copies go and how large they may be.
#[derive(Clone, Debug)]
pub struct StageConfig {
    /// The private folder; made with mode 0700.
    pub dir: PathBuf,
    /// The largest plugin that is taken.
    pub max_bytes: u64,
    /// How much of the disk must stay free after a copy.
    pub free_bytes_min: u64,
}

impl StageConfig {
    /// Where the copy with this content is, or would be.
    #[must_use]
    pub fn path_of(&self, digest: Digest) -> PathBuf {
        self.dir.join(format!("{digest}.so"))
    }

    /// How long it is, in bytes; 0 when it is not there.
    #[must_use]
    pub fn bytes_of(&self, digest: Digest) -> u64 {
        fs::metadata(self.path_of(digest)).map_or(0, |found| found.len())
    }
}

/// Ends the name of a copy that is not complete.
const PART: &str = "part";

/// The private folder of copies.
#[derive(Debug)]
pub struct Store {
    config: StageConfig,
    pub(super) known: Known,
}

impl Store {
    /// Makes or opens the folder, and removes what an interrupted copy left behind. For the one process that stages.
    ///
    /// # Errors
    /// When the folder cannot be made, or is not the host's own.
    pub fn open(config: StageConfig) -> Result<Self, StageError> {
        let store = Self::attach(config)?;
        for path in store.files()? {
            if path.extension().is_some_and(|ext| ext == PART) {
                fs::remove_file(&path).map_err(|e| store.refused(e))?;
            }
        }
        Ok(store)
    }

    /// Opens the folder and leaves unfinished copies alone; for child processes, which only reopen.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn attach(config: StageConfig) -> Result<Self, StageError> {
        let known = Known::nothing();
        let store = Self { config, known };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&store.config.dir)
            .and_then(|()| store.secure())
            .map_err(|e| store.refused(e))?;
        Ok(store)
    }

    /// Where the copy with this content is, or would be.
    #[must_use]
    pub fn path_of(&self, digest: Digest) -> PathBuf {
        self.config.path_of(digest)
    }

    /// Takes up a copy that was staged before, after hashing it again.
    ///
    /// # Errors
    /// When it is not there, or its bytes are no longer those of its name.
    pub fn reopen(&self, digest: Digest) -> Result<Staged, StageError> {
        let path = self.path_of(digest);
        let (mut file, stamp) = open_regular(&path).map_err(|e| match e {
            StageError::Vanished { .. } => StageError::NotStored { digest },
            other => other,
        })?;
        check_size(&path, stamp.size, self.config.max_bytes)?;
        if hash(&mut file, stamp.size, &path)? != Some(digest) {
            return Err(StageError::Corrupt { digest, path });
        }
        Ok(Staged {
            digest,
            origin: path.clone(),
            path,
            size: stamp.size,
            stamp: Some(stamp),
        })
    }

    /// Keeps the signature of an artifact beside its copy, where [`Store::reopen`] followed by a verification finds it;
    /// an unsigned one has none there afterwards.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_signature(&self, of: &Inspected) -> Result<(), StageError> {
        let path = signature_path(&self.path_of(of.digest()));
        let Some(text) = of.signature() else {
            return self.remove_file(&path);
        };
        if fs::read(&path).is_ok_and(|kept| kept == text.as_bytes()) {
            return Ok(());
        }
        let mut part = self.begin()?;
        io::Write::write_all(&mut part.file, text.as_bytes()).map_err(|e| self.refused(e))?;
        self.finish(part, &path)
    }

    /// Removes the copy with this content and its signature; they need not be there.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self, digest: Digest) -> Result<(), StageError> {
        let path = self.path_of(digest);
        self.known.forget(digest);
        self.remove_file(&signature_path(&path))?;
        self.remove_file(&path)
    }

    fn remove_file(&self, path: &Path) -> Result<(), StageError> {
        match fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(self.refused(e)),
            _ => Ok(()),
        }
    }

    /// The contents that are stored, by their names alone.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn digests(&self) -> Result<Vec<Digest>, StageError> {
        let stem = |path: &PathBuf| path.file_stem()?.to_str()?.parse().ok();
        let mut digests: Vec<Digest> = self
            .files()?
            .iter()
            .filter(|p| p.extension().is_some_and(|e| e == "so"))
            .filter_map(stem)
            .collect();
        digests.sort();
        Ok(digests)
    }

    /// How it keeps copies.
    #[must_use]
    pub const fn config(&self) -> &StageConfig {
        &self.config
    }

    /// Refuses a copy that the disk has no room for.
    pub(super) fn reserve(&self, size: u64) -> Result<(), StageError> {
        let disk = rustix::fs::statvfs(&self.config.dir).map_err(|e| self.refused(e.into()))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < size.saturating_add(self.config.free_bytes_min) {
            return Err(StageError::NoSpace {
                dir: self.config.dir.clone(),
            });
        }
        Ok(())
    }

    /// Starts a copy under a name of its own.
    pub(super) fn begin(&self) -> Result<Copy, StageError> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        loop {
            let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
            let path = self
                .config
                .dir
                .join(format!("{}-{serial}.{PART}", std::process::id()));
            match OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
            {
                Ok(file) => {
                    return Ok(Copy {
                        file,
                        path,
                        placed: false,
                    });
                }
                // A process of the same number in another container left it.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(self.refused(e)),
            }
        }
    }

    /// Gives a finished copy its final name, unless the store has that content already.
    pub(super) fn place(&self, copy: Copy, digest: Digest, size: u64) -> Result<PathBuf, StageError> {
        let path = self.path_of(digest);
        if !self.holds(&path, digest, size) {
            self.finish(copy, &path)?;
        }
        Ok(path)
    }

    fn finish(&self, mut copy: Copy, path: &Path) -> Result<(), StageError> {
        copy.file
            .set_permissions(Permissions::from_mode(0o400))
            .map_err(|e| self.refused(e))?;
        kill_point("artifact.copied");
        fs::rename(&copy.path, path).map_err(|e| self.refused(e))?;
        kill_point("artifact.placed");
        copy.placed = true;
        Ok(())
    }

    /// A damaged copy does not count: the good one takes its place.
    fn holds(&self, path: &Path, digest: Digest, size: u64) -> bool {
        open_regular(path).is_ok_and(|(mut file, stamp)| {
            stamp.size == size && matches!(hash(&mut file, size, path), Ok(Some(found)) if found == digest)
        })
    }

    /// Tells a want of room (on the disk, in a quota, or within the longest file allowed) from other trouble with the
    /// folder.
    pub(super) fn refused(&self, cause: io::Error) -> StageError {
        let dir = self.config.dir.clone();
        match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                StageError::NoSpace { dir }
            }
            _ => StageError::Store { dir, cause },
        }
    }

    fn secure(&self) -> io::Result<()> {
        let meta = fs::symlink_metadata(&self.config.dir)?;
        if !meta.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "it belongs to another user",
            ));
        }
        if meta.mode() & 0o777 != 0o700 {
            fs::set_permissions(&self.config.dir, Permissions::from_mode(0o700))?;
        }
        Ok(())
    }

    fn files(&self) -> Result<Vec<PathBuf>, StageError> {
        let list = || {
            fs::read_dir(&self.config.dir)?
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<_>>()
        };
        list().map_err(|e| self.refused(e))
    }
}

/// A copy in the making; it is removed unless it was placed.
#[derive(Debug)]
pub(super) struct Copy {
    file: File,
    path: PathBuf,
    placed: bool,
}

impl Copy {
    pub(super) const fn file(&mut self) -> &mut File {
        &mut self.file
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if !self.placed
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(error = %error, "an unfinished copy could not be removed");
        }
    }
}
