//! A call of a node, up to the database and back.
//!
//! Invariant: which database it is follows from the tenant's secrets alone; a workflow only says which of them.

use std::time::Instant;

use futures_util::FutureExt;
use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::Given;

use crate::address::Address;
use crate::job::{Job, Outcome, perform};
use crate::policy::Policy;
use crate::postgres::Key;
use crate::{postgres, sqlite};

/// The secret that says where the database is.
const SECRET: &str = "DATABASE_URL";

/// Who a call is for and where its database is.
#[derive(Debug)]
pub(crate) struct Request {
    policy: Policy,
    secret: String,
    address: Address,
    /// The secret's text, to tell pools apart.
    text: String,
}

/// The parameters of other programs' nodes that say where a database is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Elsewhere<'a> {
    pub(crate) named: &'a [(&'static str, Given<'a>)],
}

impl Elsewhere<'_> {
    /// Refuses them: an address and a password are no part of a workflow.
    fn refuse(self) -> NodeResult<()> {
        let given: Vec<&str> = self
            .named
            .iter()
            .filter(|(_, value)| !value.value().is_null())
            .map(|(name, _)| *name)
            .collect();
        if given.is_empty() {
            return Ok(());
        }
        Err(NodeError::with_code(
            code::VALIDATION_FAILED,
            format!(
                "parameter{} `{}`: a workflow does not say where its database is; have an administrator set the secret \
                 `{SECRET}` for the tenant (`postgres://user:password@host:port/database`) and remove the parameter; for \
                 several databases, name them `{SECRET}_NAME` and give `connection`",
                if given.len() > 1 { "s" } else { "" },
                given.join("`, `")
            ),
        ))
    }
}

/// `DATABASE_URL`, or `DATABASE_URL_REPORTS` for the connection `reports`.
fn secret_of(connection: ValueRef<'_>) -> NodeResult<String> {
    if connection.is_null() {
        return Ok(SECRET.to_owned());
    }
    let name = connection.as_str().map(str::trim).unwrap_or_default();
    let is_name = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if !is_name {
        // It is not shown: it may well be an address, with a password.
        return Err(NodeError::invalid(
            "connection",
            format_args!(
                "must be a name of letters, digits, `_` and `-`: `reports` stands for the secret `{SECRET}_REPORTS`"
            ),
        ));
    }
    Ok(match name {
        "default" => SECRET.to_owned(),
        _ => format!("{SECRET}_{}", name.to_ascii_uppercase().replace('-', "_")),
    })
}

impl Request {
    /// Reads the settings and the secret of the call's tenant.
    pub(crate) fn read(
        ctx: &Ctx<'_>,
        connection: ValueRef<'_>,
        elsewhere: Elsewhere<'_>,
    ) -> NodeResult<Self> {
        elsewhere.refuse()?;
        let policy = Policy::read(ctx)?;
        let secret = secret_of(connection)?;
        let text = ctx.secret(&secret).map_err(|error| match error.code.as_ref() {
            code::CREDENTIAL_MISSING => NodeError::with_code(
                code::CREDENTIAL_MISSING,
                format!(
                    "the tenant has no secret `{secret}`, which says where the database is: `sqlite:PATH` or \
                     `postgres://user:password@host:port/database`; an administrator can set it"
                ),
            ),
            _ => error,
        })?;
        let address = Address::parse(&text, &secret)?;
        Ok(Self {
            policy,
            secret,
            address,
            text,
        })
    }

    /// What the administrator decided.
    pub(crate) const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Does a job.
    pub(crate) async fn perform(self, ctx: Ctx<'_>, job: Job) -> NodeResult<Outcome> {
        let Self {
            policy,
            secret,
            address,
            text,
        } = self;
        match address {
            Address::Postgres(server) => {
                let deadline = ctx.remaining().map(|left| Instant::now() + left);
                let key = Key {
                    tenant: policy.tenant.clone(),
                    address: text,
                };
                plugin_io::run(ctx, postgres::work(key, *server, secret, policy, job, deadline)).await
            }
            Address::File(file) => {
                plugin_io::run_blocking(ctx, move |stop| {
                    sqlite::with_file(&file, &secret, &policy, stop, |session| {
                        at_once(perform(session, &policy, job))
                    })
                })
                .await
            }
            Address::Memory => {
                plugin_io::run_blocking(ctx, move |stop| {
                    sqlite::with_memory(&secret, &policy, stop, |session| {
                        at_once(perform(session, &policy, job))
                    })
                })
                .await
            }
        }
    }
}

/// SQLite's sessions never wait in an `await`, so neither does what is done with them.
fn at_once<T>(work: impl Future<Output = NodeResult<T>>) -> NodeResult<T> {
    work.now_or_never().unwrap_or_else(|| {
        Err(NodeError::new(
            "the database did not answer at once, as it always should",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_a_secret_of_its_name() {
        for (name, secret) in [
            ("null", "DATABASE_URL"),
            ("\"default\"", "DATABASE_URL"),
            ("\"reports\"", "DATABASE_URL_REPORTS"),
            ("\"read-only_2\"", "DATABASE_URL_READ_ONLY_2"),
        ] {
            let name = Value::from_json(name).unwrap();
            assert_eq!(secret_of(name.as_ref()).unwrap(), secret);
        }
        for name in [
            "\"\"",
            "\"a b\"",
            "\"postgres://u:hunter2@h/d\"",
            "7",
            "\"\u{e9}\"",
        ] {
            let name = Value::from_json(name).unwrap();
            let error = secret_of(name.as_ref()).unwrap_err();
            assert!(error.message.contains("`connection`"), "{error}");
            assert!(!error.message.contains("hunter2"), "{error}");
        }
    }
}
