//! A vector whose next version shares all but the touched chunks with this one, so that publishing a swap among
//! ten thousand routes copies some dozens of them.

use std::sync::Arc;

const CHUNK: usize = 64;

type Chunk<T> = [Option<T>; CHUNK];

/// An immutable sparse vector in shared chunks.
pub(crate) struct Chunked<T> {
    chunks: Box<[Arc<Chunk<T>>]>,
}

impl<T> Clone for Chunked<T> {
    fn clone(&self) -> Self {
        Self {
            chunks: self.chunks.clone(),
        }
    }
}

impl<T: Clone> Chunked<T> {
    pub(crate) fn new() -> Self {
        Self {
            chunks: Box::default(),
        }
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        self.chunks.get(index / CHUNK)?[index % CHUNK].as_ref()
    }

    /// The next version, in which each index of `changes` has its new content.
    pub(crate) fn with(&self, changes: impl IntoIterator<Item = (usize, Option<T>)>) -> Self {
        let mut chunks = self.chunks.to_vec();
        for (index, value) in changes {
            let at = index / CHUNK;
            if at >= chunks.len() {
                chunks.resize_with(at + 1, || Arc::new([const { None }; CHUNK]));
            }
            Arc::make_mut(&mut chunks[at])[index % CHUNK] = value;
        }
        Self {
            chunks: chunks.into(),
        }
    }

    /// What is there, with its index, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let all = self.chunks.iter().flat_map(|chunk| chunk.iter());
        all.enumerate()
            .filter_map(|(index, value)| Some((index, value.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_version_has_the_changes_and_this_one_does_not() {
        let first = Chunked::new().with([(0, Some(1)), (200, Some(2))]);
        let second = first.with([(200, None), (64, Some(3)), (0, Some(4))]);
        assert_eq!(first.iter().collect::<Vec<_>>(), [(0, &1), (200, &2)]);
        assert_eq!(second.iter().collect::<Vec<_>>(), [(0, &4), (64, &3)]);
        assert_eq!((second.get(200), second.get(100_000)), (None, None));
    }

    #[test]
    fn untouched_chunks_are_shared() {
        let first = Chunked::new().with([(0, Some(1)), (200, Some(2))]);
        let second = first.with([(0, Some(3))]);
        assert!(Arc::ptr_eq(&first.chunks[3], &second.chunks[3]));
        assert!(!Arc::ptr_eq(&first.chunks[0], &second.chunks[0]));
    }
}
