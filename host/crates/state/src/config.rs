//! Where the state is.

use std::path::{Path, PathBuf};

/// Where the state is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateConfig {
    /// The database file. Its folder has to be there; beside it lie `-wal`, `-shm`, `.lock` and `.loading`.
    pub path: PathBuf,
    /// The folder of the artifacts that revisions are made of, one file for each content.
    pub artifacts: PathBuf,
    /// The version of the host, which its boots are noted with.
    pub version: String,
}

impl StateConfig {
    /// The standard for a data directory.
    #[must_use]
    pub fn within(data: &Path, version: impl Into<String>) -> Self {
        Self {
            path: data.join("state.db"),
            artifacts: data.join("artifacts"),
            version: version.into(),
        }
    }
}
