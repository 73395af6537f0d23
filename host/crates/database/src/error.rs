//! Why a file is not opened.

use std::error::Error;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why a file is not opened. It has no code: the crate whose form the file has gives it one of its own.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each field is the path, the number or the cause that the message names"
)]
pub enum DatabaseError {
    /// The system refuses the file.
    #[error("the database `{}` cannot be opened", path.display())]
    Open {
        path: PathBuf,
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// It is a directory, a link, a pipe.
    #[error("the database `{}` is {found}, not a file", path.display())]
    NotAFile { path: PathBuf, found: &'static str },
    /// Its content is something else.
    #[error("`{}` is not the database it is taken for: {found}", path.display())]
    Foreign { path: PathBuf, found: String },
    /// A later program wrote it.
    #[error("the database `{}` has format {found}, and this program knows formats up to {known}", path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// It was one once.
    #[error("the database `{}` is damaged: {found}", path.display())]
    Damaged { path: PathBuf, found: String },
    /// One process writes a database.
    #[error("the database `{}` is in use by another process", path.display())]
    InUse { path: PathBuf },
    /// The format could not be brought up to date; it is as it was.
    #[error("the database `{}` cannot be brought to format {format}", path.display())]
    Migrate {
        path: PathBuf,
        format: i64,
        #[source]
        cause: rusqlite::Error,
    },
}

impl DatabaseError {
    pub(crate) fn open(path: &Path, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Open {
            path: path.to_owned(),
            cause: cause.into(),
        }
    }
}

pub(crate) fn is_broken(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

/// What SQLite's refusal means for the file.
#[must_use]
pub fn refusal(path: &Path, error: rusqlite::Error) -> DatabaseError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => DatabaseError::Foreign {
            path,
            found: "it is no SQLite database".to_owned(),
        },
        Some(ErrorCode::DatabaseCorrupt) => DatabaseError::Damaged {
            path,
            found: one_line(&error.to_string()),
        },
        _ => DatabaseError::Open {
            path,
            cause: error.into(),
        },
    }
}

/// The beginning of a text, fit for a line of a log.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.chars()
        .take(200)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
