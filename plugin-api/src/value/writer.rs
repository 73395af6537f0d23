//! Invariant: a writer writes one whole value, or, when it fails, nothing at all.
//!
//! A [`Writer`] is used up by writing, so a second value at the same place does not compile; an entry or item
//! without a value is an error.

use super::emit::{self, OpenList, OpenMap};
use super::error::ValueError;
use super::output::Output;
use super::view::ValueRef;

/// Writes one value at the end of an output.
///
/// ```
/// # use plugin_api::value::{Writer, ValueRef};
/// let mut out = Vec::new();
/// Writer::new(&mut out).map(|m| {
///     m.entry("name", |w| w.str("rope"))?;
///     m.entry("sizes", |w| w.list(|l| { l.i64(3)?; l.i64(5) }))
/// })?;
/// assert_eq!(ValueRef::parse(&out)?.to_json(), r#"{"name":"rope","sizes":[3,5]}"#);
/// # Ok::<(), plugin_api::value::ValueError>(())
/// ```
pub struct Writer<'o, O: Output> {
    out: &'o mut O,
    depth: usize,
}

/// Writes the items of a list.
pub struct ListWriter<'o, O: Output> {
    out: &'o mut O,
    depth: usize,
    open: OpenList,
}

/// Writes the entries of a map.
pub struct MapWriter<'o, O: Output> {
    out: &'o mut O,
    depth: usize,
    open: OpenMap,
}

impl<'o, O: Output> Writer<'o, O> {
    /// A writer for one value at the end of `out`.
    #[inline]
    pub fn new(out: &'o mut O) -> Self {
        Self { out, depth: 0 }
    }

    /// Undoes a write that failed half way.
    #[inline]
    fn whole(self, write: impl FnOnce(&mut O, usize) -> Result<(), ValueError>) -> Result<(), ValueError> {
        let start = self.out.len();
        let done = write(self.out, self.depth);
        if done.is_err() {
            self.out.truncate(start);
        }
        done
    }

    /// Writes null.
    #[inline]
    pub fn null(self) -> Result<(), ValueError> {
        emit::null(self.out)
    }

    /// Writes a boolean.
    #[inline]
    pub fn bool(self, value: bool) -> Result<(), ValueError> {
        emit::bool(self.out, value)
    }

    /// Writes an integer.
    #[inline]
    pub fn i64(self, value: i64) -> Result<(), ValueError> {
        emit::i64(self.out, value)
    }

    /// Writes a float; NaN and infinities are refused.
    #[inline]
    pub fn f64(self, value: f64) -> Result<(), ValueError> {
        emit::f64(self.out, value)
    }

    /// Writes a string.
    #[inline]
    pub fn str(self, text: &str) -> Result<(), ValueError> {
        self.whole(|out, _| emit::str(out, text))
    }

    /// Writes a byte string.
    #[inline]
    pub fn bytes(self, bytes: &[u8]) -> Result<(), ValueError> {
        self.whole(|out, _| emit::bytes(out, bytes))
    }

    /// Copies a value, whatever its size, without looking into it.
    #[inline]
    pub fn value(self, value: ValueRef<'_>) -> Result<(), ValueError> {
        emit::raw(self.out, value.raw(), self.depth)
    }

    /// Writes a list; the closure writes its items.
    pub fn list(
        self,
        items: impl FnOnce(&mut ListWriter<'_, O>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        self.whole(|out, depth| {
            let open = OpenList::begin(out, depth, 0)?;
            let mut list = ListWriter {
                out,
                depth: depth + 1,
                open,
            };
            items(&mut list)?;
            list.open.end(list.out)
        })
    }

    /// Writes a map; the closure writes its entries.
    pub fn map(
        self,
        entries: impl FnOnce(&mut MapWriter<'_, O>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        self.whole(|out, depth| {
            let open = OpenMap::begin(out, depth, 0)?;
            let mut map = MapWriter {
                out,
                depth: depth + 1,
                open,
            };
            entries(&mut map)?;
            map.open.end(map.out)
        })
    }
}

impl<O: Output> ListWriter<'_, O> {
    /// Writes one item with the writer that the closure gets.
    #[inline]
    pub fn item(
        &mut self,
        write: impl FnOnce(Writer<'_, O>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        let start = self.out.len();
        let index = self.open.count;
        write(Writer {
            out: &mut *self.out,
            depth: self.depth,
        })
        .map_err(|e| e.at_index(index))?;
        if self.out.len() == start {
            return Err(ValueError::malformed("an item was begun and no value written").at_index(index));
        }
        self.open.count += 1;
        Ok(())
    }

    /// Appends null.
    pub fn null(&mut self) -> Result<(), ValueError> {
        self.value(ValueRef::NULL)
    }

    /// Appends a boolean.
    pub fn bool(&mut self, value: bool) -> Result<(), ValueError> {
        self.item(|w| w.bool(value))
    }

    /// Appends an integer.
    pub fn i64(&mut self, value: i64) -> Result<(), ValueError> {
        self.item(|w| w.i64(value))
    }

    /// Appends a float; NaN and infinities are refused.
    pub fn f64(&mut self, value: f64) -> Result<(), ValueError> {
        self.item(|w| w.f64(value))
    }

    /// Appends a string.
    pub fn str(&mut self, text: &str) -> Result<(), ValueError> {
        self.item(|w| w.str(text))
    }

    /// Appends a byte string.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), ValueError> {
        self.item(|w| w.bytes(bytes))
    }

    /// Appends a copy of a value.
    pub fn value(&mut self, value: ValueRef<'_>) -> Result<(), ValueError> {
        self.item(|w| w.value(value))
    }

    /// Appends a list.
    pub fn list(
        &mut self,
        items: impl FnOnce(&mut ListWriter<'_, O>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        self.item(|w| w.list(items))
    }

    /// Appends a map.
    pub fn map(
        &mut self,
        entries: impl FnOnce(&mut MapWriter<'_, O>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        self.item(|w| w.map(entries))
    }
}

impl<O: Output> MapWriter<'_, O> {
    /// Writes one entry, its value with the writer that the closure gets. A key that the map already has is
    /// reported when the map ends.
    #[inline]
    pub fn entry(
        &mut self,
        key: &str,
        write: impl FnOnce(Writer<'_, O>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        let start = self.out.len();
        let done = self.write_entry(key, write);
        if done.is_err() {
            self.out.truncate(start);
        }
        done.map_err(|e| e.at_key(key.as_bytes()))
    }

    #[inline]
    fn write_entry(
        &mut self,
        key: &str,
        write: impl FnOnce(Writer<'_, O>) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        emit::key(self.out, key)?;
        let start = self.out.len();
        write(Writer {
            out: &mut *self.out,
            depth: self.depth,
        })?;
        if self.out.len() == start {
            return Err(ValueError::malformed("an entry was begun and no value written"));
        }
        self.open.note(key.as_bytes());
        Ok(())
    }
}
