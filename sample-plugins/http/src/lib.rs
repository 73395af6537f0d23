//! Nodes that speak HTTP.
//!
//! Invariant: a request goes where the administrator lets requests go, whatever redirects and name servers say; what it
//! costs (time, bytes, attempts) is bounded before it is made; and no secret is in an error, a log or a result.
//!
//! ```text
//! parameters --Order::of--> Order --perform--> Reply --answered--> result
//!   the host's thread                the plugin's I/O thread        the host's thread
//! ```
#![forbid(unsafe_code)]

mod address;
mod answer;
mod attempts;
mod body;
mod client;
mod exchange;
mod headers;
mod location;
mod order;
mod pairs;
mod pastebin;
mod request;
mod rules;
mod settings;
mod shorthand;
mod webhook;

use plugin_api::prelude::*;

use crate::location::{url_build, url_parse};
use crate::pastebin::{pastebin_create, pastebin_get, pastebin_list};
use crate::request::http_request;
use crate::shorthand::{api_delete, api_get, api_post, api_put, http_get, http_post};
use crate::webhook::webhook_response;

export_plugin! {
    name: "http",
    needs: "1.3",
    shutdown: plugin_io::end,
    nodes: [
        api_delete,
        api_get,
        api_post,
        api_put,
        http_get,
        http_post,
        http_request,
        pastebin_create,
        pastebin_get,
        pastebin_list,
        url_build,
        url_parse,
        webhook_response,
    ],
}

#[cfg(test)]
mod tests;
