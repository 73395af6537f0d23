//! The writer's connection: one transaction for what was told together, and for what waits behind it.

use std::io;
use std::path::{Path, PathBuf};

use patchbay_database::{self as database, DatabaseError, Identity};
use patchbay_vocab::{Explain, UnixMillis, kill_point};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use crate::apply::apply;
use crate::artifact;
use crate::audit::{self, AppendError};
use crate::form::{self, FORM};
use crate::record::Write;
use crate::sql::integer;
use crate::{StateConfig, StateError};

/// How many boots are remembered.
const BOOTS_KEPT: i64 = 1_000;

/// Why a transaction was not committed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("the database refuses")]
    Sql(#[from] rusqlite::Error),
    #[error("the database's file was moved, replaced or deleted")]
    Moved,
    #[error("the database cannot be opened anew")]
    Reopen(#[source] Box<StateError>),
    #[error("the head of the audit is gone or unreadable")]
    NoHead,
    #[error("the artifact `{}` is not there", path.display())]
    NoArtifact { path: PathBuf },
    #[error("the artifact `{}` cannot be brought to the disk", path.display())]
    Artifact {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

impl From<AppendError> for Trouble {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::NoHead => Self::NoHead,
            AppendError::Sql(error) => Self::Sql(error),
        }
    }
}

impl Trouble {
    /// Whether it is with this change, rather than with any.
    pub(crate) fn is_of_the_change(&self) -> bool {
        match self {
            Self::NoArtifact { .. } => true,
            Self::Sql(error) => match error.sqlite_error_code() {
                Some(code) => matches!(
                    code,
                    ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig
                ),
                None => true,
            },
            Self::Moved | Self::Reopen(_) | Self::NoHead | Self::Artifact { .. } => false,
        }
    }

    /// Whether the connection is as good as before.
    pub(crate) fn spares_the_connection(&self) -> bool {
        match self {
            Self::Sql(error) => matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
            ),
            _ => true,
        }
    }
}

/// The writer's side of one database file.
pub(crate) struct Session {
    path: PathBuf,
    artifacts: PathBuf,
    /// The file that was opened. Another one in its place would have none of what was promised.
    identity: Option<Identity>,
    connection: Option<Connection>,
}

impl Session {
    /// Opens the database, or begins one.
    pub(crate) fn begin(path: PathBuf, config: &StateConfig) -> Result<Self, StateError> {
        let connection = open(&path)?;
        let refused = |error| StateError::from(database::refusal(&path, error));
        if let Some(missing) = form::missing(&connection).map_err(refused)? {
            let found = format!("{missing} is not as it should be");
            return Err(StateError::Damaged { path, found });
        }
        let found = audit::head(&connection).map_err(refused)?;
        let last = audit::last(&connection).map_err(refused)?;
        match found {
            Some(head) if head == last => {}
            found => {
                let found = found.map_or_else(
                    || "its head is gone".to_owned(),
                    |head| format!("its last record is {}, and its head says {}", last.seq, head.seq),
                );
                return Err(StateError::AuditBroken { path, found });
            }
        }
        // The file itself has to be there after a power failure, too.
        let folder = path.parent().unwrap_or(Path::new("/"));
        artifact::sync_one(folder).map_err(|cause| StateError::Open {
            path: path.clone(),
            cause: cause.into(),
        })?;
        Ok(Self {
            identity: database::identity(&path),
            artifacts: config.artifacts.clone(),
            connection: Some(connection),
            path,
        })
    }

    /// What is open, for the host that starts.
    pub(crate) fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    /// Notes that a host starts, and gives the number of that.
    pub(crate) fn boot(&self, at: UnixMillis, version: &str) -> rusqlite::Result<u64> {
        let Some(connection) = &self.connection else {
            return Ok(0);
        };
        connection.execute(
            "INSERT INTO boots (started_at, version) VALUES (?1, ?2)",
            (integer(at.0), version),
        )?;
        let boot = connection.last_insert_rowid();
        connection.execute("DELETE FROM boots WHERE id <= ?1", [boot - BOOTS_KEPT])?;
        Ok(u64::try_from(boot).unwrap_or(0))
    }

    /// Writes the changes in one transaction, which is on the disk afterwards, and with it what they refer to.
    pub(crate) fn write<'w>(
        &mut self,
        writes: impl Iterator<Item = &'w Write> + Clone,
    ) -> Result<(), Trouble> {
        self.reopen()?;
        let Some(connection) = &mut self.connection else {
            return Err(Trouble::Moved);
        };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        kill_point("state.begun");
        let fresh = artifact::fresh(&transaction, writes.clone())?;
        artifact::sync(&self.artifacts, &fresh).map_err(|(path, cause)| match cause.kind() {
            io::ErrorKind::NotFound => Trouble::NoArtifact { path },
            _ => Trouble::Artifact { path, cause },
        })?;
        for write in writes {
            apply(&transaction, write)?;
        }
        kill_point("state.written");
        transaction.commit()?;
        kill_point("state.committed");
        Ok(())
    }

    /// Gives the file up; the next use opens it anew.
    pub(crate) fn close(&mut self) {
        self.connection = None;
    }

    fn reopen(&mut self) -> Result<(), Trouble> {
        if self.identity.is_none() || database::identity(&self.path) != self.identity {
            return Err(Trouble::Moved);
        }
        if self.connection.is_some() {
            return Ok(());
        }
        let opened = open(&self.path).map_err(|error| Trouble::Reopen(Box::new(StateError::from(error))))?;
        self.connection = Some(opened);
        tracing::warn!(path = %self.path.display(), "the state's file was opened anew");
        Ok(())
    }
}

/// The trouble and its causes in one line.
pub(crate) fn told(trouble: Trouble) -> (StateError, String) {
    let error = StateError::Write(Box::new(trouble));
    let text = error.chain();
    (error, text)
}

/// How much of the file the writer keeps in memory: it appends, and reads little of what it wrote.
const CACHE_KIB: i64 = 256;

/// Opens the file for its writer.
fn open(path: &Path) -> Result<Connection, DatabaseError> {
    let connection = database::open(path, &FORM)?;
    let sized = connection.pragma_update(None, "cache_size", -CACHE_KIB);
    sized.map_err(|error| database::refusal(path, error))?;
    Ok(connection)
}
