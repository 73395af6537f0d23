//! What tells one database of this program from another, and the formats of it, each made from the one before.
//!
//! A migration that was released is never changed: a new one is put behind it.

use rusqlite::{Connection, TransactionBehavior};

/// What a database is: whose it is, and what its formats are.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// What SQLite keeps in the header of the file.
    pub application_id: i64,
    /// Migration `n` makes format `n + 1`.
    pub migrations: &'static [&'static str],
    /// When a commit waits for the disk.
    pub synchronous: Synchronous,
}

/// When a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    /// At checkpoints alone: a power failure may take the last commits away, a kill does not.
    Normal,
    /// Always.
    Full,
}

impl Synchronous {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "NORMAL",
            Self::Full => "FULL",
        }
    }
}

impl Form {
    /// The format that this program writes.
    #[must_use]
    pub const fn format(&self) -> i64 {
        self.migrations.len() as i64
    }

    /// Brings the database to this program's format, one transaction for each step. An error names the format that
    /// could not be made; the database is then in the one before.
    pub(crate) fn migrate(
        &self,
        connection: &mut Connection,
        from: i64,
    ) -> Result<(), (i64, rusqlite::Error)> {
        let skipped = usize::try_from(from).unwrap_or(0);
        for (sql, format) in self.migrations.iter().zip(1_i64..).skip(skipped) {
            self.step(connection, sql, format)
                .map_err(|error| (format, error))?;
        }
        Ok(())
    }

    fn step(&self, connection: &mut Connection, sql: &str, format: i64) -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "application_id", self.application_id)?;
        transaction.pragma_update(None, "user_version", format)?;
        transaction.commit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn form(migrations: &'static [&'static str]) -> Form {
        Form {
            application_id: 0x5042_7465,
            migrations,
            synchronous: Synchronous::Normal,
        }
    }

    fn format(connection: &Connection) -> i64 {
        connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn a_migration_that_fails_leaves_the_format_before_it() {
        let mut connection = Connection::open_in_memory().unwrap();
        let broken = form(&[
            "CREATE TABLE one (a)",
            "CREATE TABLE two (a); CREATE TABLE one (a)",
        ]);
        let (failed, _) = broken.migrate(&mut connection, 0).unwrap_err();
        assert_eq!((failed, format(&connection)), (2, 1));
        assert!(connection.prepare("SELECT * FROM two").is_err());

        let mended = form(&["CREATE TABLE one (a)", "CREATE TABLE two (a)"]);
        mended.migrate(&mut connection, 1).unwrap();
        assert_eq!(format(&connection), mended.format());
        assert!(connection.prepare("SELECT * FROM two").is_ok());
    }
}
