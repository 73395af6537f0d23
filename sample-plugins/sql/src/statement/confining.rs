//! The steps from text to a confined statement.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use plugin_api::prelude::*;
use sqlparser::ast::{
    Insert, ObjectName, ObjectType, SetExpr, Statement, TableFactor, TableObject, Visit, Visitor,
};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::arguments::Given;
use super::audit::{Expected, audit};
use super::changing::change;
use super::hazards::evaluation;
use super::lexing::{lex, relex};
use super::rewriting::Rewriter;
use super::survey::survey;
use super::{refused, unreadable};
use crate::dialect::Dialect;
use crate::policy::{Ddl, Filter, Policy};
use crate::schema::{Facts, TableName};

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It gives rows and changes nothing.
    Select,
    /// It inserts.
    Insert,
    /// It updates.
    Update,
    /// It deletes.
    Delete,
    /// It changes the schema.
    Ddl,
}

/// A statement that was read and consists of known parts.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    statement: Statement,
    arguments: Vec<Value>,
    dialect: Dialect,
    kind: Kind,
}

/// A statement that may be sent as it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Confined {
    text: String,
    arguments: Vec<Value>,
    kind: Kind,
}

impl Confined {
    /// The text for the database.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What its placeholders stand for.
    pub(crate) fn arguments(&self) -> &[Value] {
        &self.arguments
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }
}

fn tree(tokens: Vec<TokenWithSpan>, dialect: Dialect) -> NodeResult<Statement> {
    let mut parser = Parser::new(dialect.grammar()).with_tokens_with_locations(tokens);
    let statement = parser
        .parse_statement()
        .map_err(|error| unreadable(&error.to_string()))?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        let place = next.span.start;
        return Err(unreadable(&format!(
            "expected its end, found `{}` at Line: {}, Column: {}",
            next.token, place.line, place.column
        )));
    }
    Ok(statement)
}

impl Parsed {
    /// Reads a statement.
    ///
    /// # Errors
    /// `EXECUTION_ERROR` when it cannot be read, `NOT_ALLOWED` when it has something that it may not have,
    /// `VALIDATION_FAILED` when the arguments do not fit the placeholders.
    pub(crate) fn parse(text: &str, given: &Given, dialect: Dialect, policy: &Policy) -> NodeResult<Self> {
        let (tokens, arguments) = lex(text, given, dialect)?;
        if tokens.is_empty() {
            return Err(NodeError::invalid("query", "has no statement in it"));
        }
        let statement = tree(tokens, dialect)?;
        let kind = kind_of(&statement, policy)?;
        survey(&statement, &policy.functions)?;
        Ok(Self {
            statement,
            arguments,
            dialect,
            kind,
        })
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// The tables it names, those of its WITH among them.
    pub(crate) fn tables(&self) -> Vec<TableName> {
        let mut tables = Tables {
            dialect: self.dialect,
            names: BTreeSet::new(),
        };
        if self.kind != Kind::Ddl {
            let _: ControlFlow<()> = self.statement.visit(&mut tables);
        }
        tables.names.into_iter().collect()
    }

    /// Confines it to its tenant's rows.
    ///
    /// # Errors
    /// `NOT_ALLOWED` when it reads or changes what the tenant may not.
    pub(crate) fn confine(self, facts: &Facts, policy: &Policy) -> NodeResult<Confined> {
        let Self {
            mut statement,
            arguments,
            dialect,
            kind,
        } = self;
        let evaluation = evaluation(&statement, dialect);
        let mut rewriter = Rewriter::new(dialect, policy, facts, arguments, evaluation);
        let expected = if policy.filter == Filter::Off || kind == Kind::Ddl {
            refuse_system_tables(&statement, dialect)?;
            None
        } else {
            Some(rewrite(&mut statement, &mut rewriter)?)
        };
        let text = statement.to_string();
        let again = tree(relex(&text, dialect)?, dialect)?;
        if again != statement {
            return Err(refused("it cannot be written down again as it was read"));
        }
        if let Some(expected) = &expected {
            audit(&again, expected, &rewriter)?;
        }
        Ok(Confined {
            text,
            arguments: rewriter.into_arguments(),
            kind,
        })
    }
}

fn rewrite(statement: &mut Statement, rewriter: &mut Rewriter<'_>) -> NodeResult<Expected> {
    match statement {
        Statement::Query(query) => {
            rewriter.rewrite(query)?;
            Ok(Expected::Rows)
        }
        other => change(other, rewriter),
    }
}

fn kind_of(statement: &Statement, policy: &Policy) -> NodeResult<Kind> {
    match statement {
        Statement::Query(query) => match &*query.body {
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => Err(refused(
                "it changes data after a WITH; write the subquery in place, or use several statements",
            )),
            _ => Ok(Kind::Select),
        },
        Statement::Insert(_) => Ok(Kind::Insert),
        Statement::Update(_) => Ok(Kind::Update),
        Statement::Delete(_) => Ok(Kind::Delete),
        other if is_ddl(other) => match policy.ddl {
            Ddl::Allowed => ddl(other, policy).map(|()| Kind::Ddl),
            Ddl::Refused => Err(refused(
                "it changes the schema; an administrator can allow that to the tenant by the setting `sql.allow_ddl`",
            )),
        },
        other => {
            let text = other.to_string();
            let first = text.split_whitespace().next().unwrap_or("?");
            let first: String = first.chars().take(20).collect();
            Err(refused(format_args!(
                "it is a {}; SELECT, INSERT, UPDATE and DELETE can be run here",
                first.escape_debug()
            )))
        }
    }
}

const fn is_ddl(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::CreateTable(_)
            | Statement::CreateIndex(_)
            | Statement::CreateView(_)
            | Statement::AlterTable(_)
            | Statement::Drop {
                object_type: ObjectType::Table | ObjectType::View | ObjectType::Index,
                ..
            }
    )
}

/// A table or view made from a query would show rows that the query's tenant may not see.
fn ddl(statement: &Statement, policy: &Policy) -> NodeResult<()> {
    let is_plain = match statement {
        Statement::CreateTable(table) => {
            !table.external
                && !table.temporary
                && table.location.is_none()
                && (table.query.is_none() || policy.filter == Filter::Off)
        }
        Statement::CreateView(view) => !view.temporary && policy.filter == Filter::Off,
        _ => true,
    };
    if is_plain {
        return Ok(());
    }
    Err(refused(
        "it makes a temporary or external table, or one or a view from a query, which only a tenant without the filter may",
    ))
}

struct Tables {
    dialect: Dialect,
    names: BTreeSet<TableName>,
}

impl Visitor for Tables {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: None, .. } = factor {
            self.names.extend(table_name(name, self.dialect));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        if let Statement::Insert(Insert {
            table: TableObject::TableName(name),
            ..
        }) = statement
        {
            self.names.extend(table_name(name, self.dialect));
        }
        ControlFlow::Continue(())
    }
}

/// The way the database looks a name up; `None` for one of three parts or more.
pub(super) fn table_name(name: &ObjectName, dialect: Dialect) -> Option<TableName> {
    let folded: Option<Vec<String>> = name
        .0
        .iter()
        .map(|part| {
            let ident = part.as_ident()?;
            Some(dialect.folded(&ident.value, ident.quote_style.is_some()))
        })
        .collect();
    let mut parts = folded?.into_iter();
    let (first, second) = (parts.next()?, parts.next());
    if parts.next().is_some() {
        return None;
    }
    Some(match second {
        Some(name) => TableName {
            schema: Some(first),
            name,
        },
        None => TableName {
            schema: None,
            name: first,
        },
    })
}

/// Without the filter tables go to the database as they are written, so those of the database itself are refused by name.
fn refuse_system_tables(statement: &Statement, dialect: Dialect) -> NodeResult<()> {
    struct System(Dialect);
    impl Visitor for System {
        type Break = String;

        fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<String> {
            let is_system = |name: &str| {
                name.starts_with("pg_") || name.starts_with("sqlite_") || name == "information_schema"
            };
            match table_name(name, self.0) {
                Some(table) if is_system(&table.name) || table.schema.as_deref().is_some_and(is_system) => {
                    ControlFlow::Break(name.to_string())
                }
                Some(_) => ControlFlow::Continue(()),
                None => ControlFlow::Break(name.to_string()),
            }
        }
    }
    match statement.visit(&mut System(dialect)) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(name) => Err(refused(format_args!(
            "`{name}` belongs to the database itself; `sql.tables` and `sql.describe` say what it has"
        ))),
    }
}
