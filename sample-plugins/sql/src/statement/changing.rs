//! Updates and deletions get the tenant's condition.
//!
//! Invariant: a change never writes into the tenant column, and what it changes has the tenant there.

use plugin_api::prelude::*;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Assignment, AssignmentTarget, BinaryOperator, CaseWhen, Delete, Expr, FromTable, Ident, ObjectName,
    SqliteOnConflict, Statement, TableAlias, TableFactor, TableWithJoins, Update, UpdateTableFromKind,
    Value as Literal,
};

use super::audit::Expected;
use super::hazards::Evaluation;
use super::inserting::insert;
use super::refused;
use super::rewriting::{Rewriter, expression, full_name};
use crate::dialect::Dialect;
use crate::policy::Access;
use crate::schema::{Column, Table, quoted};

/// Confines a statement that changes data.
pub(super) fn change(statement: &mut Statement, rewriter: &mut Rewriter<'_>) -> NodeResult<Expected> {
    match statement {
        Statement::Insert(statement) => insert(statement, rewriter),
        Statement::Update(update) => self::update(update, rewriter),
        Statement::Delete(delete) => self::delete(delete, rewriter),
        _ => Err(refused("it changes something in a way that is not known here")),
    }
}

/// The table that a statement changes, and whose rows it tells apart by which column.
pub(super) fn target<'p>(name: &ObjectName, rewriter: &Rewriter<'p>) -> NodeResult<(&'p Table, &'p Column)> {
    match rewriter.table(name)? {
        (table, Access::OwnRows(column)) => Ok((table, column)),
        (table, _) => Err(refused(format_args!(
            "the table `{}` is shared by all tenants, so it can only be read",
            table.name
        ))),
    }
}

fn refuse_column(name: &ObjectName, rewriter: &Rewriter<'_>) -> NodeResult<()> {
    let last = name.0.last().and_then(|part| part.as_ident());
    if last.is_none_or(|ident| rewriter.policy.is_tenant_column(&ident.value)) {
        return Err(refused(format_args!(
            "it sets `{name}`, which says whose a row is and is never changed; leave it out"
        )));
    }
    Ok(())
}

pub(super) fn refuse_assignments(assignments: &[Assignment], rewriter: &Rewriter<'_>) -> NodeResult<()> {
    for assignment in assignments {
        match &assignment.target {
            AssignmentTarget::ColumnName(name) => refuse_column(name, rewriter)?,
            AssignmentTarget::Tuple(names) => {
                for name in names {
                    refuse_column(name, rewriter)?;
                }
            }
        }
    }
    Ok(())
}

/// Replacing a row deletes the one that is in the way, and that may be another tenant's. Where a statement says nothing, it
/// is said that a conflict ends it: a constraint may say otherwise.
pub(super) fn conflict(
    or: Option<SqliteOnConflict>,
    dialect: Dialect,
) -> NodeResult<Option<SqliteOnConflict>> {
    match (or, dialect) {
        (None, Dialect::Sqlite) => Ok(Some(SqliteOnConflict::Abort)),
        (None | Some(SqliteOnConflict::Abort | SqliteOnConflict::Fail | SqliteOnConflict::Ignore), _) => {
            Ok(or)
        }
        (Some(SqliteOnConflict::Replace | SqliteOnConflict::Rollback), _) => Err(refused(
            "OR REPLACE and OR ROLLBACK would touch more than their own rows; use ON CONFLICT (...) DO UPDATE",
        )),
    }
}

/// `"table"."column" = ?`
pub(super) fn condition(of: &Ident, column: &Column, rewriter: &mut Rewriter<'_>) -> NodeResult<Expr> {
    let tenant = rewriter.tenant();
    let text = format!("{of}.{} = {tenant}", quoted(&column.name));
    expression(&text, rewriter.dialect)
}

/// The tenant's condition, and only where that is met the statement's own.
pub(super) fn both(selection: Option<Expr>, condition: Expr, rewriter: &Rewriter<'_>) -> Expr {
    let Some(selection) = selection else {
        return condition;
    };
    let inner = if rewriter.evaluation == Evaluation::TenantFirst {
        Expr::Case {
            case_token: AttachedToken::empty(),
            end_token: AttachedToken::empty(),
            operand: None,
            conditions: vec![CaseWhen {
                condition: condition.clone(),
                result: selection,
            }],
            else_result: Some(Box::new(Expr::value(Literal::Boolean(false)))),
        }
    } else {
        Expr::Nested(Box::new(selection))
    };
    Expr::BinaryOp {
        left: Box::new(condition),
        op: BinaryOperator::And,
        right: Box::new(inner),
    }
}

/// Makes the target of an update or deletion a full name with an alias, and gives the alias.
fn full_target<'p>(
    target_of: &mut TableWithJoins,
    rewriter: &Rewriter<'p>,
) -> NodeResult<(&'p Table, &'p Column, Ident)> {
    let TableFactor::Table {
        name,
        alias,
        args: None,
        ..
    } = &mut target_of.relation
    else {
        return Err(refused("what it changes is not a table"));
    };
    if !target_of.joins.is_empty() {
        return Err(refused("it changes a join; write it with a subquery"));
    }
    let (table, column) = target(name, rewriter)?;
    let last = name.0.last().and_then(|part| part.as_ident()).cloned();
    let bare = last.unwrap_or_else(|| Ident::with_quote('"', &table.name));
    let alias = alias.get_or_insert(TableAlias {
        explicit: true,
        name: bare,
        columns: Vec::new(),
        at: None,
    });
    *name = full_name(table);
    Ok((table, column, alias.name.clone()))
}

fn update(update: &mut Update, rewriter: &mut Rewriter<'_>) -> NodeResult<Expected> {
    let is_plain = update.optimizer_hints.is_empty()
        && update.on_cluster.is_none()
        && update.output.is_none()
        && update.order_by.is_empty()
        && update.limit.is_none()
        && update.settings.is_none()
        && !matches!(update.from, Some(UpdateTableFromKind::BeforeSet(_)));
    if !is_plain {
        return Err(refused("the UPDATE has clauses that are not known here"));
    }
    update.or = conflict(update.or, rewriter.dialect)?;
    let (table, column, alias) = full_target(&mut update.table, rewriter)?;
    refuse_assignments(&update.assignments, rewriter)?;
    rewriter.rewrite(&mut update.assignments)?;
    rewriter.rewrite(&mut update.from)?;
    rewriter.rewrite(&mut update.selection)?;
    rewriter.rewrite(&mut update.returning)?;
    let condition = condition(&alias, column, rewriter)?;
    let expected = Expected::change(table, &condition);
    update.selection = Some(both(update.selection.take(), condition, rewriter));
    Ok(expected)
}

fn delete(delete: &mut Delete, rewriter: &mut Rewriter<'_>) -> NodeResult<Expected> {
    let is_plain = delete.optimizer_hints.is_empty()
        && delete.tables.is_empty()
        && delete.on_cluster.is_none()
        && delete.output.is_none()
        && delete.order_by.is_empty()
        && delete.limit.is_none()
        && delete.settings.is_none();
    let FromTable::WithFromKeyword(from) = &mut delete.from else {
        return Err(refused("it is a DELETE without FROM"));
    };
    let ([from], true) = (from.as_mut_slice(), is_plain) else {
        return Err(refused("the DELETE has clauses that are not known here"));
    };
    let (table, column, alias) = full_target(from, rewriter)?;
    rewriter.rewrite(&mut delete.using)?;
    rewriter.rewrite(&mut delete.selection)?;
    rewriter.rewrite(&mut delete.returning)?;
    let condition = condition(&alias, column, rewriter)?;
    let expected = Expected::change(table, &condition);
    delete.selection = Some(both(delete.selection.take(), condition, rewriter));
    Ok(expected)
}
