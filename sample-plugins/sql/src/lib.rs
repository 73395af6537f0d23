//! Nodes that read and write databases: SQLite and PostgreSQL.
//!
//! Invariant: a call sees and changes the rows of its own tenant, and reads tables that are shared, whatever its statement
//! says; an administrator decides on anything else. Which database it is, a secret says, never a workflow.
//!
//! ```text
//! node -> Request (secret, policy) -> Job -> perform over a Session -> Outcome -> result
//!                                              |                |
//!                                     statement: confined    sqlite: a thread that may block
//!                                                            postgres: the I/O thread
//! ```
//!
//! | what | how |
//! |---|---|
//! | which database | the secret `DATABASE_URL`, or `DATABASE_URL_NAME` with the parameter `connection` |
//! | whose rows | the column `tenantId`, or the one that the setting `sql.tenant_column` names |
//! | tables that all tenants read | the setting `sql.shared_tables`, names with commas between |
//! | a tenant that sees all rows | the setting `sql.tenant_filter` = `off`, of that tenant |
//! | changes of the schema | the setting `sql.allow_ddl` = `true` |
//! | more functions in statements | the setting `sql.functions`, names with commas between |
//!
//! In PostgreSQL, `current_setting('patchbay.tenant')` is the tenant during a call, for policies on the rows of a table:
//! a second line of defence, drawn by the database.
#![forbid(unsafe_code)]

mod address;
mod cell;
mod dbal;
mod dialect;
mod job;
mod nodes;
mod policy;
mod postgres;
mod request;
mod schema;
mod session;
mod sqlite;
mod statement;

use plugin_api::prelude::*;

use crate::nodes::{
    dbal_aggregate, dbal_read, dbal_write, describe, execute, ping, query, tables, transaction,
};

/// Closes what is kept from call to call, and ends the plugin's threads.
fn end() {
    plugin_io::end_after(|| {
        postgres::close();
        sqlite::close();
    });
}

export_plugin! {
    name: "sql",
    needs: "1.3",
    shutdown: crate::end,
    nodes: [
        dbal_aggregate,
        dbal_read,
        dbal_write,
        describe,
        execute,
        ping,
        query,
        tables,
        transaction,
    ],
}
