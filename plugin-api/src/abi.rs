//! The binary contract: `#[repr(C)]` data, no logic.
//!
//! Two kinds of types cross the line:
//!
//! * **Shapes** never change within a contract major. `abi_stable` compares them field by field at the trial load.
//! * **Tables** start with their own `size` and grow at the tail. A reader looks at a field only when `size` covers
//!   it. They are opaque to the layout comparison, since a newer side has more fields than an older one.
//!
//! Every item says who OWNS it, for what LIFETIME it may be used, from which THREAD, and in which STATE of the
//! plugin. Texts are UTF-8 without a NUL. Values are in the encoding of [`crate::value`].

#![expect(
    non_camel_case_types,
    reason = "the names abi_stable's derive gives to the prefix and its reference"
)]

use std::ffi::c_void;
use std::sync::atomic::AtomicU32;

use abi_stable::StableAbi;

/// Result of an entry point; see [`status`].
pub type Status = i32;

/// The values of [`Status`].
pub mod status {
    use super::Status;

    /// Done; the sink holds the result.
    pub const OK: Status = 0;
    /// A future is not ready; its waker will be woken.
    pub const PENDING: Status = 1;
    /// The node failed; the sink holds the error as a map (`code`, `message`, optional `statusCode`, `retryable`,
    /// `details`).
    pub const FAILED: Status = 2;
    /// The node panicked and the fence caught it; the sink holds an error map. The instance is poisoned.
    pub const PANICKED: Status = 3;
    /// An earlier call on this instance panicked; nothing was run.
    pub const POISONED: Status = 4;
    /// The sink refused to grow: the output is over the host's limit.
    pub const OUTPUT_LIMIT: Status = 5;
    /// There is nothing under that name.
    pub const ABSENT: Status = 6;
    /// The caller's declared capabilities do not cover this.
    pub const DENIED: Status = 7;
    /// This side does not have the function.
    pub const UNSUPPORTED: Status = 8;
    /// An argument is not what the contract says (not UTF-8, malformed value).
    pub const MALFORMED: Status = 9;
    /// The value that is there is not the one that was expected; nothing was changed. Since 1.2.
    pub const DIFFERS: Status = 10;
}

/// Borrowed bytes.
///
/// OWNER whoever made it. LIFETIME until the call it was passed to returns, unless the place that holds it says
/// more. THREAD any. STATE any.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct Bytes {
    /// First byte; may dangle when `len` is 0.
    pub ptr: *const u8,
    /// Number of bytes.
    pub len: usize,
}

/// A growing buffer that the host owns and the other side writes into directly.
///
/// The writer may write `data[len..cap]`, advance `len` up to `cap`, and overwrite or cut what it wrote itself.
///
/// OWNER host. LIFETIME until the call it was passed to returns. THREAD the calling one. STATE any.
#[repr(C)]
#[derive(Debug, StableAbi)]
pub struct Sink {
    /// First byte of the buffer; replaced by `reserve`.
    pub data: *mut u8,
    /// Bytes written.
    pub len: usize,
    /// Bytes there is room for.
    pub cap: usize,
    /// Makes room for `additional` bytes after `len`; returns [`status::OK`] or [`status::OUTPUT_LIMIT`].
    ///
    /// OWNER host. LIFETIME of the sink. THREAD the calling one. STATE any.
    pub reserve: unsafe extern "C" fn(sink: *mut Sink, additional: usize) -> Status,
}

/// One call.
///
/// OWNER host. LIFETIME until the entry point returns; for [`NodeTable::start`] until the future is dropped.
/// THREAD any. STATE serving or draining.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct Call {
    /// The parameters: one encoded value that the host has validated.
    pub input: Bytes,
    /// Where the result goes; null for [`NodeTable::start`], whose result goes to the sink given to `poll`.
    pub out: *mut Sink,
    /// Who calls, until when, and how to reach the host.
    #[sabi(unsafe_opaque_field)]
    pub context: *const Context,
}

/// A future of the plugin, polled by the host.
///
/// OWNER the host, from a [`NodeTable::start`] that returned [`status::OK`] until `drop` is called. LIFETIME the
/// version stays loaded while one exists. THREAD any, one at a time. STATE serving or draining.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct FutureHandle {
    /// The plugin's own state.
    pub state: *mut c_void,
    /// Drives the future: [`status::PENDING`], or a final status with the sink written as after `execute`.
    /// Not called again after a final status.
    pub poll: unsafe extern "C" fn(state: *mut c_void, waker: *const WakerHandle, out: *mut Sink) -> Status,
    /// Drops the future, finished or not; called exactly once.
    pub drop: unsafe extern "C" fn(state: *mut c_void),
}

/// The host's waker, as lent to `poll`.
///
/// OWNER host. LIFETIME until `poll` returns; a clone until its `wake` or `drop`. THREAD any. STATE any.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct WakerHandle {
    /// The host's own state.
    pub data: *const c_void,
    /// Its functions; lives as long as the host.
    pub table: *const WakerTable,
}

/// Functions of a [`WakerHandle`].
///
/// OWNER host. LIFETIME of the host. THREAD any. STATE any.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct WakerTable {
    /// Returns the data of a new waker for the same task, to be ended by `wake` or `drop`.
    pub clone: unsafe extern "C" fn(data: *const c_void) -> *const c_void,
    /// Wakes the task and ends this clone.
    pub wake: unsafe extern "C" fn(data: *const c_void),
    /// Wakes the task.
    pub wake_by_ref: unsafe extern "C" fn(data: *const c_void),
    /// Ends this clone.
    pub drop: unsafe extern "C" fn(data: *const c_void),
}

/// Who calls, until when, and how to reach the host. A table: grows at the tail.
///
/// OWNER host. LIFETIME as the [`Call`] that points to it. THREAD any. STATE serving or draining.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Bytes of this table that are valid.
    pub size: u32,
    /// Zero.
    pub flags: u32,
    /// The host's functions.
    pub host: *const HostTable,
    /// The host's own state.
    pub handle: *const c_void,
    /// Tenant id.
    pub tenant: Bytes,
    /// Run id.
    pub run: Bytes,
    /// Id of the workflow node, or the node type when there is no workflow.
    pub node: Bytes,
    /// When the call should be over, on the clock of [`HostTable::now`]; `u64::MAX` for never.
    pub deadline: u64,
    /// Not zero when the caller no longer wants the result.
    pub cancel: *const AtomicU32,
}

/// Where [`HostTable::read`], `write`, `remove`, `list` and `replace` look.
pub mod store {
    /// Variables of the run.
    pub const VARIABLES: u32 = 1;
    /// The tenant's key-value store.
    pub const KEY_VALUE: u32 = 2;
    /// The tenant's secrets; read only, declared names only.
    pub const SECRETS: u32 = 3;
    /// What arrived at the inputs of the workflow node that is executing; read only. A key is the number of an input
    /// in decimal, its value the list of the values that arrived there, in the order of the edges. Since 1.2.
    pub const INPUTS: u32 = 4;
    /// What the host's administrator set for the tenant's plugins; read only. A value is a text. Since 1.3.
    pub const SETTINGS: u32 = 5;
}

/// Values of `kind` in [`HostTable::evaluate`]. Since 1.2.
pub mod evaluation {
    /// `source` is a text that holds one expression, bare or within `{{ }}`.
    pub const EXPRESSION: u32 = 1;
    /// `source` is any value whose texts may hold `{{ }}`, at any depth.
    pub const TEMPLATE: u32 = 2;
}

/// Values of `level` in [`HostTable::log`].
pub mod level {
    /// Something failed.
    pub const ERROR: u32 = 1;
    /// Something is odd.
    pub const WARN: u32 = 2;
    /// Normal operation.
    pub const INFO: u32 = 3;
    /// For the plugin's author.
    pub const DEBUG: u32 = 4;
    /// For the plugin's author, in bulk.
    pub const TRACE: u32 = 5;
}

/// What the host does for a node. A table: grows at the tail.
///
/// All functions: OWNER host. LIFETIME of the plugin; `context` must be the one of a call that has not ended.
/// THREAD any. STATE serving or draining. None of them unwinds.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct HostTable {
    /// Bytes of this table that are valid.
    pub size: u32,
    /// Contract major the host speaks.
    pub contract_major: u32,
    /// Contract minor the host speaks.
    pub contract_minor: u32,
    /// Zero.
    pub flags: u32,
    /// Nanoseconds on the host's steady clock.
    pub now: unsafe extern "C" fn(context: *const Context) -> u64,
    /// Writes one log event; `fields` is an encoded map or empty. See [`level`].
    pub log: unsafe extern "C" fn(context: *const Context, level: u32, message: Bytes, fields: Bytes),
    /// Writes the value under `key` of a [`store`] into `out`; [`status::ABSENT`] when there is none.
    pub read: unsafe extern "C" fn(context: *const Context, store: u32, key: Bytes, out: *mut Sink) -> Status,
    /// Sets the value under `key` of a [`store`].
    pub write: unsafe extern "C" fn(context: *const Context, store: u32, key: Bytes, value: Bytes) -> Status,
    /// Removes `key` from a [`store`]; [`status::ABSENT`] when it was not there.
    pub remove: unsafe extern "C" fn(context: *const Context, store: u32, key: Bytes) -> Status,
    /// Calls another node and waits for it; `out` as after [`NodeTable::execute`].
    pub call: unsafe extern "C" fn(
        context: *const Context,
        node_type: Bytes,
        input: Bytes,
        out: *mut Sink,
    ) -> Status,
    /// Wakes a clone of `waker` after `nanos` nanoseconds.
    pub wake_after:
        unsafe extern "C" fn(context: *const Context, nanos: u64, waker: *const WakerHandle) -> Status,
    /// Nanoseconds since 1970-01-01 UTC on the host's wall clock, which may jump. Since 1.1.
    pub wall_clock: unsafe extern "C" fn(context: *const Context) -> u64,
    /// Writes all pairs of a [`store`] into `out`, as one map in the order in which the keys came. Variables can be
    /// listed, secrets never ([`status::DENIED`]); [`status::UNSUPPORTED`] for what the host does not list. Since 1.2.
    pub list: unsafe extern "C" fn(context: *const Context, store: u32, out: *mut Sink) -> Status,
    /// Compares and sets, in one step beside all other writers of that [`store`]: when the encoding under `key` is
    /// `expected` (empty: there is none), it becomes `value` (empty: it is removed). Otherwise nothing changes, and
    /// the answer is [`status::DIFFERS`]. Since 1.2.
    pub replace: unsafe extern "C" fn(
        context: *const Context,
        store: u32,
        key: Bytes,
        expected: Bytes,
        value: Bytes,
    ) -> Status,
    /// Says that the executing workflow node leaves by the output of this number, beside those named before in the
    /// same call. A node that names none leaves by all of them. [`status::UNSUPPORTED`] outside a workflow. Since 1.2.
    pub select_output: unsafe extern "C" fn(context: *const Context, output: u32) -> Status,
    /// Evaluates an expression or renders a template as the workflow's own parameters are; see [`evaluation`].
    /// `source` is an encoded value, `bindings` an encoded map, or empty: its entry `item` is seen as `$item`. `out`
    /// as after [`NodeTable::execute`]; [`status::UNSUPPORTED`] outside a workflow. Since 1.2.
    pub evaluate: unsafe extern "C" fn(
        context: *const Context,
        kind: u32,
        source: Bytes,
        bindings: Bytes,
        out: *mut Sink,
    ) -> Status,
}

/// Bits of [`NodeTable::flags`].
pub mod node_flags {
    /// The node is called through `start` and polled.
    pub const ASYNC: u32 = 1;
    /// Instances hold state: the host makes one per tenant and configuration and hands state over at a swap.
    pub const STATEFUL: u32 = 2;
}

/// Entry points of one node type. A table: grows at the tail; the host strides by [`PluginTable::node_size`].
///
/// OWNER plugin. LIFETIME while the version is loaded. THREAD any, many at once. STATE loaded until shut down.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct NodeTable {
    /// Bytes of this table that are valid.
    pub size: u32,
    /// See [`node_flags`].
    pub flags: u32,
    /// The node type; equal to the one in the metadata.
    pub node_type: Bytes,
    /// Makes an instance from a configuration. Writes it to `instance` and returns [`status::OK`], or returns
    /// another status with an error in `out`.
    pub create: unsafe extern "C" fn(
        config: Bytes,
        context: *const Context,
        instance: *mut *mut c_void,
        out: *mut Sink,
    ) -> Status,
    /// Ends an instance; called exactly once, when no call is inside it.
    pub destroy: unsafe extern "C" fn(instance: *mut c_void),
    /// Runs one call to its end; present unless [`node_flags::ASYNC`].
    pub execute: Option<unsafe extern "C" fn(instance: *const c_void, call: *const Call) -> Status>,
    /// Begins one call and writes its future; present with [`node_flags::ASYNC`]. On another status than
    /// [`status::OK`] no future was made.
    pub start: Option<
        unsafe extern "C" fn(instance: *const c_void, call: *const Call, future: *mut FutureHandle) -> Status,
    >,
    /// Writes the instance's state as one value; [`status::ABSENT`] when it has none to hand over.
    pub save_state: Option<unsafe extern "C" fn(instance: *const c_void, out: *mut Sink) -> Status>,
    /// Takes over the state that version `from_version` saved; called before the first call.
    pub load_state: Option<
        unsafe extern "C" fn(
            instance: *mut c_void,
            from_version: Bytes,
            state: Bytes,
            out: *mut Sink,
        ) -> Status,
    >,
}

/// The plugin. A table: grows at the tail.
///
/// OWNER plugin. LIFETIME while the version is loaded. THREAD as each function says. STATE loaded.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PluginTable {
    /// Bytes of this table that are valid.
    pub size: u32,
    /// Bytes from one node's table to the next.
    pub node_size: u32,
    /// The first node's table.
    pub nodes: *const NodeTable,
    /// Number of nodes.
    pub node_count: usize,
    /// Writes the metadata: one map, see [`crate::meta::PluginMeta`].
    ///
    /// THREAD any. STATE loaded.
    pub describe: unsafe extern "C" fn(out: *mut Sink) -> Status,
    /// Called once before any other entry except `describe`.
    ///
    /// THREAD any. STATE loaded.
    pub start: unsafe extern "C" fn(host: *const HostTable) -> Status,
    /// Called once, when no call, instance or future is left; the plugin ends what it began.
    ///
    /// THREAD any. STATE drained; nothing is called after it.
    pub shutdown: unsafe extern "C" fn() -> Status,
}

/// What a plugin without the Rust SDK exports under [`C_ENTRY`].
pub type CEntry = unsafe extern "C" fn() -> *const PluginTable;

/// Symbol of the entry point of a plugin that is written without the Rust SDK.
pub const C_ENTRY: &str = "patchbay_plugin_v1";

/// The frozen shapes, gathered so that the layout comparison reaches each of them. All pointers are null.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct Shapes {
    /// See [`Call`], and through it [`Bytes`] and [`Sink`].
    pub call: *const Call,
    /// See [`FutureHandle`].
    pub future: *const FutureHandle,
    /// See [`WakerHandle`] and [`WakerTable`].
    pub waker: *const WakerHandle,
}

/// What a plugin built with the Rust SDK exports through `abi_stable`: a prefix type, grows at the tail.
///
/// OWNER plugin. LIFETIME while the version is loaded. THREAD any. STATE loaded.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = RootModule_Ref, prefix_fields = RootModule_Prefix)))]
pub struct RootModule {
    /// Contract major the plugin was built for.
    pub contract_major: u32,
    /// Contract minor the plugin was built for.
    pub contract_minor: u32,
    /// Compared by layout, never read.
    pub shapes: Shapes,
    /// The plugin's table.
    #[sabi(unsafe_opaque_field)]
    #[sabi(last_prefix_field)]
    pub plugin: *const PluginTable,
}

// The layout on 64-bit targets, frozen here; a change of a line is a new contract.
#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<Bytes>() == 16);
    assert!(size_of::<Sink>() == 32 && offset_of!(Sink, reserve) == 24);
    assert!(size_of::<Call>() == 32 && offset_of!(Call, context) == 24);
    assert!(size_of::<FutureHandle>() == 24);
    assert!(size_of::<WakerHandle>() == 16 && size_of::<WakerTable>() == 32);
    assert!(offset_of!(Context, host) == 8 && offset_of!(Context, tenant) == 24);
    assert!(offset_of!(Context, deadline) == 72 && offset_of!(Context, cancel) == 80);
    assert!(offset_of!(HostTable, now) == 16 && offset_of!(HostTable, wake_after) == 64);
    assert!(offset_of!(HostTable, wall_clock) == 72 && offset_of!(HostTable, list) == 80);
    assert!(offset_of!(HostTable, evaluate) == 104 && size_of::<HostTable>() == 112);
    assert!(offset_of!(NodeTable, node_type) == 8 && offset_of!(NodeTable, create) == 24);
    assert!(offset_of!(NodeTable, execute) == 40 && offset_of!(NodeTable, load_state) == 64);
    assert!(offset_of!(PluginTable, nodes) == 8 && offset_of!(PluginTable, shutdown) == 40);
};
