//! Invariant: bytes that pass are the one canonical encoding of one value, whole and with nothing after it.
//!
//! The recursion is bounded by `MAX_DEPTH`, and every element costs at least one byte of input, so hostile counts
//! end in "truncated" as soon as the bytes do.

use super::error::ValueError;
use super::layout::{
    self, BYTES, F64, FALSE, HEADER, I64, LIST, MAP, MAX_DEPTH, NULL, STR, TABLE_FROM, TRUE, key_bit,
    split_key, split_u32, split_value,
};
use super::short;

/// Checks that `buf` is exactly one canonical value.
pub(super) fn check(buf: &[u8]) -> Result<(), ValueError> {
    if u32::try_from(buf.len()).is_err() {
        return Err(ValueError::size());
    }
    let rest = Checker { offsets: Vec::new() }.value(buf, 0)?;
    if rest.is_empty() {
        Ok(())
    } else {
        Err(ValueError::malformed("bytes follow the value"))
    }
}

struct Checker {
    /// The sorted offset tables of the maps being walked, innermost last; allocates only for large maps.
    offsets: Vec<u32>,
}

impl Checker {
    /// Checks the value that `buf` begins with and returns what follows it.
    #[inline(always)]
    fn value<'a>(&mut self, buf: &'a [u8], depth: usize) -> Result<&'a [u8], ValueError> {
        let Some((raw, rest)) = split_value(buf) else {
            return Err(unsplittable(buf));
        };
        match raw.first().copied().unwrap_or(NULL) {
            NULL | FALSE | TRUE | I64 | BYTES => {}
            F64 => {
                let bits = raw.get(1..).and_then(|b| b.first_chunk::<8>());
                if !bits.is_some_and(|b| f64::from_le_bytes(*b).is_finite()) {
                    return Err(ValueError::not_finite());
                }
            }
            STR => check_text(layout::payload(raw).unwrap_or_default())?,
            tag => self.container(tag, raw, depth)?,
        }
        Ok(rest)
    }

    fn container(&mut self, tag: u8, raw: &[u8], depth: usize) -> Result<(), ValueError> {
        if depth >= MAX_DEPTH {
            return Err(ValueError::depth());
        }
        let Some((count, body)) = layout::payload(raw).and_then(split_u32) else {
            return Err(ValueError::truncated());
        };
        let table = if count >= TABLE_FROM {
            count.checked_mul(4)
        } else {
            Some(0)
        };
        let Some(elements) = table.and_then(|table| body.len().checked_sub(table)) else {
            return Err(ValueError::truncated());
        };
        let elements = body.get(..elements).unwrap_or_default();
        let left = match tag {
            LIST => self.list(raw, elements, count, depth)?,
            MAP if count < TABLE_FROM => self.small_map(elements, count, depth)?,
            _ => self.large_map(raw, elements, count, depth)?,
        };
        if left.is_empty() {
            Ok(())
        } else {
            Err(ValueError::malformed("bytes follow the last element"))
        }
    }

    fn list<'a>(
        &mut self,
        raw: &[u8],
        items: &'a [u8],
        count: usize,
        depth: usize,
    ) -> Result<&'a [u8], ValueError> {
        let mut rest = items;
        for index in 0..count {
            let at = HEADER + (items.len() - rest.len());
            if count >= TABLE_FROM && layout::table_entry(raw, count, index) != Some(at) {
                return Err(ValueError::malformed("the offset table of a list is wrong").at_index(index));
            }
            rest = self.value(rest, depth + 1).map_err(|e| e.at_index(index))?;
        }
        Ok(rest)
    }

    fn small_map<'a>(
        &mut self,
        entries: &'a [u8],
        count: usize,
        depth: usize,
    ) -> Result<&'a [u8], ValueError> {
        let mut rest = entries;
        let mut seen = 0_u64;
        for index in 0..count {
            let Some((key, value)) = split_key(rest) else {
                return Err(ValueError::truncated());
            };
            check_text(key)?;
            let bit = key_bit(key);
            if seen & bit != 0 && appears_before(entries, index, key) {
                return Err(ValueError::duplicate(key));
            }
            seen |= bit;
            rest = self.value(value, depth + 1).map_err(|e| e.at_key(key))?;
        }
        Ok(rest)
    }

    /// The table must hold the offset of every entry once (compared with a sorted copy), in strictly ascending
    /// order of the keys, which leaves no room for a duplicate.
    fn large_map<'a>(
        &mut self,
        raw: &[u8],
        entries: &'a [u8],
        count: usize,
        depth: usize,
    ) -> Result<&'a [u8], ValueError> {
        let wrong = || ValueError::malformed("the offset table of a map is wrong");
        let base = self.offsets.len();
        let table = raw.get(raw.len() - count * 4..).unwrap_or_default();
        self.offsets.extend(
            table
                .chunks_exact(4)
                .filter_map(|c| c.first_chunk().copied().map(u32::from_le_bytes)),
        );
        self.offsets.get_mut(base..).unwrap_or_default().sort_unstable();

        let mut rest = entries;
        for index in 0..count {
            let at = HEADER + (entries.len() - rest.len());
            if self.offsets.get(base + index).map(|&o| o as usize) != Some(at) {
                return Err(wrong());
            }
            let Some((key, value)) = split_key(rest) else {
                return Err(ValueError::truncated());
            };
            check_text(key)?;
            rest = self.value(value, depth + 1).map_err(|e| e.at_key(key))?;
        }
        self.offsets.truncate(base);

        let mut last: Option<&[u8]> = None;
        for index in 0..count {
            let at = layout::table_entry(raw, count, index).ok_or_else(wrong)?;
            let (key, _) = raw.get(at..).and_then(split_key).ok_or_else(wrong)?;
            match last.map(|last| last.cmp(key)) {
                None | Some(std::cmp::Ordering::Less) => last = Some(key),
                Some(std::cmp::Ordering::Equal) => return Err(ValueError::duplicate(key)),
                Some(std::cmp::Ordering::Greater) => return Err(wrong()),
            }
        }
        Ok(rest)
    }
}

/// Whether one of the first `index` entries has this key.
pub(super) fn appears_before(entries: &[u8], index: usize, key: &[u8]) -> bool {
    let mut rest = entries;
    for _ in 0..index {
        let Some((earlier, value)) = split_key(rest) else {
            return false;
        };
        if short::same(earlier, key) {
            return true;
        }
        let Some((_, next)) = split_value(value) else {
            return false;
        };
        rest = next;
    }
    false
}

/// Short text is nearly always ASCII, which is quicker to see than to decode.
#[inline]
fn check_text(text: &[u8]) -> Result<(), ValueError> {
    if short::is_ascii(text) || std::str::from_utf8(text).is_ok() {
        Ok(())
    } else {
        Err(ValueError::malformed("a string or key is not UTF-8"))
    }
}

#[cold]
fn unsplittable(buf: &[u8]) -> ValueError {
    match buf.first() {
        Some(&tag) if tag > MAP => ValueError::malformed("unknown tag"),
        _ => ValueError::truncated(),
    }
}
