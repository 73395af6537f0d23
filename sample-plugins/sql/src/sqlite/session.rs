//! A call's conversation with SQLite.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_io::Stop;
use rusqlite::Connection;
use rusqlite::hooks::{AuthContext, Authorization};
use std::time::{Duration, Instant};

use super::authorizer::Rules;
use super::cells::{cell, declared, stored};
use super::failure::failure;
use super::schema;
use crate::cell::{Cell, Limits, Rows};
use crate::dialect::Dialect;
use crate::policy::Policy;
use crate::schema::{ColumnKind, Facts, Lookup, Table, TableName};
use crate::session::{Purpose, Ran, Session};
use crate::statement::{Confined, Kind};

/// How many steps of its machine SQLite makes before it asks whether anybody still wants the result: a few microseconds'.
const STEPS: i32 = 1_000;

/// How long a transaction waits for another process's to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// No authorizer: for what is written here and not by a workflow.
const NONE: Option<fn(AuthContext<'_>) -> Authorization> = None;

/// A connection in use.
pub(crate) struct SqliteSession<'c> {
    connection: &'c mut Connection,
    rules: Rules,
    stop: Stop,
}

impl<'c> SqliteSession<'c> {
    pub(super) fn new(connection: &'c mut Connection, policy: &Policy, stop: &Stop) -> NodeResult<Self> {
        let watched = stop.clone();
        connection
            .progress_handler(STEPS, Some(move || watched.is_stopped()))
            .map_err(|error| failure(error, stop))?;
        Ok(Self {
            connection,
            rules: Rules::new(policy),
            stop: stop.clone(),
        })
    }

    fn execute(&self, text: &str) -> NodeResult<()> {
        let done = self.connection.execute_batch(text);
        done.map_err(|error| failure(error, &self.stop))
    }

    /// Begins a transaction that has its lock at once, so that what follows need not wait.
    fn begin_now(&self, purpose: Purpose) -> NodeResult<()> {
        let text = match purpose {
            Purpose::Reading => {
                "PRAGMA query_only = 1; BEGIN; SELECT count(*) FROM (SELECT 1 FROM main.sqlite_schema LIMIT 1)"
            }
            Purpose::Writing => "PRAGMA query_only = 0; BEGIN IMMEDIATE",
        };
        let begun = Instant::now();
        loop {
            match self.execute(text) {
                Err(error) if error.code == code::TEMPORARY_FAILURE && begun.elapsed() < PATIENCE => {
                    self.stop.check()?;
                    self.roll_back();
                }
                other => return other,
            }
        }
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // A transaction that cannot be rolled back ends with the connection.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn rows(&self, statement: &Confined, limits: &mut Limits) -> NodeResult<Ran> {
        let fail = |error| failure(error, &self.stop);
        let mut compiled = self.connection.prepare(statement.text()).map_err(fail)?;
        if statement.kind() == Kind::Select && !compiled.readonly() {
            return Err(NodeError::with_code(
                code::NOT_ALLOWED,
                "the statement changes something, though it is a SELECT",
            ));
        }
        let (names, kinds): (Vec<String>, Vec<ColumnKind>) = compiled
            .columns()
            .map(|column| (column.name().to_owned(), declared(column.decl_type())))
            .unzip();
        for (index, argument) in statement.arguments().iter().enumerate() {
            compiled
                .raw_bind_parameter(index + 1, stored(argument.as_ref()))
                .map_err(fail)?;
        }
        let mut rows = Rows::new(names);
        let width = rows.columns().iter().map(|name| name.len() + 4).sum();
        let mut found = compiled.raw_query();
        while let Some(row) = found.next().map_err(fail)? {
            let mut cells = Vec::with_capacity(kinds.len());
            for (index, (kind, name)) in kinds.iter().zip(rows.columns()).enumerate() {
                cells.push(cell(row.get_ref(index).map_err(fail)?, *kind, name)?);
            }
            limits.count(rows.len(), &cells, width)?;
            rows.push(cells);
        }
        drop(found);
        let affected = match statement.kind() {
            Kind::Select | Kind::Ddl => 0,
            Kind::Insert | Kind::Update | Kind::Delete => self.connection.changes(),
        };
        let inserted = statement.kind() == Kind::Insert && affected > 0;
        Ok(Ran {
            rows,
            affected,
            last_id: inserted.then(|| Cell::Integer(self.connection.last_insert_rowid())),
        })
    }
}

impl Session for SqliteSession<'_> {
    const DIALECT: Dialect = Dialect::Sqlite;

    async fn begin(&mut self, purpose: Purpose) -> NodeResult<()> {
        self.begin_now(purpose)
    }

    async fn commit(&mut self) -> NodeResult<()> {
        self.execute("COMMIT")
    }

    async fn mark(&mut self) -> NodeResult<()> {
        self.execute("SAVEPOINT patchbay")
    }

    async fn back_to_mark(&mut self) -> NodeResult<()> {
        self.execute("ROLLBACK TO patchbay; RELEASE patchbay")
    }

    async fn facts(&mut self, names: &[TableName], _: Lookup) -> NodeResult<Facts> {
        let mut facts = Facts::default();
        for name in names {
            if let Some(table) = schema::find(self.connection, name, &self.stop)? {
                facts.insert(name.clone(), table);
            }
        }
        Ok(facts)
    }

    async fn tables(&mut self) -> NodeResult<Vec<Table>> {
        schema::all(self.connection, &self.stop)
    }

    async fn run(&mut self, statement: &Confined, limits: &mut Limits) -> NodeResult<Ran> {
        let rules = self.rules.clone();
        let decide = move |context: AuthContext<'_>| rules.decide(context);
        self.connection
            .authorizer(Some(decide))
            .map_err(|error| failure(error, &self.stop))?;
        let ran = self.rows(statement, limits);
        let unset = self.connection.authorizer(NONE);
        let ran = ran?;
        unset.map_err(|error| failure(error, &self.stop))?;
        Ok(ran)
    }

    async fn version(&mut self) -> NodeResult<String> {
        Ok(rusqlite::version().to_owned())
    }
}

impl Drop for SqliteSession<'_> {
    fn drop(&mut self) {
        // A database in memory goes on to the next call, which must find it as if this one had never been.
        let _ = self.connection.progress_handler(0, None::<fn() -> bool>);
        let _ = self.connection.authorizer(NONE);
        self.roll_back();
    }
}
