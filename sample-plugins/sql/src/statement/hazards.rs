//! Conditions that could tell of rows which they are not to see.
//!
//! Invariant: on a row of another tenant, nothing is evaluated that fails or takes long for some values and not for others.
//!
//! A condition of the statement's and the tenant's condition are one `AND` to the database, and it may evaluate them in
//! any order. Were `1 / (price - 7) > 0` evaluated first, an error would tell that somebody has a row with that price; by
//! asking often enough, all rows of everybody could be found out. SQLite answers what it can from an index before it looks
//! at the row, and with that at the tenant. PostgreSQL evaluates what it thinks cheap first.
//!
//! Most conditions compare columns with values: that fails for none and takes no time, so their order does not matter. Where
//! a condition has anything else in it that depends on a row, the tenant's rows are picked in a subquery of their own, which
//! `LIMIT -1` in SQLite and `OFFSET 0` in PostgreSQL keep from being merged into the statement. In an update or deletion,
//! which has no such subquery, the condition stands in a `CASE`. Both cost the use of indexes beside the tenant's, so they
//! are not done everywhere.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, InTarget, Join, JoinConstraint, JoinOperator, OnConflictAction, OnInsert,
    Query, Select, Statement, TableFactor, UnaryOperator, Visit, Visitor,
};

use crate::dialect::Dialect;

/// Functions that fail for no value and are quick for all, in both databases as far as they are known there.
const HARMLESS: [&str; 36] = [
    "avg",
    "btrim",
    "char_length",
    "coalesce",
    "count",
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "datetime",
    "greatest",
    "ifnull",
    "iif",
    "instr",
    "julianday",
    "least",
    "left",
    "length",
    "lower",
    "ltrim",
    "max",
    "min",
    "now",
    "nullif",
    "octet_length",
    "right",
    "rtrim",
    "starts_with",
    "strftime",
    "strpos",
    "sum",
    "time",
    "trim",
    "typeof",
    "unixepoch",
    "upper",
];

/// In which order conditions have to be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evaluation {
    /// As the database likes: nobody can tell the difference.
    AnyOrder,
    /// The tenant's first, which the statement has to see to.
    TenantFirst,
}

/// What a statement has to see to: more when some condition of it could fail, or take long, for some rows and not for others.
pub(super) fn evaluation(statement: &Statement, dialect: Dialect) -> Evaluation {
    if statement
        .visit(&mut Conditions::new(statement, dialect))
        .is_break()
    {
        Evaluation::TenantFirst
    } else {
        Evaluation::AnyOrder
    }
}

/// Looks for conditions, and for what may become a part of one: what a subquery selects, the query around it may compare.
struct Conditions {
    dialect: Dialect,
    /// How many queries there are around a place.
    depth: usize,
    /// The depth of the query whose rows are the statement's own; nothing around it compares what it selects.
    outermost: usize,
}

impl Conditions {
    const fn new(statement: &Statement, dialect: Dialect) -> Self {
        let outermost = match statement {
            Statement::Query(_) | Statement::Insert(_) => 1,
            _ => 0,
        };
        Self {
            dialect,
            depth: 0,
            outermost,
        }
    }
}

/// Looks at a condition, and at what is selected by subqueries in it. Those are evaluated after the tenant's condition, since
/// they depend on the row around them, or once; looking at them as well is strict, and costs nothing but speed.
struct Condition(Dialect);

fn condition(expr: Option<&Expr>, dialect: Dialect) -> ControlFlow<()> {
    match expr {
        Some(expr) => expr.visit(&mut Condition(dialect)),
        None => ControlFlow::Continue(()),
    }
}

impl Visitor for Conditions {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        match statement {
            Statement::Update(update) => condition(update.selection.as_ref(), self.dialect),
            Statement::Delete(delete) => condition(delete.selection.as_ref(), self.dialect),
            Statement::Insert(insert) => match &insert.on {
                Some(OnInsert::OnConflict(on)) => match &on.action {
                    OnConflictAction::DoUpdate(update) => condition(update.selection.as_ref(), self.dialect),
                    OnConflictAction::DoNothing => ControlFlow::Continue(()),
                },
                _ => ControlFlow::Continue(()),
            },
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        condition(select.selection.as_ref(), self.dialect)?;
        // What is said of groups may be moved to the rows.
        condition(select.having.as_ref(), self.dialect)?;
        if self.depth <= self.outermost {
            return ControlFlow::Continue(());
        }
        select.projection.visit(&mut Condition(self.dialect))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::NestedJoin { table_with_joins, .. } => joins(&table_with_joins.joins, self.dialect),
            _ => ControlFlow::Continue(()),
        }
    }

    fn post_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        select
            .from
            .iter()
            .try_for_each(|from| joins(&from.joins, self.dialect))
    }
}

fn joins(joins: &[Join], dialect: Dialect) -> ControlFlow<()> {
    joins.iter().try_for_each(|join| {
        let constraint = match &join.join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint)
            | JoinOperator::CrossJoin(constraint) => constraint,
            _ => return ControlFlow::Break(()),
        };
        match constraint {
            JoinConstraint::On(on) => condition(Some(on), dialect),
            JoinConstraint::Using(_)
            | JoinConstraint::UsingAlias(..)
            | JoinConstraint::Natural
            | JoinConstraint::None => ControlFlow::Continue(()),
        }
    })
}

impl Visitor for Condition {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if is_harmless(expr, self.0) || !depends_on_rows(expr) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }
}

/// Whether there is a column in it: what there is none in is the same for all rows.
fn depends_on_rows(expr: &Expr) -> bool {
    struct Columns;
    impl Visitor for Columns {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Columns).is_break()
}

/// Whether evaluating this, when its parts are evaluated, fails for no value and is quick for all.
fn is_harmless(expr: &Expr, dialect: Dialect) -> bool {
    match expr {
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::Value(_)
        | Expr::Nested(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..)
        | Expr::Between { .. }
        | Expr::Collate { .. }
        | Expr::Case { .. }
        | Expr::Exists { .. }
        | Expr::Subquery(_)
        | Expr::Tuple(_)
        | Expr::Wildcard(_) => true,
        Expr::In { target, .. } => matches!(target, InTarget::List(_) | InTarget::Subquery(_)),
        Expr::BinaryOp { op, .. } => is_harmless_operator(op, dialect),
        Expr::AnyOp { compare_op, .. } | Expr::AllOp { compare_op, .. } => {
            is_harmless_operator(compare_op, dialect)
        }
        Expr::UnaryOp { op, .. } => *op == UnaryOperator::Not || dialect == Dialect::Sqlite,
        Expr::Substring { .. } | Expr::Trim { .. } => dialect == Dialect::Sqlite,
        Expr::Cast { data_type, .. } => dialect == Dialect::Sqlite || matches!(data_type, DataType::Text),
        // A pattern from a column may be none, or too long for one.
        Expr::Like {
            pattern, escape_char, ..
        }
        | Expr::ILike {
            pattern, escape_char, ..
        } => {
            !depends_on_rows(pattern)
                && escape_char
                    .as_deref()
                    .is_none_or(|escape| !depends_on_rows(escape))
        }
        Expr::Function(call) => {
            let name = call.name.to_string().to_ascii_lowercase();
            HARMLESS.contains(&name.as_str())
        }
        _ => false,
    }
}

/// In SQLite, arithmetic gives a float or nothing where PostgreSQL's fails.
fn is_harmless_operator(operator: &BinaryOperator, dialect: Dialect) -> bool {
    match operator {
        BinaryOperator::Gt
        | BinaryOperator::Lt
        | BinaryOperator::GtEq
        | BinaryOperator::LtEq
        | BinaryOperator::Eq
        | BinaryOperator::NotEq
        | BinaryOperator::And
        | BinaryOperator::Or => true,
        BinaryOperator::Plus
        | BinaryOperator::Minus
        | BinaryOperator::Multiply
        | BinaryOperator::Divide
        | BinaryOperator::Modulo
        | BinaryOperator::BitwiseAnd
        | BinaryOperator::BitwiseOr
        | BinaryOperator::PGBitwiseShiftLeft
        | BinaryOperator::PGBitwiseShiftRight => dialect == Dialect::Sqlite,
        BinaryOperator::Arrow
        | BinaryOperator::LongArrow
        | BinaryOperator::AtArrow
        | BinaryOperator::ArrowAt
        | BinaryOperator::AtAt
        | BinaryOperator::PGOverlap => dialect == Dialect::Postgres,
        _ => false,
    }
}
