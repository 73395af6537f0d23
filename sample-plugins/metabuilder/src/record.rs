//! The node for records.

use plugin_api::prelude::*;
use plugin_api::reading::{Given, Outcome};

use crate::dbal::{Request, Work, run};
use crate::given::{cut, map};
use crate::shaping::rendered;

#[parameters]
pub(crate) struct Database<'a> {
    /// `database_read`, `database_create`, `database_update`, `database_upsert` or `database_delete`.
    #[serde(default)]
    #[schemars(length(max = 100))]
    operation: Option<&'a str>,
    /// The entity, such as `User`.
    #[serde(default)]
    #[schemars(extend("type" = ["string", "null"]))]
    entity: Given<'a>,
    /// Which records: a map of fields and values, or of fields and operators such as `{"level": {"$gte": 3}}`.
    #[serde(default, alias = "where")]
    #[schemars(extend("type" = ["object", "null"]))]
    filter: Given<'a>,
    /// What to write: a map of fields; for `database_create` a list of them as well.
    #[serde(default)]
    #[schemars(extend("type" = ["object", "array", "null"]))]
    data: Given<'a>,
    /// In which order: `{"createdAt": -1}`. A name of a field may be an expression.
    #[serde(default)]
    #[schemars(extend("x-template" = false))]
    sort: Given<'a>,
    /// How many records at most.
    #[serde(default)]
    #[schemars(extend("type" = ["integer", "string", "null"]))]
    limit: Given<'a>,
    /// How many records to pass over.
    #[serde(default, alias = "skip")]
    #[schemars(extend("type" = ["integer", "string", "null"]))]
    offset: Given<'a>,
    /// The id of the record, instead of a filter.
    #[serde(default)]
    id: Given<'a>,
    /// Which of the tenant's databases, as `dbal-read` has it.
    #[serde(default)]
    #[schemars(extend("type" = ["string", "null"]))]
    connection: Given<'a>,
}

/// Reads and writes records, through `dbal-read` and `dbal-write`. The result is the output itself.
///
/// A read gives a list when the document writes `sort`, `limit` or `offset`, also where one of them comes to null; without
/// any of them it gives the first record that the filter finds, or null. What is in the database never decides which of
/// the two it is. `database_create` gives the new record, or a list of them for a list; `database_update` and
/// `database_upsert` give the record as it is now, `database_delete` as it was, and null when there is none. They are for
/// one record: when the filter finds several, nothing happens. Updates and deletions need an id, or a filter whose values
/// are not all null.
#[node(
    id = "metabuilder.database",
    category = "metabuilder",
    effect = "effectful",
    tags = ["database", "record", "query"],
    example(
        title = "the first that is found",
        input = r#"{"operation": "database_read", "entity": "User", "filter": {"email": "ada@example.org"}}"#,
        output = r#"{"id": "u1", "email": "ada@example.org"}"#
    ),
    example(
        title = "a list",
        input = r#"{"operation": "database_read", "entity": "User", "filter": {}, "sort": {"email": 1}, "limit": 10}"#,
        output = r#"[{"id": "u1", "email": "ada@example.org"}]"#
    ),
    example(
        title = "a new one",
        input = r#"{"operation": "database_create", "entity": "User", "data": {"email": "eve@example.org"}}"#,
        output = r#"{"id": "u2", "email": "eve@example.org"}"#
    )
)]
pub(crate) fn database(input: Database<'_>, ctx: &Ctx<'_>) -> NodeResult<Outcome<'static>> {
    let known =
        "`database_read`, `database_create`, `database_update`, `database_upsert` or `database_delete`";
    let Some(name) = input.operation else {
        return Err(NodeError::invalid(
            "operation",
            format_args!("is missing; must be {known}"),
        ));
    };
    let short: String = name.chars().filter(|c| !matches!(c, '_' | '-')).collect();
    let short = short.to_ascii_lowercase();
    let work = Work::named(&short).or_else(|| Work::named(&format!("database{short}")));
    let one = [Work::Read, Work::Create, Work::Update, Work::Upsert, Work::Delete];
    let work = work.filter(|work| one.contains(work));
    let wrong = || {
        NodeError::invalid(
            "operation",
            format_args!("must be {known}, but is `{}`", cut(name)),
        )
    };
    let work = work.ok_or_else(wrong)?;
    let sort = input.sort.0.map(|sort| filled(sort, ctx)).transpose()?;
    let request = Request {
        entity: input.entity.0,
        filter: input.filter.0,
        data: input.data.0,
        sort: sort.as_ref().map(Value::as_ref),
        limit: input.limit.0,
        offset: input.offset.0,
        id: input.id.0,
        connection: input.connection.0,
        ..Request::default()
    };
    run(work, &request, ctx).map(Outcome::Made)
}

/// An order with its expressions filled in, those in names of fields as well, which a workflow leaves alone.
pub(crate) fn filled(sort: ValueRef<'_>, ctx: &Ctx<'_>) -> NodeResult<Value> {
    let Some(entries) = sort.as_map() else {
        return rendered(sort, "sort", ctx);
    };
    let mut filled = Vec::with_capacity(entries.len());
    for (name, direction) in entries {
        let name = rendered(Value::from(name).as_ref(), "sort", ctx)?;
        let direction = rendered(direction, "sort", ctx)?;
        let wrong = || NodeError::invalid("sort", "a name of a field comes to something that is no text");
        filled.push((name.as_ref().as_str().ok_or_else(wrong)?.to_owned(), direction));
    }
    map(&filled)
}
