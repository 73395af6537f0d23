//! The HTTP API: routes, extraction, status codes. No decisions.
//!
//! Invariant: every answer that is not a success is a [`patchbay_wire::ProblemView`] with a stable code, whatever was
//! sent; every request is bounded in size and time before it costs anything; blocking work runs on a bounded number of
//! threads, and calls of nodes cannot take the threads that admins need.
//!
//! There is no authentication yet, so a request is served only when it names this machine in its `Host` header and
//! does not come from another site's page.
#![forbid(unsafe_code)]

mod app;
mod body;
mod error;
mod guard;
mod order;
mod routes;
mod serve;
mod written;

pub use app::{openapi, router};
pub use error::HttpError;
pub use serve::{may_listen, serve};

#[cfg(test)]
mod tests;
