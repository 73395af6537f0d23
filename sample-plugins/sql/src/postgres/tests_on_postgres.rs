use std::time::Duration;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::testing::Harness;

use super::tests_server::Database;
use crate::nodes::{execute, ping, query};

const TABLES: &str = "CREATE TABLE x (id serial, \"tenantId\" text)";

fn rows(harness: &Harness, text: &str) -> Result<String, NodeError> {
    let text = Value::from(text);
    let input = Value::from_pairs([("query", text.as_ref())]).unwrap();
    let output = harness.call::<query>(&input.to_json())?;
    Ok(output.as_ref().get("rows").unwrap().to_json())
}

fn of(address: &str) -> Harness {
    Harness::new().tenant("acme").secret("DATABASE_URL", address)
}

#[test]
fn connections_are_kept_replaced_and_left_clean_on_postgres() {
    let database = Database::new("kept", TABLES);
    let harness = database.harness("acme").setting(
        "sql.functions",
        "pg_backend_pid, set_config, current_setting, pg_advisory_lock",
    );
    let pid = "SELECT pg_backend_pid() AS pid";
    let first = rows(&harness, pid).unwrap();
    // A connection goes back a moment after its call has ended.
    assert!(
        (0..100).any(|_| rows(&harness, pid).unwrap() == first),
        "never kept"
    );

    rows(
        &harness,
        "SELECT set_config('my.own', 'left behind', false) AS a, pg_advisory_lock(7) AS b",
    )
    .unwrap();
    for _ in 0..20 {
        let found = rows(
            &harness,
            "SELECT coalesce(current_setting('my.own', true), '') AS a",
        )
        .unwrap();
        assert_eq!(found, r#"[{"a":""}]"#);
    }
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = \
                 (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert!((0..500).any(|_| database.seen(locks) == "0"), "still locked");

    database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'patchbay'",
    );
    for _ in 0..5 {
        rows(&harness, "SELECT 1 AS one").unwrap();
    }
    // A failed call leaves no transaction.
    assert!(rows(&harness, "SELECT 1 / 0").is_err());
    assert_eq!(rows(&harness, "SELECT 1 AS one").unwrap(), r#"[{"one":1}]"#);
}

#[test]
fn connections_of_a_tenant_are_bounded_on_postgres() {
    let database = Database::new("pooled", TABLES);
    let most = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                let harness = database.harness("acme");
                for _ in 0..10 {
                    harness
                        .call::<execute>(r#"{"query": "INSERT INTO x DEFAULT VALUES"}"#)
                        .unwrap();
                }
            });
        }
        let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'patchbay'";
        for _ in 0..20 {
            let now = database.seen(count).parse().unwrap();
            most.fetch_max(now, std::sync::atomic::Ordering::SeqCst);
        }
    });
    assert!(most.into_inner() <= 8);
    assert_eq!(
        database.seen("SELECT count(*) FROM x WHERE \"tenantId\" = 'acme'"),
        "200"
    );
}

#[test]
fn a_call_that_is_given_up_is_cancelled_on_postgres() {
    let database = Database::new("givenup", TABLES);
    let harness = database.harness("acme").setting("sql.functions", "pg_sleep");
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep%' AND state = 'active' \
                    AND pid <> pg_backend_pid()";
    let hurried = harness.deadline(Duration::from_millis(300));
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| rows(&hurried, "SELECT pg_sleep(600) AS a")))
            .collect();
        for call in calls {
            assert_eq!(call.join().unwrap().unwrap_err().code, code::TIMEOUT);
        }
    });
    assert!((0..500).any(|_| database.seen(sleeping) == "0"), "still asleep");
}

#[test]
fn a_server_is_trusted_as_the_address_says_on_postgres() {
    let database = Database::new("trusted", TABLES);
    let harness =
        |options: &str| of(&database.address("admin", options)).setting("sql.functions", "pg_backend_pid");
    let is_secure = |harness: &Harness| {
        let pid = rows(harness, "SELECT pg_backend_pid() AS pid")?;
        let pid: String = pid.chars().filter(char::is_ascii_digit).collect();
        Ok::<bool, NodeError>(database.seen(&format!("SELECT ssl FROM pg_stat_ssl WHERE pid = {pid}")) == "t")
    };
    assert!(!is_secure(&harness("sslmode=disable")).unwrap());
    assert!(is_secure(&harness("sslmode=prefer")).unwrap());
    assert!(
        is_secure(&harness(&format!(
            "sslmode=require&sslrootcert={}",
            database.authority()
        )))
        .unwrap()
    );
    let unknown = is_secure(&harness("sslmode=verify-full")).unwrap_err();
    assert!(
        unknown.message.contains("is not trusted") || unknown.message.contains("sslrootcert"),
        "{unknown}"
    );
    let other = database
        .address("admin", &format!("sslrootcert={}", database.authority()))
        .replace("@localhost:", "@elsewhere.example:");
    let error = is_secure(&of(&other)).unwrap_err();
    assert!(error.message.contains("is not trusted"), "{error}");
}

#[test]
fn what_is_wrong_with_a_server_is_told_without_its_address_on_postgres() {
    let database = Database::new("told", TABLES);
    let address = database.address("admin", "sslmode=disable");
    for (address, part) in [
        (
            address.replace("hunter2", "hunter3"),
            "refuses the user or the password",
        ),
        (address.replace("/told?", "/hunter3?"), "no database of the name"),
        (
            "postgres://u:hunter3@localhost:1/hunter3?hostaddr=127.0.0.1".to_owned(),
            "cannot be reached",
        ),
        (
            "postgres://u:hunter3@nowhere.invalid/x".to_owned(),
            "cannot be reached",
        ),
    ] {
        let harness = of(&address);
        let output = harness.call::<ping>("{}").unwrap().to_json();
        assert!(
            output.contains(r#""success":false"#) && output.contains(part),
            "{output}"
        );
        let error = rows(&harness, "SELECT 1").unwrap_err();
        assert!(error.message.contains(part), "{error}");
        for hidden in ["hunter3", "nowhere.invalid", "127.0.0.1", "localhost"] {
            assert!(
                !output.contains(hidden) && !error.message.contains(hidden),
                "{hidden}: {error}"
            );
        }
    }
}
