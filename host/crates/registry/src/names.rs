//! Names interned as small integers: given once, never changed, never given again.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// Maps are copied when they grow; many small ones keep that cheap among tens of thousands of names.
const MAPS: usize = 64;

/// An immutable table from names to indices in order of first appearance.
#[derive(Clone)]
pub(crate) struct Names<K> {
    maps: Box<[Arc<HashMap<K, u32>>]>,
    len: u32,
}

impl<K: Eq + Hash + Clone + Borrow<str>> Names<K> {
    pub(crate) fn new() -> Self {
        Self {
            maps: std::iter::repeat_with(Arc::default).take(MAPS).collect(),
            len: 0,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<u32> {
        self.maps[map_of(name)].get(name).copied()
    }

    /// The index of `name`, given now when it has none; only then is the shared table copied.
    pub(crate) fn intern(this: &mut Arc<Self>, name: &K) -> u32 {
        if let Some(index) = this.get(name.borrow()) {
            return index;
        }
        let names = Arc::make_mut(this);
        let index = names.len;
        Arc::make_mut(&mut names.maps[map_of(name.borrow())]).insert(name.clone(), index);
        names.len += 1;
        index
    }
}

fn map_of(name: &str) -> usize {
    // FNV-1a: only spreads the names, the maps themselves resist chosen keys.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 32) as usize % MAPS
}

#[cfg(test)]
mod tests {
    use patchbay_vocab::PluginName;

    use super::*;

    #[test]
    fn an_index_is_given_once_and_copies_do_not_disturb_each_other() {
        let mut names = Arc::new(Names::<PluginName>::new());
        let all: Vec<PluginName> = (0..500).map(|n| format!("p{n}").parse().unwrap()).collect();
        let given: Vec<u32> = all.iter().map(|name| Names::intern(&mut names, name)).collect();
        assert_eq!(given, (0..500).collect::<Vec<_>>());
        let before = Arc::clone(&names);
        assert_eq!(Names::intern(&mut names, &all[7]), 7);
        assert_eq!(Names::intern(&mut names, &"new".parse().unwrap()), 500);
        assert_eq!(
            (before.get("new"), names.get("new"), names.get("p499")),
            (None, Some(500), Some(499))
        );
    }
}
