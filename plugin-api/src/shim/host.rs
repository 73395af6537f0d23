//! The host's half: reads tables, owns sinks, makes contexts, drives futures.

use std::ffi::c_void;
use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::task::{Context as TaskContext, Poll, Waker};

use super::fence::fence;
use super::waker::Lent;
use crate::abi::{
    Bytes, Call, Context, FutureHandle, HostTable, NodeTable, PluginTable, Sink, Status, WakerHandle, level,
    node_flags, status, store,
};
use crate::value::{Output, Value, ValueRef};
use crate::{CONTRACT, Contract, NodeError};

/// Nodes a plugin may have; more is taken for a lie.
pub const MAX_NODES: usize = 10_000;

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
    const fn status(self) -> Status {
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

/// A context with what it points to. Lives on the stack of one call, or in the box of one future.
struct Frame<'c> {
    context: Context,
    services: &'c dyn HostServices,
}

impl<'c> Frame<'c> {
    #[inline]
    fn new(caller: &Caller<'c>, services: &'c dyn HostServices) -> Self {
        let context = Context {
            size: size_of::<Context>() as u32,
            flags: 0,
            host: &raw const HOST,
            handle: std::ptr::null(),
            tenant: Bytes::lend(caller.tenant.as_bytes()),
            run: Bytes::lend(caller.run.as_bytes()),
            node: Bytes::lend(caller.node.as_bytes()),
            deadline: caller.deadline,
            cancel: caller.cancel.map_or(std::ptr::null(), std::ptr::from_ref),
        };
        Self { context, services }
    }

    /// The context to lend out; valid while `self` stays where it is.
    #[inline]
    fn lend(&mut self) -> *const Context {
        self.context.handle = std::ptr::from_ref(&self.services).cast();
        &raw const self.context
    }
}

/// A buffer of the host that a plugin writes into.
#[repr(C)]
#[derive(Debug)]
pub struct HostSink {
    sink: Sink,
    bytes: Vec<u8>,
    limit: usize,
}

impl HostSink {
    /// A sink that takes up to `limit` bytes.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        let sink = Sink {
            data: std::ptr::null_mut(),
            len: 0,
            cap: 0,
            reserve: host_reserve,
        };
        Self {
            sink,
            bytes: Vec::new(),
            limit,
        }
    }

    /// Empties the sink; its memory stays for the next call, up to 64 KiB.
    #[inline]
    pub fn clear(&mut self) {
        if self.bytes.capacity() > 64 * 1024 {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.sink.data = self.bytes.as_mut_ptr();
        self.sink.len = 0;
        self.sink.cap = self.bytes.capacity().min(self.limit);
    }

    /// What was written; empty when the writer left a length that cannot be.
    #[inline]
    #[must_use]
    pub fn written(&self) -> &[u8] {
        if self.sink.len == 0 || self.sink.len > self.bytes.capacity() {
            return &[];
        }
        // SAFETY: `bytes` owns `capacity` bytes, of which the writer initialised `len` (duty A2); the pointer is
        // taken from the vector, not from the field that the writer could change.
        unsafe { std::slice::from_raw_parts(self.bytes.as_ptr(), self.sink.len) }
    }

    /// Appends, as a plugin would.
    ///
    /// # Errors
    /// When the limit is hit.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        // SAFETY: the sink is valid and borrowed exclusively (duty A2).
        let writer = unsafe { super::SinkWriter::new(self.lend()) };
        writer
            .and_then(|mut writer| writer.push(bytes).ok())
            .ok_or(Refusal::Limit)
    }

    /// The sink to lend out; valid while `self` stays where it is and is not touched otherwise.
    #[inline]
    fn lend(&mut self) -> *mut Sink {
        (&raw mut *self).cast()
    }
}

// SAFETY: the raw pointer in `sink` points into `bytes`, which moves with it.
unsafe impl Send for HostSink {}
// SAFETY: through `&HostSink` nothing is written.
unsafe impl Sync for HostSink {}

unsafe extern "C" fn host_reserve(sink: *mut Sink, additional: usize) -> Status {
    // SAFETY: only `HostSink` hands out this function, so `sink` is the first field of one, lent exclusively for the
    // call (duty A2).
    let host = unsafe { &mut *sink.cast::<HostSink>() };
    let len = host.sink.len.min(host.bytes.capacity());
    let Some(wanted) = len.checked_add(additional).filter(|wanted| *wanted <= host.limit) else {
        return status::OUTPUT_LIMIT;
    };
    // SAFETY: the writer initialised `data[..len]`, the vector's own buffer, and `len <= capacity`.
    unsafe { host.bytes.set_len(len) };
    // Doubling, so that many small writes stay cheap; at least a cache line's worth at first.
    let room = wanted.max(len * 2).max(256).min(host.limit.max(wanted)) - len;
    if host.bytes.try_reserve(room).is_err() {
        return status::OUTPUT_LIMIT;
    }
    host.sink.data = host.bytes.as_mut_ptr();
    host.sink.cap = host.bytes.capacity().min(host.limit);
    status::OK
}

/// Why a plugin's table is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableError {
    /// The table, or the pointer to the nodes, is null.
    Null,
    /// A table is smaller than the first minor of the contract has it.
    TooSmall(&'static str),
    /// More than [`MAX_NODES`] nodes.
    TooManyNodes(usize),
    /// A node's type is not UTF-8.
    NodeTypeNotText(usize),
    /// A node has neither `execute` nor `start`, or the one that its flags do not name.
    NoEntry(String),
}

impl std::fmt::Display for TableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("the plugin's table is null"),
            Self::TooSmall(which) => write!(f, "the {which} table is smaller than contract 1.0 has it"),
            Self::TooManyNodes(n) => write!(f, "{n} nodes are more than {MAX_NODES}"),
            Self::NodeTypeNotText(n) => write!(f, "the node type of node {n} is not UTF-8"),
            Self::NoEntry(node) => write!(f, "node `{node}` lacks the entry point that its flags name"),
        }
    }
}

impl std::error::Error for TableError {}

/// A plugin's tables, copied and completed: a field that the plugin's own table is too small for is absent.
///
/// # Safety of use
/// The functions may be called only while the plugin stays loaded; who holds a `PluginEntry` sees to it.
#[derive(Clone, Debug)]
pub struct PluginEntry {
    table: PluginTable,
    nodes: Vec<NodeEntry>,
}

/// Entry points of one node.
#[derive(Clone, Debug)]
pub struct NodeEntry {
    table: NodeTable,
    node_type: String,
}

impl PluginEntry {
    /// Reads the tables.
    ///
    /// # Errors
    /// When they are not what the contract says.
    ///
    /// # Safety
    /// 1. `table` is null or a [`PluginTable`] as duty A3 says.
    pub unsafe fn read(table: *const PluginTable) -> Result<Self, TableError> {
        let table = NonNull::new(table.cast_mut()).ok_or(TableError::Null)?;
        // SAFETY: duty 1: the first field is there in every minor.
        let size = unsafe { table.cast::<u32>().read() };
        if (size as usize) < size_of::<PluginTable>() {
            return Err(TableError::TooSmall("plugin"));
        }
        // SAFETY: duty 1, and `size` covers all fields.
        let table = unsafe { table.read() };
        if table.node_count > MAX_NODES {
            return Err(TableError::TooManyNodes(table.node_count));
        }
        if table.nodes.is_null() {
            return Err(TableError::Null);
        }
        if (table.node_size as usize) < FIRST_NODE_TABLE {
            return Err(TableError::TooSmall("node"));
        }
        let nodes = (0..table.node_count).map(|at| {
            // SAFETY: duty 1: `node_count` tables of `node_size` bytes lie at `nodes`.
            let node = unsafe { table.nodes.cast::<u8>().add(at * table.node_size as usize) };
            // SAFETY: as above; `read` reads no more than `node_size`.
            unsafe { NodeEntry::read(node.cast(), table.node_size as usize, at) }
        });
        let nodes = nodes.collect::<Result<_, _>>()?;
        Ok(Self { table, nodes })
    }

    /// The nodes, in the order of the metadata.
    #[must_use]
    pub fn nodes(&self) -> &[NodeEntry] {
        &self.nodes
    }

    /// Asks for the metadata, as an encoded value in `out`.
    ///
    /// # Safety
    /// 1. The plugin is loaded and stays so until this returns.
    pub unsafe fn describe(&self, out: &mut HostSink) -> Status {
        out.clear();
        // SAFETY: duty 1; the sink is exclusive.
        unsafe { (self.table.describe)(out.lend()) }
    }

    /// Tells the plugin that it is about to serve.
    ///
    /// # Safety
    /// 1. The plugin is loaded and stays so until this returns; called once.
    pub unsafe fn start(&self) -> Status {
        // SAFETY: duty 1; `HOST` lives as long as the process.
        unsafe { (self.table.start)(&raw const HOST) }
    }

    /// Tells the plugin that nothing will be called any more.
    ///
    /// # Safety
    /// 1. The plugin is loaded and stays so until this returns; no call, instance or future is left; called once.
    pub unsafe fn shutdown(&self) -> Status {
        // SAFETY: duty 1.
        unsafe { (self.table.shutdown)() }
    }
}

/// Size of a node's table in contract 1.0.
const FIRST_NODE_TABLE: usize = size_of::<NodeTable>();

/// Reads a table of this very program.
///
/// # Errors
/// When the table is not what the contract says.
pub fn entry_of(table: &NodeTable) -> Result<NodeEntry, TableError> {
    // SAFETY: a reference to a whole table, as duty 1 asks.
    unsafe { NodeEntry::read(table, size_of::<NodeTable>(), 0) }
}

impl NodeEntry {
    /// # Safety
    /// 1. `node` is a node table of `stride` bytes, `stride >= FIRST_NODE_TABLE`, as duty A3 says.
    unsafe fn read(node: *const NodeTable, stride: usize, at: usize) -> Result<Self, TableError> {
        // SAFETY: duty 1.
        let size = unsafe { node.cast::<u32>().read() } as usize;
        if size < FIRST_NODE_TABLE || size > stride {
            return Err(TableError::TooSmall("node"));
        }
        // SAFETY: duty 1: the size covers every field.
        let table = unsafe { node.read() };
        // SAFETY: duty A1: the text lives while the plugin is loaded; it is copied here.
        let node_type = std::str::from_utf8(unsafe { table.node_type.borrow() })
            .map_err(|_| TableError::NodeTypeNotText(at))?
            .to_owned();
        let complete = if table.flags & node_flags::ASYNC == 0 {
            table.execute.is_some()
        } else {
            table.start.is_some()
        };
        if complete {
            Ok(Self { table, node_type })
        } else {
            Err(TableError::NoEntry(node_type))
        }
    }

    /// The node type that the table names.
    #[must_use]
    pub fn node_type(&self) -> &str {
        &self.node_type
    }

    /// Whether calls are begun and polled.
    #[must_use]
    pub const fn is_async(&self) -> bool {
        self.table.flags & node_flags::ASYNC != 0
    }

    /// Whether instances keep state.
    #[must_use]
    pub const fn is_stateful(&self) -> bool {
        self.table.flags & node_flags::STATEFUL != 0
    }

    /// Makes an instance; on failure, `out` holds the error.
    ///
    /// # Errors
    /// The status the plugin answered.
    ///
    /// # Safety
    /// 1. The plugin is loaded and started, and stays loaded until the instance is destroyed.
    pub unsafe fn create(
        &self,
        config: ValueRef<'_>,
        caller: &Caller<'_>,
        services: &dyn HostServices,
        out: &mut HostSink,
    ) -> Result<InstancePtr, Status> {
        out.clear();
        let mut frame = Frame::new(caller, services);
        let mut instance = std::ptr::null_mut();
        // SAFETY: duty 1; everything lent outlives the call.
        let answer = unsafe {
            (self.table.create)(
                Bytes::lend(config.raw()),
                frame.lend(),
                &raw mut instance,
                out.lend(),
            )
        };
        if answer == status::OK {
            Ok(InstancePtr(instance))
        } else {
            Err(answer)
        }
    }

    /// Ends an instance.
    ///
    /// # Safety
    /// 1. The plugin is loaded. 2. `instance` is one of this node, no call or future uses it, and it is not used again.
    pub unsafe fn destroy(&self, instance: InstancePtr) {
        // SAFETY: duties 1 and 2.
        unsafe { (self.table.destroy)(instance.0) };
    }

    /// Runs one call to its end; the result or the error is in `out`.
    ///
    /// # Safety
    /// 1. The plugin is loaded and started, and stays loaded until this returns. 2. `instance` is one of this node.
    #[inline]
    pub unsafe fn execute(
        &self,
        instance: InstancePtr,
        input: ValueRef<'_>,
        caller: &Caller<'_>,
        services: &dyn HostServices,
        out: &mut HostSink,
    ) -> Status {
        out.clear();
        let Some(execute) = self.table.execute else {
            return status::UNSUPPORTED;
        };
        let mut frame = Frame::new(caller, services);
        let call = Call {
            input: Bytes::lend(input.raw()),
            out: out.lend(),
            context: frame.lend(),
        };
        // SAFETY: duties 1 and 2; everything lent outlives the call.
        unsafe { execute(instance.0, &raw const call) }
    }

    /// Begins one call.
    ///
    /// # Errors
    /// The status the plugin answered.
    ///
    /// # Safety
    /// 1. The plugin is loaded and started, and stays loaded until the future is dropped. 2. `instance` is one of
    ///    this node and outlives the future.
    pub unsafe fn start(
        &self,
        instance: InstancePtr,
        call: AsyncCall,
        output_limit: usize,
    ) -> Result<PluginFuture, Status> {
        let Some(start) = self.table.start else {
            return Err(status::UNSUPPORTED);
        };
        let sink = HostSink::with_limit(output_limit);
        let mut pinned = Box::pin(Pinned {
            handle: None,
            frame: None,
            sink,
            call,
            _pin: PhantomPinned,
        });
        // SAFETY: the box is not moved out of; only fields are set.
        let this = unsafe { pinned.as_mut().get_unchecked_mut() };
        let caller = Caller {
            tenant: &this.call.tenant,
            run: &this.call.run,
            node: &this.call.node,
            deadline: this.call.deadline,
            cancel: Some(&this.call.cancel),
        };
        let frame = Frame::new(&caller, &*this.call.services);
        // SAFETY: the frame borrows from `call`, which lies in the same pinned box below it and is dropped after it.
        let frame = unsafe { std::mem::transmute::<Frame<'_>, Frame<'static>>(frame) };
        let context = this.frame.insert(frame).lend();
        let raw = Call {
            input: Bytes::lend(this.call.input.as_ref().raw()),
            out: std::ptr::null_mut(),
            context,
        };
        let mut handle = std::mem::MaybeUninit::<FutureHandle>::uninit();
        // SAFETY: duties 1 and 2; input and context are pinned in the box that owns the future.
        let answer = unsafe { start(instance.0, &raw const raw, handle.as_mut_ptr()) };
        if answer != status::OK {
            return Err(answer);
        }
        // SAFETY: the contract: the handle is written when the answer is OK.
        this.handle = Some(unsafe { handle.assume_init() });
        Ok(PluginFuture { pinned })
    }

    /// Asks an instance for its state; [`status::ABSENT`] when it has none.
    ///
    /// # Safety
    /// 1. The plugin is loaded. 2. `instance` is one of this node.
    pub unsafe fn save_state(&self, instance: InstancePtr, out: &mut HostSink) -> Status {
        out.clear();
        let Some(save) = self.table.save_state else {
            return status::ABSENT;
        };
        // SAFETY: duties 1 and 2.
        unsafe { save(instance.0, out.lend()) }
    }

    /// Gives an instance the state that `from_version` saved.
    ///
    /// # Safety
    /// 1. The plugin is loaded. 2. `instance` is one of this node and has not been called yet.
    pub unsafe fn load_state(
        &self,
        instance: InstancePtr,
        from_version: &str,
        state: ValueRef<'_>,
        out: &mut HostSink,
    ) -> Status {
        out.clear();
        let Some(load) = self.table.load_state else {
            return status::UNSUPPORTED;
        };
        let from = Bytes::lend(from_version.as_bytes());
        // SAFETY: duties 1 and 2.
        unsafe { load(instance.0, from, Bytes::lend(state.raw()), out.lend()) }
    }
}

/// An instance of a node, by the plugin's pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstancePtr(*mut c_void);

// SAFETY: the contract makes instances usable from any thread, many at once; destroying is bound by its own duty.
unsafe impl Send for InstancePtr {}
// SAFETY: as above.
unsafe impl Sync for InstancePtr {}

/// What an async call owns while it runs.
pub struct AsyncCall {
    /// The parameters.
    pub input: Value,
    /// Tenant id.
    pub tenant: String,
    /// Run id.
    pub run: String,
    /// Id of the workflow's node, or the node type.
    pub node: String,
    /// On the clock of [`HostServices::now`]; `u64::MAX` for never.
    pub deadline: u64,
    /// Set to other than 0 to cancel.
    pub cancel: Arc<AtomicU32>,
    /// What the host does for it.
    pub services: Box<dyn HostServices>,
}

impl std::fmt::Debug for AsyncCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsyncCall")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

/// A running async call. Drops top to bottom: the plugin's future goes first (see `Drop`), then what it borrowed.
struct Pinned {
    handle: Option<FutureHandle>,
    frame: Option<Frame<'static>>,
    sink: HostSink,
    call: AsyncCall,
    _pin: PhantomPinned,
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            // SAFETY: duty 1 of `start` keeps the plugin loaded until now; dropped once, since it was taken.
            unsafe { (handle.drop)(handle.state) };
        }
    }
}

// SAFETY: the contract makes a future usable from any thread, one at a time; the raw pointers in the frame point
// into the same box.
unsafe impl Send for Pinned {}

/// The host's end of a plugin's future; resolves to the status and what was written.
pub struct PluginFuture {
    pinned: Pin<Box<Pinned>>,
}

impl std::fmt::Debug for PluginFuture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PluginFuture")
    }
}

impl Future for PluginFuture {
    type Output = (Status, HostSink);

    fn poll(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out of the box but the sink, which nobody borrows between polls.
        let this = unsafe { self.pinned.as_mut().get_unchecked_mut() };
        let limit = this.sink.limit;
        let Some(handle) = this.handle else {
            return Poll::Ready((status::MALFORMED, HostSink::with_limit(limit)));
        };
        this.sink.clear();
        let lent = Lent::new(task.waker());
        let waker: *const WakerHandle = lent.handle();
        // SAFETY: duty 1 of `start`: the plugin is loaded; `&mut self` makes this the only poll.
        let answer = unsafe { (handle.poll)(handle.state, waker, this.sink.lend()) };
        if answer == status::PENDING {
            return Poll::Pending;
        }
        if let Some(handle) = this.handle.take() {
            // SAFETY: as `Drop`; taken, so dropped once.
            unsafe { (handle.drop)(handle.state) };
        }
        let sink = std::mem::replace(&mut this.sink, HostSink::with_limit(limit));
        Poll::Ready((answer, sink))
    }
}

/// The host's functions, one table for the whole process.
static HOST: HostTable = HostTable {
    size: size_of::<HostTable>() as u32,
    contract_major: CONTRACT.major,
    contract_minor: CONTRACT.minor,
    flags: 0,
    now: host_now,
    log: host_log,
    read: host_read,
    write: host_write,
    remove: host_remove,
    call: host_call,
    wake_after: host_wake_after,
};

/// The contract this host speaks.
pub const HOST_CONTRACT: Contract = CONTRACT;

/// Runs `work` with the services behind a context; a panic of the host's own code becomes `failed`.
///
/// # Safety
/// 1. `context` is one that [`Frame::lend`] gave, of a call that has not ended.
unsafe fn served<T>(context: *const Context, failed: T, work: impl FnOnce(&dyn HostServices) -> T) -> T {
    // SAFETY: duty 1.
    let handle = unsafe { (*context).handle };
    // SAFETY: duty 1: `lend` made the handle of the frame's reference to its services.
    let services: &dyn HostServices = unsafe { *handle.cast::<&dyn HostServices>() };
    fence(|| work(services)).unwrap_or(failed)
}

/// # Safety
/// 1. `bytes` is as duty A1 says for the running call.
unsafe fn text<'c>(bytes: Bytes) -> Option<&'c str> {
    // SAFETY: duty 1.
    std::str::from_utf8(unsafe { bytes.borrow() }).ok()
}

const fn store_of(number: u32) -> Option<Store> {
    match number {
        store::VARIABLES => Some(Store::Variables),
        store::KEY_VALUE => Some(Store::KeyValue),
        store::SECRETS => Some(Store::Secrets),
        _ => None,
    }
}

unsafe extern "C" fn host_now(context: *const Context) -> u64 {
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe { served(context, 0, |services| services.now()) }
}

unsafe extern "C" fn host_log(context: *const Context, level: u32, message: Bytes, fields: Bytes) {
    // SAFETY: the table's contract: lent for this call.
    let message = String::from_utf8_lossy(unsafe { message.borrow() });
    // SAFETY: as above.
    let fields = ValueRef::parse(unsafe { fields.borrow() }).ok();
    let level = level.clamp(level::ERROR, level::TRACE);
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe { served(context, (), |services| services.log(level, &message, fields)) };
}

unsafe extern "C" fn host_read(context: *const Context, store: u32, key: Bytes, out: *mut Sink) -> Status {
    // SAFETY: the table's contract: lent for this call.
    let (Some(store), Some(key)) = (store_of(store), unsafe { text(key) }) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract (duty A2, with the plugin as the owner of the sink).
    let Some(mut out) = (unsafe { super::SinkWriter::new(out) }) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe {
        served(context, status::UNSUPPORTED, |services| {
            match services.read(store, key) {
                Ok(Some(value)) => out
                    .write_value(value.as_ref())
                    .map_or(status::OUTPUT_LIMIT, |()| status::OK),
                Ok(None) => status::ABSENT,
                Err(refusal) => refusal.status(),
            }
        })
    }
}

unsafe extern "C" fn host_write(context: *const Context, store: u32, key: Bytes, value: Bytes) -> Status {
    // SAFETY: the table's contract: lent for this call.
    let (Some(store), Some(key)) = (store_of(store), unsafe { text(key) }) else {
        return status::MALFORMED;
    };
    // SAFETY: as above.
    let Ok(value) = ValueRef::parse(unsafe { value.borrow() }) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe {
        served(context, status::UNSUPPORTED, |services| {
            services
                .write(store, key, value)
                .map_or_else(Refusal::status, |()| status::OK)
        })
    }
}

unsafe extern "C" fn host_remove(context: *const Context, store: u32, key: Bytes) -> Status {
    // SAFETY: the table's contract: lent for this call.
    let (Some(store), Some(key)) = (store_of(store), unsafe { text(key) }) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe {
        served(context, status::UNSUPPORTED, |services| {
            match services.remove(store, key) {
                Ok(true) => status::OK,
                Ok(false) => status::ABSENT,
                Err(refusal) => refusal.status(),
            }
        })
    }
}

unsafe extern "C" fn host_call(
    context: *const Context,
    node_type: Bytes,
    input: Bytes,
    out: *mut Sink,
) -> Status {
    // SAFETY: the table's contract: lent for this call.
    let Some(node_type) = (unsafe { text(node_type) }) else {
        return status::MALFORMED;
    };
    // SAFETY: as above.
    let Ok(input) = ValueRef::parse(unsafe { input.borrow() }) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract (duty A2, with the plugin as the owner of the sink).
    let Some(mut out) = (unsafe { super::SinkWriter::new(out) }) else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe {
        served(context, status::UNSUPPORTED, |services| {
            match services.call(node_type, input) {
                Ok(value) => out
                    .write_value(value.as_ref())
                    .map_or(status::OUTPUT_LIMIT, |()| status::OK),
                Err(error) => out.fail(&error, status::FAILED),
            }
        })
    }
}

unsafe extern "C" fn host_wake_after(
    context: *const Context,
    nanos: u64,
    waker: *const WakerHandle,
) -> Status {
    // SAFETY: the table's contract: a handle that this host lent to the running poll, so its data is a `Waker` of
    // this side (see `Lent`).
    let waker = unsafe { &*waker };
    // SAFETY: as above: lent for this call.
    let waker = unsafe { super::waker::clone_of_lent(waker) };
    let Some(waker) = waker else {
        return status::MALFORMED;
    };
    // SAFETY: the table's contract is duty 1 of `served`.
    unsafe {
        served(context, status::UNSUPPORTED, |services| {
            services
                .wake_after(nanos, waker)
                .map_or_else(Refusal::status, |()| status::OK)
        })
    }
}
