//! The last look at a statement, as it will be sent.
//!
//! Invariant: what passes names tables only in guards, as shared ones, or as the target of a change that has its condition.
//!
//! It looks at the tree of the text that goes to the database, knows the texts of guards and conditions, and neither how
//! nor where they were put in.

use std::ops::ControlFlow;

use plugin_api::prelude::*;
use sqlparser::ast::{
    Assignment, BinaryOperator, Expr, FromTable, InTarget, Insert, ObjectName, OnConflictAction, OnInsert,
    Query, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SqliteOnConflict, Statement, TableFactor,
    TableObject, Value as Literal, Visit, Visitor,
};

use super::refused;
use super::rewriting::Rewriter;
use crate::schema::{Column, Table, quoted};

/// What a statement has to be in the end.
#[derive(Clone, Debug)]
pub(super) enum Expected {
    /// A query.
    Rows,
    /// An insertion into a table, with the tenant in a column, and a condition on what it updates instead.
    Insert {
        table: String,
        column: String,
        condition: Option<String>,
    },
    /// An update or deletion of what meets a condition.
    Change { table: String, condition: String },
}

impl Expected {
    pub(super) fn change(table: &Table, condition: &Expr) -> Self {
        Self::Change {
            table: table.quoted(),
            condition: condition.to_string(),
        }
    }

    pub(super) fn insert(table: &Table, column: &Column, condition: Option<String>) -> Self {
        Self::Insert {
            table: table.quoted(),
            column: quoted(&column.name),
            condition,
        }
    }
}

fn broken(what: &str) -> NodeError {
    refused(format_args!(
        "it could not be confined to the tenant's rows ({what}); write it in a simpler way"
    ))
}

/// Looks a statement through.
pub(super) fn audit(statement: &Statement, expected: &Expected, rewriter: &Rewriter<'_>) -> NodeResult<()> {
    let mut looked = Looked {
        rewriter,
        guards: 0,
        bases: 0,
        relations: 0,
        known: 0,
    };
    if let ControlFlow::Break(what) = statement.visit(&mut looked) {
        return Err(broken(what));
    }
    let (targets, relations) = match (statement, expected) {
        (Statement::Query(_), Expected::Rows) => (0, 0),
        (
            Statement::Insert(insert),
            Expected::Insert {
                table,
                column,
                condition,
            },
        ) => {
            audit_insert(insert, table, column, condition.as_deref(), rewriter)?;
            (0, 1)
        }
        (Statement::Update(update), Expected::Change { table, condition }) => {
            if update.or == Some(SqliteOnConflict::Replace) || update.or == Some(SqliteOnConflict::Rollback) {
                return Err(broken("a replacement"));
            }
            audit_assignments(&update.assignments, rewriter)?;
            audit_change(
                &update.table.relation,
                update.selection.as_ref(),
                table,
                condition,
            )?;
            (1, 0)
        }
        (Statement::Delete(delete), Expected::Change { table, condition }) => {
            let FromTable::WithFromKeyword(from) = &delete.from else {
                return Err(broken("a deletion"));
            };
            let [from] = from.as_slice() else {
                return Err(broken("a deletion"));
            };
            audit_change(&from.relation, delete.selection.as_ref(), table, condition)?;
            (1, 0)
        }
        _ => return Err(broken("its kind")),
    };
    // Each guard has one table in it, and nothing else has any, but for the target.
    if looked.bases != looked.guards + targets {
        return Err(broken("a table"));
    }
    if looked.relations != looked.known + relations {
        return Err(broken("a name"));
    }
    Ok(())
}

struct Looked<'r, 'p> {
    rewriter: &'r Rewriter<'p>,
    guards: usize,
    /// Tables in FROM that are neither shared nor of a WITH.
    bases: usize,
    /// Everything that the tree says is the name of a table.
    relations: usize,
    /// Those of them that stand in FROM.
    known: usize,
}

impl Visitor for Looked<'_, '_> {
    type Break = &'static str;

    fn pre_visit_relation(&mut self, _: &ObjectName) -> ControlFlow<&'static str> {
        self.relations += 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<&'static str> {
        match &*query.body {
            SetExpr::Insert(_)
            | SetExpr::Update(_)
            | SetExpr::Delete(_)
            | SetExpr::Merge(_)
            | SetExpr::Table(_) => ControlFlow::Break("a change within a query"),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<&'static str> {
        match expr {
            Expr::In {
                target: InTarget::Table { .. },
                ..
            } => ControlFlow::Break("a table after IN"),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<&'static str> {
        match factor {
            TableFactor::Derived { subquery, .. } => {
                if self.rewriter.guards.contains(&subquery.to_string()) {
                    self.guards += 1;
                }
            }
            TableFactor::Table { args: Some(_), .. } => self.known += 1,
            TableFactor::Table { name, .. } => {
                self.known += 1;
                let text = name.to_string();
                let is_of_with = name.0.len() == 1 && self.rewriter.withs.contains(&text);
                if !is_of_with && !self.rewriter.shared.contains(&text) {
                    self.bases += 1;
                }
            }
            TableFactor::Function { .. } | TableFactor::NestedJoin { .. } | TableFactor::UNNEST { .. } => {}
            _ => return ControlFlow::Break("something in FROM"),
        }
        ControlFlow::Continue(())
    }
}

/// Whether a condition is `expected`, or `expected AND (...)`, where the rest may be `CASE WHEN expected ... END`.
fn begins_with(selection: Option<&Expr>, expected: &str) -> bool {
    match selection {
        Some(Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        }) => matches!(**right, Expr::Nested(_) | Expr::Case { .. }) && left.to_string() == expected,
        Some(other) => other.to_string() == expected,
        None => false,
    }
}

fn audit_change(
    target: &TableFactor,
    selection: Option<&Expr>,
    table: &str,
    condition: &str,
) -> NodeResult<()> {
    match target {
        TableFactor::Table { name, .. } if name.to_string() == table && begins_with(selection, condition) => {
            Ok(())
        }
        _ => Err(broken("its condition")),
    }
}

fn audit_assignments(assignments: &[Assignment], rewriter: &Rewriter<'_>) -> NodeResult<()> {
    for assignment in assignments {
        let names = assignment.target.to_string();
        let mut words = names.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
        if words.any(|word| rewriter.policy.is_tenant_column(word)) {
            return Err(broken("an assignment"));
        }
    }
    Ok(())
}

fn audit_insert(
    insert: &Insert,
    table: &str,
    column: &str,
    condition: Option<&str>,
    rewriter: &Rewriter<'_>,
) -> NodeResult<()> {
    if matches!(
        insert.or,
        Some(SqliteOnConflict::Replace | SqliteOnConflict::Rollback)
    ) || insert.replace_into
    {
        return Err(broken("a replacement"));
    }
    let is_target = matches!(&insert.table, TableObject::TableName(name) if name.to_string() == table);
    let mut places = (0..insert.columns.len()).filter(|&index| {
        insert
            .columns
            .get(index)
            .is_some_and(|name| name.to_string() == column)
    });
    let (Some(place), None, true) = (places.next(), places.next(), is_target) else {
        return Err(broken("its columns"));
    };
    let is_last = place + 1 == insert.columns.len();
    let own = match insert.source.as_ref().map(|source| &*source.body) {
        Some(SetExpr::Values(rows)) => {
            let mut rows = rows.rows.iter();
            rows.all(|row| {
                row.content.len() == insert.columns.len()
                    && row
                        .content
                        .get(place)
                        .is_some_and(|value| is_tenant(value, rewriter))
            })
        }
        Some(SetExpr::Select(select)) => {
            let item = select.projection.get(place);
            let is_own = |item: Option<&SelectItem>| matches!(item, Some(SelectItem::UnnamedExpr(value)) if is_tenant(value, rewriter));
            match select.projection.as_slice() {
                [
                    SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _),
                    last,
                ] => is_last && rewriter.withs.contains(&name.to_string()) && is_own(Some(last)),
                items => {
                    let stars = items.iter().any(|item| {
                        matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..))
                    });
                    !stars && items.len() == insert.columns.len() && is_own(item)
                }
            }
        }
        _ => false,
    };
    if !own {
        return Err(broken("its values"));
    }
    match &insert.on {
        None => Ok(()),
        Some(OnInsert::OnConflict(on)) => match (&on.action, condition) {
            (OnConflictAction::DoNothing, _) => Ok(()),
            (OnConflictAction::DoUpdate(update), Some(condition))
                if begins_with(update.selection.as_ref(), condition) =>
            {
                audit_assignments(&update.assignments, rewriter)
            }
            _ => Err(broken("what it updates")),
        },
        Some(_) => Err(broken("what it updates")),
    }
}

fn is_tenant(value: &Expr, rewriter: &Rewriter<'_>) -> bool {
    matches!(value, Expr::Value(value)
        if matches!(&value.value, Literal::Placeholder(text) if rewriter.is_tenant(text)))
}
