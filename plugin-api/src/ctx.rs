//! The context: who calls, until when, and what the host does for a node.

mod workflow;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::abi::{level, store};
use crate::error::code;
use crate::shim::RawCtx;
use crate::value::{Value, ValueRef, decode};
use crate::{NodeError, NodeResult};

/// How loud a log event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Level {
    /// Something failed.
    Error = level::ERROR,
    /// Something is odd.
    Warn = level::WARN,
    /// Normal operation.
    Info = level::INFO,
    /// For the author.
    Debug = level::DEBUG,
    /// For the author, in bulk.
    Trace = level::TRACE,
}

/// What a call knows of its caller, and its way to the host. Valid for that call alone.
#[derive(Clone, Copy)]
pub struct Ctx<'c> {
    raw: RawCtx<'c>,
    timers: Option<&'c Timers>,
}

impl<'c> Ctx<'c> {
    pub(crate) const fn new(raw: RawCtx<'c>) -> Self {
        Self { raw, timers: None }
    }

    pub(crate) const fn with_timers(raw: RawCtx<'c>, timers: &'c Timers) -> Self {
        Self {
            raw,
            timers: Some(timers),
        }
    }

    /// The tenant whose data this call may see.
    #[must_use]
    pub fn tenant(&self) -> &'c str {
        self.raw.tenant()
    }

    /// The run this call belongs to.
    #[must_use]
    pub fn run(&self) -> &'c str {
        self.raw.run()
    }

    /// The id of the workflow's node, or the node type outside a workflow.
    #[must_use]
    pub fn node(&self) -> &'c str {
        self.raw.node()
    }

    /// How long this call may still take; `None` for as long as it likes.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let deadline = self.raw.deadline();
        (deadline != u64::MAX).then(|| Duration::from_nanos(deadline.saturating_sub(self.raw.now())))
    }

    /// The time of day on the host's clock, which may jump: for stamps, not for durations. `None` on a host of contract
    /// 1.0, which has no such clock to lend; a plugin that cannot do without says `needs: "1.1"` in `export_plugin!`.
    #[must_use]
    pub fn wall_clock(&self) -> Option<SystemTime> {
        let nanos = self.raw.wall_clock()?;
        Some(UNIX_EPOCH + Duration::from_nanos(nanos))
    }

    /// Whether the caller no longer wants the result. Costs one read of memory.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.raw.is_cancelled()
    }

    /// For loops: ends the node when the caller gave up or the deadline passed.
    ///
    /// # Errors
    /// `CANCELLED` or `TIMEOUT`.
    pub fn check(&self) -> NodeResult<()> {
        if self.is_cancelled() {
            return Err(NodeError::with_code(
                code::CANCELLED,
                "the caller cancelled the call",
            ));
        }
        if self.remaining().is_some_and(|left| left.is_zero()) {
            return Err(NodeError::with_code(code::TIMEOUT, "the call's deadline passed"));
        }
        Ok(())
    }

    /// Writes to the host's log, which knows plugin, version, node, tenant and run.
    pub fn log(&self, level: Level, message: &str) {
        self.raw.log(level as u32, message, &[]);
    }

    /// Writes to the host's log with fields (a struct or map).
    pub fn log_with<F: Serialize + ?Sized>(&self, level: Level, message: &str, fields: &F) {
        match Value::from_serialize(fields) {
            Ok(fields) => self.raw.log(level as u32, message, fields.as_ref().raw()),
            Err(_) => self.raw.log(level as u32, message, &[]),
        }
    }

    /// Logs at the level info.
    pub fn info(&self, message: &str) {
        self.log(Level::Info, message);
    }

    /// Logs at the level warn.
    pub fn warn(&self, message: &str) {
        self.log(Level::Warn, message);
    }

    /// A variable of the run.
    ///
    /// # Errors
    /// When it is not of type `T`, or the host refuses.
    pub fn variable<T: DeserializeOwned>(&self, name: &str) -> NodeResult<Option<T>> {
        self.get(store::VARIABLES, name)
    }

    /// Sets a variable of the run.
    ///
    /// # Errors
    /// When the host refuses, or `value` cannot be written.
    pub fn set_variable<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> NodeResult<()> {
        self.raw
            .write(store::VARIABLES, name, Value::from_serialize(value)?.as_ref())
    }

    /// Removes a variable of the run; says whether it was there.
    ///
    /// # Errors
    /// When the host refuses.
    pub fn remove_variable(&self, name: &str) -> NodeResult<bool> {
        self.raw.remove(store::VARIABLES, name)
    }

    /// The value under a key of the tenant's key-value store.
    ///
    /// # Errors
    /// When it is not of type `T`, or the host refuses.
    pub fn kv_get<T: DeserializeOwned>(&self, key: &str) -> NodeResult<Option<T>> {
        self.get(store::KEY_VALUE, key)
    }

    /// Sets a key of the tenant's key-value store.
    ///
    /// # Errors
    /// When the host refuses, or `value` cannot be written.
    pub fn kv_put<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> NodeResult<()> {
        self.raw
            .write(store::KEY_VALUE, key, Value::from_serialize(value)?.as_ref())
    }

    /// Removes a key of the tenant's key-value store; says whether it was there.
    ///
    /// # Errors
    /// When the host refuses.
    pub fn kv_remove(&self, key: &str) -> NodeResult<bool> {
        self.raw.remove(store::KEY_VALUE, key)
    }

    /// A secret of the tenant, by a name that the node declared (`secrets = ["..."]`); a declared name that ends in `_*`
    /// stands for all that begin like it.
    ///
    /// # Errors
    /// `NOT_ALLOWED` for a name that was not declared, `CREDENTIAL_MISSING` when the tenant has none.
    pub fn secret(&self, name: &str) -> NodeResult<String> {
        self.get(store::SECRETS, name)?.ok_or_else(|| {
            NodeError::with_code(
                code::CREDENTIAL_MISSING,
                format!("the tenant has no secret `{name}`"),
            )
        })
    }

    /// What the host's administrator set under this name for the plugins of the tenant, else for those of all tenants;
    /// `None` when nothing was set. Names begin with the plugin's, or with what they are about: `files.folder`.
    ///
    /// # Errors
    /// `UNSUPPORTED` on a host older than contract 1.3.
    pub fn setting(&self, name: &str) -> NodeResult<Option<String>> {
        match self.raw.setting(name)? {
            None => Ok(None),
            Some(value) => Ok(Some(decode(value.as_ref())?)),
        }
    }

    /// Sets a key of the tenant's key-value store to `value` (`None` removes it) when it is `expected` (`None`: not
    /// there), in one step beside everybody else who writes it. `false` when it is another; nothing has changed then.
    ///
    /// # Errors
    /// `UNSUPPORTED` on a host older than contract 1.2; when the host refuses.
    pub fn kv_replace(
        &self,
        key: &str,
        expected: Option<ValueRef<'_>>,
        value: Option<ValueRef<'_>>,
    ) -> NodeResult<bool> {
        self.raw.replace(store::KEY_VALUE, key, expected, value)
    }

    /// Makes the next value of a key from the one it has (`None`: not there), and gives both. No other writer comes
    /// between: `update` is called again when one did, so it should do nothing else.
    ///
    /// # Errors
    /// `UNSUPPORTED` on a host older than contract 1.2; the error of `update`; `CANCELLED` or `TIMEOUT` when the call
    /// should be over; when the host refuses.
    pub fn kv_update(
        &self,
        key: &str,
        update: impl FnMut(Option<ValueRef<'_>>) -> NodeResult<Option<Value>>,
    ) -> NodeResult<(Option<Value>, Option<Value>)> {
        self.updated(store::KEY_VALUE, key, update)
    }

    /// Reads, changes and replaces until nobody came between.
    fn updated(
        &self,
        store: u32,
        key: &str,
        mut update: impl FnMut(Option<ValueRef<'_>>) -> NodeResult<Option<Value>>,
    ) -> NodeResult<(Option<Value>, Option<Value>)> {
        loop {
            let old = self.raw.read(store, key)?;
            let new = update(old.as_ref().map(Value::as_ref))?;
            let (expected, value) = (old.as_ref().map(Value::as_ref), new.as_ref().map(Value::as_ref));
            if self.raw.replace(store, key, expected, value)? {
                return Ok((old, new));
            }
            // Somebody else got ahead, which cannot go on for ever: each round that is lost is one that another won.
            self.check()?;
        }
    }

    /// Calls another node, with this call's tenant, run and deadline, and waits for it.
    ///
    /// # Errors
    /// The other node's error, or why it could not be called.
    pub fn call<I, O>(&self, node_type: &str, input: &I) -> NodeResult<O>
    where
        I: Serialize + ?Sized,
        O: DeserializeOwned,
    {
        let input = Value::from_serialize(input)?;
        let output = self.raw.call(node_type, input.as_ref())?;
        Ok(decode(output.as_ref())?)
    }

    /// Waits without holding a thread; for async nodes.
    pub fn sleep(&self, duration: Duration) -> Sleep<'c> {
        let until = self.raw.now().saturating_add(saturating_nanos(duration));
        Sleep {
            raw: self.raw,
            timers: self.timers,
            until,
            id: None,
        }
    }

    fn get<T: DeserializeOwned>(&self, from: u32, key: &str) -> NodeResult<Option<T>> {
        match self.raw.read(from, key)? {
            None => Ok(None),
            Some(value) => Ok(Some(decode::<T>(value.as_ref())?)),
        }
    }

    /// As [`Ctx::call`], with encoded values.
    ///
    /// # Errors
    /// The other node's error, or why it could not be called.
    pub fn call_value(&self, node_type: &str, input: ValueRef<'_>) -> NodeResult<Value> {
        self.raw.call(node_type, input)
    }
}

fn saturating_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl fmt::Debug for Ctx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx")
            .field("tenant", &self.tenant())
            .field("run", &self.run())
            .field("node", &self.node())
            .finish_non_exhaustive()
    }
}

/// The future of [`Ctx::sleep`].
#[derive(Debug)]
#[must_use = "a future does nothing until it is awaited"]
pub struct Sleep<'c> {
    raw: RawCtx<'c>,
    timers: Option<&'c Timers>,
    until: u64,
    id: Option<u64>,
}

impl Future for Sleep<'_> {
    type Output = NodeResult<()>;

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<NodeResult<()>> {
        if self.raw.now() >= self.until {
            return Poll::Ready(Ok(()));
        }
        let Some(timers) = self.timers else {
            let error = NodeError::with_code(code::UNSUPPORTED, "only an async node can sleep");
            return Poll::Ready(Err(error));
        };
        self.id = Some(timers.set(self.id, self.until, task.waker()));
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let (Some(timers), Some(id)) = (self.timers, self.id) {
            timers.remove(id);
        }
    }
}

/// The sleeping parts of one async call.
///
/// The host is only ever asked to wake the call as a whole; which part of it was due is settled here, so that no
/// waker made in the plugin lies in a timer of the host when the plugin is unmapped.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    next_id: u64,
    parts: Vec<(u64, u64, Waker)>,
}

impl Timers {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, id: Option<u64>, until: u64, waker: &Waker) -> u64 {
        let mut waiting = self.lock();
        if let Some(part) = waiting.parts.iter_mut().find(|part| Some(part.0) == id) {
            part.2.clone_from(waker);
            return part.0;
        }
        let id = waiting.next_id;
        waiting.next_id += 1;
        waiting.parts.push((id, until, waker.clone()));
        id
    }

    fn remove(&self, id: u64) {
        self.lock().parts.retain(|part| part.0 != id);
    }

    /// Wakes the parts that are due at `now`.
    pub(crate) fn fire(&self, now: u64) {
        let due: Vec<Waker> = self
            .lock()
            .parts
            .extract_if(.., |part| part.1 <= now)
            .map(|part| part.2)
            .collect();
        due.into_iter().for_each(Waker::wake);
    }

    /// When the next part is due.
    pub(crate) fn next(&self) -> Option<u64> {
        self.lock().parts.iter().map(|part| part.1).min()
    }
}
