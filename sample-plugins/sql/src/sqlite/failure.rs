//! What SQLite's failures are called here.
//!
//! Invariant: no path of a file is in a message.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_io::Stop;
use rusqlite::{Error, ErrorCode, ffi};

/// How much of a statement is shown at the place of an error.
const SHOWN: usize = 60;

/// Says what happened.
pub(super) fn failure(error: Error, stop: &Stop) -> NodeError {
    match error {
        Error::SqliteFailure(error, message) => of_code(error, message.as_deref(), stop),
        Error::SqlInputError {
            error,
            msg,
            sql,
            offset,
        } => {
            let failure = of_code(error, Some(&msg), stop);
            let place = usize::try_from(offset).ok().and_then(|at| sql.get(at..));
            match place {
                Some(rest) if failure.details.is_none() => {
                    let near: String = rest.chars().take(SHOWN).collect();
                    near_to(failure, &near)
                }
                _ => failure,
            }
        }
        Error::Utf8Error(..) | Error::FromSqlConversionFailure(..) => {
            NodeError::new("a text in the database is not UTF-8; select its `hex(...)`")
        }
        Error::MultipleStatement => {
            NodeError::with_code(code::NOT_ALLOWED, "only one statement is run at a time")
        }
        other => NodeError::new(format!("SQLite could not be used as meant: {other}")),
    }
}

/// Adds the text at which a statement was not understood.
fn near_to(error: NodeError, near: &str) -> NodeError {
    let near = Value::from(near);
    match Value::from_pairs([("near", near.as_ref())]) {
        Ok(details) => error.details(details),
        Err(_) => error,
    }
}

fn of_code(error: ffi::Error, message: Option<&str>, stop: &Stop) -> NodeError {
    let message = message.unwrap_or("no more is known");
    match error.code {
        ErrorCode::OperationInterrupted => stop
            .check()
            .err()
            .unwrap_or_else(|| NodeError::with_code(code::CANCELLED, "the statement was interrupted")),
        ErrorCode::ConstraintViolation => of_constraint(error.extended_code, message),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            NodeError::with_code(
                code::TEMPORARY_FAILURE,
                "another process is writing to the database; try again",
            )
            .status(503)
            .retryable(true)
        }
        ErrorCode::AuthorizationForStatementDenied => {
            NodeError::with_code(code::NOT_ALLOWED, format!("the statement is refused: {message}"))
        }
        ErrorCode::ReadOnly => NodeError::with_code(code::NOT_ALLOWED, "the database can only be read here"),
        ErrorCode::TooBig => {
            NodeError::with_code(code::LIMIT_EXCEEDED, format!("a value is too big: {message}"))
        }
        ErrorCode::OutOfMemory => NodeError::with_code(
            code::LIMIT_EXCEEDED,
            "the statement needs more memory than it may have; narrow it",
        ),
        ErrorCode::DiskFull => NodeError::new("the disk of the database, or the database, is full"),
        ErrorCode::NotADatabase => NodeError::new("the file is no database of SQLite"),
        ErrorCode::DatabaseCorrupt => {
            NodeError::new("the database is damaged; an administrator has to look at it")
        }
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied => NodeError::new(
            "the database's file cannot be opened; it or its folder may be missing or closed to this process",
        ),
        ErrorCode::SystemIoFailure => NodeError::new("the database's file cannot be read or written"),
        ErrorCode::TypeMismatch => NodeError::with_code(
            code::VALIDATION_FAILED,
            format!("a value does not fit its column: {message}"),
        ),
        _ => NodeError::new(format!("the database refuses the statement: {message}")),
    }
}

fn of_constraint(extended: i32, message: &str) -> NodeError {
    match extended {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            NodeError::with_code("CONFLICT", format!("there is such a row already: {message}")).status(409)
        }
        _ => NodeError::with_code(
            code::VALIDATION_FAILED,
            format!("a rule of the table is broken: {message}"),
        ),
    }
}
