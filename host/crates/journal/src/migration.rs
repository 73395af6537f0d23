//! The formats of the database, each made from the one before.
//!
//! A migration that was released is never changed: a new one is put behind it.

use rusqlite::{Connection, TransactionBehavior};

/// What SQLite keeps in the header of our files: "PBjl".
pub(crate) const APPLICATION_ID: i64 = 0x5042_6a6c;

/// Migration `n` makes format `n + 1`.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001-runs.sql")];

/// The format that this program writes.
pub(crate) const FORMAT: i64 = MIGRATIONS.len() as i64;

/// Brings the database to this program's format, one transaction for each step. An error names the format that could
/// not be made; the database is then in the one before.
pub(crate) fn migrate(connection: &mut Connection, from: i64) -> Result<(), (i64, rusqlite::Error)> {
    apply(connection, MIGRATIONS, from)
}

fn apply(connection: &mut Connection, migrations: &[&str], from: i64) -> Result<(), (i64, rusqlite::Error)> {
    let skipped = usize::try_from(from).unwrap_or(0);
    for (sql, format) in migrations.iter().zip(1_i64..).skip(skipped) {
        step(connection, sql, format).map_err(|error| (format, error))?;
    }
    Ok(())
}

fn step(connection: &mut Connection, sql: &str, format: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(sql)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", format)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(connection: &Connection) -> i64 {
        connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn a_migration_that_fails_leaves_the_format_before_it() {
        let mut connection = Connection::open_in_memory().unwrap();
        let steps = [
            "CREATE TABLE one (a)",
            "CREATE TABLE two (a); CREATE TABLE one (a)",
        ];
        let (failed, _) = apply(&mut connection, &steps, 0).unwrap_err();
        assert_eq!((failed, format(&connection)), (2, 1));
        assert!(connection.prepare("SELECT * FROM two").is_err());

        apply(
            &mut connection,
            &["CREATE TABLE one (a)", "CREATE TABLE two (a)"],
            1,
        )
        .unwrap();
        assert_eq!(format(&connection), 2);
        assert!(connection.prepare("SELECT * FROM two").is_ok());
    }
}
