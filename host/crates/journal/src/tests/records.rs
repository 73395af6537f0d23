use super::*;

fn full() -> RunRecord {
    let mut record = record("r1", 1_700_000_000_123, 2);
    record.start.trigger = TriggerKind::Replay;
    record.start.parent = Some("r-parent".parse().unwrap());
    record.start.replay = Some(Replay {
        of: "r0".parse().unwrap(),
        from: Some("größe/2".parse().unwrap()),
        versions: vec![("string".parse().unwrap(), "1.3.0-rc.1".parse().unwrap())],
    });
    record.status = RunStatus::Error;
    record.error = Some(RunError {
        code: "EXECUTION_ERROR".into(),
        message: "it's \"broken\"; DROP TABLE runs; --".into(),
        node: Some("n1".parse().unwrap()),
    });
    record.metrics = Metrics {
        nodes_executed: 1,
        success_nodes: 2,
        failed_nodes: 3,
        retried_nodes: 4,
        total_retries: 5,
        validation_failures: 6,
        recovery_attempts: 7,
        recovery_successes: u64::MAX >> 1,
    };
    let failed = &mut record.nodes[1];
    failed.status = NodeStatus::Error;
    failed.attempts = 3;
    failed.retries = 2;
    failed.output = None;
    failed.plugin = None;
    failed.version = None;
    failed.revision = None;
    failed.error = Some(NodeError {
        code: "EXECUTION_ERROR".into(),
        node_code: Some("E_UPSTREAM".into()),
        message: "\u{0}\u{1b}ü".into(),
        status_code: Some(503),
    });
    failed.recovery = Some(NodeRecovery {
        applied: "fallback".into(),
        fallback_node_type: Some("string.lower".into()),
    });
    failed.validation_errors = vec!["`value` is missing".into(), "`x`, too".into()];
    record
}

fn json(value: &Option<Value>) -> Option<String> {
    value.as_ref().map(Value::to_json)
}

fn text(json: &Option<Json>) -> Option<String> {
    json.as_ref().map(|json| json.as_str().to_owned())
}

#[test]
fn a_run_is_read_as_it_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let told = full();
    journal.begin(told.start.clone());
    journal.finish(told.clone());
    journal.sync(LONG).unwrap();
    let read = journal.run(&told.start.id).unwrap().unwrap();

    let summary = &read.summary;
    assert_eq!(summary.id, told.start.id);
    assert_eq!(summary.workflow, told.start.workflow);
    assert_eq!(summary.name, told.start.name);
    assert_eq!(summary.tenant, told.start.tenant);
    assert_eq!(summary.trigger, told.start.trigger);
    assert_eq!(summary.status, told.status);
    assert_eq!(summary.error, told.error);
    assert_eq!(summary.started_at, told.start.started_at);
    assert_eq!(summary.micros, Some(told.micros));
    assert_eq!(summary.parent, told.start.parent);
    assert_eq!(summary.node_count, 2);
    assert_eq!(summary.metrics, told.metrics);
    assert_eq!(read.digest, told.start.digest);
    assert_eq!(read.document, told.start.document);
    assert_eq!(text(&read.trigger_value), json(&told.start.trigger_value));
    assert_eq!(text(&read.variables_before), json(&told.start.variables));
    assert_eq!(text(&read.variables_after), json(&told.variables_after));
    assert_eq!(read.replay, told.start.replay);
    assert_eq!(read.execution_order, told.execution_order);
    assert_eq!(read.nodes.len(), told.nodes.len());
    for (read, told) in read.nodes.iter().zip(&told.nodes) {
        assert_eq!(read.node, told.node);
        assert_eq!(read.node_type, told.node_type);
        assert_eq!(read.status, told.status);
        assert_eq!(read.plugin, told.plugin);
        assert_eq!(read.version, told.version);
        assert_eq!(read.revision, told.revision);
        assert_eq!((read.attempts, read.retries), (told.attempts, told.retries));
        assert_eq!(
            (read.started_micros, read.micros),
            (told.started_micros, told.micros)
        );
        assert_eq!(text(&read.input), json(&told.input));
        assert_eq!(text(&read.output), json(&told.output));
        assert_eq!(read.error, told.error);
        assert_eq!(read.recovery, told.recovery);
        assert_eq!(read.validation_errors, told.validation_errors);
    }
    assert_eq!(journal.runs(&RunFilter::default()).unwrap(), [read.summary]);
    assert_eq!(journal.run(&"other".parse().unwrap()).unwrap(), None);
}

#[test]
fn a_run_that_began_is_seen_while_it_runs_and_the_last_record_of_it_counts() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.begin(start("r1", 5));
    journal.sync(LONG).unwrap();
    let running = journal.runs(&RunFilter::default()).unwrap();
    assert_eq!((running[0].status, running[0].micros), (RunStatus::Running, None));

    journal.finish(record("r1", 5, 7));
    journal.finish(record("r1", 5, 3));
    journal.begin(start("r1", 5));
    journal.sync(LONG).unwrap();
    let run = journal.run(&"r1".parse().unwrap()).unwrap().unwrap();
    assert_eq!((run.summary.status, run.nodes.len()), (RunStatus::Success, 3));
    assert_eq!(journal.runs(&RunFilter::default()).unwrap().len(), 1);
}

#[test]
fn a_document_is_stored_once_and_goes_with_its_last_run() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let admin = sqlite(folder.path());
    for id in ["r1", "r2", "r3"] {
        journal.finish(record(id, 1, 1));
    }
    journal.sync(LONG).unwrap();
    assert_eq!(count(&admin, "documents"), 1);
    journal.forget(&"r1".parse().unwrap());
    journal.forget(&"nobody".parse().unwrap());
    journal.sync(LONG).unwrap();
    assert_eq!((count(&admin, "documents"), count(&admin, "nodes")), (1, 2));
    journal.forget(&"r2".parse().unwrap());
    journal.forget(&"r3".parse().unwrap());
    journal.sync(LONG).unwrap();
    assert_eq!((count(&admin, "documents"), count(&admin, "nodes")), (0, 0));
    // The key that was remembered is not used again.
    journal.finish(record("r4", 1, 1));
    journal.sync(LONG).unwrap();
    assert!(journal.run(&"r4".parse().unwrap()).unwrap().is_some());
}

#[test]
fn a_value_beyond_the_bound_leaves_its_size_and_contents_may_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.value_bytes = 1000;
    let journal = Journal::open(&config, Arc::new(FakeClock::new())).unwrap();
    let mut told = record("r1", 1, 3);
    let text = |length: usize| Value::from_serialize(&"x".repeat(length)).unwrap();
    let long = text(996);
    assert_eq!(long.as_bytes().len(), 1001);
    told.nodes[0].output = Some(long);
    told.nodes[1].output = Some(text(995));
    told.nodes[2].input = None;
    told.nodes[2].output = None;
    journal.finish(told);
    journal.sync(LONG).unwrap();
    let run = journal.run(&"r1".parse().unwrap()).unwrap().unwrap();
    let cut = run.nodes[0].output.as_ref().unwrap();
    assert_eq!(
        (cut.as_str(), cut.cut()),
        (r#"{"$cut":{"bytes":1001}}"#, Some(1001))
    );
    let whole = run.nodes[1].output.as_ref().unwrap();
    assert_eq!((whole.as_str().len(), whole.cut()), (997, None));
    assert_eq!(whole.to_value().unwrap(), text(995));
    assert_eq!((&run.nodes[2].input, &run.nodes[2].output), (&None, &None));
}

#[test]
fn the_row_of_somebody_else_is_an_error_that_names_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.finish(record("r1", 1, 1));
    journal.sync(LONG).unwrap();
    for change in [
        "tenant = ''",
        "started_at = -1",
        "trigger_kind = 'x' || char(27)",
        "execution_order = '['",
    ] {
        let admin = sqlite(folder.path());
        admin
            .execute_batch(&format!("SAVEPOINT s; UPDATE runs SET {change}"))
            .unwrap();
        admin.execute_batch("RELEASE s").unwrap();
        let error = journal.run(&"r1".parse().unwrap()).unwrap_err();
        let JournalError::BadRow { run, found } = &error else {
            panic!("{error}")
        };
        assert_eq!(run, "r1");
        assert!(
            !found.contains('\u{1b}') && found.contains(change.split(' ').next().unwrap()),
            "{found}"
        );
        admin
            .execute_batch("UPDATE runs SET tenant = 'acme', started_at = 1, trigger_kind = 'manual'")
            .unwrap();
    }
}

#[test]
fn an_admin_reads_it_with_plain_sql() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let mut told = full();
    told.nodes[1].error.as_mut().unwrap().message = "no answer".into();
    journal.finish(told);
    journal.begin(start("r2", 1_700_000_001_000));
    journal.sync(LONG).unwrap();

    // As `sqlite3` opens it, while the host runs, and after it has ended.
    let look = |admin: &Connection| {
        let row: (String, String, String, f64, i64, Option<String>) = admin
            .query_row(
                "SELECT id, status, started, millis, nodes, error_code FROM recent_runs WHERE id = 'r1'",
                [],
                |row| {
                    Ok((
                        row.get(0)?,
                        row.get(1)?,
                        row.get(2)?,
                        row.get(3)?,
                        row.get(4)?,
                        row.get(5)?,
                    ))
                },
            )
            .unwrap();
        assert_eq!(
            row,
            (
                "r1".into(),
                "error".into(),
                "2023-11-14 22:13:20.123".into(),
                1.5,
                2,
                Some("EXECUTION_ERROR".into())
            )
        );
        let order: Vec<String> = admin
            .prepare("SELECT id FROM recent_runs")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(order, ["r2", "r1"]);
        let output: String = admin
            .query_row(
                "SELECT output ->> 'result' FROM nodes_view WHERE run = 'r1' AND plugin = 'string@1.2.0'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(output, "X");
        let digest: String = admin
            .query_row("SELECT digest FROM runs_view WHERE id = 'r1'", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(digest.len(), 64);
    };
    look(&sqlite(folder.path()));
    drop(journal);
    look(&sqlite(folder.path()));
}

#[test]
fn the_page_for_admins_names_every_table_and_its_questions_can_be_asked() {
    const PAGE: &str = include_str!("../../../../docs/journal.md");
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    journal.finish(record("RUN_ID", 1, 2));
    journal.sync(LONG).unwrap();
    let admin = sqlite(folder.path());
    let names: Vec<String> = admin
        .prepare(
            "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND name <> 'runs_by_document'",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for name in &names {
        assert!(PAGE.contains(&format!("`{name}`")), "{name} is not on the page");
    }
    for view in ["recent_runs", "runs_view", "nodes_view"] {
        let statement = admin.prepare(&format!("SELECT * FROM {view}")).unwrap();
        let columns = statement.column_names().collect::<Vec<_>>().join(" ");
        assert!(PAGE.contains(&format!("`{columns}`")), "{view} has {columns}");
    }
    let questions: Vec<&str> = PAGE
        .split("```sql\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(questions.len() > 4);
    for question in questions {
        let mut statement = admin
            .prepare(question)
            .unwrap_or_else(|error| panic!("{question}: {error}"));
        let mut rows = statement.query([]).unwrap();
        let any = rows.next().unwrap().is_some();
        // The run on the page succeeded, long ago.
        assert_eq!(any, !question.contains("NOT IN"), "{question}");
    }
}
