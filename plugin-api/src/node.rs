//! What an author implements, and what `#[node]` makes of it.

use std::future::Future;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::abi::NodeTable;
use crate::error::code;
use crate::meta::{NodeMeta, PluginMeta};
use crate::value::{Value, ValueRef};
use crate::{Ctx, NodeError, Reply};

/// A node with state: one instance per tenant and configuration, called from many threads at once.
///
/// Put `#[node(id = "...")]` on the `impl` block. A node without state is a plain function with the same attribute.
pub trait Node: Send + Sync + Sized + 'static {
    /// What `create` is given; `()` for nothing.
    type Config: DeserializeOwned + JsonSchema;
    /// The parameters of a call; may borrow from the host's memory.
    type Input<'a>: Deserialize<'a> + JsonSchema;
    /// The result of a call.
    type Output: Serialize + JsonSchema;

    /// Makes an instance.
    ///
    /// # Errors
    /// When the configuration will not do; the host reports it to the caller.
    fn create(config: Self::Config, ctx: &Ctx<'_>) -> Result<Self, NodeError>;

    /// Runs one call.
    ///
    /// # Errors
    /// When the node fails. A panic is caught as well, but ends the instance.
    fn execute(&self, input: Self::Input<'_>, ctx: &Ctx<'_>) -> Result<Self::Output, NodeError>;

    /// Gives the state that the next version should begin with; `None` for nothing.
    ///
    /// Called at a swap or a rollback, on the version that is live. No call is inside the instance, and none begins
    /// before the hand-over is done: what is saved is all there is. Calls of the plugin's stateful nodes wait
    /// meanwhile, so be quick.
    ///
    /// Called as well on an instance that has been idle, by hosts that park those: it ends, what it saved is kept, and
    /// [`load_state`](Self::load_state) of the same version gets it when the next call comes. An instance that saves
    /// nothing, or whose node does not take back what it saved, stays.
    ///
    /// # Errors
    /// When the state cannot be written; the swap is then refused and this version stays live.
    fn save_state(&self) -> Result<Option<Value>, NodeError> {
        Ok(None)
    }

    /// Takes over what `from_version` saved: an older version's state at an upgrade, a newer one's at a rollback.
    /// Called after `create`, before the first call.
    ///
    /// The standard implementation refuses: a state that nobody takes would be lost without a word.
    ///
    /// # Errors
    /// When the state is not understood; the swap is then refused and the old version stays live.
    fn load_state(&mut self, from_version: &str, state: ValueRef<'_>) -> Result<(), NodeError> {
        let _ = state;
        Err(NodeError::with_code(
            code::UNSUPPORTED,
            format!("`load_state` is not written, and version {from_version} saved a state"),
        ))
    }
}

/// The usual result of a node: a map with one field, `result`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer<T> {
    /// The result.
    pub result: T,
}

/// Shorthand for `Answer { result }`.
pub const fn answer<T>(result: T) -> Answer<T> {
    Answer { result }
}

/// A plugin as `export_plugin!` describes it.
#[doc(hidden)]
pub trait Plugin: 'static {
    fn meta() -> PluginMeta;

    /// Ends what the plugin started of its own: threads, connections. Called once, when no call is left.
    fn end() {}
}

/// A node as `#[node]` describes it; its functions are wrapped by the shim's entry points.
#[doc(hidden)]
pub trait Export: Sized + 'static {
    type Instance: Send + Sync + 'static;
    const NODE_TYPE: &'static str;
    const STATEFUL: bool;
    const TABLE: NodeTable;

    fn meta() -> NodeMeta;
    fn create(config: ValueRef<'_>, ctx: &Ctx<'_>) -> Result<Self::Instance, NodeError>;
    fn save_state(_instance: &Self::Instance) -> Result<Option<Value>, NodeError> {
        Ok(None)
    }
    fn load_state(
        _instance: &mut Self::Instance,
        from_version: &str,
        _state: ValueRef<'_>,
    ) -> Result<(), NodeError> {
        Err(NodeError::with_code(
            code::UNSUPPORTED,
            format!("this node keeps no state, and version {from_version} saved one"),
        ))
    }
}

/// A node that runs to its end on the caller's thread.
#[doc(hidden)]
pub trait ExportSync: Export {
    fn execute(
        instance: &Self::Instance,
        input: ValueRef<'_>,
        ctx: &Ctx<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<(), NodeError>;
}

/// A node that is polled.
#[doc(hidden)]
pub trait ExportAsync: Export {
    fn start<'c>(
        instance: &'c Self::Instance,
        input: ValueRef<'c>,
        ctx: Ctx<'c>,
    ) -> impl Future<Output = Result<Value, NodeError>> + Send + 'c;
}
