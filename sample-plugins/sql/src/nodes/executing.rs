//! `sql.execute`.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Whole};

use super::{connected, most_rows, unexpected};
use crate::cell::{Cell, Rows};
use crate::job::{Asked, Job, Outcome};
use crate::session::Ran;
use crate::statement::Given;

connected! {
    struct Execute {
        /// The statement: an INSERT, UPDATE or DELETE. Values are `?`, `$1` or `:name` in it, and are given by `params`.
        #[serde(alias = "sql", alias = "statement")]
        query: &'a str,
        /// The values: a list for `?` and `$1`, a map for `:name`.
        #[serde(default, alias = "parameters", alias = "values", alias = "args")]
        params: Any<'a>,
        /// How many rows a RETURNING may give; more are an error. 10,000 by default, up to 100,000.
        #[serde(default)]
        max_rows: Option<Whole>,
    }
}

/// What a statement did.
#[output]
pub(crate) struct Executed {
    /// True: what fails is an error.
    success: bool,
    /// How many rows it inserted, updated or deleted.
    affected_rows: u64,
    /// The id of the last row that it inserted: the `id` of its RETURNING, or SQLite's number of the row; else null.
    last_id: Value,
    /// What its RETURNING gave.
    rows: Rows,
}

impl Executed {
    pub(super) fn new(ran: Ran) -> NodeResult<Self> {
        let id = ran.rows.last("id").cloned().or(ran.last_id);
        Ok(Self {
            success: true,
            affected_rows: ran.affected,
            last_id: Value::from_serialize(&id.unwrap_or(Cell::Null))?,
            rows: ran.rows,
        })
    }
}

/// Changes rows with an INSERT, UPDATE or DELETE statement. It touches the rows of the workflow's tenant alone, and what it
/// inserts is the tenant's.
#[node(
    id = "sql.execute",
    category = "database",
    effect = "effectful",
    capabilities = ["network", "fs", "secrets"],
    secrets = ["DATABASE_URL", "DATABASE_URL_*"],
    aliases = ["postgres.execute"],
    tags = ["database", "sql", "sqlite", "postgres", "insert", "update", "delete"],
    example(
        title = "an update",
        input = r#"{"query": "UPDATE posts SET likes = likes + 1 WHERE authorId = :author", "params": {"author": "u1"}}"#,
        output = r#"{"success": true, "affectedRows": 2, "lastId": null, "rows": []}"#
    ),
    example(
        title = "an insertion, which is the tenant's without saying so",
        input = r#"{"query": "INSERT INTO posts (id, authorId, title) VALUES (?, ?, ?) RETURNING id, tenantId",
                    "params": ["p9", "u2", "New"]}"#,
        output = r#"{"success": true, "affectedRows": 1, "lastId": "p9", "rows": [{"id": "p9", "tenantId": "test"}]}"#
    )
)]
pub(crate) async fn execute(input: Execute<'_>, ctx: Ctx<'_>) -> NodeResult<Executed> {
    let request = input.request(&ctx)?;
    let job = Job::Execute {
        asked: Asked {
            text: input.query.to_owned(),
            given: Given::read(input.params.0)?,
        },
        rows: most_rows(input.max_rows)?,
    };
    match request.perform(ctx, job).await? {
        Outcome::Ran(mut ran) => match ran.pop() {
            Some(only) => Executed::new(only),
            None => Err(unexpected(&Outcome::Ran(ran))),
        },
        other => Err(unexpected(&other)),
    }
}
