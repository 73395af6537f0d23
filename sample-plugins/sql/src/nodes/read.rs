//! `dbal-read`.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Flag, Whole};

use super::{connected, unexpected};
use crate::dbal::rules::{self, Findings};
use crate::dbal::{LONGEST_PAGE, PAGE, Page, Reading, What};
use crate::job::{Job, Outcome};

connected! {
    struct Read {
        /// The table. The case of its letters does not matter where there is only one like it.
        #[serde(default, alias = "table", alias = "collection")]
        entity: &'a str,
        /// `read` (also `list`, `query`, `find`, `findMany`): a page of rows. `findOne` (`get`, `first`): the first row or null.
        /// `count`, `exists`, `aggregate`, and `validate`, which reads no row. By default `get` with an `id`, else `read`.
        #[serde(default)]
        operation: Option<&'a str>,
        /// Which rows: a map of columns to values, or to operators such as `{"$gte": 1}`; `$or`, `$and`, `$not` hold more. Null is
        /// the value nothing. All rows by default.
        #[serde(default, alias = "where")]
        filter: Any<'a>,
        /// The value of the primary key, beside the filter.
        #[serde(default)]
        id: Any<'a>,
        /// The order, such as `{"createdAt": -1}` or `["-createdAt", "name"]`.
        #[serde(default, alias = "orderBy")]
        sort: Any<'a>,
        /// The columns; all of them by default.
        #[serde(default, alias = "select", alias = "columns")]
        fields: Any<'a>,
        /// How many rows a page has: 100 by default, up to 10,000.
        #[serde(default)]
        limit: Option<Whole>,
        /// How many rows to leave out before it.
        #[serde(default, alias = "skip")]
        offset: Option<Whole>,
        /// Whether the first row is wanted, and not a page of them.
        #[serde(default)]
        single: Option<Flag>,
        /// For `validate`: a map of fields to rules such as `required|number|min:1`.
        #[serde(default)]
        rules: Any<'a>,
        /// For `validate`: what is held against the rules; by default what arrives at the node.
        #[serde(default)]
        data: Any<'a>,
        /// For `aggregate`: the columns that make groups.
        #[serde(default)]
        group_by: Any<'a>,
        /// For `aggregate`: what to compute, such as `{"total": "sum(likes)"}`.
        #[serde(default, alias = "aggregations")]
        aggregates: Any<'a>,
    }
}

/// What was read. `result` is what the operation is for; the other fields say more of it.
#[output]
pub(crate) struct Found {
    /// True, but for data that breaks its rules: what fails is an error.
    success: bool,
    /// A list of rows for `read`; a row or null for `findOne`; a number for `count`; true or false for `exists` and
    /// `validate`; for `aggregate` a map, or a list of maps when there are groups.
    result: Value,
    /// How many rows a page has.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    /// Whether there are rows behind the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    has_more: Option<bool>,
    /// Whether the data meets its rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid: Option<bool>,
    /// What is wrong with the data, by field.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Value>,
}

impl Found {
    const fn of(result: Value) -> Self {
        Self {
            success: true,
            result,
            count: None,
            has_more: None,
            valid: None,
            errors: None,
        }
    }

    pub(super) fn page(page: &Page) -> NodeResult<Self> {
        Ok(match page {
            Page::Rows { rows, has_more } => Self {
                count: Some(rows.len()),
                has_more: Some(*has_more),
                ..Self::of(Value::from_serialize(rows)?)
            },
            Page::Row(rows) => Self::of(Value::from_serialize(&rows.first())?),
            Page::Count(count) => Self::of(Value::from(*count)),
            Page::Exists(exists) => Self::of(Value::from(*exists)),
            Page::Groups(rows) => Self {
                count: Some(rows.len()),
                ..Self::of(Value::from_serialize(rows)?)
            },
        })
    }

    fn validated(findings: &Findings) -> NodeResult<Self> {
        let valid = findings.errors.is_empty();
        let texts: Vec<(&str, Value)> = findings
            .errors
            .iter()
            .map(|(field, why)| (field.as_str(), Value::from(why.as_str())))
            .collect();
        let errors = Value::from_pairs(texts.iter().map(|(field, why)| (*field, why.as_ref())))?;
        Ok(Self {
            success: valid,
            valid: Some(valid),
            errors: Some(errors),
            ..Self::of(Value::from(valid))
        })
    }
}

fn wanted(input: &Read<'_>) -> NodeResult<What> {
    let single = input.single.is_some_and(|flag| flag.0);
    let standard = if input.id.0.is_null() { "read" } else { "get" };
    let operation = input.operation.map(str::trim).filter(|name| !name.is_empty());
    match operation.unwrap_or(standard) {
        "read" | "list" | "query" | "find" | "findMany" | "search" if single => Ok(What::One),
        "read" | "list" | "query" | "find" | "findMany" | "search" => Ok(What::List),
        "findOne" | "get" | "first" | "getOne" | "readOne" => Ok(What::One),
        "count" => Ok(What::Count),
        "exists" => Ok(What::Exists),
        "aggregate" => Ok(What::aggregate(
            input.aggregates.0.to_value(),
            input.group_by.0.to_value(),
        )),
        other => {
            let shown: String = other.chars().take(40).collect();
            Err(NodeError::invalid(
                "operation",
                format_args!(
                    "`{shown}` is not known; known are read, findOne, count, exists, aggregate and validate"
                ),
            ))
        }
    }
}

/// How many rows, and from where on.
pub(super) fn page(limit: Option<Whole>, offset: Option<Whole>) -> NodeResult<(i64, i64)> {
    let limit = limit.unwrap_or(Whole(PAGE)).within("limit", 0..=LONGEST_PAGE)?;
    let offset = offset
        .unwrap_or(Whole(0))
        .within("offset", 0..=i64::from(u32::MAX))?;
    Ok((limit, offset))
}

pub(super) fn entity(name: &str) -> NodeResult<String> {
    let name = name.trim();
    if name.is_empty() {
        return Err(NodeError::invalid(
            "entity",
            "is missing: it says which table is meant",
        ));
    }
    Ok(name.to_owned())
}

/// Reads rows of a table: a page of them, one, how many there are, or sums over them. It sees the rows of the workflow's
/// tenant, and of tables that are shared. With the operation `validate` it holds data against rules, and reads nothing.
#[node(
    id = "dbal-read",
    category = "database",
    effect = "idempotent",
    capabilities = ["network", "fs", "secrets"],
    secrets = ["DATABASE_URL", "DATABASE_URL_*"],
    aliases = ["dbal.read", "dbal_read", "dbal.query"],
    tags = ["database", "dbal", "entity", "filter"],
    example(
        title = "a page of rows",
        input = r#"{"entity": "posts", "filter": {"likes": {"$gte": 1}, "isDeleted": false}, "sort": {"likes": -1},
                    "fields": ["id", "likes"], "limit": 1}"#,
        output = r#"{"success": true, "result": [{"id": "p1", "likes": 5}], "count": 1, "hasMore": true}"#
    ),
    example(
        title = "one row",
        input = r#"{"entity": "posts", "operation": "findOne", "filter": {"id": "p1", "tenantId": "test"}}"#,
        output = r#"{"success": true, "result": {"id": "p1", "tenantId": "test", "authorId": "u1", "title": "Hello", "likes": 5,
                     "isDeleted": false, "tags": ["a", "b"], "createdAt": "2024-01-01T00:00:00.000Z"}}"#
    ),
    example(
        title = "how many there are",
        input = r#"{"entity": "posts", "operation": "count", "filter": {"$or": [{"authorId": "u2"}, {"title": {"$contains": "ell"}}]}}"#,
        output = r#"{"success": true, "result": 2}"#
    ),
    example(
        title = "data against rules",
        input = r#"{"entity": "posts", "operation": "validate", "data": {"email": "a@b", "amount": 5},
                    "rules": {"email": "required|email", "amount": "required|number|min:1"}}"#,
        output = r#"{"success": false, "result": false, "valid": false, "errors": {"email": "email must be an e-mail address"}}"#
    )
)]
pub(crate) async fn dbal_read(input: Read<'_>, ctx: Ctx<'_>) -> NodeResult<Found> {
    if input.operation.map(str::trim) == Some("validate") {
        let arrived = if input.data.0.is_null() {
            // Outside of a workflow nothing arrives.
            ctx.input(0).ok().flatten()
        } else {
            None
        };
        let data = arrived.as_ref().map_or(input.data.0, |arrived| arrived.as_ref());
        return Found::validated(&rules::check(data, input.rules.0)?);
    }
    let request = input.request(&ctx)?;
    let (limit, offset) = page(input.limit, input.offset)?;
    let reading = Reading {
        entity: entity(input.entity)?,
        filter: input.filter.0.to_value(),
        id: input.id.0.to_value(),
        sort: input.sort.0.to_value(),
        fields: input.fields.0.to_value(),
        limit,
        offset,
        what: wanted(&input)?,
    };
    match request.perform(ctx, Job::Read(reading)).await? {
        Outcome::Page(page) => Found::page(&page),
        other => Err(unexpected(&other)),
    }
}
