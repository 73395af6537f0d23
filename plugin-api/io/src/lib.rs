//! A runtime of the plugin's own: for nodes that talk to networks, databases and disks.
//!
//! Invariant: no code of Tokio runs on a thread of the host. What an async node hands over runs on the plugin's own
//! threads, and those end before the plugin is unmapped.
//!
//! Tokio, and nearly every client built on it, keeps thread-locals with destructors. A thread of the host that had touched
//! one could not be left behind: the library would stay mapped until that thread ends. So a call crosses over twice: its work
//! goes through a queue to the plugin's I/O thread, its result comes back by the waker that the host lent.
//!
//! ```text
//! the host's thread                         the plugin's threads
//!   run(ctx, work) -> Handed  --queue, bell-->  I/O thread: spawn(work)
//!        polled: not yet                          work.await
//!        polled: result       <--slot, waker--    slot.finish(result)
//!   dropped: caller gave up   --queue, bell-->  I/O thread: abort(work)
//! ```
//!
//! ```
//! use plugin_api::prelude::*;
//!
//! #[parameters]
//! struct Lookup {
//!     /// The host to look for.
//!     host: String,
//! }
//!
//! /// Finds the addresses of a host.
//! #[node(id = "dns.lookup", effect = "idempotent", capabilities = ["network"])]
//! async fn lookup(input: Lookup, ctx: Ctx<'_>) -> NodeResult<Answer<Vec<String>>> {
//!     plugin_io::run(ctx, async move {
//!         let found = tokio::net::lookup_host((input.host, 0)).await?;
//!         Ok(answer(found.map(|address| address.ip().to_string()).collect()))
//!     })
//!     .await
//! }
//!
//! export_plugin! {
//!     name: "dns",
//!     shutdown: plugin_io::end,
//!     nodes: [lookup],
//! }
//! # fn main() {}
//! ```
//!
//! What should live from call to call, such as a pool of connections, may be kept in thread-locals of the I/O thread, where
//! [`run`] polls its work and nothing else runs; it ends with that thread. Kept in a static instead, it has to be emptied by
//! [`end_after`].

mod handed;
mod runtime;
mod stop;
#[expect(
    unsafe_code,
    reason = "zone 4: starting a thread without the thread-locals of the one that starts it"
)]
mod thread;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::time::Instant;

use plugin_api::error::code;
use plugin_api::{Ctx, NodeError, NodeResult};

use crate::handed::handed;
pub use crate::runtime::{MOST_BLOCKING_THREADS, end, end_after};
pub use crate::stop::Stop;

/// Runs `work` on the plugin's I/O thread, within its Tokio runtime, and waits for what comes of it. When the call is
/// cancelled or its deadline passes, `work` is dropped there.
///
/// # Errors
/// Those of `work`; `EXECUTION_ERROR` when the runtime cannot be started, or the plugin is ending.
///
/// # Panics
/// When `work` does: the panic goes on in the caller.
pub async fn run<T, F>(ctx: Ctx<'_>, work: F) -> NodeResult<T>
where
    T: Send + 'static,
    F: Future<Output = NodeResult<T>> + Send + 'static,
{
    ctx.check()?;
    let (job, waiting) = handed(work);
    let waiting = waiting.sent(runtime::submit(Box::pin(job))?);
    waiting.await
}

/// Runs `work`, which may block, on a thread of the plugin's own, and waits for what comes of it. Up to
/// [`MOST_BLOCKING_THREADS`] run at once, more wait in order.
///
/// A thread cannot be interrupted: `work` looks at the [`Stop`] it is given, or hands it on, and returns soon when it is set.
///
/// # Errors
/// Those of `work`; `EXECUTION_ERROR` when the runtime cannot be started, or the plugin is ending.
///
/// # Panics
/// When `work` does: the panic goes on in the caller.
pub async fn run_blocking<T, F>(ctx: Ctx<'_>, work: F) -> NodeResult<T>
where
    T: Send + 'static,
    F: FnOnce(&Stop) -> NodeResult<T> + Send + 'static,
{
    let deadline = ctx.remaining().map(|left| Instant::now() + left);
    let stop = Stop::until(deadline);
    // Dropped with this future, however that ends.
    let _asked = stop.asked_on_drop();
    run(ctx, async move {
        let joined = tokio::task::spawn_blocking(move || {
            // It may have waited for a thread longer than anybody waited for it.
            stop.check()?;
            work(&stop)
        });
        match joined.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(NodeError::with_code(code::CANCELLED, "the plugin is ending")),
            },
        }
    })
    .await
}
