//! Nodes of the metabuilder dialect.
//!
//! Invariant: what is done for a name is done by the node that has it; nothing here pretends. Records are those of
//! `dbal-read` and `dbal-write`, passwords and tokens those of the plugin for cryptography, messages those of the plugins
//! that send them: each is called when it is needed, and an error names the one that is not there.
//!
//! `metabuilder.condition` is a name of the node `condition`; `metabuilder.trigger` and `metabuilder.loop` are the
//! executor's own.
#![forbid(unsafe_code)]

mod answer;
mod check;
mod dbal;
mod dispatch;
mod event;
mod form;
mod given;
mod image;
mod input;
mod limit;
mod other;
mod outside;
mod picture;
mod plain;
mod record;
mod rule;
mod shaping;
mod tasks;
mod verdict;

use plugin_api::prelude::*;

use crate::dispatch::operation;
use crate::event::events;
use crate::input::validate;
use crate::limit::rate_limit;
use crate::outside::action;
use crate::plain::{notification, output};
use crate::record::database;
use crate::shaping::transform;
use crate::tasks::parallel_node;
use crate::verdict::aggregate;

export_plugin! {
    name: "metabuilder",
    needs: "1.2",
    nodes: [
        action,
        aggregate,
        database,
        events,
        notification,
        operation,
        output,
        parallel_node,
        rate_limit,
        transform,
        validate,
    ],
}

#[cfg(test)]
mod tests;
