//! The buffer a plugin writes into.

use crate::abi::{Sink, Status, status};
use crate::shim::SinkWriter;
use crate::shim::host::Refusal;
use crate::value::Output;

/// A buffer of the host that a plugin writes into.
#[repr(C)]
#[derive(Debug)]
pub struct HostSink {
    sink: Sink,
    bytes: Vec<u8>,
    pub(super) limit: usize,
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
        let writer = unsafe { SinkWriter::new(self.lend()) };
        writer
            .and_then(|mut writer| writer.push(bytes).ok())
            .ok_or(Refusal::Limit)
    }

    /// The sink to lend out; valid while `self` stays where it is and is not touched otherwise.
    #[inline]
    pub(super) fn lend(&mut self) -> *mut Sink {
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
