//! UNSAFE ZONE 1: everything that touches memory of the other side.
//!
//! Invariant: safe code on both sides sees only slices with a lifetime, validated values and owned errors. What makes
//! each raw access sound is a duty of the other side that [`crate::abi`] states; the `SAFETY` comments name them:
//!
//! * **A1** a [`Bytes`] is readable for `len` bytes for the lifetime its place states;
//! * **A2** a [`Sink`](crate::abi::Sink) pointer is valid and exclusive for the call it was passed to, and
//!   `data[..cap]` is writable, `data[..len]` initialised;
//! * **A3** pointers to [`Call`](crate::abi::Call), [`Context`](crate::abi::Context), tables and handles are valid
//!   for the lifetime their type states, and function pointers in them may be called in the states it states;
//! * **A4** an instance or future pointer is one that this side made, not yet destroyed, and is destroyed once.

mod ctx;
mod fence;
#[cfg(feature = "host")]
pub mod host;
mod plugin;
mod sink;
mod waker;

pub(crate) use ctx::RawCtx;
pub(crate) use plugin::encoding_failed;
pub use plugin::{
    async_table, describe, plugin_table, root_module, root_ref, root_with_metadata, shutdown, start,
    sync_table,
};
pub use sink::SinkWriter;

use crate::abi::Bytes;

impl Bytes {
    /// Lends out `bytes`.
    #[must_use]
    pub const fn lend(bytes: &[u8]) -> Self {
        Self {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// Borrows the bytes.
    ///
    /// # Safety
    /// 1. `ptr` is readable and unchanged for `len` bytes during `'a` (or `len` is 0).
    #[must_use]
    #[inline]
    pub const unsafe fn borrow<'a>(self) -> &'a [u8] {
        if self.len == 0 || self.ptr.is_null() {
            return &[];
        }
        // SAFETY: duty 1; `u8` has neither alignment nor validity demands.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }
}
