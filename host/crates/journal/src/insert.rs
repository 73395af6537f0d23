//! Records become rows. Values become JSON text here, on the writer's thread.

use std::collections::{BTreeSet, HashMap};

use patchbay_vocab::Digest;
use plugin_api::value::Value;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use crate::record::{NodeRecord, RunRecord, RunStart, RunStatus, cut};

/// How many documents' keys are remembered.
const KNOWN_DOCUMENTS: usize = 1024;

/// The keys of documents that are in the database.
pub(crate) type Documents = HashMap<Digest, i64>;

/// One transaction's worth of inserting.
pub(crate) struct Insert<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) value_bytes: usize,
    pub(crate) documents: &'a mut Documents,
    /// Runs that were not there before.
    pub(crate) added: u64,
}

impl Insert<'_> {
    /// The row of a run that began. A run that is there already stays as it is.
    pub(crate) fn begin(&mut self, start: &RunStart) -> rusqlite::Result<()> {
        self.start(start, RunStatus::Running).map(|_| ())
    }

    /// The rows of a run that ended, in place of what was there of it.
    pub(crate) fn finish(&mut self, record: &RunRecord) -> rusqlite::Result<()> {
        let there = self.key(record.start.id.as_str())?;
        let key = match there {
            Some(key) => {
                self.connection
                    .prepare_cached("DELETE FROM nodes WHERE run = ?1")?
                    .execute([key])?;
                key
            }
            None => self
                .start(&record.start, record.status)?
                .ok_or(rusqlite::Error::QueryReturnedNoRows)?,
        };
        self.end(key, record)?;
        self.nodes(key, &record.nodes)?;
        self.uses(record)
    }

    /// Which plugins the run used, for its tenant.
    fn uses(&self, record: &RunRecord) -> rusqlite::Result<()> {
        let plugins = record.nodes.iter().filter_map(|node| node.plugin.as_ref());
        let plugins: BTreeSet<_> = plugins.collect();
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO uses (plugin, tenant, last_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (plugin, tenant) DO UPDATE SET last_at = max(last_at, excluded.last_at)",
        )?;
        for plugin in plugins {
            let start = &record.start;
            insert.execute(params![
                plugin.as_str(),
                start.tenant.as_str(),
                integer(start.started_at.0)
            ])?;
        }
        Ok(())
    }

    fn key(&self, run: &str) -> rusqlite::Result<Option<i64>> {
        self.connection
            .prepare_cached("SELECT key FROM runs WHERE id = ?1")?
            .query_row([run], |row| row.get(0))
            .optional()
    }

    fn start(&mut self, start: &RunStart, status: RunStatus) -> rusqlite::Result<Option<i64>> {
        let document = self.document(start)?;
        let replay = start.replay.as_ref();
        let versions = replay.filter(|replay| !replay.versions.is_empty()).map(|replay| {
            texts(
                replay
                    .versions
                    .iter()
                    .map(|(plugin, version)| format!("{plugin}@{version}")),
            )
        });
        let key = self
            .connection
            .prepare_cached(
                "INSERT INTO runs (id, workflow, name, document, tenant, trigger_kind, trigger_value, variables_before,
                                   status, started_at, parent, replay_of, replay_from, replay_versions)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
                 ON CONFLICT (id) DO NOTHING
                 RETURNING key",
            )?
            .query_row(
                params![
                    start.id.as_str(),
                    start.workflow.as_str(),
                    start.name,
                    document,
                    start.tenant.as_str(),
                    start.trigger.as_str(),
                    self.text(start.trigger_value.as_ref()),
                    self.text(start.variables.as_ref()),
                    status.as_str(),
                    integer(start.started_at.0),
                    start.parent.as_ref().map(AsRef::<str>::as_ref),
                    replay.map(|replay| replay.of.as_str()),
                    replay.and_then(|replay| replay.from.as_ref()).map(AsRef::<str>::as_ref),
                    versions,
                ],
                |row| row.get(0),
            )
            .optional()?;
        self.added += u64::from(key.is_some());
        Ok(key)
    }

    fn document(&mut self, start: &RunStart) -> rusqlite::Result<i64> {
        if let Some(key) = self.documents.get(&start.digest) {
            return Ok(*key);
        }
        let digest = start.digest.to_string();
        self.connection
            .prepare_cached(
                "INSERT INTO documents (digest, text) VALUES (?1, ?2) ON CONFLICT (digest) DO NOTHING",
            )?
            .execute(params![digest, &*start.document])?;
        let key = self
            .connection
            .prepare_cached("SELECT key FROM documents WHERE digest = ?1")?
            .query_row([digest], |row| row.get(0))?;
        if self.documents.len() >= KNOWN_DOCUMENTS {
            self.documents.clear();
        }
        self.documents.insert(start.digest, key);
        Ok(key)
    }

    fn end(&self, key: i64, record: &RunRecord) -> rusqlite::Result<()> {
        let error = record.error.as_ref();
        let counted = &record.metrics;
        self.connection
            .prepare_cached(
                "UPDATE runs SET status = ?2, error_code = ?3, error_message = ?4, error_node = ?5, micros = ?6,
                    variables_after = ?7, node_count = ?8, nodes_executed = ?9, success_nodes = ?10,
                    failed_nodes = ?11, retried_nodes = ?12, total_retries = ?13, validation_failures = ?14,
                    recovery_attempts = ?15, recovery_successes = ?16, execution_order = ?17
                 WHERE key = ?1",
            )?
            .execute(params![
                key,
                record.status.as_str(),
                error.map(|error| &*error.code),
                error.map(|error| &*error.message),
                error.and_then(|error| error.node.as_ref()).map(AsRef::<str>::as_ref),
                integer(record.micros),
                self.text(record.variables_after.as_ref()),
                integer(record.nodes.len() as u64),
                integer(counted.nodes_executed),
                integer(counted.success_nodes),
                integer(counted.failed_nodes),
                integer(counted.retried_nodes),
                integer(counted.total_retries),
                integer(counted.validation_failures),
                integer(counted.recovery_attempts),
                integer(counted.recovery_successes),
                texts(&record.execution_order),
            ])?;
        Ok(())
    }

    fn nodes(&self, run: i64, nodes: &[NodeRecord]) -> rusqlite::Result<()> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO nodes (run, position, node, node_type, status, plugin, version, revision, attempts, retries,
                                started_micros, micros, input, output, error_code, node_error_code, error_message,
                                status_code, recovery_applied, fallback_node_type, validation_errors)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
        )?;
        for (node, position) in nodes.iter().zip(0_i64..) {
            let error = node.error.as_ref();
            let recovery = node.recovery.as_ref();
            insert.execute(params![
                run,
                position,
                node.node.as_str(),
                node.node_type,
                node.status.as_str(),
                node.plugin.as_ref().map(AsRef::<str>::as_ref),
                node.version.as_ref().map(ToString::to_string),
                node.revision.map(|revision| integer(revision.0)),
                node.attempts,
                node.retries,
                integer(node.started_micros),
                integer(node.micros),
                self.text(node.input.as_ref()),
                self.text(node.output.as_ref()),
                error.map(|error| &*error.code),
                error.and_then(|error| error.node_code.as_deref()),
                error.map(|error| &*error.message),
                error.and_then(|error| error.status_code),
                recovery.map(|recovery| &*recovery.applied),
                recovery.and_then(|recovery| recovery.fallback_node_type.as_deref()),
                (!node.validation_errors.is_empty()).then(|| texts(&node.validation_errors)),
            ])?;
        }
        Ok(())
    }

    fn text(&self, value: Option<&Value>) -> Option<String> {
        value.map(|value| match value.as_bytes().len() {
            bytes if bytes > self.value_bytes => cut(bytes),
            _ => value.to_json(),
        })
    }
}

/// A list of texts as JSON.
fn texts<T: Serialize>(list: impl IntoIterator<Item = T>) -> String {
    let list: Vec<T> = list.into_iter().collect();
    // Writing texts to memory does not fail.
    serde_json::to_string(&list).unwrap_or_default()
}

/// SQLite's integers are signed.
pub(crate) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
