//! `sql.query`.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Whole};

use super::{connected, most_rows, unexpected};
use crate::cell::Rows;
use crate::job::{Asked, Job, Outcome};
use crate::statement::Given;

connected! {
    struct Query {
        /// The statement: a SELECT. Values are `?`, `$1` or `:name` in it, and are given by `params`.
        #[serde(alias = "sql", alias = "statement")]
        query: &'a str,
        /// The values: a list for `?` and `$1`, a map for `:name`.
        #[serde(default, alias = "parameters", alias = "values", alias = "args")]
        params: Any<'a>,
        /// How many rows there may be; more are an error. 10,000 by default, up to 100,000.
        #[serde(default)]
        max_rows: Option<Whole>,
    }
}

/// What a query gives.
#[output]
pub(crate) struct Queried {
    /// True: what fails is an error.
    success: bool,
    /// A map of columns for each row.
    rows: Rows,
    /// How many rows there are.
    row_count: usize,
    /// The names of the columns, in order.
    columns: Vec<String>,
}

/// Reads rows with a SELECT statement. It sees the rows of the workflow's tenant, and of the tables that are shared, and can
/// change nothing.
#[node(
    id = "sql.query",
    category = "database",
    effect = "idempotent",
    capabilities = ["network", "fs", "secrets"],
    secrets = ["DATABASE_URL", "DATABASE_URL_*"],
    aliases = ["postgres.query"],
    tags = ["database", "sql", "sqlite", "postgres", "select"],
    example(
        title = "values by place",
        input = r#"{"query": "SELECT id, title FROM posts WHERE likes >= ? ORDER BY id", "params": [5]}"#,
        output = r#"{"success": true, "rows": [{"id": "p1", "title": "Hello"}, {"id": "p3", "title": "Third"}],
                     "rowCount": 2, "columns": ["id", "title"]}"#
    ),
    example(
        title = "values by name, and a sum",
        input = r#"{"query": "SELECT sum(likes) AS likes FROM posts WHERE authorId = :author", "params": {"author": "u1"}}"#,
        output = r#"{"success": true, "rows": [{"likes": 7}], "rowCount": 1, "columns": ["likes"]}"#
    )
)]
pub(crate) async fn query(input: Query<'_>, ctx: Ctx<'_>) -> NodeResult<Queried> {
    let request = input.request(&ctx)?;
    let job = Job::Query {
        asked: Asked {
            text: input.query.to_owned(),
            given: Given::read(input.params.0)?,
        },
        rows: most_rows(input.max_rows)?,
    };
    match request.perform(ctx, job).await? {
        Outcome::Ran(mut ran) if ran.len() == 1 => {
            let rows = ran.pop().map(|ran| ran.rows).unwrap_or_default();
            Ok(Queried {
                success: true,
                row_count: rows.len(),
                columns: rows.columns().to_vec(),
                rows,
            })
        }
        other => Err(unexpected(&other)),
    }
}
