//! `dbal-write`.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Flag};

use super::read::entity;
use super::{connected, unexpected};
use crate::dbal::{Operation, Writing, Written};
use crate::job::{Job, Outcome};

connected! {
    struct Write {
        /// The table. The case of its letters does not matter where there is only one like it.
        #[serde(alias = "table", alias = "collection")]
        entity: &'a str,
        /// `create`, `createMany`, `update`, `updateMany`, `upsert`, `delete` or `deleteMany`.
        operation: &'a str,
        /// The row, a map of columns to values; a list of rows for `createMany`. The tenant's column is filled in.
        #[serde(default, alias = "values")]
        data: Any<'a>,
        /// The value of the primary key, beside the filter.
        #[serde(default)]
        id: Any<'a>,
        /// Which rows, as in `dbal-read`. `update`, `upsert` and `delete` are for one row: when more meet it, nothing happens.
        #[serde(default, alias = "where")]
        filter: Any<'a>,
        /// For `updateMany` and `deleteMany`: whether they may go without a filter, which then means every row.
        #[serde(default)]
        all_rows: Option<Flag>,
    }
}

/// What was written.
#[output]
pub(crate) struct Result {
    /// True: what fails is an error. Meeting no row is no failure.
    success: bool,
    /// The row as it is now, or as it was before it was deleted; null when no row was met. A list for `createMany`, and how
    /// many rows were met for `updateMany` and `deleteMany`.
    result: Value,
    /// How many rows were made, changed or deleted.
    affected_rows: u64,
    /// Whether a row was made.
    created: bool,
}

fn operation(name: &str, data: ValueRef<'_>) -> NodeResult<Operation> {
    match name.trim() {
        "create" | "insert" | "createOne" if data.as_list().is_some() => Ok(Operation::CreateMany),
        "create" | "insert" | "createOne" => Ok(Operation::Create),
        "createMany" | "insertMany" | "create_many" | "bulkCreate" => Ok(Operation::CreateMany),
        "update" | "updateOne" => Ok(Operation::Update),
        "updateMany" | "update_many" => Ok(Operation::UpdateMany),
        "upsert" => Ok(Operation::Upsert),
        "delete" | "remove" | "deleteOne" => Ok(Operation::Delete),
        "deleteMany" | "delete_many" => Ok(Operation::DeleteMany),
        other => {
            let shown: String = other.chars().take(40).collect();
            Err(NodeError::invalid(
                "operation",
                format_args!(
                    "`{shown}` is not known; known are create, createMany, update, updateMany, upsert, delete and deleteMany"
                ),
            ))
        }
    }
}

fn result(operation: Operation, written: &Written) -> NodeResult<Value> {
    Ok(match operation {
        Operation::CreateMany => Value::from_serialize(&written.rows)?,
        Operation::UpdateMany | Operation::DeleteMany => Value::from_serialize(&written.affected)?,
        Operation::Create | Operation::Update | Operation::Upsert | Operation::Delete => {
            Value::from_serialize(&written.rows.first())?
        }
    })
}

/// Makes, changes or deletes rows of a table. It touches the rows of the workflow's tenant alone. A row without an id gets a
/// random UUID as its primary key, where that is text and the database makes none.
#[node(
    id = "dbal-write",
    category = "database",
    effect = "effectful",
    capabilities = ["network", "fs", "secrets"],
    secrets = ["DATABASE_URL", "DATABASE_URL_*"],
    aliases = ["dbal.write", "dbal_write"],
    tags = ["database", "dbal", "entity", "create", "update", "delete"],
    example(
        title = "a row is made",
        input = r#"{"entity": "regions", "operation": "create", "data": {"code": "at", "name": "Austria"}}"#,
        output = r#"{"success": true, "result": {"code": "at", "tenantId": "test", "name": "Austria"}, "affectedRows": 1,
                     "created": true}"#
    ),
    example(
        title = "a row is changed",
        input = r#"{"entity": "regions", "operation": "update", "filter": {"code": "ch"}, "data": {"name": "Schweiz"}}"#,
        output = r#"{"success": true, "result": {"code": "ch", "tenantId": "test", "name": "Schweiz"}, "affectedRows": 1,
                     "created": false}"#
    ),
    example(
        title = "a row is changed, or made when there is none",
        input = r#"{"entity": "regions", "operation": "upsert", "filter": {"code": "it"}, "data": {"name": "Italia"}}"#,
        output = r#"{"success": true, "result": {"code": "it", "tenantId": "test", "name": "Italia"}, "affectedRows": 1,
                     "created": true}"#
    ),
    example(
        title = "several rows are deleted",
        input = r#"{"entity": "regions", "operation": "deleteMany", "filter": {"code": {"$in": ["de", "ch", "fr"]}}}"#,
        output = r#"{"success": true, "result": 2, "affectedRows": 2, "created": false}"#
    )
)]
pub(crate) async fn dbal_write(input: Write<'_>, ctx: Ctx<'_>) -> NodeResult<Result> {
    let request = input.request(&ctx)?;
    let operation = operation(input.operation, input.data.0)?;
    let writing = Writing {
        entity: entity(input.entity)?,
        operation,
        data: input.data.0.to_value(),
        filter: input.filter.0.to_value(),
        id: input.id.0.to_value(),
        all_rows: input.all_rows.is_some_and(|flag| flag.0),
    };
    match request.perform(ctx, Job::Write(writing)).await? {
        Outcome::Written(written) => Ok(Result {
            success: true,
            result: result(operation, &written)?,
            affected_rows: written.affected,
            created: written.created,
        }),
        other => Err(unexpected(&other)),
    }
}
