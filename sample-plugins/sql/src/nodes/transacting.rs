//! `sql.transaction`.

use plugin_api::prelude::*;
use plugin_api::reading::{List, Whole, shown};

use super::executing::Executed;
use super::{connected, most_rows, unexpected};
use crate::job::{Asked, Job, Outcome};
use crate::statement::Given;

/// Statements of one transaction.
const MOST_STATEMENTS: usize = 1_000;

connected! {
    struct Transaction {
        /// The statements, in order: each a text, or a map with `query` and `params`.
        #[serde(alias = "queries")]
        statements: List<'a>,
        /// How many rows all of them together may give; more are an error. 10,000 by default, up to 100,000.
        #[serde(default)]
        max_rows: Option<Whole>,
    }
}

/// What a transaction did.
#[output]
pub(crate) struct Transacted {
    /// True: when a statement fails, nothing has happened and the node fails.
    success: bool,
    /// What each statement did.
    results: Vec<Executed>,
    /// How many rows they inserted, updated and deleted together.
    affected_rows: u64,
}

fn asked(item: ValueRef<'_>, index: usize) -> NodeResult<Asked> {
    let names = ["query", "sql", "statement"];
    let text = item
        .as_str()
        .or_else(|| names.iter().find_map(|name| item.get(name)?.as_str()));
    let Some(text) = text else {
        return Err(NodeError::invalid(
            "statements",
            format_args!(
                "item {index} must be a text, or a map with `query`, but is {}",
                shown(item)
            ),
        ));
    };
    let names = ["params", "parameters", "values", "args"];
    let params = names.iter().find_map(|name| item.get(name));
    Ok(Asked {
        text: text.to_owned(),
        given: Given::read(params.unwrap_or(ValueRef::NULL))?,
    })
}

/// Runs several statements so that all of them happen or none. Each sees and touches the rows of the workflow's tenant
/// alone.
#[node(
    id = "sql.transaction",
    category = "database",
    effect = "effectful",
    capabilities = ["network", "fs", "secrets"],
    secrets = ["DATABASE_URL", "DATABASE_URL_*"],
    tags = ["database", "sql", "sqlite", "postgres", "transaction"],
    example(
        title = "likes move from one post to another",
        input = r#"{"statements": [
                      {"query": "UPDATE posts SET likes = likes - ? WHERE id = ?", "params": [2, "p1"]},
                      {"query": "UPDATE posts SET likes = likes + ? WHERE id = ?", "params": [2, "p2"]}]}"#,
        output = r#"{"success": true, "affectedRows": 2, "results": [
                      {"success": true, "affectedRows": 1, "lastId": null, "rows": []},
                      {"success": true, "affectedRows": 1, "lastId": null, "rows": []}]}"#
    ),
    example(
        title = "a statement may be a text, and may read",
        input = r#"{"statements": ["DELETE FROM posts WHERE isDeleted", "SELECT count(*) AS n FROM posts"]}"#,
        output = r#"{"success": true, "affectedRows": 1, "results": [
                      {"success": true, "affectedRows": 1, "lastId": null, "rows": []},
                      {"success": true, "affectedRows": 0, "lastId": null, "rows": [{"n": 2}]}]}"#
    )
)]
pub(crate) async fn transaction(input: Transaction<'_>, ctx: Ctx<'_>) -> NodeResult<Transacted> {
    let request = input.request(&ctx)?;
    if input.statements.is_empty() || input.statements.len() > MOST_STATEMENTS {
        return Err(NodeError::invalid(
            "statements",
            format_args!(
                "must have 1 to {MOST_STATEMENTS} statements, but has {}",
                input.statements.len()
            ),
        ));
    }
    let statements: NodeResult<Vec<Asked>> = input
        .statements
        .iter()
        .enumerate()
        .map(|(index, item)| asked(item, index))
        .collect();
    let job = Job::Transaction {
        asked: statements?,
        rows: most_rows(input.max_rows)?,
    };
    match request.perform(ctx, job).await? {
        Outcome::Ran(ran) => Ok(Transacted {
            success: true,
            affected_rows: ran.iter().map(|ran| ran.affected).sum(),
            results: ran.into_iter().map(Executed::new).collect::<NodeResult<_>>()?,
        }),
        other => Err(unexpected(&other)),
    }
}
