//! Why there is no journal, or no answer from it.

use std::error::Error;
use std::path::PathBuf;

use patchbay_database::DatabaseError;
use patchbay_vocab::{Code, Explain, RunId};

/// Why there is no journal, or no answer from it.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each field is the path, the number or the cause that the message names"
)]
pub enum JournalError {
    /// The system refuses the file.
    #[error("the journal `{}` cannot be opened", path.display())]
    Open {
        path: PathBuf,
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// It is a directory, a link, a pipe.
    #[error("the journal `{}` is {found}, not a file", path.display())]
    NotAFile { path: PathBuf, found: &'static str },
    /// Its content is something else.
    #[error("`{}` is not a journal: {found}", path.display())]
    NotAJournal { path: PathBuf, found: String },
    /// A later program wrote it.
    #[error("the journal `{}` has format {found}, and this program knows formats up to {known}", path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// It was one once.
    #[error("the journal `{}` is damaged: {found}", path.display())]
    Damaged { path: PathBuf, found: String },
    /// One process writes a journal.
    #[error("the journal `{}` is in use by another host", path.display())]
    InUse { path: PathBuf },
    /// The format could not be brought up to date; it is as it was.
    #[error("the journal `{}` cannot be brought to format {format}", path.display())]
    Migrate {
        path: PathBuf,
        format: i64,
        #[source]
        cause: rusqlite::Error,
    },
    /// No thread.
    #[error("the thread that writes the journal cannot be started")]
    Thread(#[source] std::io::Error),
    /// A question got no answer.
    #[error("the journal cannot be read")]
    Read(#[source] rusqlite::Error),
    /// A row holds what no journal writes.
    #[error("the journal's record of run `{run}` cannot be read: {found}")]
    BadRow { run: String, found: String },
    /// What was queued is not written yet.
    #[error("the journal was not written in time: {queued} of its records wait{}", why.as_ref().map(|why| format!(", since {why}")).unwrap_or_default())]
    NotYet { queued: u64, why: Option<String> },
    /// Writing fails; it is tried again.
    #[error("the journal cannot be written, its records wait in memory")]
    Write(#[source] rusqlite::Error),
    /// One record is refused, whenever it is tried.
    #[error("the journal cannot take the record of run `{run}`")]
    Refused {
        run: RunId,
        #[source]
        cause: rusqlite::Error,
    },
}

impl Explain for JournalError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Open { .. } => "PB-JOURNAL-001",
            Self::NotAFile { .. } => "PB-JOURNAL-002",
            Self::NotAJournal { .. } => "PB-JOURNAL-003",
            Self::Newer { .. } => "PB-JOURNAL-004",
            Self::Damaged { .. } => "PB-JOURNAL-005",
            Self::InUse { .. } => "PB-JOURNAL-006",
            Self::Migrate { .. } => "PB-JOURNAL-007",
            Self::Thread(_) => "PB-JOURNAL-008",
            Self::Read(_) => "PB-JOURNAL-009",
            Self::BadRow { .. } => "PB-JOURNAL-010",
            Self::NotYet { .. } => "PB-JOURNAL-011",
            Self::Write(_) => "PB-JOURNAL-012",
            Self::Refused { .. } => "PB-JOURNAL-013",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::Open { .. } => "check that the folder exists and that the host may write in it",
            Self::NotAFile { .. } => "name the journal's file itself, or move away what is in its place",
            Self::NotAJournal { .. } => "name another file for the journal, or move this one away",
            Self::Newer { .. } => "start the version of the host that wrote it, or move it away: a new one is begun",
            Self::Damaged { .. } => {
                "copy the file, then save what can be read with `sqlite3 FILE .recover`, or move it away: a new one is begun"
            }
            Self::InUse { .. } => "stop the other host, or give this one a data directory of its own",
            Self::Migrate { .. } => "check the disk's space; the journal is unchanged and can be tried again",
            Self::Thread(_) => "raise the limit on threads, or end what uses them up",
            Self::Read(_) => "try again; when it stays so, check the file with `sqlite3 FILE 'PRAGMA quick_check'`",
            Self::BadRow { .. } => "somebody else wrote into the journal: delete the run, or restore the file",
            Self::NotYet { .. } => "wait longer; check the disk's space and who else has the journal open",
            Self::Write(_) => {
                "check the disk's space and rights, and who else has the journal open; the host tries again by itself"
            }
            Self::Refused { .. } => "the run is not recorded; report what its document and values look like",
        }
        .to_owned()
    }
}

impl From<DatabaseError> for JournalError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Open { path, cause } => Self::Open { path, cause },
            DatabaseError::NotAFile { path, found } => Self::NotAFile { path, found },
            DatabaseError::Foreign { path, found } => Self::NotAJournal { path, found },
            DatabaseError::Newer { path, found, known } => Self::Newer { path, found, known },
            DatabaseError::Damaged { path, found } => Self::Damaged { path, found },
            DatabaseError::InUse { path } => Self::InUse { path },
            DatabaseError::Migrate { path, format, cause } => Self::Migrate { path, format, cause },
        }
    }
}
