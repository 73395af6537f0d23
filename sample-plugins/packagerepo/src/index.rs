//! An index: the entries of each package, in the order in which they came.
//!
//! Invariant: entries that several callers add at once are all kept, since a list is changed in one step.

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Outcome, Whole, kind_name, same, shown};

use crate::reference::{Names, Raw};
use crate::store::{MAX_KEY, too_large};

/// Entries that one package may have.
const MAX_ENTRIES: usize = 10_000;
/// The longest name of an index.
const MAX_NAME: usize = 128;

fn place(index: &str, key: &str) -> String {
    format!("packagerepo/index/{index}/{key}")
}

/// The name of an index, which has no slash so that no two places are the same.
fn name(names: &Names<'_>, raw: Raw<'_>) -> NodeResult<String> {
    if names.read(raw, "indexName")?.is_none() {
        return Ok("packages".to_owned());
    }
    let name = names.text(raw, "indexName", MAX_NAME)?;
    if name.contains('/') {
        return Err(NodeError::invalid("indexName", "must have no slash"));
    }
    Ok(name)
}

#[parameters]
pub(crate) struct Query<'a> {
    /// The index; `packages` if missing.
    #[serde(default, alias = "index_name", alias = "index")]
    index_name: Raw<'a>,
    /// The package, such as `acme/lib`.
    #[serde(default)]
    key: Raw<'a>,
    /// Fields that entries must have with these values.
    #[serde(default)]
    filter: Raw<'a>,
    /// How many entries to give at most, the last ones.
    #[serde(default)]
    limit: Option<Whole>,
    /// The variable that the result is kept in.
    #[serde(default)]
    #[schemars(length(max = 129))]
    out: Option<&'a str>,
}

/// Gives the entries of a package, in the order in which they were added; null when it has none.
#[node(
    id = "packagerepo.indexQuery",
    aliases = ["packagerepo.index_query"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["index", "versions"],
    example(title = "an unknown package", input = r#"{"key": "acme/lib"}"#, output = r#"{"result": null}"#),
    example(
        title = "of one variant",
        input = r#"{"index_name": "mirror", "key": "acme/lib", "filter": {"variant": "linux"}, "limit": 5, "out": "versions"}"#,
        output = r#"{"result": null}"#
    )
)]
pub(crate) fn index_query(input: Query<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Outcome<'static>>> {
    let names = Names::new(ctx)?;
    let index = name(&names, input.index_name)?;
    let key = names.text(input.key, "key", MAX_KEY)?;
    let filter = names.read(input.filter, "filter")?;
    let filter = filter.as_ref().map(Value::as_ref);
    if let Some(filter) = filter.filter(|filter| filter.as_map().is_none()) {
        return Err(NodeError::invalid(
            "filter",
            format_args!("expected a map, found {}", shown(filter)),
        ));
    }
    let limit = match input.limit {
        Some(limit) => usize::try_from(limit.within("limit", 1..=MAX_ENTRIES as i64)?).ok(),
        None => None,
    };
    let kept: Option<Value> = ctx.kv_get(&place(&index, &key))?;
    let result = match kept.as_ref().and_then(|kept| kept.as_ref().as_list()) {
        None => Value::null(),
        Some(entries) => {
            let wanted = filter.and_then(|filter| filter.as_map());
            let fits = |entry: &ValueRef<'_>| {
                let mut wanted = wanted.into_iter().flatten();
                wanted.all(|(field, value)| entry.get(field).is_some_and(|found| same(found, value)))
            };
            let found: Vec<ValueRef<'_>> = entries.iter().filter(fits).collect();
            let skipped = limit.map_or(0, |limit| found.len().saturating_sub(limit));
            Value::from_items(found.into_iter().skip(skipped))?
        }
    };
    names.set(input.out, result.as_ref())?;
    Ok(answer(Outcome::Made(result)))
}

#[parameters]
pub(crate) struct Upsert<'a> {
    /// The index; `packages` if missing.
    #[serde(default, alias = "index_name", alias = "index")]
    index_name: Raw<'a>,
    /// The package, such as `acme/lib`.
    #[serde(default)]
    key: Raw<'a>,
    /// The entry: a map, such as `{version, variant, digest}`.
    #[serde(default, alias = "document")]
    entry: Raw<'a>,
}

/// What became of an entry.
#[output]
pub(crate) struct Upserted {
    /// `added`, or `replaced` where there was one.
    result: &'static str,
    /// Entries that the package has now.
    count: usize,
}

/// Adds an entry to a package, or replaces the one that is the same: the one with the same `id`, else with the same
/// `version` and `variant`, else the one that is equal. A package has at most 10,000 entries.
#[node(
    id = "packagerepo.indexUpsert",
    aliases = ["packagerepo.index_upsert"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["index", "versions"],
    example(
        title = "the first version",
        input = r#"{"key": "acme/lib", "entry": {"version": "1.0.0", "variant": "any", "digest": "ab12"}}"#,
        output = r#"{"result": "added", "count": 1}"#
    ),
    example(
        title = "by id, in another index",
        input = r#"{"index_name": "mirror", "key": "acme/lib", "document": {"id": 7, "url": "https://example.org"}}"#,
        output = r#"{"result": "added", "count": 1}"#
    )
)]
pub(crate) fn index_upsert(input: Upsert<'_>, ctx: &Ctx<'_>) -> NodeResult<Upserted> {
    let names = Names::new(ctx)?;
    let index = name(&names, input.index_name)?;
    let key = names.text(input.key, "key", MAX_KEY)?;
    let entry = names.needed(input.entry, "entry")?;
    let entry = entry.as_ref();
    if entry.as_map().is_none() {
        return Err(NodeError::invalid(
            "entry",
            format_args!("expected a map, found {}", kind_name(entry)),
        ));
    }
    let mut upserted = Upserted {
        result: "added",
        count: 0,
    };
    let changed = ctx.kv_update(&place(&index, &key), |kept| {
        let kept = kept.and_then(|kept| kept.as_list());
        let mut entries: Vec<ValueRef<'_>> = kept.into_iter().flatten().collect();
        let known = entries.iter().position(|known| is_same(*known, entry));
        upserted.result = match known.and_then(|at| entries.get_mut(at)) {
            Some(known) => {
                *known = entry;
                "replaced"
            }
            None => {
                entries.push(entry);
                "added"
            }
        };
        upserted.count = entries.len();
        if entries.len() > MAX_ENTRIES {
            let message = format!(
                "parameter `key`: the package has {MAX_ENTRIES} entries, which is the most it can have"
            );
            return Err(NodeError::with_code(code::LIMIT_EXCEEDED, message));
        }
        Ok(Some(Value::from_items(entries)?))
    });
    changed.map_err(|error| match error.message.starts_with("parameter") {
        true => error,
        false => too_large(error, "entry"),
    })?;
    Ok(upserted)
}

/// Whether an entry takes the place of a known one.
fn is_same(known: ValueRef<'_>, entry: ValueRef<'_>) -> bool {
    let field = |of: ValueRef<'_>, name: &str| {
        of.get(name)
            .filter(|value| !value.is_null())
            .map(|value| value.to_value())
    };
    let both = |name: &str| {
        let (known, entry) = (field(known, name), field(entry, name));
        match (&known, &entry) {
            (Some(known), Some(entry)) => same(known.as_ref(), entry.as_ref()),
            (None, None) => true,
            _ => false,
        }
    };
    if field(entry, "id").is_some() || field(known, "id").is_some() {
        return both("id");
    }
    if field(entry, "version").is_some() || field(known, "version").is_some() {
        return both("version") && both("variant");
    }
    same(known, entry)
}
