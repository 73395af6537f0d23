//! What a node wants of a database, and how it is done.
//!
//! Invariant: a job is one transaction. It is written once for both databases.

use plugin_api::error::code;
use plugin_api::prelude::*;

use crate::cell::Limits;
use crate::dbal::{Page, Reading, Writing, Written, read, write};
use crate::dialect::Dialect;
use crate::policy::Policy;
use crate::schema::{Lookup, Table, TableName};
use crate::session::{Purpose, Ran, Session};
use crate::statement::{Given, Kind, Parsed};

/// A statement of a workflow's, and its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) text: String,
    pub(crate) given: Given,
}

/// What is wanted.
#[derive(Clone, Debug)]
pub(crate) enum Job {
    /// The rows of a statement that changes nothing.
    Query { asked: Asked, rows: usize },
    /// A statement that changes something.
    Execute { asked: Asked, rows: usize },
    /// Statements of which all happen or none.
    Transaction { asked: Vec<Asked>, rows: usize },
    /// All tables.
    Tables,
    /// The columns of a table.
    Describe(TableName),
    /// Whether the database answers, and its version.
    Ping,
    /// Rows of an entity.
    Read(Reading),
    /// Rows of an entity made, changed or deleted.
    Write(Writing),
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Of each statement.
    Ran(Vec<Ran>),
    /// All tables.
    Tables(Vec<Table>),
    /// One table.
    Table(Option<Table>),
    /// The database and its version.
    Version(Dialect, String),
    /// Rows of an entity.
    Page(Page),
    /// What was written.
    Written(Written),
}

/// Does a job.
pub(crate) async fn perform<S: Session>(session: &mut S, policy: &Policy, job: Job) -> NodeResult<Outcome> {
    match job {
        Job::Query { asked, rows } => {
            session.begin(Purpose::Reading).await?;
            let mut limits = Limits::of_rows(rows);
            let ran = run(session, policy, &asked, Purpose::Reading, &mut limits).await?;
            session.commit().await?;
            Ok(Outcome::Ran(vec![ran]))
        }
        Job::Execute { asked, rows } => {
            session.begin(Purpose::Writing).await?;
            let mut limits = Limits::of_rows(rows);
            let ran = run(session, policy, &asked, Purpose::Writing, &mut limits).await?;
            session.commit().await?;
            Ok(Outcome::Ran(vec![ran]))
        }
        Job::Transaction { asked, rows } => {
            session.begin(Purpose::Writing).await?;
            let mut all = Vec::with_capacity(asked.len());
            let mut limits = Limits::of_rows(rows);
            for (index, asked) in asked.iter().enumerate() {
                let ran = run(session, policy, asked, Purpose::Writing, &mut limits).await;
                all.push(ran.map_err(|mut error| {
                    error.message = format!("statement {}: {}", index + 1, error.message).into();
                    error
                })?);
            }
            session.commit().await?;
            Ok(Outcome::Ran(all))
        }
        Job::Tables => {
            session.begin(Purpose::Reading).await?;
            let tables = session.tables().await?;
            session.commit().await?;
            Ok(Outcome::Tables(tables))
        }
        Job::Describe(name) => {
            session.begin(Purpose::Reading).await?;
            let facts = session.facts(std::slice::from_ref(&name), Lookup::Loose).await?;
            session.commit().await?;
            Ok(Outcome::Table(facts.get(&name).cloned()))
        }
        Job::Ping => {
            session.begin(Purpose::Reading).await?;
            let version = session.version().await?;
            session.commit().await?;
            Ok(Outcome::Version(S::DIALECT, version))
        }
        Job::Read(reading) => read(session, policy, reading).await.map(Outcome::Page),
        Job::Write(writing) => write(session, policy, writing).await.map(Outcome::Written),
    }
}

async fn run<S: Session>(
    session: &mut S,
    policy: &Policy,
    asked: &Asked,
    purpose: Purpose,
    limits: &mut Limits,
) -> NodeResult<Ran> {
    let parsed = Parsed::parse(&asked.text, &asked.given, S::DIALECT, policy)?;
    if purpose == Purpose::Reading && parsed.kind() != Kind::Select {
        return Err(NodeError::with_code(
            code::NOT_ALLOWED,
            "the statement changes something, though it is to be a query; use `sql.execute`",
        ));
    }
    let facts = session.facts(&parsed.tables(), Lookup::Exact).await?;
    let confined = parsed.confine(&facts, policy)?;
    session.run(&confined, limits).await
}
