//! Who used a plugin, and with what: for whoever wants to put another version in its place.

use std::path::Path;

use patchbay_database as database;
use patchbay_vocab::{NodeId, PluginName, RunId, TenantId, UnixMillis, Version};
use rusqlite::{Row, params_from_iter, types::Value as Cell};

use crate::error::JournalError;
use crate::insert::integer;
use crate::stored::Json;

/// Inputs of one answer, and their bytes.
const MOST: u32 = 10_000;
const MOST_BYTES: usize = 64 << 20;
/// Rows of the plugin that are looked at, the newest first.
const MOST_LOOKED: u32 = 100_000;
/// Node types that are asked for at once.
const MOST_TYPES: usize = 500;
/// Tenants of one answer.
const MOST_TENANTS: u32 = 10_000;

/// Which inputs of a plugin's nodes are asked for.
#[derive(Clone, Debug)]
pub struct InputFilter {
    /// The plugin that answered.
    pub plugin: PluginName,
    /// The nodes' types, as the documents spelled them.
    pub node_types: Vec<Box<str>>,
    /// How many at most; no more than 10,000, and no more than 64 MiB of them.
    pub limit: u32,
}

/// What a node was given in a run, and what it answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInput {
    /// The run.
    pub run: RunId,
    /// Whose run it was.
    pub tenant: TenantId,
    /// The node.
    pub node: NodeId,
    /// Its type, as the document spelled it.
    pub node_type: Box<str>,
    /// The version that answered.
    pub version: Option<Version>,
    /// Its parameters.
    pub input: Json,
    /// Its answer; `None` when it failed.
    pub output: Option<Json>,
}

/// Inputs, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredInputs {
    /// Those that are kept whole.
    pub inputs: Vec<StoredInput>,
    /// Those that are not: cut, or not kept at all.
    pub skipped: u64,
}

/// Newest first: out of the index, without sorting. A fallback answered where something was recovered.
pub(crate) const INPUTS: &str = "
    SELECT runs.id, runs.tenant, node, node_type, version, input, output, nodes.status
    FROM (SELECT run, position, node, node_type, status, version, input, output, attempts, recovery_applied
          FROM nodes WHERE plugin = ? ORDER BY run DESC, position DESC LIMIT ?) AS nodes
    JOIN runs ON runs.key = nodes.run
    WHERE nodes.status IN ('success', 'error') AND attempts > 0 AND recovery_applied IS NULL AND node_type IN (";

pub(crate) const TENANTS: &str =
    "SELECT tenant FROM uses WHERE plugin = ?1 AND last_at >= ?2 ORDER BY tenant LIMIT ?3";

pub(crate) fn inputs(path: &Path, filter: &InputFilter) -> Result<StoredInputs, JournalError> {
    let types: Vec<_> = filter.node_types.iter().take(MOST_TYPES).collect();
    let limit = filter.limit.min(MOST) as usize;
    let mut found = StoredInputs::default();
    if types.is_empty() || limit == 0 {
        return Ok(found);
    }
    let connection = database::open_to_read(path).map_err(JournalError::Read)?;
    let sql = format!(
        "{INPUTS}{}) ORDER BY nodes.run DESC, nodes.position DESC",
        vec!["?"; types.len()].join(", ")
    );
    let first = [
        Cell::Text(filter.plugin.to_string()),
        Cell::Integer(i64::from(MOST_LOOKED)),
    ];
    let values = first
        .into_iter()
        .chain(types.iter().map(|name| Cell::Text(name.to_string())));
    let mut statement = connection.prepare(&sql).map_err(JournalError::Read)?;
    let mut rows = statement
        .query(params_from_iter(values))
        .map_err(JournalError::Read)?;
    let mut bytes = 0;
    while found.inputs.len() < limit && bytes < MOST_BYTES {
        let Some(row) = rows.next().map_err(JournalError::Read)? else {
            break;
        };
        match input(row)? {
            Some(input) => {
                let output = input.output.as_ref().map_or(0, |output| output.as_str().len());
                bytes += input.input.as_str().len() + output;
                found.inputs.push(input);
            }
            None => found.skipped += 1,
        }
    }
    Ok(found)
}

/// What a row has; `None` when not all of it was kept.
fn input(row: &Row<'_>) -> Result<Option<StoredInput>, JournalError> {
    let run: String = row.get(0).map_err(JournalError::Read)?;
    let wrong = |column: &str, why: &dyn std::fmt::Display| JournalError::BadRow {
        run: run.clone(),
        found: format!("column `{column}`: {why}"),
    };
    let text = |at: usize, column: &str| -> Result<Option<String>, JournalError> {
        row.get(at).map_err(|error| wrong(column, &error))
    };
    let needed = |at: usize, column: &str| text(at, column)?.ok_or_else(|| wrong(column, &"is empty"));
    let json = |at: usize, column: &str| -> Result<Option<Json>, JournalError> {
        Ok(text(at, column)?.map(|text| Json::from(text.as_str())))
    };
    let whole = |json: Option<Json>| json.filter(|json| json.cut().is_none());
    let succeeded = needed(7, "status")? == "success";
    let (input, output) = (whole(json(5, "input")?), whole(json(6, "output")?));
    let Some(input) = input.filter(|_| output.is_some() || !succeeded) else {
        return Ok(None);
    };
    Ok(Some(StoredInput {
        tenant: needed(1, "tenant")?
            .parse()
            .map_err(|error| wrong("tenant", &error))?,
        node: needed(2, "node")?
            .parse()
            .map_err(|error| wrong("node", &error))?,
        node_type: needed(3, "node_type")?.into(),
        version: match text(4, "version")? {
            None => None,
            Some(version) => Some(version.parse().map_err(|error| wrong("version", &error))?),
        },
        run: run.parse().map_err(|error| wrong("id", &error))?,
        input,
        output: output.filter(|_| succeeded),
    }))
}

pub(crate) fn tenants(
    path: &Path,
    plugin: &PluginName,
    since: UnixMillis,
) -> Result<Vec<TenantId>, JournalError> {
    let read = || {
        let connection = database::open_to_read(path)?;
        let mut statement = connection.prepare(TENANTS)?;
        let values = (plugin.as_str(), integer(since.0), MOST_TENANTS);
        let rows = statement.query_map(values, |row| row.get::<_, String>(0))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    let found = read().map_err(JournalError::Read)?;
    // What is no tenant is somebody else's row.
    Ok(found.iter().filter_map(|tenant| tenant.parse().ok()).collect())
}
