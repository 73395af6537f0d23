//! A node that was tried and is not done: what is kept between its tries.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use patchbay_workflow::TypeIndex;
use plugin_api::value::{Value, ValueRef};

use crate::record::Recovered;
use crate::{Failure, ServedBy};

/// What a try calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The node's own type.
    Own,
    /// The type that recovery names.
    Fallback(TypeIndex),
}

/// What is kept between the tries of a node.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// Tries of the node's own type so far.
    pub(crate) tries: u32,
    /// How many of them recovery asked for.
    pub(crate) extra: u32,
    pub(crate) target: Target,
    /// The rendered parameters; `None` where the plan has them.
    pub(crate) input: Option<Box<[u8]>>,
    /// Nanoseconds after the run began.
    pub(crate) started: u64,
    /// The last try's.
    pub(crate) failure: Option<Failure>,
    pub(crate) delays: Vec<Duration>,
    /// What an async try gave.
    pub(crate) answer: Option<Result<Value, Failure>>,
    /// Outputs that an async try named.
    pub(crate) selected: Arc<AtomicU64>,
    pub(crate) recovered: Option<Recovered>,
    pub(crate) served_by: Option<ServedBy>,
    /// No more tries: the run ends.
    pub(crate) give_up: bool,
}

impl Attempt {
    /// Before the first try.
    pub(crate) fn first(started: u64, input: Option<Box<[u8]>>) -> Box<Self> {
        Box::new(Self {
            tries: 0,
            extra: 0,
            target: Target::Own,
            input,
            started,
            failure: None,
            delays: Vec::new(),
            answer: None,
            selected: Arc::default(),
            recovered: None,
            served_by: None,
            give_up: false,
        })
    }

    /// The parameters; `fixed` are the plan's.
    pub(crate) fn input<'a>(&'a self, fixed: Option<ValueRef<'a>>) -> ValueRef<'a> {
        match &self.input {
            Some(rendered) => ValueRef::assume_valid(rendered),
            None => fixed.unwrap_or(ValueRef::NULL),
        }
    }
}
