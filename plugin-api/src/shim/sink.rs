//! Writing into a buffer that the host owns.

use std::marker::PhantomData;
use std::ptr::NonNull;

use serde::Serialize;

use crate::NodeError;
use crate::abi::{Sink, Status, status};
use crate::value::{Full, Output, ValueError, ValueRef, encode};

/// A [`Sink`] as a growing buffer of encoded values.
#[derive(Debug)]
pub struct SinkWriter<'s> {
    sink: NonNull<Sink>,
    lent: PhantomData<&'s mut Sink>,
}

impl SinkWriter<'_> {
    /// # Safety
    /// 1. `sink` is valid and exclusive during the writer's lifetime, as duty A2 says.
    #[inline]
    pub(crate) unsafe fn new(sink: *mut Sink) -> Option<Self> {
        NonNull::new(sink).map(|sink| Self {
            sink,
            lent: PhantomData,
        })
    }

    /// Replaces what was written by `value`.
    ///
    /// # Errors
    /// When it cannot be encoded, or the output is over the host's limit.
    pub fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        self.truncate(0);
        encode(value, self)
    }

    /// Replaces what was written by an encoded value, copied as it is.
    ///
    /// # Errors
    /// When the output is over the host's limit.
    pub fn write_value(&mut self, value: ValueRef<'_>) -> Result<(), Full> {
        self.truncate(0);
        self.push(value.raw())
    }

    /// Replaces what was written by an error, and gives the status that goes with it.
    #[cold]
    pub(crate) fn fail(&mut self, error: &NodeError, as_status: Status) -> Status {
        if self.write(error).is_err() {
            // The error itself does not fit: the status alone must do.
            self.truncate(0);
        }
        as_status
    }

    #[inline]
    fn sink(&self) -> &Sink {
        // SAFETY: duty 1 of `new`.
        unsafe { self.sink.as_ref() }
    }

    #[inline]
    fn sink_mut(&mut self) -> &mut Sink {
        // SAFETY: duty 1 of `new`; `self` is borrowed exclusively.
        unsafe { self.sink.as_mut() }
    }

    #[cold]
    fn grow(&mut self, additional: usize) -> Result<(), Full> {
        let reserve = self.sink().reserve;
        // SAFETY: duty A3: `reserve` may be called with its own sink; no borrow of it is held here.
        let answer = unsafe { reserve(self.sink.as_ptr(), additional) };
        let sink = self.sink();
        if answer == status::OK && sink.cap - sink.len >= additional {
            Ok(())
        } else {
            Err(Full)
        }
    }
}

impl Output for SinkWriter<'_> {
    #[inline]
    fn push(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let sink = self.sink();
        if sink.cap - sink.len < bytes.len() {
            self.grow(bytes.len())?;
        }
        let sink = self.sink_mut();
        // SAFETY: `len <= cap - bytes.len()` was just established, so the end stays inside the buffer of duty A2.
        let end = unsafe { sink.data.add(sink.len) };
        // SAFETY: `end` has room for `bytes`, which cannot overlap a buffer that only this writer may touch.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), end, bytes.len()) };
        sink.len += bytes.len();
        Ok(())
    }

    #[inline]
    fn len(&self) -> usize {
        self.sink().len
    }

    #[inline]
    fn patch_u32(&mut self, at: usize, value: u32) {
        let sink = self.sink_mut();
        if at.checked_add(4).is_none_or(|end| end > sink.len) {
            return;
        }
        // SAFETY: `at + 4 <= len`, inside the buffer of duty A2.
        let place = unsafe { sink.data.add(at) };
        // SAFETY: four bytes at `place` are inside the buffer; the copy is by bytes, so alignment does not matter.
        unsafe { std::ptr::copy_nonoverlapping(value.to_le_bytes().as_ptr(), place, 4) };
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        let sink = self.sink_mut();
        sink.len = sink.len.min(len);
    }

    #[inline]
    fn written(&self) -> &[u8] {
        let sink = self.sink();
        if sink.len == 0 {
            return &[];
        }
        // SAFETY: duty A2: `data[..len]` is initialised, and `self` is borrowed while the slice lives.
        unsafe { std::slice::from_raw_parts(sink.data, sink.len) }
    }
}
