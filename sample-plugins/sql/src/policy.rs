//! What the administrator decided for a tenant.
//!
//! Invariant: a table is reachable only as its tenant's rows, or as shared and read only, unless the administrator
//! turned the filter off for the tenant.

use plugin_api::prelude::*;

use crate::schema::{Column, Table};

/// Settings that an administrator makes.
pub(crate) mod setting {
    /// The column that says whose a row is.
    pub(crate) const TENANT_COLUMN: &str = "sql.tenant_column";
    /// Tables that every tenant reads and none writes.
    pub(crate) const SHARED_TABLES: &str = "sql.shared_tables";
    /// `off` gives a tenant the whole database.
    pub(crate) const TENANT_FILTER: &str = "sql.tenant_filter";
    /// `true` lets a tenant change the schema.
    pub(crate) const ALLOW_DDL: &str = "sql.allow_ddl";
    /// Functions that may be called beside the known ones.
    pub(crate) const FUNCTIONS: &str = "sql.functions";
}

/// Whether rows are told apart by tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// They are.
    On,
    /// The tenant sees all of them.
    Off,
}

/// Whether statements may change the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ddl {
    /// They may.
    Allowed,
    /// They may not.
    Refused,
}

/// What a tenant may do.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) tenant: String,
    pub(crate) tenant_column: String,
    /// In lower case, each with or without its schema.
    pub(crate) shared_tables: Vec<String>,
    pub(crate) filter: Filter,
    pub(crate) ddl: Ddl,
    /// In lower case.
    pub(crate) functions: Vec<String>,
}

/// How a tenant may use a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access<'t> {
    /// The rows whose column is the tenant.
    OwnRows(&'t Column),
    /// All rows, to read.
    Shared,
    /// All rows.
    Whole,
    /// Not at all.
    None,
}

impl Access<'_> {
    /// As `sql.tables` writes it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::OwnRows(_) => "tenant",
            Self::Shared => "shared",
            Self::Whole => "all",
            Self::None => "none",
        }
    }
}

impl Policy {
    /// What is so for everybody whose administrator said nothing.
    #[cfg(test)]
    pub(crate) fn standard(tenant: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            tenant_column: "tenantId".to_owned(),
            shared_tables: Vec::new(),
            filter: Filter::On,
            ddl: Ddl::Refused,
            functions: Vec::new(),
        }
    }

    /// Reads the settings of the call's tenant.
    ///
    /// # Errors
    /// When a setting has a value that it cannot have.
    pub(crate) fn read(ctx: &Ctx<'_>) -> NodeResult<Self> {
        let filter = match ctx.setting(setting::TENANT_FILTER)?.as_deref().map(str::trim) {
            None | Some("on" | "true" | "") => Filter::On,
            Some("off") => Filter::Off,
            Some(other) => return Err(bad_setting(setting::TENANT_FILTER, other, "`on` or `off`")),
        };
        let ddl = match ctx.setting(setting::ALLOW_DDL)?.as_deref().map(str::trim) {
            None | Some("false" | "") => Ddl::Refused,
            Some("true") => Ddl::Allowed,
            Some(other) => return Err(bad_setting(setting::ALLOW_DDL, other, "`true` or `false`")),
        };
        let column = ctx.setting(setting::TENANT_COLUMN)?;
        let column = column.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let tenant = ctx.tenant();
        if tenant.is_empty() && filter == Filter::On {
            return Err(NodeError::with_code(
                plugin_api::error::code::NOT_ALLOWED,
                "this call has no tenant, so no row is its own; start the workflow for a tenant, or have the administrator \
                 set `sql.tenant_filter` to `off`",
            ));
        }
        Ok(Self {
            tenant: tenant.to_owned(),
            tenant_column: column.unwrap_or("tenantId").to_owned(),
            shared_tables: names(ctx.setting(setting::SHARED_TABLES)?.as_deref()),
            filter,
            ddl,
            functions: names(ctx.setting(setting::FUNCTIONS)?.as_deref()),
        })
    }

    /// How the tenant may use a table.
    pub(crate) fn access<'t>(&self, table: &'t Table) -> Access<'t> {
        if self.filter == Filter::Off {
            return Access::Whole;
        }
        let (schema, name) = (table.schema.to_ascii_lowercase(), table.name.to_ascii_lowercase());
        let shared = |other: &String| match other.split_once('.') {
            Some((of, other)) => of == schema && other == name,
            None => *other == name,
        };
        if self.shared_tables.iter().any(shared) {
            return Access::Shared;
        }
        table
            .column(&self.tenant_column)
            .map_or(Access::None, Access::OwnRows)
    }

    /// Whether a column's name is that of the tenant column, in any case of its letters.
    pub(crate) fn is_tenant_column(&self, name: &str) -> bool {
        self.filter == Filter::On && name.eq_ignore_ascii_case(&self.tenant_column)
    }
}

fn names(text: Option<&str>) -> Vec<String> {
    text.unwrap_or_default()
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect()
}

fn bad_setting(name: &str, value: &str, expected: &str) -> NodeError {
    let value: String = value.chars().take(40).collect();
    NodeError::new(format!(
        "the setting `{name}` is `{value}`, but has to be {expected}; an administrator can mend that"
    ))
}
