//! A node, what it is called with, and the same work without it.

use std::hint::black_box;

use serde::Serialize;
use serde_json::Value as Json;

use super::BenchError;

/// Where a node's work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// On the caller's thread: the budgets are about these.
    Here,
    /// By the plugin's own threads, which wait for networks, databases and disks.
    Outside,
}

/// What is measured of a category.
pub(super) struct Case {
    pub(super) category: &'static str,
    /// The name of its plugin's file, between `libpatchbay_` and `.so`.
    pub(super) plugin: &'static str,
    pub(super) node: &'static str,
    pub(super) input: Json,
    /// The field of the node's answer that the direct work gives; all of it when `None`.
    pub(super) field: Option<&'static str>,
    /// Whether the work is done by the plugin's own threads.
    pub(super) reach: Reach,
    /// What is done directly, in words.
    pub(super) what: &'static str,
    /// What comes out of either.
    pub(super) gives: Json,
    /// Does the work directly, so many times.
    pub(super) direct: Box<dyn FnMut(u64)>,
}

impl Case {
    /// A node of `plugin`, whose category has the same name.
    pub(super) fn of<T: Serialize>(
        plugin: &'static str,
        node: &'static str,
        input: Json,
        what: &'static str,
        mut direct: impl FnMut() -> T + 'static,
    ) -> Result<Self, BenchError> {
        let gives = serde_json::to_value(direct()).map_err(BenchError::new)?;
        Ok(Self {
            category: plugin,
            plugin,
            node,
            input,
            field: Some("result"),
            reach: Reach::Here,
            what,
            gives,
            direct: Box::new(move |times| {
                for _ in 0..times {
                    black_box(direct());
                }
            }),
        })
    }
}
