//! The files that revisions are made of.
//!
//! Invariant: before a revision is remembered, its file, the signature beside it and their folder are on the disk.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use patchbay_vocab::Digest;
use rusqlite::Connection;

use crate::record::Write;

/// What the names of signatures have behind those of their files.
pub(crate) const SIGNATURE: &str = "minisig";

/// Where the file with this content is, or would be.
pub(crate) fn path_of(artifacts: &Path, digest: Digest) -> PathBuf {
    artifacts.join(format!("{digest}.so"))
}

/// The contents of revisions among `writes` that no revision has yet, and that may thus be in memory alone.
pub(crate) fn fresh<'w>(
    connection: &Connection,
    writes: impl Iterator<Item = &'w Write>,
) -> rusqlite::Result<BTreeSet<Digest>> {
    let mut found = BTreeSet::new();
    for write in writes {
        let Write::Revision(known) = write else { continue };
        let is_known = connection
            .prepare_cached("SELECT 1 FROM revisions WHERE digest = ?1")?
            .exists([known.digest.to_string()])?;
        if !is_known {
            found.insert(known.digest);
        }
    }
    Ok(found)
}

/// Waits until the files are on the disk. An error names the file.
pub(crate) fn sync(artifacts: &Path, digests: &BTreeSet<Digest>) -> Result<(), (PathBuf, io::Error)> {
    if digests.is_empty() {
        return Ok(());
    }
    for digest in digests {
        let path = path_of(artifacts, *digest);
        sync_one(&path).map_err(|error| (path.clone(), error))?;
        let signature = path.with_added_extension(SIGNATURE);
        match sync_one(&signature) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err((signature, error)),
            _ => {}
        }
    }
    sync_one(artifacts).map_err(|error| (artifacts.to_owned(), error))
}

/// A file or a folder.
pub(crate) fn sync_one(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
