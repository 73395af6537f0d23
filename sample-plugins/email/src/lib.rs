//! Invariant: nothing that a workflow says reaches the server as a command or a header of its own; a message whose fate is
//! not known is never sent again by itself; no error tells a password.
//!
//! ```text
//! parameters --address, template, attachment--> Draft --compose--> message --dialogue--> the server
//! message --entity--> parts --parsing--> texts, attachments --sanitize--> HTML that runs nothing
//! ```
//!
//! The server is the administrator's choice: the secret `SMTP_URL`, or `SMTP_URL_NAME` for the connection `name`.
#![forbid(unsafe_code)]

mod address;
mod attachment;
mod compose;
mod dialogue;
mod drafting;
mod entity;
mod extensions;
mod failure;
mod gathering;
mod line;
mod parsing;
mod policy;
mod progress;
mod reply;
mod sanitize;
mod sending;
mod server;
mod stuffing;
mod template;
mod tls;
mod wire;

use plugin_api::prelude::*;

use crate::parsing::email_parser;
use crate::sending::email_send;

export_plugin! {
    name: "email",
    needs: "1.3",
    shutdown: plugin_io::end,
    nodes: [email_parser, email_send],
}

#[cfg(test)]
mod tests;
