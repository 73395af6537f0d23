//! Runs nodes without a host: `cargo test` in the plugin's own crate.
//!
//! Invariant: a node under test is called through the same entry points and buffers as in the host, by one thread, with
//! stores in memory, as the only node of a workflow.
//!
//! ```
//! use plugin_api::prelude::*;
//! use plugin_api::testing::Harness;
//!
//! #[parameters]
//! struct Greet {
//!     name: String,
//! }
//!
//! #[node(id = "demo.greet")]
//! fn greet(input: Greet, ctx: &Ctx<'_>) -> Answer<String> {
//!     answer(format!("{}, {}!", ctx.variable("greeting").ok().flatten().unwrap_or("Hello".to_owned()), input.name))
//! }
//!
//! let harness = Harness::new().variable("greeting", "Good day");
//! let output = harness.call::<greet>(r#"{"name": "Ada"}"#).unwrap();
//! assert_eq!(output.to_json(), r#"{"result":"Good day, Ada!"}"#);
//! ```

mod template;
mod world;

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;

use self::world::{World, locked};
use crate::abi::status;
use crate::error::code;
use crate::export::Export;
use crate::shim::host::{AsyncCall, Caller, HostSink, InstancePtr, NodeEntry, entry_of};
use crate::value::{Value, ValueRef, decode};
use crate::{CONTRACT, Contract, NodeError};

/// One event that a node logged.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// From 1, error, to 5, trace.
    pub level: u32,
    /// The message.
    pub message: String,
    /// The fields, null for none.
    pub fields: Value,
}

/// A host small enough for a unit test.
#[derive(Clone)]
pub struct Harness {
    world: Arc<World>,
    start: Instant,
    tenant: String,
    deadline: u64,
    cancel: Arc<AtomicU32>,
    output_limit: usize,
    wall: Option<SystemTime>,
    contract: Contract,
    in_workflow: bool,
}

impl fmt::Debug for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harness")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl Default for Harness {
    fn default() -> Self {
        Self::new()
    }
}

impl Harness {
    /// A harness with empty stores and the tenant `test`.
    #[must_use]
    pub fn new() -> Self {
        Self {
            world: Arc::default(),
            start: Instant::now(),
            tenant: "test".into(),
            deadline: u64::MAX,
            cancel: Arc::default(),
            output_limit: 64 << 20,
            wall: None,
            contract: CONTRACT,
            in_workflow: true,
        }
    }

    /// Sets the tenant.
    #[must_use]
    pub fn tenant(mut self, tenant: &str) -> Self {
        tenant.clone_into(&mut self.tenant);
        self
    }

    /// Sets a variable of the run.
    ///
    /// # Panics
    /// When `value` cannot be encoded.
    #[must_use]
    pub fn variable<T: Serialize + ?Sized>(self, name: &str, value: &T) -> Self {
        locked(&self.world.variables).insert(name, encoded(value));
        self
    }

    /// Sets a secret of the tenant.
    ///
    /// # Panics
    /// When `value` cannot be encoded.
    #[must_use]
    pub fn secret(self, name: &str, value: &str) -> Self {
        locked(&self.world.secrets).insert(name, encoded(value));
        self
    }

    /// Sets what the administrator set for the tenant's plugins.
    ///
    /// # Panics
    /// When `value` cannot be encoded.
    #[must_use]
    pub fn setting(self, name: &str, value: &str) -> Self {
        locked(&self.world.settings).insert(name, encoded(value));
        self
    }

    /// Answers the node's calls of another node type.
    #[must_use]
    pub fn node(
        self,
        node_type: &str,
        answer: impl Fn(ValueRef<'_>) -> Result<Value, NodeError> + Send + Sync + 'static,
    ) -> Self {
        locked(&self.world.nodes).insert(node_type.into(), Arc::new(answer));
        self
    }

    /// Has a value arrive at an input of the node, after those that arrived there before.
    ///
    /// # Panics
    /// When `value` cannot be encoded.
    #[must_use]
    pub fn input<T: Serialize + ?Sized>(self, index: u32, value: &T) -> Self {
        let mut inputs = locked(&self.world.inputs);
        inputs.entry(index).or_default().push(encoded(value));
        drop(inputs);
        self
    }

    /// Answers the node's expressions: `evaluate` is given one without its braces, and a map of what it is bound to
    /// (`$item` is under `item`). In a template it is asked for each `{{ }}`. Without this, the host knows no
    /// expressions.
    #[must_use]
    pub fn with_evaluator(
        self,
        evaluate: impl Fn(&str, ValueRef<'_>) -> Result<Value, NodeError> + Send + Sync + 'static,
    ) -> Self {
        *locked(&self.world.evaluator) = Some(Arc::new(evaluate));
        self
    }

    /// Runs the node as a single call, outside a workflow: it has neither inputs nor outputs nor expressions.
    #[must_use]
    pub const fn outside_workflow(mut self) -> Self {
        self.in_workflow = false;
        self
    }

    /// Gives each call this long.
    #[must_use]
    pub fn deadline(mut self, after: Duration) -> Self {
        let end = self.start.elapsed() + after;
        self.deadline = u64::try_from(end.as_nanos()).unwrap_or(u64::MAX);
        self
    }

    /// Makes every call see that its caller gave up.
    #[must_use]
    pub fn cancelled(self) -> Self {
        self.cancel.store(1, std::sync::atomic::Ordering::Relaxed);
        self
    }

    /// Limits the size of an encoded output.
    #[must_use]
    pub const fn output_limit(mut self, bytes: usize) -> Self {
        self.output_limit = bytes;
        self
    }

    /// Stops the wall clock at a time.
    #[must_use]
    pub const fn wall_clock(mut self, at: SystemTime) -> Self {
        self.wall = Some(at);
        self
    }

    /// Has the node meet a host of this contract, which lacks what came later.
    #[must_use]
    pub const fn host_contract(mut self, contract: Contract) -> Self {
        self.contract = contract;
        self
    }

    /// The value of a variable of the run.
    #[must_use]
    pub fn variable_value(&self, name: &str) -> Option<Value> {
        locked(&self.world.variables).get(name).cloned()
    }

    /// All variables of the run, as a map in the order in which they were first set.
    #[must_use]
    pub fn variables(&self) -> Value {
        locked(&self.world.variables).all()
    }

    /// The outputs that the last call selected, in the order in which it named them; empty for all of them.
    #[must_use]
    pub fn selected_outputs(&self) -> Vec<u32> {
        locked(&self.world.outputs).clone()
    }

    /// The value under a key of the key-value store.
    #[must_use]
    pub fn key_value(&self, key: &str) -> Option<Value> {
        locked(&self.world.key_value).get(key).cloned()
    }

    /// What was logged so far.
    #[must_use]
    pub fn logged(&self) -> Vec<LogLine> {
        locked(&self.world.log).clone()
    }

    /// Calls a node once, with parameters as a JSON text.
    ///
    /// # Errors
    /// The node's error; a panic as `PLUGIN_PANICKED`.
    ///
    /// # Panics
    /// When `input` is not JSON.
    pub fn call<N: Export>(&self, input: &str) -> Result<Value, NodeError> {
        self.instance::<N>("null")?.call(input)
    }

    /// Makes an instance of a stateful node, with its configuration as a JSON text.
    ///
    /// # Errors
    /// The node's error.
    ///
    /// # Panics
    /// When `config` is not JSON.
    pub fn instance<N: Export>(&self, config: &str) -> Result<Instance, NodeError> {
        let entry = entry_of(&N::TABLE).map_err(|error| NodeError::new(error.to_string()))?;
        let entry = entry.speaking(self.contract);
        let mut out = HostSink::with_limit(self.output_limit);
        let caller = self.caller(N::NODE_TYPE);
        // SAFETY: the node is part of this very program, which stays loaded.
        let made = unsafe { entry.create(json(config).as_ref(), &caller, self, &mut out) };
        match made {
            Ok(pointer) => Ok(Instance {
                harness: self.clone(),
                entry,
                pointer,
            }),
            Err(answer) => Err(error_of(answer, &out)),
        }
    }

    /// Runs every example of a node and compares the outputs.
    ///
    /// # Panics
    /// When an example fails or gives another output; when there is none.
    pub fn check_examples<N: Export>(&self) {
        let meta = N::meta();
        assert!(!meta.examples.is_empty(), "{} has no example", meta.node_type);
        for example in meta.examples {
            match self.call::<N>(&example.input.to_string()) {
                Ok(output) => {
                    let output: serde_json::Value =
                        serde_json::from_str(&output.to_json()).unwrap_or_default();
                    assert_eq!(
                        output, example.output,
                        "{}: {} {}",
                        meta.node_type, example.title, example.input
                    );
                }
                Err(error) => panic!("{}: {} {}: {error}", meta.node_type, example.title, example.input),
            }
        }
    }

    fn caller<'c>(&'c self, node: &'c str) -> Caller<'c> {
        Caller {
            tenant: &self.tenant,
            run: "test-run",
            node,
            deadline: self.deadline,
            cancel: Some(&self.cancel),
        }
    }
}

/// An instance of a node under test.
#[derive(Debug)]
pub struct Instance {
    harness: Harness,
    entry: NodeEntry,
    pointer: InstancePtr,
}

impl Instance {
    /// Calls it, with parameters as a JSON text.
    ///
    /// # Errors
    /// The node's error; a panic as `PLUGIN_PANICKED`.
    ///
    /// # Panics
    /// When `input` is not JSON.
    pub fn call(&self, input: &str) -> Result<Value, NodeError> {
        self.call_value(json(input).as_ref())
    }

    /// Calls it with an encoded value.
    ///
    /// # Errors
    /// The node's error; a panic as `PLUGIN_PANICKED`.
    pub fn call_value(&self, input: ValueRef<'_>) -> Result<Value, NodeError> {
        locked(&self.harness.world.outputs).clear();
        let limit = self.harness.output_limit;
        let node = self.entry.node_type();
        let (answer, out) = if self.entry.is_async() {
            let call = AsyncCall {
                input: input.to_value(),
                tenant: self.harness.tenant.clone(),
                run: "test-run".into(),
                node: node.into(),
                deadline: self.harness.deadline,
                cancel: Arc::clone(&self.harness.cancel),
                services: Box::new(self.harness.clone()),
            };
            // SAFETY: the node is part of this very program; the instance outlives the future, which ends here.
            match unsafe { self.entry.start(self.pointer, call, limit) } {
                Ok(future) => block_on(future),
                Err(answer) => (answer, HostSink::with_limit(limit)),
            }
        } else {
            let mut out = HostSink::with_limit(limit);
            let caller = self.harness.caller(node);
            // SAFETY: the node is part of this very program.
            let answer = unsafe {
                self.entry
                    .execute(self.pointer, input, &caller, &self.harness, &mut out)
            };
            (answer, out)
        };
        if answer == status::OK {
            Ok(Value::from_encoded(out.written().to_vec())?)
        } else {
            Err(error_of(answer, &out))
        }
    }

    /// What the next version would be given.
    ///
    /// # Errors
    /// The node's error.
    pub fn save_state(&self) -> Result<Option<Value>, NodeError> {
        let mut out = HostSink::with_limit(self.harness.output_limit);
        // SAFETY: the node is part of this very program.
        match unsafe { self.entry.save_state(self.pointer, &mut out) } {
            status::OK => Ok(Some(Value::from_encoded(out.written().to_vec())?)),
            status::ABSENT => Ok(None),
            answer => Err(error_of(answer, &out)),
        }
    }

    /// Takes over what another version saved.
    ///
    /// # Errors
    /// The node's error.
    pub fn load_state(&mut self, from_version: &str, state: ValueRef<'_>) -> Result<(), NodeError> {
        let mut out = HostSink::with_limit(self.harness.output_limit);
        // SAFETY: the node is part of this very program; `&mut self` shows that no call is running.
        match unsafe { self.entry.load_state(self.pointer, from_version, state, &mut out) } {
            status::OK => Ok(()),
            answer => Err(error_of(answer, &out)),
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: the instance is this entry's; calls borrow `self`, so none is running.
        unsafe { self.entry.destroy(self.pointer) };
    }
}

#[expect(clippy::panic, reason = "a test with bad input should stop there")]
fn json(text: &str) -> Value {
    Value::from_json(text).unwrap_or_else(|error| panic!("the test's JSON is bad: {error}: {text}"))
}

#[expect(clippy::panic, reason = "a test with bad input should stop there")]
fn encoded<T: Serialize + ?Sized>(value: &T) -> Value {
    Value::from_serialize(value).unwrap_or_else(|error| panic!("the test's value is bad: {error}"))
}

fn error_of(answer: i32, out: &HostSink) -> NodeError {
    ValueRef::parse(out.written())
        .ok()
        .and_then(|value| decode(value).ok())
        .unwrap_or_else(|| match answer {
            status::OUTPUT_LIMIT => {
                NodeError::with_code(code::LIMIT_EXCEEDED, "the output is over the limit")
            }
            status::POISONED => NodeError::with_code(code::PLUGIN_PANICKED, "an earlier call panicked"),
            answer => NodeError::new(format!("status {answer}")),
        })
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
