//! Invariant: whoever opens a list or map and writes `count` values into it gets a canonical encoding from `end`.
//!
//! These are the steps that [`Writer`](super::Writer), the serde encoder and the JSON reader share.

use super::check::appears_before;
use super::error::ValueError;
use super::layout::{
    self, BYTES, F64, FALSE, HEADER, I64, LIST, MAP, MAX_DEPTH, NULL, PREFIX, STR, TABLE_FROM, TRUE, key_bit,
    split_key, split_value,
};
use super::output::Output;

/// Maps with up to this many entries are sorted on the stack.
const SORTED_INLINE: usize = 64;

/// Heads and bodies that are together no longer than this go out in one push.
const JOINED: usize = 24;

#[inline]
pub(super) fn null<O: Output + ?Sized>(out: &mut O) -> Result<(), ValueError> {
    Ok(out.push(&[NULL])?)
}

#[inline]
pub(super) fn bool<O: Output + ?Sized>(out: &mut O, value: bool) -> Result<(), ValueError> {
    Ok(out.push(&[if value { TRUE } else { FALSE }])?)
}

#[inline]
pub(super) fn i64<O: Output + ?Sized>(out: &mut O, value: i64) -> Result<(), ValueError> {
    word(out, I64, value.to_le_bytes())
}

#[inline]
pub(super) fn f64<O: Output + ?Sized>(out: &mut O, value: f64) -> Result<(), ValueError> {
    if value.is_finite() {
        word(out, F64, value.to_le_bytes())
    } else {
        Err(ValueError::not_finite())
    }
}

#[inline]
fn word<O: Output + ?Sized>(out: &mut O, tag: u8, word: [u8; 8]) -> Result<(), ValueError> {
    let [a, b, c, d, e, f, g, h] = word;
    Ok(out.push(&[tag, a, b, c, d, e, f, g, h])?)
}

#[inline]
pub(super) fn str<O: Output + ?Sized>(out: &mut O, text: &str) -> Result<(), ValueError> {
    counted(out, STR, text.as_bytes())
}

#[inline]
pub(super) fn bytes<O: Output + ?Sized>(out: &mut O, bytes: &[u8]) -> Result<(), ValueError> {
    counted(out, BYTES, bytes)
}

#[inline]
fn counted<O: Output + ?Sized>(out: &mut O, tag: u8, bytes: &[u8]) -> Result<(), ValueError> {
    let [a, b, c, d] = length(bytes.len())?.to_le_bytes();
    out.push(&[tag, a, b, c, d])?;
    Ok(out.push(bytes)?)
}

#[inline]
fn length(len: usize) -> Result<u32, ValueError> {
    u32::try_from(len)
        .ok()
        .filter(|&len| len <= u32::MAX - PREFIX as u32)
        .ok_or_else(ValueError::size)
}

/// Writes text that is only known piece by piece, with its length in front and `tag` before that, if any.
pub(super) fn display<O: Output + ?Sized>(
    out: &mut O,
    tag: Option<u8>,
    text: &(impl std::fmt::Display + ?Sized),
) -> Result<(), ValueError> {
    struct Pieces<'o, O: ?Sized>(&'o mut O);
    impl<O: Output + ?Sized> std::fmt::Write for Pieces<'_, O> {
        fn write_str(&mut self, piece: &str) -> std::fmt::Result {
            self.0.push(piece.as_bytes()).map_err(|_| std::fmt::Error)
        }
    }
    if let Some(tag) = tag {
        out.push(&[tag])?;
    }
    let at = out.len();
    out.push(&[0; 4])?;
    std::fmt::Write::write_fmt(&mut Pieces(&mut *out), format_args!("{text}")).map_err(|_| super::Full)?;
    let len = length(out.len() - at - 4)?;
    out.patch_u32(at, len);
    Ok(())
}

/// Writes a tag-less text: a map key.
#[inline]
pub(super) fn key<O: Output + ?Sized>(out: &mut O, key: &str) -> Result<(), ValueError> {
    headed(out, length(key.len())?.to_le_bytes(), key.as_bytes())
}

/// Writes a head and a body. A body of a few bytes is joined to its head first, since each push has its price.
#[inline]
fn headed<const HEAD: usize, O: Output + ?Sized>(
    out: &mut O,
    head: [u8; HEAD],
    body: &[u8],
) -> Result<(), ValueError> {
    let mut joined = [0; JOINED];
    if let Some((slot, rest)) = joined.split_first_chunk_mut::<HEAD>()
        && let Some(rest) = rest.get_mut(..body.len())
    {
        *slot = head;
        rest.copy_from_slice(body);
        if let Some(joined) = joined.get(..HEAD + body.len()) {
            return Ok(out.push(joined)?);
        }
    }
    out.push(&head)?;
    Ok(out.push(body)?)
}

/// Copies a well-formed value whose surroundings are `depth` levels deep.
#[inline]
pub(super) fn raw<O: Output + ?Sized>(out: &mut O, raw: &[u8], depth: usize) -> Result<(), ValueError> {
    if depth > 0 && !layout::fits_depth(raw, MAX_DEPTH.saturating_sub(depth)) {
        return Err(ValueError::depth());
    }
    Ok(out.push(raw)?)
}

#[inline]
fn open<O: Output + ?Sized>(
    out: &mut O,
    tag: u8,
    depth: usize,
    declared: usize,
) -> Result<usize, ValueError> {
    if depth >= MAX_DEPTH {
        return Err(ValueError::depth());
    }
    let start = out.len();
    let [a, b, c, d] = (declared as u32).to_le_bytes();
    out.push(&[tag, 0, 0, 0, 0, a, b, c, d])?;
    Ok(start)
}

#[inline]
fn close<O: Output + ?Sized>(
    out: &mut O,
    start: usize,
    declared: usize,
    count: usize,
) -> Result<(), ValueError> {
    let size = length(out.len() - start - PREFIX)?;
    out.patch_u32(start + 1, size);
    if declared != count {
        out.patch_u32(start + PREFIX, count as u32);
    }
    Ok(())
}

/// A list that is being written.
pub(super) struct OpenList {
    start: usize,
    declared: usize,
    pub(super) count: usize,
}

impl OpenList {
    /// Begins a list inside of `depth` others. `declared` items are expected; another count costs a patch.
    #[inline]
    pub(super) fn begin<O: Output + ?Sized>(
        out: &mut O,
        depth: usize,
        declared: usize,
    ) -> Result<Self, ValueError> {
        Ok(Self {
            start: open(out, LIST, depth, declared)?,
            declared,
            count: 0,
        })
    }

    #[inline]
    pub(super) fn end<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), ValueError> {
        if self.count >= TABLE_FROM {
            self.write_table(out)?;
        }
        close(out, self.start, self.declared, self.count)
    }

    fn write_table<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), ValueError> {
        let mut at = HEADER;
        let mut offsets = [0_u32; SORTED_INLINE];
        let mut left = self.count;
        while left > 0 {
            let batch = left.min(SORTED_INLINE);
            let written = out.written().get(self.start..).unwrap_or_default();
            for slot in offsets.iter_mut().take(batch) {
                *slot = length(at)?;
                at += written
                    .get(at..)
                    .and_then(layout::size)
                    .ok_or_else(ValueError::truncated)?;
            }
            push_offsets(out, offsets.get(..batch).unwrap_or_default())?;
            left -= batch;
        }
        Ok(())
    }
}

fn push_offsets<O: Output + ?Sized>(out: &mut O, offsets: &[u32]) -> Result<(), ValueError> {
    let mut bytes = [0_u8; 4 * SORTED_INLINE];
    for batch in offsets.chunks(SORTED_INLINE) {
        for (slot, offset) in bytes.chunks_exact_mut(4).zip(batch) {
            slot.copy_from_slice(&offset.to_le_bytes());
        }
        out.push(bytes.get(..batch.len() * 4).unwrap_or_default())?;
    }
    Ok(())
}

/// A map that is being written.
pub(super) struct OpenMap {
    pub(super) start: usize,
    declared: usize,
    pub(super) count: usize,
    seen: u64,
    suspect: bool,
}

impl OpenMap {
    /// Begins a map inside of `depth` others. `declared` entries are expected; another count costs a patch.
    #[inline]
    pub(super) fn begin<O: Output + ?Sized>(
        out: &mut O,
        depth: usize,
        declared: usize,
    ) -> Result<Self, ValueError> {
        let start = open(out, MAP, depth, declared)?;
        Ok(Self {
            start,
            declared,
            count: 0,
            seen: 0,
            suspect: false,
        })
    }

    /// Writes a key; its value must follow.
    #[inline]
    pub(super) fn key<O: Output + ?Sized>(&mut self, out: &mut O, text: &str) -> Result<(), ValueError> {
        key(out, text)?;
        self.note(text.as_bytes());
        Ok(())
    }

    /// Counts a key that was written at `at` by other means.
    pub(super) fn key_at<O: Output + ?Sized>(&mut self, out: &O, at: usize) {
        let (key, _) = out.written().get(at..).and_then(split_key).unwrap_or_default();
        self.note(key);
    }

    #[inline]
    pub(super) fn note(&mut self, key: &[u8]) {
        let bit = key_bit(key);
        self.suspect |= self.seen & bit != 0;
        self.seen |= bit;
        self.count += 1;
    }

    /// Ends the map. A duplicate key is found before anything is written.
    #[inline]
    pub(super) fn end<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), ValueError> {
        if self.count >= TABLE_FROM {
            self.write_table(out)?;
        } else if self.suspect {
            self.compare_keys(out.written())?;
        }
        close(out, self.start, self.declared, self.count)
    }

    fn compare_keys(&self, written: &[u8]) -> Result<(), ValueError> {
        let entries = written.get(self.start + HEADER..).unwrap_or_default();
        let mut rest = entries;
        for index in 0..self.count {
            let (key, after) = split_key(rest).ok_or_else(ValueError::truncated)?;
            if appears_before(entries, index, key) {
                return Err(ValueError::duplicate(key));
            }
            rest = split_value(after).ok_or_else(ValueError::truncated)?.1;
        }
        Ok(())
    }

    fn write_table<O: Output + ?Sized>(&self, out: &mut O) -> Result<(), ValueError> {
        let mut inline = [0_u32; SORTED_INLINE];
        let mut heap = Vec::new();
        let offsets = if let Some(inline) = inline.get_mut(..self.count) {
            inline
        } else {
            heap.resize(self.count, 0);
            heap.as_mut_slice()
        };
        let written = out.written().get(self.start..).unwrap_or_default();
        let mut at = HEADER;
        for slot in offsets.iter_mut() {
            *slot = length(at)?;
            let (key, after) = written
                .get(at..)
                .and_then(split_key)
                .ok_or_else(ValueError::truncated)?;
            at += 4 + key.len() + layout::size(after).ok_or_else(ValueError::truncated)?;
        }
        let key_of = |offset: u32| {
            written
                .get(offset as usize..)
                .and_then(split_key)
                .unwrap_or_default()
                .0
        };
        offsets.sort_unstable_by(|a, b| key_of(*a).cmp(key_of(*b)));
        for pair in offsets.windows(2) {
            if let [a, b] = *pair
                && key_of(a) == key_of(b)
            {
                return Err(ValueError::duplicate(key_of(a)));
            }
        }
        push_offsets(out, offsets)
    }
}
