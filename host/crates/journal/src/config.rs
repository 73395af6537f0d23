//! Where the journal is, and how much of it is kept.

use std::path::PathBuf;

/// Where the journal is, and how much of it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalConfig {
    /// The database file. Its folder has to be there; beside it lie `-wal`, `-shm` and `.lock`.
    pub path: PathBuf,
    /// How many bytes may wait to be written before the journal [is behind](crate::Journal::is_behind).
    pub queue_bytes: usize,
    /// The longest value, in bytes of its encoding, that is kept whole. A longer one is replaced by
    /// `{"$cut": {"bytes": N}}`.
    pub value_bytes: usize,
    /// When runs are forgotten.
    pub keep: Retention,
}

impl JournalConfig {
    /// The standard for a journal at `path`.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            queue_bytes: 64 << 20,
            value_bytes: 1 << 20,
            keep: Retention::default(),
        }
    }
}

/// When runs are forgotten, the oldest first: as soon as one of the three is exceeded. Runs that have not ended stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How many runs are kept at most.
    pub runs: u64,
    /// How many days after its start a run is kept at most.
    pub days: u32,
    /// How many bytes of the database may be in use.
    pub bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            runs: 1_000_000,
            days: 30,
            bytes: 8 << 30,
        }
    }
}
