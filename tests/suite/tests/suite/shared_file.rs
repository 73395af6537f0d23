//! Two versions of the plugin for databases at one file, which puts two copies of SQLite into one process.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use patchbay_tests_support::{TestHost, fixture, mappings, stripped};
use serde_json::{Value as Json, json};

/// Swaps while the writers are at work.
const SWAPS: usize = 12;

fn row(host: &TestHost, sql: &str) -> Json {
    host.try_call("sql.query", json!({"sql": sql})).unwrap().output["rows"][0].clone()
}

#[test]
fn no_change_of_a_row_is_lost_while_versions_take_turns_at_a_file() {
    let host = TestHost::opened(&["sql"], &[], |config| {
        let tenant = "default".parse().unwrap();
        let folder = config.data.parent().unwrap().display().to_string();
        let url = format!("sqlite:{folder}/shared.db?mode=rwc");
        config.secrets.push((tenant, "DATABASE_URL".into(), url));
        config
            .settings
            .push((None, "sql.allow_ddl".into(), "true".into()));
        config.history_limit = 0;
    });
    let execute = |sql: &str| host.try_call("sql.execute", json!({"sql": sql})).unwrap();
    execute("CREATE TABLE counts (tenantId TEXT NOT NULL, name TEXT PRIMARY KEY, n INTEGER NOT NULL)");
    execute("INSERT INTO counts (name, n) VALUES ('all', 0)");
    let (over, done) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| {
                while !over.load(Ordering::Acquire) {
                    execute("UPDATE counts SET n = n + 1 WHERE name = 'all'");
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let swapped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for swap in 0..SWAPS {
                let from = host.tape().position();
                let old = match swap % 2 {
                    0 => "1.0.0",
                    _ => "1.1.0",
                };
                match swap {
                    0 => stripped(&fixture("sql-1-1"), &host.inbox("sql-1-1.so")),
                    _ => drop(
                        host.promote("sql", if swap % 2 == 0 { "1.1.0" } else { "1.0.0" })
                            .unwrap(),
                    ),
                }
                host.wait_after(from, "the old version to be retired", |event| {
                    event.kind == "revision.retired"
                        && event
                            .version
                            .as_ref()
                            .is_some_and(|version| version.to_string() == old)
                });
                let so_far = done.load(Ordering::Relaxed);
                host.until("the new version to write", || {
                    done.load(Ordering::Relaxed) > so_far + 3
                });
            }
        }));
        over.store(true, Ordering::Release);
        swapped.unwrap();
    });
    assert_eq!(
        row(&host, "SELECT n FROM counts")["n"],
        json!(done.load(Ordering::Relaxed))
    );
    let left = mappings(&host.maps());
    assert!(left.iter().all(|line| !line.contains("sql-1.1.0")), "{left:?}");
}
