//! `sql.tables`, `sql.describe` and `sql.ping`.

use plugin_api::error::code;
use plugin_api::prelude::*;

use super::{connected, unexpected};
use crate::job::{Job, Outcome};
use crate::policy::{Access, Policy};
use crate::schema::{Column, Table, TableName};

connected! {
    struct Tables {}
}

/// A table or view.
#[output]
pub(crate) struct Listed {
    /// Its name.
    name: String,
    /// Its schema; `main` in SQLite.
    schema: String,
    /// `table` or `view`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What the tenant may do: `tenant` for its own rows, `shared` for reading, `all`, or `none`.
    access: &'static str,
}

/// The tables of a database.
#[output]
pub(crate) struct AllTables {
    /// True: what fails is an error.
    success: bool,
    /// The tables and views, by schema and name.
    tables: Vec<Listed>,
}

/// Lists the tables and views of a database, and says of each what the workflow's tenant may do with it.
#[node(
    id = "sql.tables",
    category = "database",
    effect = "idempotent",
    capabilities = ["network", "fs", "secrets"],
    secrets = ["DATABASE_URL", "DATABASE_URL_*"],
    aliases = ["postgres.listTables", "postgres.list_tables"],
    tags = ["database", "sql", "sqlite", "postgres", "schema"],
    example(
        title = "the tenant's tables and a shared one",
        input = "{}",
        output = r#"{"success": true, "tables": [
                      {"name": "audit", "schema": "main", "type": "table", "access": "none"},
                      {"name": "countries", "schema": "main", "type": "table", "access": "shared"},
                      {"name": "posts", "schema": "main", "type": "table", "access": "tenant"},
                      {"name": "regions", "schema": "main", "type": "table", "access": "tenant"}]}"#
    ),
    example(
        title = "of another connection",
        input = r#"{"connection": "reports"}"#,
        output = r#"{"success": true, "tables": [{"name": "sales", "schema": "main", "type": "table", "access": "tenant"}]}"#
    )
)]
pub(crate) async fn tables(input: Tables<'_>, ctx: Ctx<'_>) -> NodeResult<AllTables> {
    let request = input.request(&ctx)?;
    let policy = request.policy().clone();
    match request.perform(ctx, Job::Tables).await? {
        Outcome::Tables(tables) => Ok(AllTables {
            success: true,
            tables: tables.into_iter().map(|table| listed(table, &policy)).collect(),
        }),
        other => Err(unexpected(&other)),
    }
}

fn listed(table: Table, policy: &Policy) -> Listed {
    Listed {
        access: policy.access(&table).as_str(),
        kind: table.kind.as_str(),
        name: table.name,
        schema: table.schema,
    }
}

connected! {
    struct Describe {
        /// The table's name.
        #[serde(alias = "name", alias = "entity")]
        table: &'a str,
        /// Its schema; by default the first that has such a table.
        #[serde(default)]
        schema: Option<&'a str>,
    }
}

/// A column.
#[output]
pub(crate) struct Described {
    /// Its name.
    name: String,
    /// Its type, as the database writes it.
    #[serde(rename = "type")]
    type_name: String,
    /// Whether it may be null.
    nullable: bool,
    /// Its default, as the database writes it; null for none.
    default: Option<String>,
    /// Whether it is a part of the primary key.
    primary_key: bool,
    /// Whether the database computes it.
    generated: bool,
}

/// A table's columns.
#[output]
pub(crate) struct Description {
    /// True: what fails is an error.
    success: bool,
    /// The table's name.
    table: String,
    /// Its schema.
    schema: String,
    /// What the tenant may do: `tenant`, `shared`, `all` or `none`.
    access: &'static str,
    /// The column that says whose a row is, which is not for workflows to write.
    tenant_column: Option<String>,
    /// The columns, in order.
    columns: Vec<Described>,
}

/// Says which columns a table has.
#[node(
    id = "sql.describe",
    category = "database",
    effect = "idempotent",
    capabilities = ["network", "fs", "secrets"],
    secrets = ["DATABASE_URL", "DATABASE_URL_*"],
    aliases = ["postgres.describeTable", "postgres.describe_table"],
    tags = ["database", "sql", "sqlite", "postgres", "schema", "columns"],
    example(
        title = "a shared table",
        input = r#"{"table": "countries"}"#,
        output = r#"{"success": true, "table": "countries", "schema": "main", "access": "shared", "tenantColumn": null,
                     "columns": [
                       {"name": "code", "type": "TEXT", "nullable": true, "default": null, "primaryKey": true, "generated": false},
                       {"name": "name", "type": "TEXT", "nullable": false, "default": null, "primaryKey": false, "generated": false}]}"#
    ),
    example(
        title = "a table of another connection",
        input = r#"{"table": "Sales", "connection": "reports"}"#,
        output = r#"{"success": true, "table": "sales", "schema": "main", "access": "tenant", "tenantColumn": "tenantId",
                     "columns": [
                       {"name": "id", "type": "INTEGER", "nullable": false, "default": "rowid", "primaryKey": true, "generated": false},
                       {"name": "tenantId", "type": "TEXT", "nullable": true, "default": null, "primaryKey": false, "generated": false},
                       {"name": "amount", "type": "REAL", "nullable": true, "default": "0", "primaryKey": false, "generated": false}]}"#
    )
)]
pub(crate) async fn describe(input: Describe<'_>, ctx: Ctx<'_>) -> NodeResult<Description> {
    let request = input.request(&ctx)?;
    let policy = request.policy().clone();
    let name = TableName {
        schema: input.schema.map(str::to_owned),
        name: input.table.to_owned(),
    };
    match request.perform(ctx, Job::Describe(name)).await? {
        Outcome::Table(Some(table)) => Ok(described(table, &policy)),
        Outcome::Table(None) => {
            let shown: String = input.table.chars().take(100).collect();
            Err(NodeError::invalid(
                "table",
                format_args!("the database has no table `{shown}`; `sql.tables` says which ones there are"),
            ))
        }
        other => Err(unexpected(&other)),
    }
}

fn described(table: Table, policy: &Policy) -> Description {
    let access = policy.access(&table);
    let tenant_column = match access {
        Access::OwnRows(column) => Some(column.name.clone()),
        _ => None,
    };
    let access = access.as_str();
    let column = |column: Column| Described {
        name: column.name,
        type_name: column.type_name,
        nullable: column.nullable,
        default: column.default,
        primary_key: column.key > 0,
        generated: column.generated,
    };
    Description {
        success: true,
        table: table.name,
        schema: table.schema,
        access,
        tenant_column,
        columns: table.columns.into_iter().map(column).collect(),
    }
}

connected! {
    struct Ping {}
}

/// How a database answers.
#[output]
pub(crate) struct Answered {
    /// Whether it answers.
    success: bool,
    /// `sqlite` or `postgres`; null when it does not answer.
    dialect: Option<&'static str>,
    /// Its version; null when it does not answer.
    version: Option<String>,
    /// Why it does not answer; null when it does.
    error: Option<String>,
}

/// Asks whether a database answers. One that cannot be reached or opened is an answer, too: `success` is false then, and
/// `error` says why. A missing or malformed secret is an error.
#[node(
    id = "sql.ping",
    category = "database",
    effect = "idempotent",
    capabilities = ["network", "fs", "secrets"],
    secrets = ["DATABASE_URL", "DATABASE_URL_*"],
    aliases = ["postgres.checkConnection", "postgres.check_connection"],
    tags = ["database", "sql", "sqlite", "postgres", "health"],
    example(
        title = "a database that is there",
        input = "{}",
        output = r#"{"success": true, "dialect": "sqlite", "version": "3.54.1", "error": null}"#
    ),
    example(
        title = "one that is not",
        input = r#"{"connection": "missing"}"#,
        output = r#"{"success": false, "dialect": null, "version": null,
                     "error": "the file that the secret `DATABASE_URL_MISSING` names is not there; with `?mode=rwc` at its end it is made"}"#
    )
)]
pub(crate) async fn ping(input: Ping<'_>, ctx: Ctx<'_>) -> NodeResult<Answered> {
    let request = input.request(&ctx)?;
    match request.perform(ctx, Job::Ping).await {
        Ok(Outcome::Version(dialect, version)) => Ok(Answered {
            success: true,
            dialect: Some(dialect.as_str()),
            version: Some(version),
            error: None,
        }),
        Ok(other) => Err(unexpected(&other)),
        Err(error) if [code::CANCELLED, code::TIMEOUT].contains(&error.code.as_ref()) => Err(error),
        Err(error) => Ok(Answered {
            success: false,
            dialect: None,
            version: None,
            error: Some(error.message.into_owned()),
        }),
    }
}
