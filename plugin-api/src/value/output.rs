//! Invariant: bytes that were pushed stay where they are, relative to the start, until they are cut off.

use super::error::Full;

/// A buffer that values are written into: a `Vec<u8>`, or the buffer that the host owns.
///
/// `push` is called with a few bytes at a time; implementations make the case "it fits" an inlined copy.
pub trait Output {
    /// Appends `bytes`, all of them or none.
    fn push(&mut self, bytes: &[u8]) -> Result<(), Full>;

    /// The number of bytes written.
    fn len(&self) -> usize;

    /// Whether nothing was written.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Overwrites the four bytes at `at`, which were written before, with `value` in little-endian order.
    fn patch_u32(&mut self, at: usize, value: u32);

    /// Forgets everything after the first `len` bytes.
    fn truncate(&mut self, len: usize);

    /// The bytes written.
    fn written(&self) -> &[u8];
}

impl Output for Vec<u8> {
    #[inline]
    fn push(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn len(&self) -> usize {
        Vec::len(self)
    }

    #[inline]
    fn patch_u32(&mut self, at: usize, value: u32) {
        if let Some(slot) = self.get_mut(at..).and_then(|tail| tail.first_chunk_mut()) {
            *slot = value.to_le_bytes();
        }
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        Vec::truncate(self, len);
    }

    #[inline]
    fn written(&self) -> &[u8] {
        self
    }
}
