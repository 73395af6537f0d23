//! The folder of artifacts against what is remembered of them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use patchbay_vocab::Digest;

use super::{Defect, Finding};
use crate::artifact::{SIGNATURE, path_of};

/// How an artifact is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Artifact {
    Sound,
    Missing,
    /// Its bytes are not those of its name, or cannot be read.
    Damaged(String),
}

/// Hashes an artifact.
pub(super) fn look(artifacts: &Path, digest: Digest) -> Artifact {
    let path = path_of(artifacts, digest);
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Artifact::Damaged("it is not a file".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Artifact::Missing,
        Err(error) => return Artifact::Damaged(error.to_string()),
    }
    let mut hasher = blake3::Hasher::new();
    match File::open(&path).and_then(|file| hasher.update_reader(file).map(|_| ())) {
        Ok(()) if hasher.finalize().as_bytes() == digest.as_bytes() => Artifact::Sound,
        Ok(()) => Artifact::Damaged("its bytes are not those that its name says".to_owned()),
        Err(error) => Artifact::Damaged(error.to_string()),
    }
}

/// What lies in the folder that is not remembered, or was never finished.
pub(super) fn strays(artifacts: &Path, remembered: Option<&BTreeSet<Digest>>) -> Vec<Finding> {
    let mut found = Vec::new();
    for path in files(artifacts) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if name.ends_with(".part") {
            found.push(Defect::Leftover.found(format!("the copy `{name}` was never finished"), path));
            continue;
        }
        let artifact = name.strip_suffix(&format!(".{SIGNATURE}")).unwrap_or(name);
        let digest = artifact.strip_suffix(".so").and_then(|stem| stem.parse().ok());
        if let (Some(digest), Some(remembered)) = (digest, remembered)
            && !remembered.contains(&digest)
        {
            found.push(Defect::Unremembered.found(format!("nobody remembers the artifact `{name}`"), path));
        }
    }
    found
}

/// The files of a folder by name; none when it cannot be listed.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}
