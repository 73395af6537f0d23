//! What PostgreSQL's failures are called here.
//!
//! Invariant: neither the address of the server nor what somebody else's row holds is in a message.

use plugin_api::error::code;
use plugin_api::prelude::*;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

/// How much of a statement is shown at the place of an error.
const SHOWN: usize = 60;

fn temporary(message: impl Into<String>) -> NodeError {
    NodeError::with_code(code::TEMPORARY_FAILURE, message.into())
        .status(503)
        .retryable(true)
}

/// Says what happened to a statement.
pub(super) fn failure(error: &Error, text: &str) -> NodeError {
    if let Some(error) = error.as_db_error() {
        return of_server(error, text);
    }
    if let Some(error) = of_argument(error) {
        return error;
    }
    temporary("the connection to the database was lost; try again")
}

/// Says why there is no connection.
pub(super) fn no_connection(error: &Error, secret: &str) -> NodeError {
    let Some(of_server) = error.as_db_error() else {
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            if error.is::<tokio_rustls::rustls::Error>() {
                return NodeError::new(format!(
                    "the server that the secret `{secret}` names is not trusted: {error}; an administrator can name its \
                     authority's certificate by `sslrootcert`"
                ));
            }
            // An error of input and output has the one of TLS inside, and not as its source.
            let inner = error
                .downcast_ref::<std::io::Error>()
                .and_then(std::io::Error::get_ref);
            cause = match inner {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        return temporary(format!(
            "the server that the secret `{secret}` names cannot be reached; try again, or have an administrator look at it"
        ));
    };
    let state = of_server.code().code();
    if state.starts_with("28") {
        return NodeError::new(format!(
            "the server refuses the user or the password of the secret `{secret}`; an administrator can mend that"
        ));
    }
    if *of_server.code() == SqlState::INVALID_CATALOG_NAME {
        return NodeError::new(format!(
            "the server has no database of the name that the secret `{secret}` says"
        ));
    }
    temporary(format!("the server takes no connection now ({state}); try again"))
}

/// An argument that could not be written for the type of its placeholder.
fn of_argument(error: &Error) -> Option<NodeError> {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<super::arguments::Refused>() {
            return Some(NodeError::invalid("params", refused));
        }
        cause = error.source();
    }
    None
}

fn of_server(error: &DbError, text: &str) -> NodeError {
    let state = error.code();
    let class = state.code().get(..2).unwrap_or_default();
    let message = error.message();
    if *state == SqlState::UNIQUE_VIOLATION || *state == SqlState::EXCLUSION_VIOLATION {
        let detail = error.detail().map(|detail| format!(": {detail}"));
        let message = format!(
            "there is such a row already: {message}{}",
            detail.unwrap_or_default()
        );
        return NodeError::with_code("CONFLICT", message).status(409);
    }
    if *state == SqlState::FOREIGN_KEY_VIOLATION {
        let detail = error.detail().map(|detail| format!(": {detail}"));
        let message = format!(
            "a rule of the table is broken: {message}{}",
            detail.unwrap_or_default()
        );
        return NodeError::with_code(code::VALIDATION_FAILED, message);
    }
    match class {
        "23" => NodeError::with_code(
            code::VALIDATION_FAILED,
            format!("a rule of the table is broken: {message}"),
        ),
        "22" => NodeError::with_code(
            code::VALIDATION_FAILED,
            format!("a value does not fit: {message}"),
        ),
        "40" => temporary(format!(
            "the transaction got in the way of another one: {message}; try again"
        )),
        "08" | "53" => temporary(format!("the database cannot do it now: {message}; try again")),
        "54" => NodeError::with_code(
            code::LIMIT_EXCEEDED,
            format!("the database refuses the statement: {message}"),
        ),
        _ if *state == SqlState::LOCK_NOT_AVAILABLE => temporary(format!("{message}; try again")),
        _ if *state == SqlState::QUERY_CANCELED => NodeError::with_code(
            code::TIMEOUT,
            "the call's deadline passed, or the database ended the statement",
        ),
        "57" => temporary("the database is shutting down or starting; try again"),
        _ if *state == SqlState::INSUFFICIENT_PRIVILEGE => NodeError::with_code(
            code::NOT_ALLOWED,
            format!("the database does not allow it: {message}"),
        ),
        _ if *state == SqlState::READ_ONLY_SQL_TRANSACTION => NodeError::with_code(
            code::NOT_ALLOWED,
            "the statement changes something, though it is to be a query; use `sql.execute`",
        ),
        _ => placed(
            NodeError::new(format!(
                "the database refuses the statement: {message} ({})",
                state.code()
            )),
            error,
            text,
        ),
    }
}

/// Adds the text at which the statement was not understood.
fn placed(failure: NodeError, error: &DbError, text: &str) -> NodeError {
    let Some(ErrorPosition::Original(position)) = error.position() else {
        return failure;
    };
    let skipped = usize::try_from(*position).unwrap_or(1).saturating_sub(1);
    let near: String = text.chars().skip(skipped).take(SHOWN).collect();
    let near = Value::from(near.as_str());
    match Value::from_pairs([("near", near.as_ref())]) {
        Ok(details) => failure.details(details),
        Err(_) => failure,
    }
}
