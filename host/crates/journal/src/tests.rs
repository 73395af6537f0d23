mod files;
mod kill;
mod plans;
mod pruning;
mod queue;
mod records;
mod usage;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use patchbay_vocab::{Digest, FakeClock, UnixMillis};
use plugin_api::value::Value;
use rusqlite::Connection;

use crate::*;

/// Long enough for a machine that does other things, too.
const LONG: Duration = Duration::from_secs(60);

fn config(folder: &Path) -> JournalConfig {
    JournalConfig::at(folder.join("journal.db"))
}

fn open(folder: &Path) -> Journal {
    Journal::open(&config(folder), Arc::new(FakeClock::new())).unwrap()
}

/// What an admin with `sqlite3` has.
fn sqlite(folder: &Path) -> Connection {
    Connection::open(folder.join("journal.db")).unwrap()
}

fn count(connection: &Connection, table: &str) -> i64 {
    connection
        .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
        .unwrap()
}

fn value(json: &str) -> Option<Value> {
    Some(Value::from_json(json).unwrap())
}

fn start(id: &str, started_at: u64) -> RunStart {
    let document: Arc<str> = r#"{"id":"wf"}"#.into();
    RunStart {
        id: id.parse().unwrap(),
        workflow: "wf".parse().unwrap(),
        name: "A workflow".into(),
        digest: Digest::of(document.as_bytes()),
        document,
        tenant: "acme".parse().unwrap(),
        trigger: TriggerKind::Manual,
        trigger_value: value(r#"{"n":1}"#),
        variables: value(r#"{"a":1}"#),
        started_at: UnixMillis(started_at),
        parent: None,
        replay: None,
    }
}

fn node(id: &str) -> NodeRecord {
    NodeRecord {
        node: id.parse().unwrap(),
        node_type: "string.upper".into(),
        status: NodeStatus::Success,
        plugin: Some("string".parse().unwrap()),
        version: Some("1.2.0".parse().unwrap()),
        revision: Some(patchbay_vocab::RevisionNumber(3)),
        attempts: 1,
        retries: 0,
        started_micros: 10,
        micros: 5,
        input: value(r#"{"value":"x"}"#),
        output: value(r#"{"result":"X"}"#),
        error: None,
        recovery: None,
        validation_errors: Vec::new(),
    }
}

fn record(id: &str, started_at: u64, nodes: usize) -> RunRecord {
    let nodes: Vec<_> = (0..nodes).map(|n| node(&format!("n{n}"))).collect();
    RunRecord {
        start: start(id, started_at),
        status: RunStatus::Success,
        error: None,
        micros: 1500,
        variables_after: value(r#"{"a":2}"#),
        metrics: Metrics {
            nodes_executed: nodes.len() as u64,
            success_nodes: nodes.len() as u64,
            ..Metrics::default()
        },
        execution_order: nodes.iter().map(|node| node.node.clone()).collect(),
        nodes,
    }
}

fn ids(runs: &[RunSummary]) -> Vec<&str> {
    runs.iter().map(|run| run.id.as_str()).collect()
}
