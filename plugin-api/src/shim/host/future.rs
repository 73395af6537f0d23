//! Async calls: what one owns while it runs, and how it is polled.

use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::task::{Context as TaskContext, Poll};

use super::answers::Frame;
use super::{Caller, HostServices, HostSink};
use crate::abi::{Bytes, Call, FutureHandle, HostTable, Status, WakerHandle, status};
use crate::shim::waker::Lent;
use crate::value::Value;

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

impl PluginFuture {
    /// Begins a call; everything it lends to the plugin is pinned in one box with the future.
    ///
    /// # Errors
    /// The status the plugin answered.
    ///
    /// # Safety
    /// 1. `start` is the entry point of a plugin that stays loaded until the future is dropped, and keeps the
    ///    contract of `NodeTable::start`: with the answer OK it has written a handle.
    pub(super) unsafe fn begin(
        call: AsyncCall,
        output_limit: usize,
        host: &'static HostTable,
        start: impl FnOnce(*const Call, *mut FutureHandle) -> Status,
    ) -> Result<Self, Status> {
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
        let frame = Frame::new(&caller, &*this.call.services, host);
        // SAFETY: the frame borrows from `call`, which lies in the same pinned box below it and is dropped after it.
        let frame = unsafe { std::mem::transmute::<Frame<'_>, Frame<'static>>(frame) };
        let context = this.frame.insert(frame).lend();
        let raw = Call {
            input: Bytes::lend(this.call.input.as_ref().raw()),
            out: std::ptr::null_mut(),
            context,
        };
        let mut handle = std::mem::MaybeUninit::<FutureHandle>::uninit();
        let answer = start(&raw const raw, handle.as_mut_ptr());
        if answer != status::OK {
            return Err(answer);
        }
        // SAFETY: duty 1: the handle is written when the answer is OK.
        this.handle = Some(unsafe { handle.assume_init() });
        Ok(Self { pinned })
    }
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
