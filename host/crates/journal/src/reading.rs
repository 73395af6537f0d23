//! Questions, each on a connection of its own that only reads: a listing never waits for the writer.

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

use patchbay_database as database;
use patchbay_vocab::{NodeId, RevisionNumber, RunId, UnixMillis};
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use serde::de::DeserializeOwned;

use crate::error::JournalError;
use crate::insert::integer;
use crate::record::{Metrics, NodeError, NodeRecovery, Replay, RunError, RunStatus};
use crate::stored::{Json, RunFilter, RunSummary, StoredNode, StoredRun};

const STANDARD_LIMIT: u32 = 50;
const MOST: u32 = 1_000;

const SUMMARY: &str = "runs.id, workflow, name, tenant, trigger_kind, status, error_code, error_message, error_node,
    started_at, micros, parent, replay_of, node_count, nodes_executed, success_nodes, failed_nodes, retried_nodes,
    total_retries, validation_failures, recovery_attempts, recovery_successes";

const REST: &str =
    "runs.key, documents.digest, documents.text, trigger_value, variables_before, variables_after,
    replay_from, replay_versions, execution_order";

const NODE: &str = "node, node_type, status, plugin, version, revision, attempts, retries, started_micros, micros,
    input, output, error_code, node_error_code, error_message, status_code, recovery_applied, fallback_node_type,
    validation_errors";

pub(crate) fn runs(path: &Path, filter: &RunFilter) -> Result<Vec<RunSummary>, JournalError> {
    let connection = database::open_to_read(path).map_err(JournalError::Read)?;
    let query = Query::of(filter);
    query
        .run(&connection, |row| Ok(summary(row)))
        .map_err(JournalError::Read)?
        .into_iter()
        .collect()
}

/// A question in SQL. The text is put together from constants alone, every value is bound.
pub(crate) struct Query {
    pub(crate) sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Query {
    pub(crate) fn of(filter: &RunFilter) -> Self {
        let mut query = Self {
            sql: format!("SELECT {SUMMARY} FROM runs WHERE 1"),
            values: Vec::new(),
        };
        if let Some(workflow) = &filter.workflow {
            query.narrow(" AND workflow = ?", workflow.to_string());
        }
        if let Some(tenant) = &filter.tenant {
            query.narrow(" AND tenant = ?", tenant.to_string());
        }
        if let Some(parent) = &filter.parent {
            query.narrow(" AND parent = ?", parent.to_string());
        }
        match filter.status {
            // The index of the other states does not have it.
            Some(RunStatus::Success) => query.narrow(" AND status = ?", RunStatus::Success.as_str()),
            Some(status) => query.narrow(" AND status <> 'success' AND status = ?", status.as_str()),
            None => {}
        }
        if let Some(since) = filter.since {
            query.narrow(" AND started_at >= ?", integer(since.0));
        }
        if let Some(until) = filter.until {
            query.narrow(" AND started_at < ?", integer(until.0));
        }
        if let Some(cursor) = &filter.before {
            query.narrow(" AND (started_at, id) < (?", integer(cursor.started_at.0));
            query.narrow(", ?)", cursor.id.to_string());
        }
        let limit = if filter.limit == 0 {
            STANDARD_LIMIT
        } else {
            filter.limit.min(MOST)
        };
        query.narrow(" ORDER BY started_at DESC, id DESC LIMIT ?", limit);
        query
    }

    fn narrow(&mut self, sql: &str, value: impl ToSql + 'static) {
        self.sql.push_str(sql);
        self.values.push(Box::new(value));
    }

    pub(crate) fn run<T>(
        &self,
        connection: &Connection,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        connection
            .prepare(&self.sql)?
            .query_map(rusqlite::params_from_iter(&self.values), read)?
            .collect()
    }
}

pub(crate) fn run(path: &Path, id: &RunId) -> Result<Option<StoredRun>, JournalError> {
    let read = || {
        let mut connection = database::open_to_read(path)?;
        // One view of the database for both questions.
        let transaction = connection.transaction()?;
        let sql = format!(
            "SELECT {SUMMARY}, {REST} FROM runs JOIN documents ON documents.key = runs.document WHERE runs.id = ?1"
        );
        let found = transaction
            .query_row(&sql, [id.as_str()], |row| {
                Ok((row.get::<_, i64>("key")?, stored(row)))
            })
            .optional()?;
        let Some((key, stored)) = found else {
            return Ok(None);
        };
        let mut nodes = transaction.prepare(&format!(
            "SELECT {NODE} FROM nodes WHERE run = ?1 ORDER BY position"
        ))?;
        let nodes = nodes
            .query_map([key], |row| Ok(node(row, id)))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Some((stored, nodes)))
    };
    let Some((stored, nodes)) = read().map_err(JournalError::Read)? else {
        return Ok(None);
    };
    let mut stored = stored?;
    stored.nodes = nodes.into_iter().collect::<Result<_, _>>()?;
    Ok(Some(stored))
}

/// A row of a run; what is wrong with a cell names the run.
struct Cells<'a, 'r> {
    row: &'a Row<'r>,
    run: &'a str,
}

impl Cells<'_, '_> {
    fn wrong(&self, column: &str, why: impl Display) -> JournalError {
        JournalError::BadRow {
            run: self.run.to_owned(),
            found: format!("column `{column}`: {why}"),
        }
    }

    fn get<T: rusqlite::types::FromSql>(&self, column: &str) -> Result<T, JournalError> {
        self.row.get(column).map_err(|error| self.wrong(column, error))
    }

    fn count(&self, column: &str) -> Result<u64, JournalError> {
        u64::try_from(self.get::<i64>(column)?).map_err(|error| self.wrong(column, error))
    }

    fn count_some(&self, column: &str) -> Result<Option<u64>, JournalError> {
        let number: Option<i64> = self.get(column)?;
        number
            .map(|number| u64::try_from(number).map_err(|error| self.wrong(column, error)))
            .transpose()
    }

    fn parse<T: FromStr<Err: Display>>(&self, column: &str) -> Result<T, JournalError> {
        let text: String = self.get(column)?;
        text.parse().map_err(|error| self.wrong(column, error))
    }

    fn parse_some<T: FromStr<Err: Display>>(&self, column: &str) -> Result<Option<T>, JournalError> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| text.parse().map_err(|error| self.wrong(column, error)))
            .transpose()
    }

    fn json(&self, column: &str) -> Result<Option<Json>, JournalError> {
        Ok(self.get::<Option<Box<str>>>(column)?.map(Json))
    }

    fn list<T: DeserializeOwned>(&self, column: &str) -> Result<Vec<T>, JournalError> {
        match self.get::<Option<String>>(column)? {
            None => Ok(Vec::new()),
            Some(text) => serde_json::from_str(&text).map_err(|error| self.wrong(column, error)),
        }
    }
}

fn summary(row: &Row<'_>) -> Result<RunSummary, JournalError> {
    let run: String = row.get("id").map_err(JournalError::Read)?;
    let cells = Cells { row, run: &run };
    let message: Option<Box<str>> = cells.get("error_message")?;
    let code: Option<Box<str>> = cells.get("error_code")?;
    let error = match (code, message) {
        (None, None) => None,
        (code, message) => Some(RunError {
            code: code.unwrap_or_default(),
            message: message.unwrap_or_default(),
            node: cells.parse_some("error_node")?,
        }),
    };
    Ok(RunSummary {
        id: cells.parse("id")?,
        workflow: cells.parse("workflow")?,
        name: cells.get("name")?,
        tenant: cells.parse("tenant")?,
        trigger: cells.parse("trigger_kind")?,
        status: cells.parse("status")?,
        error,
        started_at: UnixMillis(cells.count("started_at")?),
        micros: cells.count_some("micros")?,
        parent: cells.parse_some("parent")?,
        replay_of: cells.parse_some("replay_of")?,
        node_count: cells.count("node_count")?,
        metrics: Metrics {
            nodes_executed: cells.count("nodes_executed")?,
            success_nodes: cells.count("success_nodes")?,
            failed_nodes: cells.count("failed_nodes")?,
            retried_nodes: cells.count("retried_nodes")?,
            total_retries: cells.count("total_retries")?,
            validation_failures: cells.count("validation_failures")?,
            recovery_attempts: cells.count("recovery_attempts")?,
            recovery_successes: cells.count("recovery_successes")?,
        },
    })
}

fn stored(row: &Row<'_>) -> Result<StoredRun, JournalError> {
    let summary = summary(row)?;
    let cells = Cells {
        row,
        run: summary.id.as_str(),
    };
    let versions = cells.list::<String>("replay_versions")?;
    let versions = versions.iter().map(|text| {
        let (plugin, version) = text
            .split_once('@')
            .ok_or_else(|| cells.wrong("replay_versions", "no `@`"))?;
        let plugin = plugin
            .parse()
            .map_err(|error| cells.wrong("replay_versions", error))?;
        let version = version
            .parse()
            .map_err(|error| cells.wrong("replay_versions", error))?;
        Ok((plugin, version))
    });
    let versions = versions.collect::<Result<Vec<_>, JournalError>>()?;
    let replay = match &summary.replay_of {
        None => None,
        Some(of) => Some(Replay {
            of: of.clone(),
            from: cells.parse_some("replay_from")?,
            versions,
        }),
    };
    Ok(StoredRun {
        digest: cells.parse("digest")?,
        document: cells.get("text")?,
        trigger_value: cells.json("trigger_value")?,
        variables_before: cells.json("variables_before")?,
        variables_after: cells.json("variables_after")?,
        replay,
        execution_order: cells.list::<NodeId>("execution_order")?,
        nodes: Vec::new(),
        summary,
    })
}

fn node(row: &Row<'_>, run: &RunId) -> Result<StoredNode, JournalError> {
    let cells = Cells {
        row,
        run: run.as_str(),
    };
    let code: Option<Box<str>> = cells.get("error_code")?;
    let error = match code {
        None => None,
        Some(code) => Some(NodeError {
            code,
            node_code: cells.get("node_error_code")?,
            message: cells.get::<Option<_>>("error_message")?.unwrap_or_default(),
            status_code: cells.get("status_code")?,
        }),
    };
    let applied: Option<Box<str>> = cells.get("recovery_applied")?;
    let recovery = match applied {
        None => None,
        Some(applied) => Some(NodeRecovery {
            applied,
            fallback_node_type: cells.get("fallback_node_type")?,
        }),
    };
    Ok(StoredNode {
        node: cells.parse("node")?,
        node_type: cells.get("node_type")?,
        status: cells.parse("status")?,
        plugin: cells.parse_some("plugin")?,
        version: cells.parse_some("version")?,
        revision: cells.count_some("revision")?.map(RevisionNumber),
        attempts: cells.get("attempts")?,
        retries: cells.get("retries")?,
        started_micros: cells.count("started_micros")?,
        micros: cells.count("micros")?,
        input: cells.json("input")?,
        output: cells.json("output")?,
        error,
        recovery,
        validation_errors: cells.list("validation_errors")?,
    })
}
