//! The node types of a plan.
//!
//! Invariant: each is there once, in the order in which they were first named.

use std::collections::HashMap;
use std::sync::Arc;

use crate::TypeIndex;

/// Node types by the order in which they were named; one table serves a plan and all plans within it.
#[derive(Default)]
pub(crate) struct TypeTable {
    list: Vec<Box<str>>,
    known: HashMap<Box<str>, u32>,
}

impl TypeTable {
    /// The place of a node type.
    pub(crate) fn index(&mut self, node_type: &str) -> TypeIndex {
        if let Some(index) = self.known.get(node_type) {
            return TypeIndex(*index);
        }
        let index = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.list.push(node_type.into());
        self.known.insert(node_type.into(), index);
        TypeIndex(index)
    }

    /// The node type at a place.
    pub(crate) fn name(&self, index: TypeIndex) -> Option<&str> {
        self.list.get(index.0 as usize).map(|name| &**name)
    }

    /// All of them.
    pub(crate) fn finish(self) -> Arc<[Box<str>]> {
        self.list.into()
    }
}
