//! SQLite's own word on what a statement does.
//!
//! Invariant: a statement that was confined is compiled only when SQLite, too, finds in it nothing but reads and changes of
//! ordinary tables and calls of listed functions.
//!
//! It is the second net under the first: it sees what SQLite understood, not what we did.

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use crate::policy::{Ddl, Policy};
use crate::statement::is_allowed_in_sqlite;

/// What a statement may do.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    ddl: Ddl,
    functions: Vec<String>,
}

impl Rules {
    pub(super) fn new(policy: &Policy) -> Self {
        Self {
            ddl: policy.ddl,
            functions: policy.functions.clone(),
        }
    }

    /// Answers SQLite.
    pub(super) fn decide(&self, context: AuthContext<'_>) -> Authorization {
        let may_change_schema = self.ddl == Ddl::Allowed;
        let is_allowed = match context.action {
            AuthAction::Select | AuthAction::Recursive => true,
            AuthAction::Read { table_name, .. }
            | AuthAction::Insert { table_name }
            | AuthAction::Delete { table_name }
            | AuthAction::Update { table_name, .. } => may_change_schema || !is_of_sqlite(table_name),
            AuthAction::Function { function_name } => {
                // What a trigger or view calls is the administrator's.
                context.accessor.is_some()
                    || is_allowed_in_sqlite(function_name, &self.functions)
                    || may_change_schema && is_of_sqlite(function_name)
            }
            AuthAction::CreateIndex { .. }
            | AuthAction::CreateTable { .. }
            | AuthAction::CreateView { .. }
            | AuthAction::DropIndex { .. }
            | AuthAction::DropTable { .. }
            | AuthAction::DropView { .. }
            | AuthAction::AlterTable { .. }
            | AuthAction::Reindex { .. } => may_change_schema,
            _ => false,
        };
        if is_allowed {
            Authorization::Allow
        } else {
            Authorization::Deny
        }
    }
}

fn is_of_sqlite(name: &str) -> bool {
    name.get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"))
}
