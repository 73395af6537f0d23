//! Why there is no state, or why it was not written.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use patchbay_database::DatabaseError;
use patchbay_vocab::{Code, Explain};

/// Why there is no state, no answer from it, or why it was not written.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each field is the path, the number or the cause that the message names"
)]
pub enum StateError {
    /// The system refuses the file.
    #[error("the state `{}` cannot be opened", path.display())]
    Open {
        path: PathBuf,
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// It is a directory, a link, a pipe.
    #[error("the state `{}` is {found}, not a file", path.display())]
    NotAFile { path: PathBuf, found: &'static str },
    /// Its content is something else.
    #[error("`{}` is not a host's state: {found}", path.display())]
    NotAState { path: PathBuf, found: String },
    /// A later program wrote it.
    #[error("the state `{}` has format {found}, and this program knows formats up to {known}", path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// It was one once.
    #[error("the state `{}` is damaged: {found}", path.display())]
    Damaged { path: PathBuf, found: String },
    /// One process writes a state.
    #[error("the state `{}` is in use by another host", path.display())]
    InUse { path: PathBuf },
    /// The format could not be brought up to date; it is as it was.
    #[error("the state `{}` cannot be brought to format {format}", path.display())]
    Migrate {
        path: PathBuf,
        format: i64,
        #[source]
        cause: rusqlite::Error,
    },
    /// No thread.
    #[error("the thread that writes the state cannot be started")]
    Thread(#[source] io::Error),
    /// A question got no answer.
    #[error("the state cannot be read")]
    Read(#[source] rusqlite::Error),
    /// A row holds what no host writes.
    #[error("row {row} of `{table}` in the state cannot be read: {found}")]
    BadRow {
        table: &'static str,
        row: i64,
        found: String,
    },
    /// What was told is not on the disk yet.
    #[error("the state was not written in time: {queued} change(s) wait{}", why.as_ref().map(|why| format!(", since {why}")).unwrap_or_default())]
    NotYet { queued: u64, why: Option<String> },
    /// Writing fails; it is tried again.
    #[error("the state cannot be written, its changes wait in memory")]
    Write(#[source] Box<dyn Error + Send + Sync>),
    /// One change is refused, whenever it is tried.
    #[error("the state cannot take a change: {why}")]
    Refused { why: String },
    /// The end of the audit is not what its head says.
    #[error("the audit in the state `{}` is broken: {found}", path.display())]
    AuditBroken { path: PathBuf, found: String },
    /// An exported audit cannot be read or written.
    #[error("the exported audit cannot be read or written")]
    Export(#[source] io::Error),
}

impl Explain for StateError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Open { .. } => "PB-DURABLE-001",
            Self::NotAFile { .. } => "PB-DURABLE-002",
            Self::NotAState { .. } => "PB-DURABLE-003",
            Self::Newer { .. } => "PB-DURABLE-004",
            Self::Damaged { .. } => "PB-DURABLE-005",
            Self::InUse { .. } => "PB-DURABLE-006",
            Self::Migrate { .. } => "PB-DURABLE-007",
            Self::Thread(_) => "PB-DURABLE-008",
            Self::Read(_) => "PB-DURABLE-009",
            Self::BadRow { .. } => "PB-DURABLE-010",
            Self::NotYet { .. } => "PB-DURABLE-011",
            Self::Write(_) => "PB-DURABLE-012",
            Self::Refused { .. } => "PB-DURABLE-013",
            Self::AuditBroken { .. } => "PB-DURABLE-014",
            Self::Export(_) => "PB-DURABLE-015",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::Open { .. } => "check that the folder exists and that the host may write in it",
            Self::NotAFile { .. } => "move away what is in the place of the state",
            Self::NotAState { .. } | Self::Damaged { .. } | Self::BadRow { .. } => {
                "let `patchbay doctor` look at the data directory; it moves the file aside and saves what can be read"
            }
            Self::Newer { .. } => "start the version of the host that wrote it",
            Self::InUse { .. } => "stop the other host, or give this one a data directory of its own",
            Self::Migrate { .. } => "check the disk's space; the state is unchanged and can be tried again",
            Self::Thread(_) => "raise the limit on threads, or end what uses them up",
            Self::Read(_) => "try again; when it stays so, let `patchbay doctor` look at the data directory",
            Self::NotYet { .. } => {
                "the change holds in the running host and may be lost when it ends; check the disk's space and who else has the state open"
            }
            Self::Write(_) => {
                "check the disk's space and rights, and who else has the state open; the host tries again by itself"
            }
            Self::Refused { .. } => "the change is lost when the host ends: order it again, and report what it was",
            Self::AuditBroken { .. } => {
                "somebody else wrote into the state: keep a copy, then see `patchbay audit verify` and `patchbay doctor`"
            }
            Self::Export(_) => "check the file that was named, and that each of its lines is whole",
        }
        .to_owned()
    }
}

impl From<DatabaseError> for StateError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Open { path, cause } => Self::Open { path, cause },
            DatabaseError::NotAFile { path, found } => Self::NotAFile { path, found },
            DatabaseError::Foreign { path, found } => Self::NotAState { path, found },
            DatabaseError::Newer { path, found, known } => Self::Newer { path, found, known },
            DatabaseError::Damaged { path, found } => Self::Damaged { path, found },
            DatabaseError::InUse { path } => Self::InUse { path },
            DatabaseError::Migrate { path, format, cause } => Self::Migrate { path, format, cause },
        }
    }
}
