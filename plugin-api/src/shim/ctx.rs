//! The plugin's view of a call's context.

use std::fmt;
use std::mem::offset_of;
use std::sync::atomic::Ordering;

use crate::NodeError;
use crate::abi::{Bytes, Context, HostTable, Sink, Status, WakerHandle, status, store};
use crate::error::code;
use crate::value::{Value, ValueRef};

/// Reads one function of the host's table. There is never a reference to the whole table: an older host's is shorter
/// than the type.
macro_rules! host {
    ($ctx:ident, $field:ident) => {{
        let host = $ctx.raw.host;
        // SAFETY: duty 1 of `RawCtx::new`; the field is there in the first minor, or `host_has` says that it is there.
        unsafe { (*host).$field }
    }};
}

/// A [`Context`] that is valid for `'c`.
#[derive(Clone, Copy)]
pub(crate) struct RawCtx<'c> {
    raw: &'c Context,
}

// SAFETY: a context is immutable but for the atomic behind `cancel`, and duty A3 makes the host's functions
// callable from any thread.
unsafe impl Send for RawCtx<'_> {}
// SAFETY: as above.
unsafe impl Sync for RawCtx<'_> {}

impl fmt::Debug for RawCtx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawCtx")
    }
}

impl<'c> RawCtx<'c> {
    /// # Safety
    /// 1. `raw` is valid during `'c` as duty A3 says; so is what it points to.
    #[inline]
    pub(crate) unsafe fn new(raw: *const Context) -> Self {
        // SAFETY: duty 1. The first minor of the contract has all fields read here.
        let raw = unsafe { &*raw };
        Self { raw }
    }

    fn text(bytes: Bytes) -> &'c str {
        // SAFETY: duty 1 of `new`: the ids live as long as the context.
        let bytes = unsafe { bytes.borrow::<'c>() };
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    pub(crate) fn tenant(&self) -> &'c str {
        Self::text(self.raw.tenant)
    }

    pub(crate) fn run(&self) -> &'c str {
        Self::text(self.raw.run)
    }

    pub(crate) fn node(&self) -> &'c str {
        Self::text(self.raw.node)
    }

    pub(crate) const fn deadline(&self) -> u64 {
        self.raw.deadline
    }

    pub(crate) fn now(&self) -> u64 {
        let now = host!(self, now);
        // SAFETY: duty A3: the context's call has not ended, since `'c` has not.
        unsafe { now(self.raw) }
    }

    /// Whether the host's table reaches to the field at `offset` of `size` bytes.
    fn host_has(&self, offset: usize, size: usize) -> bool {
        host!(self, size) as usize >= offset + size
    }

    /// Nanoseconds since 1970; `None` on a host of contract 1.0.
    pub(crate) fn wall_clock(&self) -> Option<u64> {
        if !self.host_has(offset_of!(HostTable, wall_clock), size_of::<usize>()) {
            return None;
        }
        let wall_clock = host!(self, wall_clock);
        // SAFETY: duty A3, as for `now`.
        Some(unsafe { wall_clock(self.raw) })
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        if self.raw.cancel.is_null() {
            return false;
        }
        // SAFETY: duty 1 of `new`.
        let flag = unsafe { &*self.raw.cancel };
        flag.load(Ordering::Relaxed) != 0
    }

    pub(crate) fn log(&self, level: u32, message: &str, fields: &[u8]) {
        let (message, fields) = (Bytes::lend(message.as_bytes()), Bytes::lend(fields));
        let log = host!(self, log);
        // SAFETY: duty A3; both byte ranges outlive the call.
        unsafe { log(self.raw, level, message, fields) };
    }

    pub(crate) fn read(&self, store: u32, key: &str) -> Result<Option<Value>, NodeError> {
        let key = Bytes::lend(key.as_bytes());
        let mut buffer = Buffer::new();
        let read = host!(self, read);
        // SAFETY: duty A3; the key and the buffer outlive the call.
        let answer = unsafe { read(self.raw, store, key, buffer.sink()) };
        match answer {
            status::OK => buffer.value().map(Some),
            status::ABSENT => Ok(None),
            other => Err(buffer.error(other)),
        }
    }

    pub(crate) fn write(&self, store: u32, key: &str, value: ValueRef<'_>) -> Result<(), NodeError> {
        let (key, value) = (Bytes::lend(key.as_bytes()), Bytes::lend(value.raw()));
        let write = host!(self, write);
        // SAFETY: duty A3; both byte ranges outlive the call.
        let answer = unsafe { write(self.raw, store, key, value) };
        if answer == status::OK {
            Ok(())
        } else {
            Err(refusal(answer))
        }
    }

    pub(crate) fn remove(&self, store: u32, key: &str) -> Result<bool, NodeError> {
        let key = Bytes::lend(key.as_bytes());
        let remove = host!(self, remove);
        // SAFETY: duty A3; the key outlives the call.
        match unsafe { remove(self.raw, store, key) } {
            status::OK => Ok(true),
            status::ABSENT => Ok(false),
            other => Err(refusal(other)),
        }
    }

    /// Whether the host has what came with contract 1.2; its last field stands for all of it.
    fn knows_workflows(&self) -> Result<(), NodeError> {
        if self.host_has(offset_of!(HostTable, evaluate), size_of::<usize>()) {
            return Ok(());
        }
        Err(refusal(status::UNSUPPORTED))
    }

    /// The list of the values that arrived at an input.
    pub(crate) fn input(&self, index: u32) -> Result<Option<Value>, NodeError> {
        self.knows_workflows()?;
        self.read(store::INPUTS, &index.to_string())
    }

    /// A text that the administrator set; came with contract 1.3, which added no field to look for.
    pub(crate) fn setting(&self, name: &str) -> Result<Option<Value>, NodeError> {
        if host!(self, contract_minor) < 3 {
            return Err(refusal(status::UNSUPPORTED));
        }
        self.read(store::SETTINGS, name)
    }

    pub(crate) fn list(&self, store: u32) -> Result<Value, NodeError> {
        self.knows_workflows()?;
        let mut buffer = Buffer::new();
        let list = host!(self, list);
        // SAFETY: duty A3; the buffer outlives the call.
        let answer = unsafe { list(self.raw, store, buffer.sink()) };
        if answer == status::OK {
            buffer.value()
        } else {
            Err(buffer.error(answer))
        }
    }

    /// Whether the value was the expected one, and is replaced.
    pub(crate) fn replace(
        &self,
        store: u32,
        key: &str,
        expected: Option<ValueRef<'_>>,
        value: Option<ValueRef<'_>>,
    ) -> Result<bool, NodeError> {
        self.knows_workflows()?;
        let key = Bytes::lend(key.as_bytes());
        let expected = Bytes::lend(expected.map_or(&[], |expected| expected.raw()));
        let value = Bytes::lend(value.map_or(&[], |value| value.raw()));
        let replace = host!(self, replace);
        // SAFETY: duty A3; the byte ranges outlive the call.
        match unsafe { replace(self.raw, store, key, expected, value) } {
            status::OK => Ok(true),
            status::DIFFERS => Ok(false),
            other => Err(refusal(other)),
        }
    }

    pub(crate) fn select_output(&self, output: u32) -> Result<(), NodeError> {
        self.knows_workflows()?;
        let select_output = host!(self, select_output);
        // SAFETY: duty A3, as for `now`.
        match unsafe { select_output(self.raw, output) } {
            status::OK => Ok(()),
            other => Err(refusal(other)),
        }
    }

    /// `kind` is one of [`crate::abi::evaluation`].
    pub(crate) fn evaluate(
        &self,
        kind: u32,
        source: ValueRef<'_>,
        bindings: ValueRef<'_>,
    ) -> Result<Value, NodeError> {
        self.knows_workflows()?;
        let (source, bindings) = (Bytes::lend(source.raw()), Bytes::lend(bindings.raw()));
        let mut buffer = Buffer::new();
        let evaluate = host!(self, evaluate);
        // SAFETY: duty A3; the byte ranges and the buffer outlive the call.
        let answer = unsafe { evaluate(self.raw, kind, source, bindings, buffer.sink()) };
        if answer == status::OK {
            buffer.value()
        } else {
            Err(buffer.error(answer))
        }
    }

    pub(crate) fn call(&self, node_type: &str, input: ValueRef<'_>) -> Result<Value, NodeError> {
        let (node_type, input) = (Bytes::lend(node_type.as_bytes()), Bytes::lend(input.raw()));
        let mut buffer = Buffer::new();
        let call = host!(self, call);
        // SAFETY: duty A3; the byte ranges and the buffer outlive the call.
        let answer = unsafe { call(self.raw, node_type, input, buffer.sink()) };
        if answer == status::OK {
            buffer.value()
        } else {
            Err(buffer.error(answer))
        }
    }

    /// Has the host wake the task of `waker`, the handle it lent to the running `poll`, after `nanos`.
    ///
    /// Only the host's own handle may be given: a handle made in the plugin would stay in the host's timer after the
    /// plugin is unmapped.
    pub(crate) fn wake_after(&self, nanos: u64, waker: &WakerHandle) {
        let wake_after = host!(self, wake_after);
        // SAFETY: duty A3; the host clones the handle when it keeps it.
        let answer = unsafe { wake_after(self.raw, nanos, waker) };
        if answer != status::OK {
            self.log(
                crate::abi::level::ERROR,
                "the host refused a timer; an async node will not wake",
                &[],
            );
        }
    }
}

#[cold]
fn refusal(answer: Status) -> NodeError {
    match answer {
        status::DENIED => {
            NodeError::with_code(code::NOT_ALLOWED, "the host does not allow this node to do that")
        }
        status::UNSUPPORTED => NodeError::with_code(code::UNSUPPORTED, "this host does not offer that"),
        status::OUTPUT_LIMIT => {
            NodeError::with_code(code::LIMIT_EXCEEDED, "the value is over the host's limit")
        }
        other => NodeError::new(format!("the host refused with status {other}")),
    }
}

/// A sink of the plugin's own, for what the host answers to a question.
#[repr(C)]
struct Buffer {
    sink: Sink,
    bytes: Vec<u8>,
}

impl Buffer {
    const fn new() -> Self {
        let sink = Sink {
            data: std::ptr::null_mut(),
            len: 0,
            cap: 0,
            reserve: buffer_reserve,
        };
        Self {
            sink,
            bytes: Vec::new(),
        }
    }

    /// The sink to lend out; valid while `self` stays where it is.
    fn sink(&mut self) -> *mut Sink {
        (&raw mut *self).cast()
    }

    fn written(&self) -> &[u8] {
        if self.sink.len == 0 || self.sink.len > self.bytes.capacity() {
            return &[];
        }
        // SAFETY: `data` is the buffer of `bytes` (set by `buffer_reserve`), and the writer initialised `len` bytes
        // of it (duty A2).
        unsafe { std::slice::from_raw_parts(self.sink.data, self.sink.len) }
    }

    fn value(&self) -> Result<Value, NodeError> {
        Ok(Value::from_encoded(self.written().to_vec())?)
    }

    #[cold]
    fn error(&self, answer: Status) -> NodeError {
        self.value()
            .ok()
            .and_then(|value| crate::value::decode::<NodeError>(value.as_ref()).ok())
            .unwrap_or_else(|| refusal(answer))
    }
}

unsafe extern "C" fn buffer_reserve(sink: *mut Sink, additional: usize) -> Status {
    // SAFETY: only `Buffer::sink` gives out this function, so `sink` is the first field of a `Buffer`, lent
    // exclusively for the call (duty A2).
    let buffer = unsafe { &mut *sink.cast::<Buffer>() };
    let len = buffer.sink.len.min(buffer.bytes.capacity());
    // SAFETY: the writer initialised `data[..len]`, which is the vector's own buffer, and `len <= capacity`.
    unsafe { buffer.bytes.set_len(len) };
    if buffer.bytes.try_reserve(additional).is_err() {
        return status::OUTPUT_LIMIT;
    }
    buffer.sink.data = buffer.bytes.as_mut_ptr();
    buffer.sink.cap = buffer.bytes.capacity();
    status::OK
}
