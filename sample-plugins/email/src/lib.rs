//! Invariant: nothing that a workflow says reaches the server as a command or a header of its own; a message whose fate is
//! not known is never sent again by itself; no error tells a password.
//!
//! ```text
//! parameters --address, template, attachment--> Draft --compose--> message --dialogue--> the server
//! message --entity--> parts --parsing--> texts, attachments --sanitize--> HTML that runs nothing
//! ```
//!
//! The server is the administrator's choice: the secret `SMTP_URL`, or `SMTP_URL_NAME` for the connection `name`.
//!
//! | setting | meaning |
//! |---|---|
//! | `email.from` | the sender of what names none |
//! | `email.allow_from` | who may be one: addresses and patterns such as `*@example.com`; everybody if missing |
//! | `email.allow_recipients` | who may get mail, in the same way |
//! | `email.template.NAME` | the text of a template; its HTML in `email.template.NAME.html`, its subject in `.subject` |
//! | `email.ca` | more authorities that servers' certificates are from: their PEM, or the path of a file of it |
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
mod notice;
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

use crate::notice::{notify_all, notify_discord, notify_slack};
use crate::parsing::email_parser;
use crate::sending::email_send;

export_plugin! {
    name: "email",
    needs: "1.3",
    shutdown: plugin_io::end,
    nodes: [email_parser, email_send, notify_all, notify_discord, notify_slack],
}

#[cfg(test)]
mod tests;
