//! What a host does for the node of one call.

use std::sync::atomic::AtomicU32;
use std::task::Waker;

use crate::NodeError;
use crate::abi::{Status, status};
use crate::value::{Value, ValueRef};

/// Which store a node asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Variables of the run.
    Variables,
    /// The tenant's key-value store.
    KeyValue,
    /// The tenant's secrets.
    Secrets,
}

/// How the host refuses a node's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The declared capabilities do not cover it.
    Denied,
    /// This host does not offer it.
    Unsupported,
    /// The value is over a limit.
    Limit,
}

impl Refusal {
    pub(super) const fn status(self) -> Status {
        match self {
            Self::Denied => status::DENIED,
            Self::Unsupported => status::UNSUPPORTED,
            Self::Limit => status::OUTPUT_LIMIT,
        }
    }
}

/// What the host does for the node of one call. Called from any thread of the plugin while the call lasts.
pub trait HostServices: Send + Sync {
    /// Nanoseconds on the host's steady clock.
    fn now(&self) -> u64;
    /// Nanoseconds since 1970-01-01 UTC, for people and other machines; may jump.
    fn wall_clock(&self) -> u64;
    /// One log event.
    fn log(&self, level: u32, message: &str, fields: Option<ValueRef<'_>>);
    /// Reads a store.
    ///
    /// # Errors
    /// When the host refuses.
    fn read(&self, store: Store, key: &str) -> Result<Option<Value>, Refusal>;
    /// Writes a store.
    ///
    /// # Errors
    /// When the host refuses.
    fn write(&self, store: Store, key: &str, value: ValueRef<'_>) -> Result<(), Refusal>;
    /// Removes from a store; says whether it was there.
    ///
    /// # Errors
    /// When the host refuses.
    fn remove(&self, store: Store, key: &str) -> Result<bool, Refusal>;
    /// Calls another node.
    ///
    /// # Errors
    /// What the caller is told.
    fn call(&self, node_type: &str, input: ValueRef<'_>) -> Result<Value, NodeError>;
    /// Wakes `waker` after `nanos`.
    ///
    /// # Errors
    /// When the host refuses.
    fn wake_after(&self, nanos: u64, waker: Waker) -> Result<(), Refusal>;
}

/// Who calls, until when.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'c> {
    /// Tenant id.
    pub tenant: &'c str,
    /// Run id.
    pub run: &'c str,
    /// Id of the workflow's node, or the node type.
    pub node: &'c str,
    /// On the clock of [`HostServices::now`]; `u64::MAX` for never.
    pub deadline: u64,
    /// Set to other than 0 to cancel.
    pub cancel: Option<&'c AtomicU32>,
}
