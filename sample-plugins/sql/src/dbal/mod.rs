//! Reading and writing entities: tables whose rows are maps.
//!
//! Invariant: what is built here is text of names that the database knows, in quotes, and of placeholders. It goes the
//! way of every statement, through [`statement`](crate::statement), and is confined there.

mod aggregate;
mod filter;
mod matching;
mod order;
mod reading;
pub(crate) mod rules;
mod writing;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_filter;
#[cfg(test)]
mod tests_on_postgres;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::text_of;

pub(crate) use self::reading::{LONGEST_PAGE, PAGE, Page, Reading, What, read};
pub(crate) use self::writing::{Operation, Writing, Written, write};
use crate::dialect::Dialect;
use crate::policy::{Access, Policy};
use crate::schema::{Column, ColumnKind, Facts, Lookup, Table, TableName, quoted};
use crate::session::Session;
use crate::statement::{Confined, Given, Parsed};

/// What a table is called in the statements built here, so that its columns are not taken for others.
const ALIAS: &str = "t";

/// A table that a tenant may use.
struct Entity<'p> {
    dialect: Dialect,
    policy: &'p Policy,
    table: Table,
}

/// A part of a statement, with the values of its placeholders.
#[derive(Clone, Debug, Default)]
struct Part {
    text: String,
    values: Vec<Value>,
}

impl Part {
    fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            values: Vec::new(),
        }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn bind(&mut self, value: Value) {
        self.text.push('?');
        self.values.push(value);
    }

    fn append(&mut self, other: Self) {
        self.text.push_str(&other.text);
        self.values.extend(other.values);
    }
}

impl<'p> Entity<'p> {
    /// Looks an entity up.
    async fn find<S: Session>(session: &mut S, policy: &'p Policy, entity: &str) -> NodeResult<Self> {
        let name = match entity.split_once('.') {
            Some((schema, name)) => TableName {
                schema: Some(schema.to_owned()),
                name: name.to_owned(),
            },
            None => TableName::bare(entity),
        };
        let facts = session.facts(std::slice::from_ref(&name), Lookup::Loose).await?;
        let Some(table) = facts.get(&name) else {
            return Err(NodeError::invalid(
                "entity",
                format_args!("the database has no table `{entity}`; `sql.tables` says which ones there are"),
            ));
        };
        Ok(Self {
            dialect: S::DIALECT,
            policy,
            table: table.clone(),
        })
    }

    /// A column of this entity.
    fn column(&self, name: &str, parameter: &str) -> NodeResult<&Column> {
        self.table.column(name).ok_or_else(|| {
            let known: Vec<&str> = self
                .table
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect();
            let mut known = known.join(", ");
            if let Some((at, _)) = known.char_indices().nth(200) {
                known.truncate(at);
                known.push_str(" ...");
            }
            NodeError::invalid(
                parameter,
                format_args!("`{}` has no column `{name}`; it has {known}", self.table.name),
            )
        })
    }

    fn written(column: &Column) -> String {
        format!("{ALIAS}.{}", quoted(&column.name))
    }

    /// Whether rows are told apart by this column, which is then not the workflow's to say.
    fn is_tenant_column(&self, column: &Column) -> bool {
        matches!(self.policy.access(&self.table), Access::OwnRows(own) if own.name == column.name)
    }

    /// Takes the caller's own tenant, and refuses any other.
    fn own_tenant(&self, column: &Column, value: ValueRef<'_>, parameter: &str) -> NodeResult<()> {
        if !value.is_null() && text_of(value).as_deref() == Some(self.policy.tenant.as_str()) {
            return Ok(());
        }
        Err(NodeError::with_code(
            code::NOT_ALLOWED,
            format!(
                "parameter `{parameter}`: `{}` is not the tenant that the workflow runs for; leave it out, it is always added",
                column.name
            ),
        ))
    }

    /// A value as the column keeps it.
    fn fitting(&self, column: &Column, value: ValueRef<'_>, parameter: &str) -> NodeResult<Value> {
        use base64::Engine;
        let is_bytes = self.dialect == Dialect::Sqlite && column.kind == ColumnKind::Bytes;
        match value.as_str() {
            Some(text) if is_bytes => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(text);
                let bytes = bytes.map_err(|_| {
                    let why = format_args!("`{}` holds bytes, and the text is no base64", column.name);
                    NodeError::invalid(parameter, why)
                })?;
                Ok(Value::from_serialize(&Bytes(&bytes))?)
            }
            _ => Ok(value.to_value()),
        }
    }

    /// From a part to a statement that may be run.
    fn confine(&self, part: Part) -> NodeResult<Confined> {
        let given = Given::List(part.values);
        let parsed = Parsed::parse(&part.text, &given, self.dialect, self.policy)?;
        let mut facts = Facts::default();
        let name = TableName {
            schema: Some(self.dialect.folded(&self.table.schema, true)),
            name: self.dialect.folded(&self.table.name, true),
        };
        facts.insert(name, self.table.clone());
        parsed.confine(&facts, self.policy)
    }
}

struct Bytes<'b>(&'b [u8]);

impl plugin_api::serde::Serialize for Bytes<'_> {
    fn serialize<S: plugin_api::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}
