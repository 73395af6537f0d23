//! Every table that is read becomes the tenant's part of it.
//!
//! Invariant: after a rewrite, a name without a schema in FROM is one of a WITH, made up here; a name with a schema is a shared
//! table, or stands in a guard, `SELECT * FROM table WHERE column = ?`, which may end with `LIMIT -1` or `OFFSET 0`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use plugin_api::error::code;
use plugin_api::prelude::*;
use sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, Query, Statement, TableAlias, TableFactor, VisitMut, VisitorMut,
    With,
};
use sqlparser::parser::Parser;

use super::confining::table_name;
use super::hazards::Evaluation;
use super::refused;
use crate::dialect::Dialect;
use crate::policy::{Access, Policy};
use crate::schema::{Column, Facts, Table, TableName, quoted};

/// What names of a WITH begin with once they are ours.
const WITH_PREFIX: &str = "patchbay_with_";

/// Rewrites one statement.
pub(super) struct Rewriter<'p> {
    pub(super) dialect: Dialect,
    pub(super) policy: &'p Policy,
    facts: &'p Facts,
    arguments: Vec<Value>,
    /// The names of each WITH around, innermost last, and ours for them.
    scopes: Vec<Vec<(String, String)>>,
    /// What was taken out of queries while their other parts are visited.
    taken: Vec<Option<With>>,
    names_made: usize,
    pub(super) evaluation: Evaluation,
    /// The texts of all guards.
    pub(super) guards: BTreeSet<String>,
    /// The names made for WITHs.
    pub(super) withs: BTreeSet<String>,
    /// The shared tables that are read, quoted.
    pub(super) shared: BTreeSet<String>,
}

type Flow = ControlFlow<Box<NodeError>>;

fn or_break<T>(result: NodeResult<T>) -> ControlFlow<Box<NodeError>, T> {
    match result {
        Ok(value) => ControlFlow::Continue(value),
        Err(error) => ControlFlow::Break(Box::new(error)),
    }
}

/// There is no such table, or none for this tenant; the two are told apart only by what the tenant could find out anyway.
pub(super) fn unreachable_table(name: &TableName, table: Option<&Table>, policy: &Policy) -> NodeError {
    let schema = name.schema.as_deref().map(|schema| format!("{schema}."));
    let shown = format!("{}{}", schema.unwrap_or_default(), name.name);
    match table {
        None => NodeError::new(format!(
            "the database has no table `{shown}`; `sql.tables` says which ones there are"
        )),
        Some(_) => NodeError::with_code(
            code::NOT_ALLOWED,
            format!(
                "the table `{shown}` has no column `{}` that says whose a row is; an administrator can name another column \
                 (setting `sql.tenant_column`) or share the table (`sql.shared_tables`)",
                policy.tenant_column
            ),
        ),
    }
}

impl<'p> Rewriter<'p> {
    pub(super) fn new(
        dialect: Dialect,
        policy: &'p Policy,
        facts: &'p Facts,
        arguments: Vec<Value>,
        evaluation: Evaluation,
    ) -> Self {
        Self {
            dialect,
            policy,
            facts,
            arguments,
            scopes: Vec::new(),
            taken: Vec::new(),
            names_made: 0,
            evaluation,
            guards: BTreeSet::new(),
            withs: BTreeSet::new(),
            shared: BTreeSet::new(),
        }
    }

    pub(super) fn into_arguments(self) -> Vec<Value> {
        self.arguments
    }

    pub(super) fn argument(&self, number: usize) -> Option<&Value> {
        self.arguments.get(number.checked_sub(1)?)
    }

    /// Whether a placeholder stands for the tenant.
    pub(super) fn is_tenant(&self, placeholder: &str) -> bool {
        let number = placeholder.trim_start_matches(['?', '$']).parse().ok();
        let argument = number.and_then(|number| self.argument(number));
        argument.is_some_and(|argument| argument.as_ref().as_str() == Some(self.policy.tenant.as_str()))
    }

    /// Binds the tenant. Each time anew: PostgreSQL wants one type for one placeholder, and two tables may keep their
    /// tenants in columns of different types.
    pub(super) fn tenant(&mut self) -> String {
        self.arguments.push(Value::from(self.policy.tenant.as_str()));
        self.dialect.placeholder(self.arguments.len())
    }

    /// Rewrites a part of a statement that changes no data.
    pub(super) fn rewrite<T: VisitMut>(&mut self, part: &mut T) -> NodeResult<()> {
        match part.visit(self) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(*error),
        }
    }

    /// The table of a name, and how it may be used.
    pub(super) fn table(&self, name: &ObjectName) -> NodeResult<(&'p Table, Access<'p>)> {
        let Some(key) = table_name(name, self.dialect) else {
            return Err(refused(format_args!("`{name}` is a table of another database")));
        };
        let Some(table) = self.facts.get(&key) else {
            return Err(unreachable_table(&key, None, self.policy));
        };
        match self.policy.access(table) {
            Access::None => Err(unreachable_table(&key, Some(table), self.policy)),
            access => Ok((table, access)),
        }
    }

    pub(super) fn made_name(&mut self) -> String {
        self.names_made += 1;
        let name = format!("{WITH_PREFIX}{}", self.names_made);
        self.withs.insert(quoted(&name));
        name
    }

    fn with_name(&self, name: &ObjectName) -> Option<&str> {
        let [ObjectNamePart::Identifier(ident)] = name.0.as_slice() else {
            return None;
        };
        let folded = self.dialect.folded(&ident.value, ident.quote_style.is_some());
        let mut names = self.scopes.iter().rev().flat_map(|scope| scope.iter().rev());
        names
            .find(|(theirs, _)| *theirs == folded)
            .map(|(_, ours)| ours.as_str())
    }

    fn guard(&mut self, table: &Table, column: &Column) -> NodeResult<Box<Query>> {
        let tenant = self.tenant();
        let fence = match (self.evaluation, self.dialect) {
            (Evaluation::TenantFirst, Dialect::Sqlite) => " LIMIT -1",
            (Evaluation::TenantFirst, Dialect::Postgres) => " OFFSET 0",
            (Evaluation::AnyOrder, _) => "",
        };
        let text = format!(
            "SELECT * FROM {} WHERE {} = {tenant}{fence}",
            table.quoted(),
            quoted(&column.name)
        );
        let query = query(&text, self.dialect)?;
        self.guards.insert(query.to_string());
        Ok(query)
    }

    /// Renames the names of a WITH and rewrites its queries.
    fn with(&mut self, with: &mut With) -> NodeResult<()> {
        if with.recursive {
            for cte in &mut with.cte_tables {
                self.declare(&mut cte.alias.name);
            }
            for cte in &mut with.cte_tables {
                self.rewrite(&mut cte.query)?;
            }
            return Ok(());
        }
        for cte in &mut with.cte_tables {
            self.rewrite(&mut cte.query)?;
            self.declare(&mut cte.alias.name);
        }
        Ok(())
    }

    fn declare(&mut self, name: &mut Ident) {
        let ours = self.made_name();
        let theirs = self.dialect.folded(&name.value, name.quote_style.is_some());
        if let Some(scope) = self.scopes.last_mut() {
            scope.push((theirs, ours.clone()));
        }
        *name = Ident::with_quote('"', ours);
    }

    fn replaced(&mut self, name: &ObjectName, alias: Option<TableAlias>) -> NodeResult<TableFactor> {
        // What the statement calls the table goes on being its name for columns.
        let alias = alias.or_else(|| {
            let ident = name.0.last()?.as_ident()?;
            Some(TableAlias {
                explicit: true,
                name: ident.clone(),
                columns: Vec::new(),
                at: None,
            })
        });
        if let Some(ours) = self.with_name(name) {
            let name = ObjectName::from(Ident::with_quote('"', ours));
            return Ok(plain_table(name, alias));
        }
        match self.table(name)? {
            (table, Access::OwnRows(column)) => Ok(TableFactor::Derived {
                lateral: false,
                subquery: self.guard(table, column)?,
                alias,
                sample: None,
            }),
            (table, _) => {
                self.shared.insert(table.quoted());
                Ok(plain_table(full_name(table), alias))
            }
        }
    }
}

/// A table's name with its schema, both quoted.
pub(super) fn full_name(table: &Table) -> ObjectName {
    let quoted = |name: &str| ObjectNamePart::Identifier(Ident::with_quote('"', name));
    ObjectName(vec![quoted(&table.schema), quoted(&table.name)])
}

fn plain_table(name: ObjectName, alias: Option<TableAlias>) -> TableFactor {
    TableFactor::Table {
        name,
        alias,
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_directives: Vec::new(),
        inheritance: None,
    }
}

/// Reads a query that was written here.
pub(super) fn query(text: &str, dialect: Dialect) -> NodeResult<Box<Query>> {
    match Parser::parse_sql(dialect.grammar(), text) {
        Ok(mut statements) => match statements.pop() {
            Some(Statement::Query(query)) if statements.is_empty() => Ok(query),
            _ => Err(refused("a name in it cannot be written into a query")),
        },
        Err(_) => Err(refused("a name in it cannot be written into a query")),
    }
}

/// Reads an expression that was written here.
pub(super) fn expression(text: &str, dialect: Dialect) -> NodeResult<Expr> {
    Parser::new(dialect.grammar())
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_expr())
        .map_err(|_| refused("a name in it cannot be written into a condition"))
}

impl VisitorMut for Rewriter<'_> {
    type Break = Box<NodeError>;

    fn pre_visit_query(&mut self, query: &mut Query) -> Flow {
        self.scopes.push(Vec::new());
        // The WITH is taken out, so that it is visited in the order of its names and not again afterwards.
        let mut with = query.with.take();
        if let Some(with) = &mut with {
            or_break(self.with(with))?;
        }
        self.taken.push(with);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> Flow {
        query.with = self.taken.pop().flatten();
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> Flow {
        // After its children: the guard that comes in its place is not visited.
        if let TableFactor::Table {
            name,
            alias,
            args: None,
            ..
        } = factor
        {
            let alias = alias.take();
            let name = name.clone();
            *factor = or_break(self.replaced(&name, alias))?;
        }
        ControlFlow::Continue(())
    }
}
