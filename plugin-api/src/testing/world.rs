//! What a harness remembers, and its half of the contract.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::template::{expression_of, render};
use super::{Harness, LogLine};
use crate::NodeError;
use crate::shim::host::{Evaluation, HostServices, Refusal, Replaced, Store};
use crate::value::{Value, ValueRef};

pub(super) type OtherNode = Arc<dyn Fn(ValueRef<'_>) -> Result<Value, NodeError> + Send + Sync>;
pub(super) type Evaluator = Arc<dyn Fn(&str, ValueRef<'_>) -> Result<Value, NodeError> + Send + Sync>;

/// What a harness and its clones share.
#[derive(Default)]
pub(super) struct World {
    pub(super) variables: Mutex<Pairs>,
    pub(super) key_value: Mutex<Pairs>,
    pub(super) secrets: Mutex<Pairs>,
    pub(super) settings: Mutex<Pairs>,
    /// What arrived at each input of the node.
    pub(super) inputs: Mutex<HashMap<u32, Vec<Value>>>,
    /// The outputs that the last call named.
    pub(super) outputs: Mutex<Vec<u32>>,
    pub(super) log: Mutex<Vec<LogLine>>,
    pub(super) nodes: Mutex<HashMap<String, OtherNode>>,
    pub(super) evaluator: Mutex<Option<Evaluator>>,
}

/// Pairs in the order in which their keys came, as a host keeps them.
#[derive(Default)]
pub(super) struct Pairs(Vec<(String, Value)>);

impl Pairs {
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|pair| pair.0 == key).map(|pair| &pair.1)
    }

    pub(super) fn insert(&mut self, key: &str, value: Value) {
        match self.0.iter_mut().find(|pair| pair.0 == key) {
            Some(pair) => pair.1 = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    fn remove(&mut self, key: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|pair| pair.0 != key);
        self.0.len() < before
    }

    pub(super) fn all(&self) -> Value {
        Value::from_pairs(self.0.iter().map(|pair| (&pair.0, pair.1.as_ref()))).unwrap_or_default()
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Harness {
    /// The pairs of a store that can be written.
    fn pairs(&self, store: Store) -> Result<&Mutex<Pairs>, Refusal> {
        match store {
            Store::Variables => Ok(&self.world.variables),
            Store::KeyValue => Ok(&self.world.key_value),
            Store::Secrets | Store::Inputs | Store::Settings => Err(Refusal::Denied),
        }
    }

    fn in_workflow(&self) -> Result<(), Refusal> {
        self.in_workflow.then_some(()).ok_or(Refusal::Unsupported)
    }

    fn arrived(&self, key: &str) -> Result<Option<Value>, Refusal> {
        self.in_workflow()?;
        let Ok(index) = key.parse() else { return Ok(None) };
        let inputs = locked(&self.world.inputs);
        let arrived = inputs
            .get(&index)
            .map(|values| Value::from_items(values.iter().map(Value::as_ref)));
        arrived.transpose().map_err(|_| Refusal::Limit)
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
        match store {
            Store::Inputs => self.arrived(key),
            Store::Secrets => Ok(locked(&self.world.secrets).get(key).cloned()),
            Store::Settings => Ok(locked(&self.world.settings).get(key).cloned()),
            store => Ok(locked(self.pairs(store)?).get(key).cloned()),
        }
    }

    fn write(&self, store: Store, key: &str, value: ValueRef<'_>) -> Result<(), Refusal> {
        locked(self.pairs(store)?).insert(key, value.to_value());
        Ok(())
    }

    fn remove(&self, store: Store, key: &str) -> Result<bool, Refusal> {
        Ok(locked(self.pairs(store)?).remove(key))
    }

    fn list(&self, store: Store) -> Result<Value, Refusal> {
        match store {
            Store::Variables => Ok(locked(&self.world.variables).all()),
            Store::Secrets => Err(Refusal::Denied),
            Store::KeyValue | Store::Inputs | Store::Settings => Err(Refusal::Unsupported),
        }
    }

    fn replace(
        &self,
        store: Store,
        key: &str,
        expected: Option<ValueRef<'_>>,
        value: Option<ValueRef<'_>>,
    ) -> Result<Replaced, Refusal> {
        let mut pairs = locked(self.pairs(store)?);
        if pairs.get(key).map(Value::as_ref) != expected {
            return Ok(Replaced::Differs);
        }
        match value {
            Some(value) => pairs.insert(key, value.to_value()),
            None => {
                pairs.remove(key);
            }
        }
        Ok(Replaced::Done)
    }

    fn select_output(&self, output: u32) -> Result<(), Refusal> {
        self.in_workflow()?;
        let mut outputs = locked(&self.world.outputs);
        if !outputs.contains(&output) {
            outputs.push(output);
        }
        Ok(())
    }

    fn evaluate(
        &self,
        what: Evaluation<'_>,
        bindings: ValueRef<'_>,
    ) -> Result<Result<Value, NodeError>, Refusal> {
        self.in_workflow()?;
        let evaluator = locked(&self.world.evaluator).clone();
        let evaluator = evaluator.ok_or(Refusal::Unsupported)?;
        let evaluate = |expression: &str| evaluator(expression, bindings);
        Ok(match what {
            Evaluation::Expression(text) => evaluate(expression_of(text).unwrap_or_else(|| text.trim())),
            Evaluation::Template(template) => render(template, &evaluate),
        })
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
