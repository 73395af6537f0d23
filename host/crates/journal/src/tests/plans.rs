//! Lists: pages, filters, and the indexes that they use.

use super::*;

fn explain(connection: &Connection, filter: &RunFilter) -> String {
    let mut query = crate::reading::Query::of(filter);
    query.sql.insert_str(0, "EXPLAIN QUERY PLAN ");
    query
        .run(connection, |row| row.get::<_, String>("detail"))
        .unwrap()
        .join("\n")
}

#[test]
fn every_list_comes_out_of_an_index_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let cursor = RunCursor {
        started_at: UnixMillis(5),
        id: "r".parse().unwrap(),
    };
    let bases = [
        (RunFilter::default(), "runs_by_start"),
        (
            RunFilter {
                workflow: Some("wf".parse().unwrap()),
                ..RunFilter::default()
            },
            "runs_by_workflow",
        ),
        (
            RunFilter {
                tenant: Some("acme".parse().unwrap()),
                ..RunFilter::default()
            },
            "runs_by_tenant",
        ),
        (
            RunFilter {
                status: Some(RunStatus::Error),
                ..RunFilter::default()
            },
            "runs_by_status",
        ),
        (
            RunFilter {
                status: Some(RunStatus::Success),
                ..RunFilter::default()
            },
            "runs_by_start",
        ),
        (
            RunFilter {
                parent: Some("r".parse().unwrap()),
                ..RunFilter::default()
            },
            "runs_by_parent",
        ),
    ];
    for (base, index) in bases {
        let page = RunFilter {
            before: Some(cursor.clone()),
            ..base.clone()
        };
        let span = RunFilter {
            since: Some(UnixMillis(1)),
            until: Some(UnixMillis(9)),
            ..base.clone()
        };
        for filter in [base, page, span] {
            let plan = explain(&sqlite(folder.path()), &filter);
            assert!(
                plan.contains(&format!("USING INDEX {index}")),
                "{filter:?}: {plan}"
            );
            assert!(!plan.contains("TEMP B-TREE"), "{filter:?}: {plan}");
            let bounded = filter.before.is_some() || filter.since.is_some() || index != "runs_by_start";
            assert!(!bounded || plan.contains("SEARCH"), "{filter:?}: {plan}");
        }
    }
    let mixed = RunFilter {
        workflow: Some("wf".parse().unwrap()),
        tenant: Some("acme".parse().unwrap()),
        status: Some(RunStatus::Timeout),
        before: Some(cursor),
        ..RunFilter::default()
    };
    let plan = explain(&sqlite(folder.path()), &mixed);
    assert!(plan.contains("SEARCH") && !plan.contains("TEMP B-TREE"), "{plan}");
    drop(journal);
}

#[test]
fn pages_follow_one_another_without_a_gap_or_a_repetition() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let mut expected = Vec::new();
    for n in 0..57_u64 {
        // Many begin in the same millisecond.
        let id = format!("r{:02}", n * 31 % 57);
        journal.finish(record(&id, n / 5, 0));
        expected.push((n / 5, id));
    }
    journal.sync(LONG).unwrap();
    expected.sort_unstable();
    expected.reverse();

    let mut seen = Vec::new();
    let mut filter = RunFilter {
        limit: 10,
        ..RunFilter::default()
    };
    loop {
        let page = journal.runs(&filter).unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 10);
        filter.before = Some(last.cursor());
        seen.extend(page.iter().map(|run| (run.started_at.0, run.id.to_string())));
        // What begins meanwhile is on no later page.
        journal.finish(record(&format!("later{}", seen.len()), 1000, 0));
        journal.sync(LONG).unwrap();
    }
    assert_eq!(seen, expected);
}

#[test]
fn a_filter_takes_what_it_names_and_bounds_what_it_gives() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    for n in 0..60_u64 {
        let mut told = record(&format!("r{n:02}"), n, 0);
        if n % 2 == 0 {
            told.start.workflow = "even' OR '1'='1".parse().unwrap();
        }
        if n % 3 == 0 {
            told.start.tenant = "third".parse().unwrap();
        }
        if n % 10 == 0 {
            told.status = RunStatus::Timeout;
            told.start.parent = Some("r01".parse().unwrap());
        }
        journal.finish(told);
    }
    journal.sync(LONG).unwrap();
    let list = |filter: RunFilter| {
        let runs = journal.runs(&filter).unwrap();
        ids(&runs).join(" ")
    };
    let even = Some("even' OR '1'='1".parse().unwrap());
    let third = Some("third".parse().unwrap());
    let cases = [
        (
            RunFilter {
                status: Some(RunStatus::Timeout),
                ..RunFilter::default()
            },
            "r50 r40 r30 r20 r10 r00",
        ),
        (
            RunFilter {
                parent: Some("r01".parse().unwrap()),
                tenant: third.clone(),
                ..RunFilter::default()
            },
            "r30 r00",
        ),
        (
            RunFilter {
                workflow: even.clone(),
                tenant: third,
                limit: 3,
                ..RunFilter::default()
            },
            "r54 r48 r42",
        ),
        (
            RunFilter {
                workflow: even,
                since: Some(UnixMillis(4)),
                until: Some(UnixMillis(8)),
                ..RunFilter::default()
            },
            "r06 r04",
        ),
        (
            RunFilter {
                workflow: Some("wf' --".parse().unwrap()),
                ..RunFilter::default()
            },
            "",
        ),
        (
            RunFilter {
                status: Some(RunStatus::Success),
                limit: 2,
                ..RunFilter::default()
            },
            "r59 r58",
        ),
        (
            RunFilter {
                since: Some(UnixMillis(u64::MAX)),
                ..RunFilter::default()
            },
            "",
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(list(filter.clone()), expected, "{filter:?}");
    }
    assert_eq!(journal.runs(&RunFilter::default()).unwrap().len(), 50);
    let all = RunFilter {
        limit: u32::MAX,
        ..RunFilter::default()
    };
    assert_eq!(journal.runs(&all).unwrap().len(), 60);
}
