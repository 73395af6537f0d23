//! A plugin's tables, and the calls through them.

use std::ffi::c_void;
use std::ptr::NonNull;

use super::answers::{Frame, host_of};
use super::{AsyncCall, Caller, HostServices, HostSink, PluginFuture};
use crate::abi::{Bytes, Call, FutureHandle, HostTable, NodeTable, PluginTable, Status, node_flags, status};
use crate::value::ValueRef;
use crate::{CONTRACT, Contract};

/// Nodes a plugin may have; more is taken for a lie.
pub const MAX_NODES: usize = 10_000;

/// Why a plugin's table is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableError {
    /// The table, or the pointer to the nodes, is null.
    Null,
    /// A table is smaller than the first minor of the contract has it.
    TooSmall(&'static str),
    /// A table does not lie where its fields can be read.
    Unaligned(&'static str),
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
            Self::Unaligned(which) => write!(f, "the {which} table does not begin at a multiple of 8"),
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
    host: &'static HostTable,
}

/// Entry points of one node.
#[derive(Clone, Debug)]
pub struct NodeEntry {
    table: NodeTable,
    node_type: String,
    host: &'static HostTable,
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
        if !table.is_aligned() {
            return Err(TableError::Unaligned("plugin"));
        }
        // SAFETY: duty 1: the first field is there in every minor.
        let size = unsafe { table.cast::<u32>().read() };
        if (size as usize) < FIRST_PLUGIN_TABLE {
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
        if !table.nodes.is_aligned() || !(table.node_size as usize).is_multiple_of(align_of::<NodeTable>()) {
            return Err(TableError::Unaligned("node"));
        }
        let nodes = (0..table.node_count).map(|at| {
            // SAFETY: duty 1: `node_count` tables of `node_size` bytes lie at `nodes`.
            let node = unsafe { table.nodes.cast::<u8>().add(at * table.node_size as usize) };
            // SAFETY: as above; `read` reads no more than `node_size`.
            unsafe { NodeEntry::read(node.cast(), table.node_size as usize, at) }
        });
        let nodes = nodes.collect::<Result<_, _>>()?;
        Ok(Self {
            table,
            nodes,
            host: host_of(CONTRACT),
        })
    }

    /// The same plugin, met by a host of another minor: what came after that minor is not lent to it.
    #[must_use]
    pub fn speaking(mut self, contract: Contract) -> Self {
        self.host = host_of(contract);
        for node in &mut self.nodes {
            node.host = self.host;
        }
        self
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
        // SAFETY: duty 1; the host's table lives as long as the process.
        unsafe { (self.table.start)(self.host) }
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

/// Size of the plugin's table in contract 1.0.
const FIRST_PLUGIN_TABLE: usize = 48;
/// Size of a node's table in contract 1.0.
const FIRST_NODE_TABLE: usize = 72;

// Both are read whole once their size was found to be the first one's. When one grows, its new fields are to be read
// one by one, and only as far as `size` goes.
#[cfg(target_pointer_width = "64")]
const _: () =
    assert!(size_of::<PluginTable>() == FIRST_PLUGIN_TABLE && size_of::<NodeTable>() == FIRST_NODE_TABLE);

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
            Ok(Self {
                table,
                node_type,
                host: host_of(CONTRACT),
            })
        } else {
            Err(TableError::NoEntry(node_type))
        }
    }

    /// The same node, met by a host of another minor.
    #[must_use]
    pub const fn speaking(mut self, contract: Contract) -> Self {
        self.host = host_of(contract);
        self
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
        let mut frame = Frame::new(caller, services, self.host);
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
        let mut frame = Frame::new(caller, services, self.host);
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
        // SAFETY: duties 1 and 2, passed on: what `start` needs outlives the future that `begin` returns.
        let entry = |call: *const Call, future: *mut FutureHandle| unsafe { start(instance.0, call, future) };
        // SAFETY: duty 1.
        unsafe { PluginFuture::begin(call, output_limit, self.host, entry) }
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
