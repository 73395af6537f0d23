//! Records, read and written by the nodes `dbal-read` and `dbal-write`.
//!
//! Invariant: whether a read gives a list or one record is decided by what the document writes, never by what is in the
//! database: with `sort`, `limit` or `offset` it is a list, without any of them the first record, or null. Nothing is
//! updated or deleted without a filter that says which records are meant.

use plugin_api::prelude::*;
use plugin_api::reading::shown;
use plugin_api::value::{Kind, MapRef};

use crate::given::{map, text, whole};
use crate::other;

const READER: &str = "dbal-read";
const WRITER: &str = "dbal-write";
/// Records that one read gives at most.
const MAX_ROWS: i64 = 10_000;

/// What is done with records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Read,
    Create,
    Update,
    Upsert,
    Delete,
    Count,
    Aggregate,
    UpdateMany,
    DeleteMany,
}

impl Work {
    /// The work of a name, in small letters and without what joins its words.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name.strip_prefix("database")? {
            "read" | "query" => Self::Read,
            "create" | "insert" => Self::Create,
            "update" => Self::Update,
            "upsert" => Self::Upsert,
            "delete" => Self::Delete,
            "count" => Self::Count,
            "aggregate" => Self::Aggregate,
            "updatemany" => Self::UpdateMany,
            "deletemany" => Self::DeleteMany,
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Read => "database_read",
            Self::Create => "database_create",
            Self::Update => "database_update",
            Self::Upsert => "database_upsert",
            Self::Delete => "database_delete",
            Self::Count => "database_count",
            Self::Aggregate => "database_aggregate",
            Self::UpdateMany => "database_update_many",
            Self::DeleteMany => "database_delete_many",
        }
    }
}

/// What is asked of the database, as the document writes it: `None` is not written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Request<'a> {
    pub(crate) entity: Option<ValueRef<'a>>,
    pub(crate) filter: Option<ValueRef<'a>>,
    pub(crate) data: Option<ValueRef<'a>>,
    pub(crate) sort: Option<ValueRef<'a>>,
    pub(crate) limit: Option<ValueRef<'a>>,
    pub(crate) offset: Option<ValueRef<'a>>,
    pub(crate) aggregations: Option<ValueRef<'a>>,
    pub(crate) group_by: Option<ValueRef<'a>>,
    pub(crate) id: Option<ValueRef<'a>>,
    pub(crate) connection: Option<ValueRef<'a>>,
}

impl<'a> Request<'a> {
    /// Of the parameters of an operation.
    pub(crate) fn of(parameters: MapRef<'a>) -> Self {
        let get = |names: &[&str]| names.iter().find_map(|name| parameters.get(name));
        Self {
            entity: get(&["entity"]),
            filter: get(&["filter", "where"]),
            data: get(&["data"]),
            sort: get(&["sort"]),
            limit: get(&["limit"]),
            offset: get(&["offset", "skip"]),
            aggregations: get(&["aggregations", "aggregates"]),
            group_by: get(&["groupBy", "group_by"]),
            id: get(&["id"]),
            connection: get(&["connection"]),
        }
    }

    /// Whether a list is asked for.
    const fn is_list(&self) -> bool {
        self.sort.is_some() || self.limit.is_some() || self.offset.is_some()
    }

    /// The kinds of what is given, whatever it is given for.
    fn checked(&self) -> NodeResult<()> {
        let kinds: [(&str, Option<ValueRef<'_>>, &[Kind], &str); 4] = [
            ("connection", self.connection, &[Kind::Str], "a name"),
            ("filter", self.filter, &[Kind::Map], "a map of fields"),
            (
                "data",
                self.data,
                &[Kind::Map, Kind::List],
                "a map of fields, or a list of them",
            ),
            (
                "aggregations",
                self.aggregations,
                &[Kind::Map],
                "a map such as `{\"total\": \"sum(likes)\"}`",
            ),
        ];
        for (name, given, kinds, wanted) in kinds {
            if let Some(given) = given.filter(|given| !given.is_null() && !kinds.contains(&given.kind())) {
                return Err(NodeError::invalid(
                    name,
                    format_args!("expected {wanted}, found {}", shown(given)),
                ));
            }
        }
        Ok(())
    }

    /// Nothing may be changed without a filter that says something. One whose values are all null was made of what is
    /// not there.
    fn guarded(&self, work: Work) -> NodeResult<()> {
        let says = |filter: ValueRef<'_>| {
            let mut values = filter.as_map().into_iter().flat_map(|map| map.values());
            values.any(|value| !value.is_null())
        };
        let id = self.id.is_some_and(|id| !id.is_null());
        if id || self.filter.is_some_and(says) {
            return Ok(());
        }
        let name = work.name();
        let why = match self.filter.filter(|filter| !filter.is_null()) {
            None => format!("is missing; `{name}` needs one that says which records are meant"),
            Some(_) => format!(
                "is empty, or all of its values are null; `{name}` needs one that says which records are meant"
            ),
        };
        Err(NodeError::invalid("filter", why))
    }
}

/// Does what is asked.
pub(crate) fn run(work: Work, request: &Request<'_>, ctx: &Ctx<'_>) -> NodeResult<Value> {
    let entity = text(request.entity, "entity")?;
    request.checked()?;
    let mut more = Vec::new();
    let mut add = |name: &'static str, given: Option<ValueRef<'_>>| {
        more.extend(
            given
                .filter(|given| !given.is_null())
                .map(|given| (name, given.to_value())),
        );
    };
    match work {
        Work::Read if request.is_list() => {
            add("sort", request.sort);
            for (name, given, least) in [("limit", request.limit, 1), ("offset", request.offset, 0)] {
                if let Some(given) = given.filter(|given| !given.is_null()) {
                    let most = if name == "limit" {
                        MAX_ROWS
                    } else {
                        i64::from(u32::MAX)
                    };
                    let number = Value::from(whole(given, name, least, most)?);
                    add(name, Some(number.as_ref()));
                }
            }
        }
        Work::Read | Work::Count => {}
        Work::Aggregate => {
            add("aggregates", request.aggregations);
            add("groupBy", request.group_by);
        }
        Work::Delete | Work::DeleteMany => request.guarded(work)?,
        Work::Create | Work::Upsert | Work::Update | Work::UpdateMany => {
            if matches!(work, Work::Update | Work::UpdateMany) {
                request.guarded(work)?;
            }
            let list = request.data.is_some_and(|data| data.kind() == Kind::List);
            if request.data.is_none_or(|data| data.is_null()) || (list && work != Work::Create) {
                return Err(NodeError::invalid(
                    "data",
                    format_args!("`{}` needs a map of what to write", work.name()),
                ));
            }
            add("data", request.data);
        }
    }
    ask(work, entity, request, more, ctx)
}

/// Asks the node of the database that is for it; gives its `result`.
fn ask(
    work: Work,
    entity: &str,
    request: &Request<'_>,
    more: Vec<(&str, Value)>,
    ctx: &Ctx<'_>,
) -> NodeResult<Value> {
    let (node_type, operation) = match work {
        Work::Read if request.is_list() => (READER, "read"),
        Work::Read => (READER, "findOne"),
        Work::Count => (READER, "count"),
        Work::Aggregate => (READER, "aggregate"),
        Work::Create => (WRITER, "create"),
        Work::Update => (WRITER, "update"),
        Work::Upsert => (WRITER, "upsert"),
        Work::Delete => (WRITER, "delete"),
        Work::UpdateMany => (WRITER, "updateMany"),
        Work::DeleteMany => (WRITER, "deleteMany"),
    };
    let mut entries = vec![
        ("entity", Value::from(entity)),
        ("operation", Value::from(operation)),
    ];
    for (name, given) in [
        ("filter", request.filter),
        ("id", request.id),
        ("connection", request.connection),
    ] {
        if let Some(given) = given.filter(|given| !given.is_null()) {
            entries.push((name, given.to_value()));
        }
    }
    entries.extend(more);
    let output = other::call(work.name(), node_type, &map(&entries)?, ctx)?;
    output
        .as_ref()
        .get("result")
        .map(|result| result.to_value())
        .ok_or_else(|| {
            NodeError::new(format!(
                "operation `{}`: `{node_type}` gave no `result`",
                work.name()
            ))
        })
}

/// Whether a record has that value in that field.
pub(crate) fn is_taken(entity: &str, field: &str, value: ValueRef<'_>, ctx: &Ctx<'_>) -> NodeResult<bool> {
    let filter = Value::from_pairs([(field, value)])?;
    let request = Request {
        filter: Some(filter.as_ref()),
        ..Request::default()
    };
    let count = ask(Work::Count, entity, &request, Vec::new(), ctx)?;
    Ok(count.as_ref().as_i64() != Some(0))
}
