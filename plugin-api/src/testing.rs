//! Runs nodes without a host: `cargo test` in the plugin's own crate.
//!
//! Invariant: a node under test is called through the same entry points and buffers as in the host, by one thread, with
//! stores in memory.
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

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::abi::status;
use crate::error::code;
use crate::export::Export;
use crate::shim::host::{
    AsyncCall, Caller, HostServices, HostSink, InstancePtr, NodeEntry, Refusal, Store, entry_of,
};
use crate::value::{Value, ValueRef, decode};
use crate::{CONTRACT, Contract, NodeError};

type OtherNode = Arc<dyn Fn(ValueRef<'_>) -> Result<Value, NodeError> + Send + Sync>;

/// What a harness remembers.
#[derive(Default)]
struct World {
    variables: Mutex<BTreeMap<String, Value>>,
    key_value: Mutex<BTreeMap<String, Value>>,
    secrets: Mutex<BTreeMap<String, Value>>,
    log: Mutex<Vec<LogLine>>,
    nodes: Mutex<HashMap<String, OtherNode>>,
}

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
        locked(&self.world.variables).insert(name.into(), encoded(value));
        self
    }

    /// Sets a secret of the tenant.
    ///
    /// # Panics
    /// When `value` cannot be encoded.
    #[must_use]
    pub fn secret(self, name: &str, value: &str) -> Self {
        locked(&self.world.secrets).insert(name.into(), encoded(value));
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

impl HostServices for Harness {
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn wall_clock(&self) -> u64 {
        let now = self.wall.unwrap_or_else(SystemTime::now);
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    fn log(&self, level: u32, message: &str, fields: Option<ValueRef<'_>>) {
        let fields = fields.map_or_else(Value::null, |fields| fields.to_value());
        locked(&self.world.log).push(LogLine {
            level,
            message: message.into(),
            fields,
        });
    }

    fn read(&self, store: Store, key: &str) -> Result<Option<Value>, Refusal> {
        Ok(locked(self.store(store)).get(key).cloned())
    }

    fn write(&self, store: Store, key: &str, value: ValueRef<'_>) -> Result<(), Refusal> {
        if store == Store::Secrets {
            return Err(Refusal::Denied);
        }
        locked(self.store(store)).insert(key.into(), value.to_value());
        Ok(())
    }

    fn remove(&self, store: Store, key: &str) -> Result<bool, Refusal> {
        if store == Store::Secrets {
            return Err(Refusal::Denied);
        }
        Ok(locked(self.store(store)).remove(key).is_some())
    }

    fn call(&self, node_type: &str, input: ValueRef<'_>) -> Result<Value, NodeError> {
        let node = locked(&self.world.nodes).get(node_type).cloned();
        match node {
            Some(node) => node(input),
            None => Err(NodeError::with_code(
                "UNKNOWN_NODE_TYPE",
                format!("the test has no node `{node_type}`"),
            )),
        }
    }

    fn wake_after(&self, nanos: u64, waker: Waker) -> Result<(), Refusal> {
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_nanos(nanos));
            waker.wake();
        });
        Ok(())
    }
}

impl Harness {
    fn store(&self, store: Store) -> &Mutex<BTreeMap<String, Value>> {
        match store {
            Store::Variables => &self.world.variables,
            Store::KeyValue => &self.world.key_value,
            Store::Secrets => &self.world.secrets,
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
