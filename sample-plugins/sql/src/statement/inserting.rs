//! Insertions.
//!
//! Invariant: each row that is inserted has the tenant in its column, whatever the statement gives for it.

use plugin_api::prelude::*;
use sqlparser::ast::{
    Expr, Ident, Insert, ObjectName, OnConflictAction, OnInsert, Query, Select, SelectItem, SetExpr,
    TableObject, Value as Literal, Values,
};

use super::audit::Expected;
use super::changing::{both, condition, conflict, refuse_assignments, target};
use super::refused;
use super::rewriting::{Rewriter, expression, full_name, query};
use crate::dialect::Dialect;
use crate::schema::{Column, Table, quoted};

/// Confines an insertion.
pub(super) fn insert(insert: &mut Insert, rewriter: &mut Rewriter<'_>) -> NodeResult<Expected> {
    let is_plain = insert.optimizer_hints.is_empty()
        && !insert.ignore
        && !insert.by_name
        && !insert.overwrite
        && insert.assignments.is_empty()
        && insert.partitioned.is_none()
        && insert.after_columns.is_empty()
        && !insert.has_table_keyword
        && insert.output.is_none()
        && !insert.replace_into
        && insert.priority.is_none()
        && insert.insert_alias.is_none()
        && insert.settings.is_none()
        && insert.format_clause.is_none()
        && insert.multi_table_insert_type.is_none()
        && insert.multi_table_into_clauses.is_empty()
        && insert.multi_table_when_clauses.is_empty()
        && insert.multi_table_else_clause.is_none();
    if !is_plain {
        return Err(refused("the INSERT has clauses that are not known here"));
    }
    insert.or = conflict(insert.or, rewriter.dialect)?;
    insert.into = true;
    let TableObject::TableName(name) = &mut insert.table else {
        return Err(refused("what it inserts into is not a table"));
    };
    let (table, column) = target(name, rewriter)?;
    *name = full_name(table);
    let place = columns(insert, table, column, rewriter.dialect)?;
    match &mut insert.source {
        Some(source) => values(source, insert.columns.len(), place, rewriter)?,
        None => {
            let tenant = rewriter.tenant();
            let text = format!("VALUES ({tenant})");
            insert.source = Some(query(&text, rewriter.dialect)?);
        }
    }
    rewriter.rewrite(&mut insert.on)?;
    rewriter.rewrite(&mut insert.returning)?;
    let of = insert.table_alias.as_ref().map_or_else(
        || Ident::with_quote('"', &table.name),
        |alias| alias.alias.clone(),
    );
    let mut guarded = None;
    match &mut insert.on {
        None => {}
        Some(OnInsert::OnConflict(on)) => {
            if let OnConflictAction::DoUpdate(update) = &mut on.action {
                refuse_assignments(&update.assignments, rewriter)?;
                let condition = condition(&of, column, rewriter)?;
                guarded = Some(condition.to_string());
                update.selection = Some(both(update.selection.take(), condition, rewriter));
            }
        }
        Some(_) => {
            return Err(refused(
                "it has ON DUPLICATE KEY; use ON CONFLICT (...) DO UPDATE",
            ));
        }
    }
    Ok(Expected::insert(table, column, guarded))
}

/// Where the tenant goes among the values of an insertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the place of a value that the statement has.
    Instead(usize),
    /// After all of them.
    AtTheEnd,
}

/// Completes the list of columns.
fn columns(insert: &mut Insert, table: &Table, column: &Column, dialect: Dialect) -> NodeResult<Place> {
    let tenant = || ObjectName::from(Ident::with_quote('"', &column.name));
    if insert.columns.is_empty() && insert.source.is_none() {
        insert.columns.push(tenant());
        return Ok(Place::AtTheEnd);
    }
    if insert.columns.is_empty() {
        if table.columns.iter().any(|column| column.generated) {
            return Err(refused(format_args!(
                "the table `{}` has computed columns, so an INSERT into it has to name its columns",
                table.name
            )));
        }
        let all = table.columns.iter();
        insert.columns = all
            .map(|column| ObjectName::from(Ident::with_quote('"', &column.name)))
            .collect();
    }
    let real = dialect.folded(&column.name, true);
    let mut places = Vec::new();
    for (index, name) in insert.columns.iter_mut().enumerate() {
        let [part] = name.0.as_slice() else {
            return Err(refused(format_args!("`{name}` is not a column of the table")));
        };
        let Some(ident) = part.as_ident() else {
            return Err(refused(format_args!("`{name}` is not a column of the table")));
        };
        if dialect.folded(&ident.value, ident.quote_style.is_some()) == real {
            *name = tenant();
            places.push(index);
        }
    }
    match places.as_slice() {
        [] => {
            insert.columns.push(tenant());
            Ok(Place::AtTheEnd)
        }
        [place] => Ok(Place::Instead(*place)),
        _ => Err(refused(format_args!(
            "it names the column `{}` twice",
            column.name
        ))),
    }
}

fn values(
    source: &mut Box<Query>,
    wanted: usize,
    place: Place,
    rewriter: &mut Rewriter<'_>,
) -> NodeResult<()> {
    rewriter.rewrite(source)?;
    let is_bare = source.with.is_none() && source.order_by.is_none() && source.limit_clause.is_none();
    match &mut *source.body {
        SetExpr::Values(rows) if is_bare => rows_of(rows, wanted, place, rewriter),
        SetExpr::Select(select) if can_be_extended(select, wanted, place) => {
            let tenant = SelectItem::UnnamedExpr(tenant_expression(rewriter)?);
            match place {
                Place::AtTheEnd => select.projection.push(tenant),
                Place::Instead(index) => {
                    if let Some(item) = select.projection.get_mut(index) {
                        *item = tenant;
                    }
                }
            }
            Ok(())
        }
        _ => wrap(source, wanted, place, rewriter),
    }
}

fn tenant_expression(rewriter: &mut Rewriter<'_>) -> NodeResult<Expr> {
    let tenant = rewriter.tenant();
    expression(&tenant, rewriter.dialect)
}

fn rows_of(rows: &mut Values, wanted: usize, place: Place, rewriter: &mut Rewriter<'_>) -> NodeResult<()> {
    let tenant = tenant_expression(rewriter)?;
    let given = match place {
        Place::Instead(_) => wanted,
        Place::AtTheEnd => wanted - 1,
    };
    for row in &mut rows.rows {
        if row.content.len() != given {
            return Err(NodeError::invalid(
                "query",
                format_args!("a row has {} values for {given} columns", row.content.len()),
            ));
        }
        match place {
            Place::AtTheEnd => row.content.push(tenant.clone()),
            Place::Instead(index) => {
                if let Some(value) = row.content.get_mut(index) {
                    refuse_foreign(value, rewriter)?;
                    *value = tenant.clone();
                }
            }
        }
    }
    Ok(())
}

/// A tenant that is written down and not the caller's is a mistake, or worse; it is told rather than overwritten.
fn refuse_foreign(value: &Expr, rewriter: &Rewriter<'_>) -> NodeResult<()> {
    let Expr::Value(value) = value else {
        return Ok(());
    };
    let is_own = match &value.value {
        Literal::SingleQuotedString(text) => *text == rewriter.policy.tenant,
        Literal::Placeholder(placeholder) => rewriter.is_tenant(placeholder),
        _ => false,
    };
    if is_own {
        return Ok(());
    }
    Err(refused(
        "it inserts a row for another tenant than the one that the workflow runs for; leave the column out",
    ))
}

/// Whether a tenant can be added to what is selected. A `*` may stand for any number of columns.
fn can_be_extended(select: &Select, wanted: usize, place: Place) -> bool {
    let has_star = select
        .projection
        .iter()
        .any(|item| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)));
    match place {
        // Of a `SELECT DISTINCT`, one more value that is everywhere the same changes nothing.
        Place::AtTheEnd => !has_star && select.projection.len() + 1 == wanted,
        // Here it would.
        Place::Instead(_) => !has_star && select.projection.len() == wanted && select.distinct.is_none(),
    }
}

/// `WITH rows (...) AS (source) SELECT ..., tenant FROM rows`
fn wrap(source: &mut Box<Query>, wanted: usize, place: Place, rewriter: &mut Rewriter<'_>) -> NodeResult<()> {
    let tenant = rewriter.tenant();
    let name = rewriter.made_name();
    let name = quoted(&name);
    let text = match place {
        Place::AtTheEnd => {
            format!("WITH {name} AS (SELECT 1) SELECT {name}.*, {tenant} FROM {name} WHERE TRUE")
        }
        Place::Instead(index) => {
            let names: Vec<String> = (0..wanted).map(|n| format!("\"c{n}\"")).collect();
            let mut picked = names.clone();
            if let Some(item) = picked.get_mut(index) {
                *item = tenant;
            }
            format!(
                "WITH {name} ({}) AS (SELECT 1) SELECT {} FROM {name} WHERE TRUE",
                names.join(", "),
                picked.join(", ")
            )
        }
    };
    let mut outer = query(&text, rewriter.dialect)?;
    let cte = outer.with.as_mut().and_then(|with| with.cte_tables.first_mut());
    if let Some(cte) = cte {
        std::mem::swap(&mut cte.query, source);
    }
    *source = outer;
    Ok(())
}
