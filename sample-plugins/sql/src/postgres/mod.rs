//! PostgreSQL, over the network.
//!
//! Invariant: all of this runs on the plugin's I/O thread. A call that is dropped has its statement cancelled at the server.

mod arguments;
mod catalogue;
mod cells;
mod failure;
mod moments;
mod numeric;
mod pool;
mod secure;
mod session;

#[cfg(test)]
mod tests_on_postgres;
#[cfg(test)]
pub(crate) mod tests_server;

use std::time::Instant;

use plugin_api::error::code;
use plugin_api::prelude::*;

pub(crate) use self::cells::uuid_text;
pub(crate) use self::pool::{Key, close};
use self::session::PostgresSession;
use crate::address::Server;
use crate::job::{Job, Outcome, perform};
use crate::policy::Policy;

/// Does a job on a connection of the tenant's.
pub(crate) async fn work(
    key: Key,
    server: Server,
    secret: String,
    policy: Policy,
    job: Job,
    deadline: Option<Instant>,
) -> NodeResult<Outcome> {
    let work = async {
        let lease = pool::lease(key, server, secret).await?;
        let mut session = PostgresSession::new(lease, policy.tenant.clone(), deadline);
        let result = perform(&mut session, &policy, job).await;
        session.end();
        result
    };
    match deadline {
        None => work.await,
        // Within the work, so that its connection is dropped here and its statement cancelled.
        Some(deadline) => tokio::time::timeout_at(deadline.into(), work)
            .await
            .unwrap_or_else(|_| Err(NodeError::with_code(code::TIMEOUT, "the call's deadline passed"))),
    }
}
