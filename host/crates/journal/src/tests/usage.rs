//! Who used a plugin, and with what.

use patchbay_database::Synchronous;

use super::*;
use crate::migration::FORM;

fn filter(node_types: &[&str], limit: u32) -> InputFilter {
    InputFilter {
        plugin: "string".parse().unwrap(),
        node_types: node_types.iter().map(|name| (*name).into()).collect(),
        limit,
    }
}

fn given(id: &str, started_at: u64, nodes: Vec<NodeRecord>) -> RunRecord {
    RunRecord {
        nodes,
        ..record(id, started_at, 0)
    }
}

fn with(id: &str, input: Option<&str>, output: Option<&str>) -> NodeRecord {
    NodeRecord {
        input: input.and_then(value),
        output: output.and_then(value),
        ..node(id)
    }
}

#[test]
fn inputs_are_those_of_the_newest_runs_and_what_was_not_kept_whole_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.value_bytes = 64;
    let journal = Journal::open(&config, Arc::new(FakeClock::new())).unwrap();
    let long = format!("\"{}\"", "x".repeat(100));
    let failed = NodeRecord {
        status: NodeStatus::Error,
        output: None,
        ..node("failed")
    };
    let recovered = NodeRecord {
        recovery: Some(NodeRecovery {
            applied: "true".into(),
            fallback_node_type: None,
        }),
        ..node("recovered")
    };
    let never = NodeRecord {
        attempts: 0,
        ..node("never")
    };
    let other = NodeRecord {
        plugin: Some("math".parse().unwrap()),
        ..node("other")
    };
    let lower = NodeRecord {
        node_type: "string.lower".into(),
        ..node("lower")
    };
    journal.finish(given("old", 1, vec![with("a", Some("1"), Some("2")), lower]));
    journal.finish(given(
        "new",
        2,
        vec![
            with("cut", Some(&long), Some("2")),
            with("cut-answer", Some("1"), Some(&long)),
            with("none", None, Some("2")),
            recovered,
            never,
            other,
            failed,
            with("b", Some("3"), Some("4")),
        ],
    ));
    journal.sync(LONG).unwrap();
    let found = journal.inputs(&filter(&["string.upper"], 10)).unwrap();
    let nodes: Vec<_> = found.inputs.iter().map(|input| input.node.as_str()).collect();
    assert_eq!((nodes, found.skipped), (vec!["b", "failed", "a"], 3));
    let newest = &found.inputs[0];
    assert_eq!((newest.run.as_str(), newest.tenant.as_str()), ("new", "acme"));
    assert_eq!(newest.version.as_ref().unwrap().to_string(), "1.2.0");
    assert_eq!(
        (newest.input.as_str(), newest.output.as_ref().unwrap().as_str()),
        ("3", "4")
    );
    assert!(found.inputs[1].output.is_none());

    let both = journal
        .inputs(&filter(&["string.upper", "string.lower"], 10))
        .unwrap();
    assert_eq!(both.inputs.len(), 4);
    let first = journal.inputs(&filter(&["string.upper"], 1)).unwrap();
    assert_eq!((first.inputs.len(), first.skipped), (1, 0));
    for nothing in [filter(&[], 10), filter(&["string.upper"], 0), filter(&["x"], 10)] {
        assert_eq!(journal.inputs(&nothing).unwrap(), StoredInputs::default());
    }
}

#[test]
fn tenants_are_those_whose_runs_began_since_then_also_when_the_runs_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for (id, tenant, at) in [
        ("a", "acme", 10),
        ("b", "acme", 5),
        ("c", "late", 20),
        ("d", "early", 1),
    ] {
        let mut record = given(id, at, vec![node("n"), node("m")]);
        record.start.tenant = tenant.parse().unwrap();
        journal.finish(record);
    }
    journal.forget(&"c".parse().unwrap());
    journal.sync(LONG).unwrap();
    let since = |at: u64| {
        let tenants = journal
            .tenants_of(&"string".parse().unwrap(), UnixMillis(at))
            .unwrap();
        tenants.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(since(0), ["acme", "early", "late"]);
    assert_eq!(since(10), ["acme", "late"]);
    assert!(since(21).is_empty());
    assert!(
        journal
            .tenants_of(&"math".parse().unwrap(), UnixMillis(0))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn both_questions_come_out_of_an_index_without_sorting() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.sync(LONG).unwrap();
    let inputs = format!(
        "{}?) ORDER BY nodes.run DESC, nodes.position DESC",
        crate::usage::INPUTS
    );
    for (sql, index) in [
        (inputs.as_str(), "nodes_by_plugin"),
        (crate::usage::TENANTS, "PRIMARY KEY (plugin=?)"),
    ] {
        let connection = sqlite(folder.path());
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let values = vec![rusqlite::types::Value::Integer(1); statement.parameter_count()];
        let plan = statement
            .query_map(rusqlite::params_from_iter(values), |row| {
                row.get::<_, String>("detail")
            })
            .unwrap()
            .collect::<rusqlite::Result<Vec<_>>>()
            .unwrap()
            .join("\n");
        assert!(plan.contains(index), "{plan}");
        assert!(
            !plan.contains("SCAN runs") && !plan.contains("SCAN uses"),
            "{plan}"
        );
    }
}

#[test]
fn a_journal_of_the_first_format_learns_who_used_what() {
    let folder = tempfile::tempdir().unwrap();
    let first = patchbay_database::Form {
        application_id: FORM.application_id,
        migrations: &FORM.migrations[..1],
        synchronous: Synchronous::Normal,
    };
    let old = patchbay_database::open(&folder.path().join("journal.db"), &first).unwrap();
    old.execute_batch(
        "INSERT INTO documents (key, digest, text) VALUES (1, 'd', '{}');
         INSERT INTO runs (key, id, workflow, name, document, tenant, trigger_kind, status, started_at)
         VALUES (1, 'r1', 'wf', 'wf', 1, 'acme', 'manual', 'success', 7);
         INSERT INTO nodes (run, position, node, node_type, status, plugin, attempts, retries, started_micros, micros,
                            input, output)
         VALUES (1, 0, 'a', 'string.upper', 'success', 'string', 1, 0, 0, 0, '1', '2'),
                (1, 1, 'b', 'x', 'success', NULL, 1, 0, 0, 0, '1', '2');",
    )
    .unwrap();
    drop(old);
    let journal = open(folder.path());
    let tenants = journal
        .tenants_of(&"string".parse().unwrap(), UnixMillis(7))
        .unwrap();
    assert_eq!(tenants.len(), 1);
    let inputs = journal.inputs(&filter(&["string.upper"], 10)).unwrap();
    assert_eq!(inputs.inputs.len(), 1);
}
