//! What a statement may consist of.
//!
//! Invariant: a tree that passes has only parts whose meaning is known here: tables in `FROM`, subqueries, expressions, calls
//! of listed functions. Everything else is refused by default, whatever the parser learns to read.

use std::ops::ControlFlow;

use plugin_api::prelude::*;
use sqlparser::ast::{
    BinaryOperator, CastKind, Distinct, Expr, FunctionArgumentClause, FunctionArguments, GroupByExpr,
    InTarget, JoinOperator, ObjectName, Query, Select, SelectFlavor, SelectItem, SetExpr, TableFactor,
    UnaryOperator, Value as Literal, ValueWithSpan, Visit, Visitor,
};

use super::functions::is_allowed;
use super::refused;

/// Functions that stand in `FROM` and give rows.
const TABLE_FUNCTIONS: [&str; 17] = [
    "generate_series",
    "generate_subscripts",
    "json_array_elements",
    "json_array_elements_text",
    "json_each",
    "json_each_text",
    "json_object_keys",
    "json_tree",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_each",
    "jsonb_each_text",
    "jsonb_object_keys",
    "jsonb_path_query",
    "regexp_matches",
    "regexp_split_to_table",
    "string_to_table",
];

/// Looks at every part of a statement.
pub(super) fn survey<T: Visit>(part: &T, functions: &[String]) -> NodeResult<()> {
    match part.visit(&mut Survey { functions }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(*error),
    }
}

struct Survey<'f> {
    functions: &'f [String],
}

type Flow = ControlFlow<Box<NodeError>>;

fn no(why: impl std::fmt::Display) -> Flow {
    ControlFlow::Break(Box::new(refused(why)))
}

fn when(is_allowed: bool, why: &str) -> Flow {
    if is_allowed {
        ControlFlow::Continue(())
    } else {
        no(why)
    }
}

impl Survey<'_> {
    fn function_name(&self, name: &ObjectName) -> Flow {
        let parts: Option<Vec<&str>> = name
            .0
            .iter()
            .map(|part| part.as_ident().map(|ident| ident.value.as_str()))
            .collect();
        let bare = match parts.as_deref() {
            Some([bare]) => bare.to_ascii_lowercase(),
            Some([schema, bare]) if schema.eq_ignore_ascii_case("pg_catalog") => bare.to_ascii_lowercase(),
            _ => return no(format_args!("the function {name} is in a schema")),
        };
        if is_allowed(&bare, self.functions) {
            return ControlFlow::Continue(());
        }
        no(format_args!(
            "the function `{bare}` is not among those that statements may call here; an administrator can add it by the \
             setting `sql.functions`"
        ))
    }

    fn set_expr(&self, body: &SetExpr) -> Flow {
        match body {
            SetExpr::Select(_) | SetExpr::Query(_) => ControlFlow::Continue(()),
            SetExpr::Values(values) => when(
                !values.explicit_row && !values.value_keyword,
                "it has a form of VALUES that is not known here",
            ),
            SetExpr::SetOperation { left, right, .. } => {
                self.set_expr(left)?;
                self.set_expr(right)
            }
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => no(
                "it changes data within a WITH or after one; write the subquery in place, or use several statements",
            ),
            SetExpr::Table(_) => no("it has the command TABLE; write SELECT * FROM"),
        }
    }

    fn table(&self, table: &TableFactor) -> Flow {
        match table {
            TableFactor::Table {
                name,
                args,
                with_hints,
                version,
                partitions,
                json_path,
                sample,
                index_directives,
                inheritance,
                with_ordinality,
                ..
            } => {
                let is_plain = with_hints.is_empty()
                    && version.is_none()
                    && partitions.is_empty()
                    && json_path.is_none()
                    && sample.is_none()
                    && index_directives.is_empty()
                    && inheritance.is_none();
                when(is_plain, "a table in it has hints, samples, versions or ONLY")?;
                match args {
                    None => when(!with_ordinality, "a table in it has WITH ORDINALITY"),
                    Some(args) => {
                        when(args.settings.is_none(), "a function in it has settings")?;
                        self.table_function(name)
                    }
                }
            }
            TableFactor::Function { name, .. } => self.table_function(name),
            TableFactor::Derived { sample, .. } => when(sample.is_none(), "a subquery in it has a sample"),
            TableFactor::NestedJoin { .. } => ControlFlow::Continue(()),
            TableFactor::UNNEST { with_offset, .. } => when(!with_offset, "UNNEST in it has an offset"),
            _ => no("it reads from something that is neither a table, a subquery nor a function of rows"),
        }
    }

    fn table_function(&self, name: &ObjectName) -> Flow {
        self.function_name(name)?;
        let bare = name.0.last().map(ToString::to_string).unwrap_or_default();
        let bare = bare.trim_matches('"').to_ascii_lowercase();
        when(
            TABLE_FUNCTIONS.contains(&bare.as_str()) || self.functions.contains(&bare),
            "it reads from a function that is not known to give rows",
        )
    }
}

impl Visitor for Survey<'_> {
    type Break = Box<NodeError>;

    fn pre_visit_query(&mut self, query: &Query) -> Flow {
        let is_plain = query.for_clause.is_none()
            && query.settings.is_none()
            && query.format_clause.is_none()
            && query.pipe_operators.is_empty()
            && query
                .order_by
                .as_ref()
                .is_none_or(|order| order.interpolate.is_none());
        when(is_plain, "a query in it has clauses that are not known here")?;
        let plain_with = query.with.as_ref().is_none_or(|with| {
            with.cte_tables
                .iter()
                .all(|cte| cte.from.is_none() && cte.alias.at.is_none())
        });
        when(plain_with, "a WITH in it has clauses that are not known here")?;
        self.set_expr(&query.body)
    }

    fn pre_visit_select(&mut self, select: &Select) -> Flow {
        when(
            select.into.is_none(),
            "it selects INTO a new table; use CREATE TABLE where that is allowed",
        )?;
        let is_plain = select.optimizer_hints.is_empty()
            && select.select_modifiers.is_none()
            && select.top.is_none()
            && select.exclude.is_none()
            && select.lateral_views.is_empty()
            && select.prewhere.is_none()
            && select.connect_by.is_empty()
            && matches!(&select.group_by, GroupByExpr::Expressions(_, modifiers) if modifiers.is_empty())
            && select.cluster_by.is_empty()
            && select.distribute_by.is_empty()
            && select.sort_by.is_empty()
            && select.qualify.is_none()
            && select.value_table_mode.is_none()
            && select.flavor == SelectFlavor::Standard
            && !matches!(select.distinct, Some(Distinct::All));
        when(is_plain, "a SELECT in it has clauses that are not known here")?;
        for item in &select.projection {
            let options = match item {
                SelectItem::QualifiedWildcard(_, options) | SelectItem::Wildcard(options) => options,
                SelectItem::ExprWithAliases { .. } => return no("a SELECT in it names one value twice"),
                SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. } => continue,
            };
            let is_bare = options.opt_ilike.is_none()
                && options.opt_exclude.is_none()
                && options.opt_except.is_none()
                && options.opt_replace.is_none()
                && options.opt_rename.is_none()
                && options.opt_alias.is_none();
            when(is_bare, "a `*` in it has options")?;
        }
        for join in select.from.iter().flat_map(|from| &from.joins) {
            let is_known = matches!(
                join.join_operator,
                JoinOperator::Join(_)
                    | JoinOperator::Inner(_)
                    | JoinOperator::Left(_)
                    | JoinOperator::LeftOuter(_)
                    | JoinOperator::Right(_)
                    | JoinOperator::RightOuter(_)
                    | JoinOperator::FullOuter(_)
                    | JoinOperator::CrossJoin(_)
            );
            when(is_known && !join.global, "it has a join that is not known here")?;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> Flow {
        self.table(table)
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> Flow {
        let is_known = matches!(
            value.value,
            Literal::Number(..)
                | Literal::SingleQuotedString(_)
                | Literal::HexStringLiteral(_)
                | Literal::Boolean(_)
                | Literal::Null
                | Literal::Placeholder(_)
        );
        when(
            is_known,
            "it has a literal that is not known here; bind it as a parameter",
        )
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> Flow {
        match expr {
            Expr::Function(call) => {
                self.function_name(&call.name)?;
                let is_plain = !call.uses_odbc_syntax && matches!(call.parameters, FunctionArguments::None);
                when(
                    is_plain,
                    "a function call in it has a form that is not known here",
                )?;
                let FunctionArguments::List(list) = &call.args else {
                    return when(
                        matches!(call.args, FunctionArguments::None),
                        "a function in it has a bare subquery as its argument",
                    );
                };
                let known = list
                    .clauses
                    .iter()
                    .all(|clause| matches!(clause, FunctionArgumentClause::OrderBy(_)));
                when(known, "a function call in it has clauses that are not known here")
            }
            Expr::In { target, global, .. } => when(
                !global && matches!(target, InTarget::List(_) | InTarget::Subquery(_)),
                "it has `IN` followed by a table; write `IN (SELECT ...)`",
            ),
            Expr::BinaryOp { op, .. } => {
                when(is_known_operator(op), "it has an operator that is not known here")
            }
            Expr::AnyOp { compare_op, .. } | Expr::AllOp { compare_op, .. } => when(
                is_known_operator(compare_op),
                "it has an operator that is not known here",
            ),
            Expr::UnaryOp { op, .. } => when(
                matches!(
                    op,
                    UnaryOperator::Plus
                        | UnaryOperator::Minus
                        | UnaryOperator::Not
                        | UnaryOperator::BitwiseNot
                ),
                "it has an operator that is not known here",
            ),
            Expr::Cast { kind, format, .. } => when(
                matches!(kind, CastKind::Cast | CastKind::DoubleColon) && format.is_none(),
                "it has a cast that is not known here",
            ),
            Expr::Collate { collation, .. } => when(
                collation.0.len() <= 2,
                "it has a collation that is not known here",
            ),
            Expr::Like { any, .. } | Expr::ILike { any, .. } => {
                when(!any, "it has LIKE ANY; write `= ANY (...)` or several conditions")
            }
            Expr::Identifier(_)
            | Expr::CompoundIdentifier(_)
            | Expr::CompoundFieldAccess { .. }
            | Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_)
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::Between { .. }
            | Expr::SimilarTo { .. }
            | Expr::AtTimeZone { .. }
            | Expr::Extract { .. }
            | Expr::Ceil { .. }
            | Expr::Floor { .. }
            | Expr::Position { .. }
            | Expr::Substring { .. }
            | Expr::Trim { .. }
            | Expr::Overlay { .. }
            | Expr::Nested(_)
            | Expr::Value(_)
            | Expr::TypedString(_)
            | Expr::Case { .. }
            | Expr::Exists { .. }
            | Expr::Subquery(_)
            | Expr::GroupingSets(_)
            | Expr::Cube(_)
            | Expr::Rollup(_)
            | Expr::Tuple(_)
            | Expr::Array(_)
            | Expr::Interval(_)
            | Expr::Wildcard(_)
            | Expr::QualifiedWildcard(..) => ControlFlow::Continue(()),
            _ => no("it has an expression that is not known here"),
        }
    }
}

fn is_known_operator(operator: &BinaryOperator) -> bool {
    !matches!(
        operator,
        BinaryOperator::Custom(_)
            | BinaryOperator::Spaceship
            | BinaryOperator::DuckIntegerDivide
            | BinaryOperator::MyIntegerDivide
            | BinaryOperator::Xor
    ) && !matches!(operator.to_string().as_str(), text if text.starts_with("OPERATOR"))
}
