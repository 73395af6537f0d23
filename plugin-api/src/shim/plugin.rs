//! The plugin's entry points: what the tables point to.

use std::ffi::c_void;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as TaskContext, Poll};

use abi_stable::prefix_type::WithMetadata;

use super::fence::{fence, install_quiet_hook};
use super::{RawCtx, SinkWriter, waker};
use crate::abi::{
    Bytes, Call, Context, FutureHandle, HostTable, NodeTable, PluginTable, RootModule, RootModule_Prefix,
    RootModule_Ref, Shapes, Sink, Status, WakerHandle, node_flags, status,
};
use crate::ctx::Timers;
use crate::error::code;
use crate::node::{Export, ExportAsync, ExportSync, Plugin};
use crate::value::{Value, ValueErrorKind, ValueRef};
use crate::{CONTRACT, Ctx, NodeError, Reply};

// SAFETY: a table is immutable after it is built; what it points to are functions and static texts.
unsafe impl Sync for NodeTable {}
// SAFETY: as above.
unsafe impl Send for NodeTable {}
// SAFETY: as above.
unsafe impl Sync for PluginTable {}
// SAFETY: as above.
unsafe impl Send for PluginTable {}
// SAFETY: the root module is immutable; it points to null shapes and to the plugin's table, which is `Sync`.
unsafe impl Sync for RootModule {}
// SAFETY: as above.
unsafe impl Send for RootModule {}
// SAFETY: as above; the same fields behind the prefix reference.
unsafe impl Sync for RootModule_Prefix {}
// SAFETY: as above.
unsafe impl Send for RootModule_Prefix {}

/// What an instance pointer points to.
struct Slot<I> {
    poisoned: AtomicBool,
    instance: I,
}

/// The table of a node that runs to its end.
#[must_use]
pub const fn sync_table<N: ExportSync>() -> NodeTable {
    NodeTable {
        execute: Some(execute::<N>),
        ..bare_table::<N>(0)
    }
}

/// The table of a node that is polled.
#[must_use]
pub const fn async_table<N: ExportAsync>() -> NodeTable {
    NodeTable {
        start: Some(start_call::<N>),
        ..bare_table::<N>(node_flags::ASYNC)
    }
}

const fn bare_table<N: Export>(flags: u32) -> NodeTable {
    NodeTable {
        size: size_of::<NodeTable>() as u32,
        flags: flags | if N::STATEFUL { node_flags::STATEFUL } else { 0 },
        node_type: Bytes::lend(N::NODE_TYPE.as_bytes()),
        create: create::<N>,
        destroy: destroy::<N>,
        execute: None,
        start: None,
        save_state: if N::STATEFUL { Some(save_state::<N>) } else { None },
        load_state: if N::STATEFUL { Some(load_state::<N>) } else { None },
    }
}

/// The plugin's table.
#[must_use]
pub const fn plugin_table<P: Plugin>(nodes: &'static [NodeTable]) -> PluginTable {
    PluginTable {
        size: size_of::<PluginTable>() as u32,
        node_size: size_of::<NodeTable>() as u32,
        nodes: nodes.as_ptr(),
        node_count: nodes.len(),
        describe: describe::<P>,
        start,
        shutdown: shutdown::<P>,
    }
}

/// The root module that `abi_stable` finds; a constant, so that loading leaks nothing.
#[must_use]
pub const fn root_module(plugin: &'static PluginTable) -> RootModule {
    RootModule {
        contract_major: CONTRACT.major,
        contract_minor: CONTRACT.minor,
        shapes: Shapes {
            call: std::ptr::null(),
            future: std::ptr::null(),
            waker: std::ptr::null(),
        },
        plugin,
    }
}

/// Turns a static root module into the reference that crosses the line.
#[must_use]
pub const fn root_ref(module: &'static WithMetadata<RootModule>) -> RootModule_Ref {
    RootModule_Ref(module.static_as_prefix())
}

/// Wraps the root module for [`root_ref`].
#[must_use]
pub const fn root_with_metadata(module: RootModule) -> WithMetadata<RootModule> {
    WithMetadata::new(module)
}

/// Entry point: writes the metadata.
///
/// # Safety
/// 1. `out` is as duty A2 says.
pub unsafe extern "C" fn describe<P: Plugin>(out: *mut Sink) -> Status {
    // SAFETY: duty 1.
    let Some(mut out) = (unsafe { Reply::open(out) }) else {
        return status::MALFORMED;
    };
    match fence(|| out.write(&P::meta())) {
        Ok(Ok(())) => status::OK,
        Ok(Err(error)) => out.fail(&error),
        Err(caught) => out.panicked(&caught.message),
    }
}

/// Entry point: the plugin is about to serve.
///
/// # Safety
/// 1. `host` is as duty A3 says.
pub unsafe extern "C" fn start(host: *const HostTable) -> Status {
    let _ = host;
    match fence(install_quiet_hook) {
        Ok(()) => status::OK,
        Err(_) => status::PANICKED,
    }
}

/// Entry point: nothing is called after this.
///
/// # Safety
/// None.
pub unsafe extern "C" fn shutdown<P: Plugin>() -> Status {
    let ended = fence(P::end);
    // The hook goes in any case: it is this library's code.
    match (fence(|| drop(std::panic::take_hook())), ended) {
        (Ok(()), Ok(())) => status::OK,
        _ => status::PANICKED,
    }
}

unsafe extern "C" fn create<N: Export>(
    config: Bytes,
    context: *const Context,
    instance: *mut *mut c_void,
    out: *mut Sink,
) -> Status {
    // SAFETY: duty A2.
    let Some(mut out) = (unsafe { Reply::open(out) }) else {
        return status::MALFORMED;
    };
    // SAFETY: duty A3: the context is valid for this call.
    let ctx = Ctx::new(unsafe { RawCtx::new(context) });
    // SAFETY: duty A1: the configuration is valid for this call.
    let config = ValueRef::assume_valid(unsafe { config.borrow() });
    match fence(|| N::create(config, &ctx)) {
        Ok(Ok(made)) => {
            let slot = Box::new(Slot {
                poisoned: AtomicBool::new(false),
                instance: made,
            });
            // SAFETY: duty A3: `instance` is writable for one pointer.
            unsafe { instance.write(Box::into_raw(slot).cast()) };
            status::OK
        }
        Ok(Err(error)) => out.fail(&error),
        Err(caught) => out.panicked(&caught.message),
    }
}

unsafe extern "C" fn destroy<N: Export>(instance: *mut c_void) {
    // SAFETY: duty A4: made by `create::<N>`, destroyed once.
    let slot = unsafe { Box::from_raw(instance.cast::<Slot<N::Instance>>()) };
    // A destructor that panics leaks what it had not yet dropped; the version is going away.
    let _ = fence(move || drop(slot));
}

/// # Safety
/// 1. `instance` is as duty A4 says and stays so during `'c`.
#[inline]
unsafe fn slot<'c, N: Export>(instance: *const c_void) -> &'c Slot<N::Instance> {
    // SAFETY: duty 1.
    unsafe { &*instance.cast::<Slot<N::Instance>>() }
}

unsafe extern "C" fn execute<N: ExportSync>(instance: *const c_void, call: *const Call) -> Status {
    // SAFETY: duty A3.
    let call = unsafe { &*call };
    // SAFETY: duty A2.
    let Some(mut reply) = (unsafe { Reply::open(call.out) }) else {
        return status::MALFORMED;
    };
    // SAFETY: duty A4: the instance outlives the call.
    let slot = unsafe { slot::<N>(instance) };
    if N::STATEFUL && slot.poisoned.load(Ordering::Acquire) {
        return status::POISONED;
    }
    // SAFETY: duty A3: the context is valid for this call.
    let ctx = Ctx::new(unsafe { RawCtx::new(call.context) });
    // SAFETY: duty A1: the input is valid for this call.
    let input = ValueRef::assume_valid(unsafe { call.input.borrow() });
    match fence(|| N::execute(&slot.instance, input, &ctx, &mut reply)) {
        Ok(Ok(())) => status::OK,
        Ok(Err(error)) => reply.fail(&error),
        Err(caught) => {
            slot.poisoned.store(true, Ordering::Release);
            reply.panicked(&caught.message)
        }
    }
}

unsafe extern "C" fn save_state<N: Export>(instance: *const c_void, out: *mut Sink) -> Status {
    // SAFETY: duty A2.
    let Some(mut out) = (unsafe { Reply::open(out) }) else {
        return status::MALFORMED;
    };
    // SAFETY: duty A4.
    let slot = unsafe { slot::<N>(instance) };
    match fence(|| N::save_state(&slot.instance)) {
        Ok(Ok(Some(state))) => match out.write_value(state.as_ref()) {
            Ok(()) => status::OK,
            Err(error) => out.fail(&error),
        },
        Ok(Ok(None)) => status::ABSENT,
        Ok(Err(error)) => out.fail(&error),
        Err(caught) => out.panicked(&caught.message),
    }
}

unsafe extern "C" fn load_state<N: Export>(
    instance: *mut c_void,
    from_version: Bytes,
    state: Bytes,
    out: *mut Sink,
) -> Status {
    // SAFETY: duty A2.
    let Some(mut out) = (unsafe { Reply::open(out) }) else {
        return status::MALFORMED;
    };
    // SAFETY: duty A4; the contract calls this before the first call, so nobody else holds the instance.
    let slot = unsafe { &mut *instance.cast::<Slot<N::Instance>>() };
    // SAFETY: duty A1.
    let from_version = std::str::from_utf8(unsafe { from_version.borrow() }).unwrap_or_default();
    // SAFETY: duty A1.
    let state = ValueRef::assume_valid(unsafe { state.borrow() });
    match fence(|| N::load_state(&mut slot.instance, from_version, state)) {
        Ok(Ok(())) => status::OK,
        Ok(Err(error)) => out.fail(&error),
        Err(caught) => out.panicked(&caught.message),
    }
}

/// The author's async function at work.
type Running<'c> = Pin<Box<dyn Future<Output = Result<Value, NodeError>> + Send + 'c>>;

/// What a future handle's state points to. Drops top to bottom: the future borrows the timers.
struct Task<'c> {
    future: Option<Running<'c>>,
    poisoned: Option<&'c AtomicBool>,
    context: RawCtx<'c>,
    timers: Box<Timers>,
}

unsafe extern "C" fn start_call<N: ExportAsync>(
    instance: *const c_void,
    call: *const Call,
    future: *mut FutureHandle,
) -> Status {
    // SAFETY: duty A3; the call's parts live until the future is dropped, which is what `'static` stands for here:
    // the task never outlives `drop_task`.
    let call = unsafe { *call };
    // SAFETY: duty A4: the instance outlives the future.
    let slot = unsafe { slot::<N>(instance) };
    if N::STATEFUL && slot.poisoned.load(Ordering::Acquire) {
        return status::POISONED;
    }
    // SAFETY: duty A3, as above.
    let context: RawCtx<'static> = unsafe { RawCtx::new(call.context) };
    // SAFETY: duty A1, as above.
    let input = ValueRef::assume_valid(unsafe { call.input.borrow::<'static>() });
    let timers = Box::new(Timers::default());
    // SAFETY: the box stays in the task, below the future that borrows it, so it is dropped after it.
    let lent: &'static Timers = unsafe { &*std::ptr::from_ref(&*timers) };
    let Ok(made) = fence(|| N::start(&slot.instance, input, Ctx::with_timers(context, lent))) else {
        return status::PANICKED;
    };
    let task = Task {
        future: Some(Box::pin(made)),
        poisoned: Some(&slot.poisoned),
        context,
        timers,
    };
    let handle = FutureHandle {
        state: Box::into_raw(Box::new(task)).cast(),
        poll: poll_task,
        drop: drop_task,
    };
    // SAFETY: duty A3: `future` is writable for one handle.
    unsafe { future.write(handle) };
    status::OK
}

unsafe extern "C" fn poll_task(state: *mut c_void, lent: *const WakerHandle, out: *mut Sink) -> Status {
    // SAFETY: duty A4: made by `start_call`, one poll at a time.
    let task = unsafe { &mut *state.cast::<Task<'static>>() };
    // SAFETY: duty A2.
    let Some(mut reply) = (unsafe { Reply::open(out) }) else {
        return status::MALFORMED;
    };
    let Some(future) = task.future.as_mut() else {
        return status::MALFORMED;
    };
    // SAFETY: duty A3: the lent handle is valid for this poll.
    let handle = unsafe { &*lent };
    // SAFETY: duty A3.
    let table = unsafe { &*handle.table };
    // SAFETY: duty A3: `clone` may be called with the handle's data; the result is ours to end.
    let data = unsafe { (table.clone)(handle.data) };
    // SAFETY: the handle was just cloned and is owned.
    let waker = unsafe {
        waker::owned_waker(WakerHandle {
            data,
            table: handle.table,
        })
    };
    let (timers, context) = (&task.timers, task.context);
    let outcome = fence(|| {
        timers.fire(context.now());
        future.as_mut().poll(&mut TaskContext::from_waker(&waker))
    });
    let answer = match outcome {
        Ok(Poll::Pending) => {
            if let Some(due) = timers.next() {
                context.wake_after(due.saturating_sub(context.now()), handle);
            }
            return status::PENDING;
        }
        Ok(Poll::Ready(Ok(value))) => match reply.write_value(value.as_ref()) {
            Ok(()) => status::OK,
            Err(error) => reply.fail(&error),
        },
        Ok(Poll::Ready(Err(error))) => reply.fail(&error),
        Err(caught) => {
            if let Some(poisoned) = task.poisoned {
                poisoned.store(true, Ordering::Release);
            }
            reply.panicked(&caught.message)
        }
    };
    let done = task.future.take();
    let _ = fence(move || drop(done));
    answer
}

unsafe extern "C" fn drop_task(state: *mut c_void) {
    // SAFETY: duty A4: made by `start_call`, dropped once.
    let task = unsafe { Box::from_raw(state.cast::<Task<'static>>()) };
    let _ = fence(move || drop(task));
}

impl Reply<'_> {
    /// # Safety
    /// 1. `out` is as duty A2 says during the reply's lifetime.
    #[inline]
    unsafe fn open(out: *mut Sink) -> Option<Self> {
        // SAFETY: duty 1.
        unsafe { SinkWriter::new(out) }.map(Self::from_sink)
    }

    /// Writes a failure; one that comes from a full sink is reported as the limit it hit.
    #[cold]
    fn fail(&mut self, error: &NodeError) -> Status {
        let answer = if error.code == OUTPUT_LIMIT_CODE {
            status::OUTPUT_LIMIT
        } else {
            status::FAILED
        };
        self.sink().fail(error, answer)
    }

    #[cold]
    fn panicked(&mut self, message: &str) -> Status {
        let error = NodeError::with_code(code::PLUGIN_PANICKED, message.to_owned());
        self.sink().fail(&error, status::PANICKED)
    }
}

/// The code by which a full sink travels through a node's error type.
pub(crate) const OUTPUT_LIMIT_CODE: &str = "OUTPUT_LIMIT";

/// The node error for a result that could not be encoded.
#[cold]
pub(crate) fn encoding_failed(error: &crate::value::ValueError) -> NodeError {
    if error.kind() == ValueErrorKind::Full {
        return NodeError::with_code(
            OUTPUT_LIMIT_CODE,
            "the result is over the host's limit for outputs",
        );
    }
    NodeError::new(format!("the result cannot be encoded: {error}"))
}
