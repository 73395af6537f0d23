//! `dbal-aggregate`.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Whole};

use super::read::{Found, entity, page};
use super::{connected, unexpected};
use crate::dbal::{Reading, What};
use crate::job::{Job, Outcome};

connected! {
    struct Aggregate {
        /// The table.
        #[serde(alias = "table", alias = "collection")]
        entity: &'a str,
        /// What to compute, such as `{"total": "sum(likes)", "all": "count(*)"}`: count, count(distinct x), sum, avg, min and
        /// max. By default rows are counted.
        #[serde(default, alias = "aggregates")]
        aggregations: Any<'a>,
        /// The columns that make groups; without them all rows are one.
        #[serde(default)]
        group_by: Any<'a>,
        /// Which rows, as in `dbal-read`.
        #[serde(default, alias = "where")]
        filter: Any<'a>,
        /// The order of the groups, by their columns and by what is computed.
        #[serde(default, alias = "orderBy")]
        sort: Any<'a>,
        /// How many groups there may be; more are an error. 100 by default, up to 10,000.
        #[serde(default)]
        limit: Option<Whole>,
        /// How many groups to leave out before them.
        #[serde(default, alias = "skip")]
        offset: Option<Whole>,
    }
}

/// Computes sums, counts and the like over rows of a table, of all that meet a filter or of each group of them. It sees the
/// rows of the workflow's tenant alone.
#[node(
    id = "dbal-aggregate",
    category = "database",
    effect = "idempotent",
    capabilities = ["network", "fs", "secrets"],
    secrets = ["DATABASE_URL", "DATABASE_URL_*"],
    aliases = ["dbal.aggregate", "dbal_aggregate"],
    tags = ["database", "dbal", "entity", "sum", "count", "average"],
    example(
        title = "over all rows",
        input = r#"{"entity": "posts", "aggregations": {"totalLikes": "sum(likes)", "avgLikes": "avg(likes)"},
                    "filter": {"isDeleted": false}}"#,
        output = r#"{"success": true, "result": {"totalLikes": 7, "avgLikes": 3.5}}"#
    ),
    example(
        title = "by author",
        input = r#"{"entity": "posts", "aggregations": {"posts": "count(*)", "most": "max(likes)"}, "groupBy": ["authorId"],
                    "sort": {"posts": -1}}"#,
        output = r#"{"success": true, "result": [{"authorId": "u1", "posts": 2, "most": 5}, {"authorId": "u2", "posts": 1, "most": 9}],
                     "count": 2}"#
    )
)]
pub(crate) async fn dbal_aggregate(input: Aggregate<'_>, ctx: Ctx<'_>) -> NodeResult<Found> {
    let request = input.request(&ctx)?;
    let (limit, offset) = page(input.limit, input.offset)?;
    let reading = Reading {
        entity: entity(input.entity)?,
        filter: input.filter.0.to_value(),
        id: Value::null(),
        sort: input.sort.0.to_value(),
        fields: Value::null(),
        limit,
        offset,
        what: What::aggregate(input.aggregations.0.to_value(), input.group_by.0.to_value()),
    };
    match request.perform(ctx, Job::Read(reading)).await? {
        Outcome::Page(page) => Found::page(&page),
        other => Err(unexpected(&other)),
    }
}
