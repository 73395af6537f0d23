//! A host that does nothing, for entry points that run outside any call.

use std::task::Waker;

use plugin_api::NodeError;
use plugin_api::shim::host::{Evaluation, HostServices, Refusal, Replaced, Store};
use plugin_api::value::{Value, ValueRef};

/// Refuses everything.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl HostServices for Nothing {
    fn now(&self) -> u64 {
        0
    }

    fn wall_clock(&self) -> u64 {
        0
    }

    fn log(&self, _level: u32, _message: &str, _fields: Option<ValueRef<'_>>) {}

    fn read(&self, _store: Store, _key: &str) -> Result<Option<Value>, Refusal> {
        Err(Refusal::Unsupported)
    }

    fn write(&self, _store: Store, _key: &str, _value: ValueRef<'_>) -> Result<(), Refusal> {
        Err(Refusal::Unsupported)
    }

    fn remove(&self, _store: Store, _key: &str) -> Result<bool, Refusal> {
        Err(Refusal::Unsupported)
    }

    fn list(&self, _store: Store) -> Result<Value, Refusal> {
        Err(Refusal::Unsupported)
    }

    fn replace(
        &self,
        _store: Store,
        _key: &str,
        _expected: Option<ValueRef<'_>>,
        _value: Option<ValueRef<'_>>,
    ) -> Result<Replaced, Refusal> {
        Err(Refusal::Unsupported)
    }

    fn select_output(&self, _output: u32) -> Result<(), Refusal> {
        Err(Refusal::Unsupported)
    }

    fn evaluate(
        &self,
        _what: Evaluation<'_>,
        _bindings: ValueRef<'_>,
    ) -> Result<Result<Value, NodeError>, Refusal> {
        Err(Refusal::Unsupported)
    }

    fn call(&self, _node_type: &str, _input: ValueRef<'_>) -> Result<Value, NodeError> {
        Err(NodeError::with_code(
            "UNSUPPORTED",
            "nodes can be called only from within a call",
        ))
    }

    fn wake_after(&self, _nanos: u64, _waker: Waker) -> Result<(), Refusal> {
        Err(Refusal::Unsupported)
    }
}
