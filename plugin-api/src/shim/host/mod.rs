//! The host's half: reads tables, owns sinks, makes contexts, drives futures.

mod answers;
mod entry;
mod future;
mod services;
mod sink;

pub use answers::HOST_CONTRACT;
pub use entry::{InstancePtr, MAX_NODES, NodeEntry, PluginEntry, TableError, entry_of};
pub use future::{AsyncCall, PluginFuture};
pub use services::{Caller, Evaluation, HostServices, Refusal, Replaced, Store};
pub use sink::HostSink;
