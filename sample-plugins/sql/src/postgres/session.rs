//! A call's conversation with PostgreSQL.

use std::pin::pin;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::future::join;
use plugin_api::prelude::*;
use tokio_postgres::Error;
use tokio_postgres::types::{ToSql, Type};

use super::arguments::Argument;
use super::catalogue;
use super::cells::cells;
use super::failure::failure;
use super::pool::Lease;
use crate::cell::{Cell, Limits, Rows};
use crate::dialect::Dialect;
use crate::schema::{Facts, Lookup, Table, TableName};
use crate::session::{Purpose, Ran, Session};
use crate::statement::{Confined, Kind};

/// Says to the database whose transaction it is, for policies of its own, and until when.
const INTRODUCTION: &str = "SELECT pg_catalog.set_config('patchbay.tenant', $1, true), \
                            pg_catalog.set_config('statement_timeout', $2, true)";

/// A connection in use.
pub(crate) struct PostgresSession {
    lease: Lease,
    tenant: String,
    deadline: Option<Instant>,
    /// Whether a statement may still be running at the server.
    is_running: bool,
}

impl PostgresSession {
    pub(super) const fn new(lease: Lease, tenant: String, deadline: Option<Instant>) -> Self {
        Self {
            lease,
            tenant,
            deadline,
            is_running: false,
        }
    }

    /// Ends the conversation. The connection is kept, unless a statement was left in the middle.
    pub(super) fn end(self) {
        if !self.is_running {
            self.lease.give_back();
        }
    }

    /// Begins a transaction and introduces it, both in one go: the server takes them in order.
    async fn begun(&self, text: &str) -> NodeResult<Result<(), Error>> {
        let client = self.lease.client()?;
        let left = self
            .deadline
            .map(|end| end.saturating_duration_since(Instant::now()));
        let timeout = left.map_or(0, |left| left.as_millis().clamp(1, i32::MAX as u128));
        let timeout = timeout.to_string();
        let arguments: [(&(dyn ToSql + Sync), Type); 2] =
            [(&self.tenant, Type::TEXT), (&timeout, Type::TEXT)];
        let (begun, introduced) = join(
            client.batch_execute(text),
            client.query_typed(INTRODUCTION, &arguments),
        )
        .await;
        Ok(begun.and(introduced.map(|_| ())))
    }

    async fn execute(&self, text: &str) -> NodeResult<()> {
        let done = self.lease.client()?.batch_execute(text).await;
        done.map_err(|error| failure(&error, text))
    }
}

impl Session for PostgresSession {
    const DIALECT: Dialect = Dialect::Postgres;

    async fn begin(&mut self, purpose: Purpose) -> NodeResult<()> {
        let text = match purpose {
            Purpose::Reading => "BEGIN READ ONLY",
            Purpose::Writing => "BEGIN READ WRITE",
        };
        let Err(error) = self.begun(text).await? else {
            return Ok(());
        };
        // Nothing has happened yet: a connection that the server closed while it was idle can be replaced. What it said
        // when it did so (class 57, such as `admin_shutdown`) may have arrived only now.
        let state = error.as_db_error().map(|error| error.code().code());
        let was_closed = state.is_none_or(|state| state.starts_with("57P"));
        if !was_closed || !self.lease.is_used {
            return Err(failure(&error, text));
        }
        self.lease.renew().await?;
        self.begun(text).await?.map_err(|error| failure(&error, text))
    }

    async fn commit(&mut self) -> NodeResult<()> {
        self.execute("COMMIT").await
    }

    async fn mark(&mut self) -> NodeResult<()> {
        self.execute("SAVEPOINT patchbay").await
    }

    async fn back_to_mark(&mut self) -> NodeResult<()> {
        self.execute("ROLLBACK TO SAVEPOINT patchbay").await
    }

    async fn facts(&mut self, names: &[TableName], lookup: Lookup) -> NodeResult<Facts> {
        if names.is_empty() {
            return Ok(Facts::default());
        }
        catalogue::find(&self.lease, names, lookup).await
    }

    async fn tables(&mut self) -> NodeResult<Vec<Table>> {
        catalogue::all(&self.lease).await
    }

    async fn run(&mut self, statement: &Confined, limits: &mut Limits) -> NodeResult<Ran> {
        let client = self.lease.client()?;
        let fail = |error| failure(&error, statement.text());
        let prepared = client.prepare(statement.text()).await.map_err(fail)?;
        let arguments: Vec<Argument<'_>> = statement.arguments().iter().map(Argument).collect();
        let mut rows = Rows::new(prepared.columns().iter().map(|column| column.name().to_owned()));
        let width = rows.columns().iter().map(|name| name.len() + 4).sum();
        let stream = client.query_raw(&prepared, arguments).await.map_err(fail)?;
        let mut stream = pin!(stream);
        // From here on it runs, until the server says that it has ended, one way or the other.
        self.is_running = true;
        while let Some(row) = stream.next().await {
            let row = row.map_err(|error| {
                self.is_running = false;
                fail(error)
            })?;
            let cells = cells(&row)?;
            limits.count(rows.len(), &cells, width)?;
            rows.push(cells);
        }
        self.is_running = false;
        let affected = match statement.kind() {
            Kind::Select | Kind::Ddl => 0,
            Kind::Insert | Kind::Update | Kind::Delete => stream.rows_affected().unwrap_or_default(),
        };
        Ok(Ran {
            rows,
            affected,
            last_id: None,
        })
    }

    async fn version(&mut self) -> NodeResult<String> {
        let text = "SELECT pg_catalog.version()";
        let found = self.lease.client()?.query_typed(text, &[]).await;
        let rows = found.map_err(|error| failure(&error, text))?;
        let row = rows.first().map(cells).transpose()?;
        Ok(match row.as_deref() {
            Some([Cell::Text(version)]) => version.clone(),
            _ => "PostgreSQL".to_owned(),
        })
    }
}
