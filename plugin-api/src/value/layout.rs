//! Invariant: every read here is total; bytes that do not fit give `None`, never a panic.

/// Lists and maps may be nested this deep. It is the deepest nesting that `serde_json` reads, so every value can
/// travel as JSON text.
pub const MAX_DEPTH: usize = 127;

/// From this many elements on, a list or map ends in an offset table; with fewer, a scan is as quick.
pub const TABLE_FROM: usize = 16;

pub(super) const NULL: u8 = 0;
pub(super) const FALSE: u8 = 1;
pub(super) const TRUE: u8 = 2;
pub(super) const I64: u8 = 3;
pub(super) const F64: u8 = 4;
pub(super) const STR: u8 = 5;
pub(super) const BYTES: u8 = 6;
pub(super) const LIST: u8 = 7;
pub(super) const MAP: u8 = 8;

/// Tag, byte length and count: where the elements of a list or map begin.
pub(super) const HEADER: usize = 9;

/// Tag and byte length: where the payload of a string, byte string, list or map begins.
pub(super) const PREFIX: usize = 5;

/// Splits a leading `u32` off.
#[inline]
pub(super) fn split_u32(buf: &[u8]) -> Option<(usize, &[u8])> {
    let (head, rest) = buf.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*head) as usize, rest))
}

/// The size of the value that `buf` begins with, as its own prefix claims it.
#[inline]
pub(super) fn size(buf: &[u8]) -> Option<usize> {
    let (tag, rest) = buf.split_first()?;
    match *tag {
        NULL..=TRUE => Some(1),
        I64 | F64 => Some(9),
        STR..=MAP => PREFIX.checked_add(split_u32(rest)?.0),
        _ => None,
    }
}

/// Splits the leading value off.
#[inline]
pub(super) fn split_value(buf: &[u8]) -> Option<(&[u8], &[u8])> {
    buf.split_at_checked(size(buf)?)
}

/// Splits the leading map key off.
#[inline]
pub(super) fn split_key(buf: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = split_u32(buf)?;
    rest.split_at_checked(len)
}

/// The payload of a value that has a byte length.
#[inline]
pub(super) fn payload(raw: &[u8]) -> Option<&[u8]> {
    raw.get(PREFIX..)
}

/// Entry `index` of the offset table at the end of `raw`, a list or map of `count` elements.
#[inline]
pub(super) fn table_entry(raw: &[u8], count: usize, index: usize) -> Option<usize> {
    let back = count.checked_sub(index)?.checked_mul(4)?;
    let at = raw.len().checked_sub(back)?;
    Some(split_u32(raw.get(at..)?)?.0)
}

/// One of 64 bits, chosen by the key: two keys with different bits cannot be equal.
#[inline]
pub(super) fn key_bit(key: &[u8]) -> u64 {
    let (first, last) = (
        key.first().copied().unwrap_or_default(),
        key.last().copied().unwrap_or_default(),
    );
    let middle = key.get(key.len() / 2).copied().unwrap_or_default();
    let mix = u32::from_le_bytes([key.len() as u8, first, middle, last]).wrapping_mul(0x9E37_79B1);
    1 << (mix >> 26)
}

/// Whether `raw`, a well-formed value, nests lists and maps no deeper than `allowed`.
pub(super) fn fits_depth(raw: &[u8], allowed: usize) -> bool {
    // Each level costs at least one header, so a short value needs no walk.
    if raw.len() / HEADER <= allowed {
        return true;
    }
    let (Some(&tag), Some((count, mut rest))) = (raw.first(), raw.get(PREFIX..).and_then(split_u32)) else {
        return true;
    };
    if tag != LIST && tag != MAP {
        return true;
    }
    if allowed == 0 {
        return false;
    }
    for _ in 0..count {
        if tag == MAP {
            let Some((_, after)) = split_key(rest) else {
                return true;
            };
            rest = after;
        }
        let Some((value, after)) = split_value(rest) else {
            return true;
        };
        if matches!(value.first(), Some(&(LIST | MAP))) && !fits_depth(value, allowed - 1) {
            return false;
        }
        rest = after;
    }
    true
}
