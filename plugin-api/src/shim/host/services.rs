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
    /// What arrived at the workflow node's inputs, by their numbers in decimal; read only.
    Inputs,
    /// What the administrator set for the tenant's plugins; read only.
    Settings,
}

/// What a node asks to be evaluated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Evaluation<'e> {
    /// One expression, bare or within `{{ }}`.
    Expression(&'e str),
    /// A value whose texts may hold `{{ }}`.
    Template(ValueRef<'e>),
}

/// What came of [`HostServices::replace`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// The value was the expected one, and is the new one now.
    Done,
    /// The value was another; nothing was changed.
    Differs,
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
    /// All pairs of a store, as one map.
    ///
    /// # Errors
    /// When the host refuses.
    fn list(&self, store: Store) -> Result<Value, Refusal>;
    /// Sets `key` to `value` (`None` removes it) when what is there is `expected` (`None`: nothing), in one step beside
    /// all other writers of the store.
    ///
    /// # Errors
    /// When the host refuses.
    fn replace(
        &self,
        store: Store,
        key: &str,
        expected: Option<ValueRef<'_>>,
        value: Option<ValueRef<'_>>,
    ) -> Result<Replaced, Refusal>;
    /// The executing workflow node leaves by this output, beside those it named before.
    ///
    /// # Errors
    /// When the host refuses: there is no workflow.
    fn select_output(&self, output: u32) -> Result<(), Refusal>;
    /// Evaluates with `bindings`, a map; the inner result is what the expression gave.
    ///
    /// # Errors
    /// When the host refuses: there is no workflow.
    fn evaluate(
        &self,
        what: Evaluation<'_>,
        bindings: ValueRef<'_>,
    ) -> Result<Result<Value, NodeError>, Refusal>;
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
