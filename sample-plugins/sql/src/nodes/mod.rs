//! The nodes: what a workflow writes, as a job, and what came of it, as a result.

mod aggregate;
mod catalogue;
mod executing;
mod querying;
mod read;
mod transacting;
mod write;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_nodes;
#[cfg(test)]
mod tests_on_postgres;
#[cfg(test)]
mod tests_refusals;

pub(crate) use self::aggregate::dbal_aggregate;
pub(crate) use self::catalogue::{describe, ping, tables};
pub(crate) use self::executing::execute;
pub(crate) use self::querying::query;
pub(crate) use self::read::dbal_read;
pub(crate) use self::transacting::transaction;
pub(crate) use self::write::dbal_write;

use plugin_api::prelude::*;
use plugin_api::reading::Whole;

use crate::cell::{MOST_ROWS, ROWS};
use crate::job::Outcome;

/// Parameters, and beside them those that every node of this plugin has: which connection, and what is refused because it
/// is no part of a workflow.
macro_rules! connected {
    ($(#[$attribute:meta])* struct $name:ident { $($fields:tt)* }) => {
        #[plugin_api::prelude::parameters]
        $(#[$attribute])*
        pub(crate) struct $name<'a> {
            $($fields)*
            /// Which of the tenant's databases: `reports` is the one that the secret `DATABASE_URL_REPORTS` says, nothing is
            /// that of `DATABASE_URL`.
            #[serde(default)]
            connection: plugin_api::reading::Any<'a>,
            #[serde(default)]
            #[schemars(skip)]
            host: plugin_api::reading::Given<'a>,
            #[serde(default)]
            #[schemars(skip)]
            port: plugin_api::reading::Given<'a>,
            #[serde(default)]
            #[schemars(skip)]
            user: plugin_api::reading::Given<'a>,
            #[serde(default)]
            #[schemars(skip)]
            password: plugin_api::reading::Given<'a>,
            #[serde(default)]
            #[schemars(skip)]
            database: plugin_api::reading::Given<'a>,
            #[serde(default)]
            #[schemars(skip)]
            connection_string: plugin_api::reading::Given<'a>,
        }

        impl $name<'_> {
            /// Who calls, and which database it is.
            fn request(&self, ctx: &plugin_api::Ctx<'_>) -> plugin_api::NodeResult<crate::request::Request> {
                let named = [
                    ("host", self.host),
                    ("port", self.port),
                    ("user", self.user),
                    ("password", self.password),
                    ("database", self.database),
                    ("connectionString", self.connection_string),
                ];
                let elsewhere = crate::request::Elsewhere { named: &named };
                crate::request::Request::read(ctx, self.connection.0, elsewhere)
            }
        }
    };
}
use connected;

/// How many rows a statement may give.
fn most_rows(asked: Option<Whole>) -> NodeResult<usize> {
    let most = i64::try_from(MOST_ROWS).unwrap_or(i64::MAX);
    match asked {
        None => Ok(ROWS),
        Some(asked) => Whole(asked.within("maxRows", 1..=most)?).count("maxRows"),
    }
}

/// A job came to something else than such a job comes to.
fn unexpected(outcome: &Outcome) -> NodeError {
    NodeError::new(format!("the database answered something else: {outcome:?}"))
}
