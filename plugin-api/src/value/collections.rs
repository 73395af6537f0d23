//! Invariant: a view into a list or map yields as many elements as `len` says; lookups never allocate.

use super::layout::{self, HEADER, TABLE_FROM, split_key, split_value};
use super::short;
use super::view::ValueRef;

/// The list behind a [`ValueRef`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListRef<'a> {
    raw: &'a [u8],
    count: usize,
}

/// The map behind a [`ValueRef`]; entries keep the order in which they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapRef<'a> {
    raw: &'a [u8],
    count: usize,
}

impl<'a> ListRef<'a> {
    pub(super) fn new(raw: &'a [u8], count: usize) -> Self {
        Self { raw, count }
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The item at `index`, in constant time for long lists.
    pub fn get(&self, index: usize) -> Option<ValueRef<'a>> {
        if index >= self.count {
            return None;
        }
        if self.count < TABLE_FROM {
            return self.iter().nth(index);
        }
        let at = layout::table_entry(self.raw, self.count, index)?;
        let (value, _) = split_value(self.raw.get(at..)?)?;
        Some(ValueRef::trusted(value))
    }

    /// The items in order.
    #[inline]
    pub fn iter(&self) -> ListIter<'a> {
        ListIter {
            rest: self.raw.get(HEADER..).unwrap_or_default(),
            left: self.count,
        }
    }
}

impl<'a> MapRef<'a> {
    pub(super) fn new(raw: &'a [u8], count: usize) -> Self {
        Self { raw, count }
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The value under `key`: a scan of small maps, a binary search in large ones.
    pub fn get(&self, key: &str) -> Option<ValueRef<'a>> {
        let value = if self.count < TABLE_FROM {
            self.scan(key.as_bytes())
        } else {
            self.search(key.as_bytes())
        };
        value.map(ValueRef::trusted)
    }

    fn scan(&self, key: &[u8]) -> Option<&'a [u8]> {
        let mut rest = self.raw.get(HEADER..)?;
        for _ in 0..self.count {
            let (found, after) = split_key(rest)?;
            let (value, next) = split_value(after)?;
            if short::same(found, key) {
                return Some(value);
            }
            rest = next;
        }
        None
    }

    fn search(&self, key: &[u8]) -> Option<&'a [u8]> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let at = layout::table_entry(self.raw, self.count, middle)?;
            let (found, after) = split_key(self.raw.get(at..)?)?;
            match found.cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return split_value(after).map(|(value, _)| value),
            }
        }
        None
    }

    /// The entries in order.
    #[inline]
    pub fn iter(&self) -> MapIter<'a> {
        MapIter {
            rest: self.raw.get(HEADER..).unwrap_or_default(),
            left: self.count,
        }
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        self.iter().map(|(key, _)| key)
    }

    /// The values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = ValueRef<'a>> + use<'a> {
        self.iter().map(|(_, value)| value)
    }
}

/// The items of a list.
#[derive(Clone, Debug)]
pub struct ListIter<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for ListIter<'a> {
    type Item = ValueRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<ValueRef<'a>> {
        if self.left == 0 {
            return None;
        }
        let (value, rest) = split_value(self.rest)?;
        self.left -= 1;
        self.rest = rest;
        Some(ValueRef::trusted(value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for ListIter<'_> {}

/// The entries of a map.
#[derive(Clone, Debug)]
pub struct MapIter<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> MapIter<'a> {
    /// The next entry with its key as bytes, for those who compare it rather than show it.
    #[inline]
    pub(super) fn next_raw(&mut self) -> Option<(&'a [u8], ValueRef<'a>)> {
        if self.left == 0 {
            return None;
        }
        let (key, after) = split_key(self.rest)?;
        let (value, rest) = split_value(after)?;
        self.left -= 1;
        self.rest = rest;
        Some((key, ValueRef::trusted(value)))
    }
}

impl<'a> Iterator for MapIter<'a> {
    type Item = (&'a str, ValueRef<'a>);

    #[inline]
    fn next(&mut self) -> Option<(&'a str, ValueRef<'a>)> {
        let (key, value) = self.next_raw()?;
        Some((std::str::from_utf8(key).unwrap_or_default(), value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for MapIter<'_> {}

impl<'a> IntoIterator for ListRef<'a> {
    type Item = ValueRef<'a>;
    type IntoIter = ListIter<'a>;

    fn into_iter(self) -> ListIter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for MapRef<'a> {
    type Item = (&'a str, ValueRef<'a>);
    type IntoIter = MapIter<'a>;

    fn into_iter(self) -> MapIter<'a> {
        self.iter()
    }
}
