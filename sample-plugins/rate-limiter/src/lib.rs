//! A node that says whether an account may do something now: one token bucket per account and operation.
#![forbid(unsafe_code)]

mod bucket;
mod clock;
mod limiter;
mod table;

use plugin_api::prelude::*;

use crate::limiter::Limiter;

export_plugin! {
    name: "rate-limiter",
    nodes: [Limiter],
}
