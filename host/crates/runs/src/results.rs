//! Results of pure nodes, for calls with the same parameters.
//!
//! Invariant: what is given out is what the same artifact's node gave to the same tenant for the very same bytes of
//! parameters, without a look at anything else. Only nodes
//! that take longer than a look-up are remembered.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use patchbay_vocab::{Digest, TenantId};
use plugin_api::value::{Value, ValueRef};

use crate::counted::{CacheNumbers, Counted, Weighs};

/// Which node of which artifact.
pub(crate) type Of = (Digest, usize);

/// A result that was long to compute.
type Kept = Arc<Value>;
/// By node, tenant and hash of the parameters; the parameters themselves are compared.
type Cache = Counted<(Of, TenantId, Digest), (Box<[u8]>, Kept)>;

impl Weighs for (Box<[u8]>, Kept) {
    fn bytes(&self) -> usize {
        self.0.len() + self.1.as_bytes().len()
    }
}

/// Parameters and results larger than this are not kept.
const LARGEST: usize = 1 << 20;

pub(crate) struct Results {
    cache: Option<Cache>,
    dear: RwLock<HashMap<Of, bool>>,
    from: Duration,
}

impl Results {
    /// Keeps up to `bytes`, none at all for 0, of nodes that take `from` or longer.
    pub(crate) fn new(bytes: u64, from: Duration) -> Self {
        Self {
            cache: (bytes > 0).then(|| Counted::new(bytes, 10_000)),
            dear: RwLock::default(),
            from,
        }
    }

    #[inline]
    pub(crate) const fn is_on(&self) -> bool {
        self.cache.is_some()
    }

    /// Whether calls of the node have been seen to take long.
    #[inline]
    pub(crate) fn is_dear(&self, of: Of) -> bool {
        self.dear.read().get(&of).copied().unwrap_or(false)
    }

    /// Remembers how long a call took.
    pub(crate) fn learn(&self, of: Of, took: Duration) {
        if took < self.from {
            return;
        }
        let mut dear = self.dear.write();
        // What was seen of artifacts that are gone is forgotten with the rest; it is soon learnt again.
        if dear.len() > 100_000 {
            dear.clear();
        }
        dear.insert(of, true);
    }

    pub(crate) fn get(&self, of: Of, tenant: &TenantId, input: ValueRef<'_>) -> Option<Kept> {
        let cache = self.cache.as_ref()?;
        let (parameters, result) = cache.get(&(of, tenant.clone(), Digest::of(input.raw())))?;
        (*parameters == *input.raw()).then_some(result)
    }

    pub(crate) fn put(&self, of: Of, tenant: &TenantId, input: ValueRef<'_>, result: ValueRef<'_>) {
        let Some(cache) = &self.cache else { return };
        if input.raw().len() > LARGEST || result.raw().len() > LARGEST {
            return;
        }
        let kept = Arc::new(result.to_value());
        let key = (of, tenant.clone(), Digest::of(input.raw()));
        cache.insert(key, (input.raw().into(), kept));
    }

    pub(crate) fn numbers(&self) -> CacheNumbers {
        self.cache.as_ref().map(Counted::numbers).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_given_for_the_same_parameters_of_the_same_artifact_and_tenant_alone() {
        let results = Results::new(1 << 20, Duration::from_micros(20));
        let (a, b) = ((Digest::of(b"a"), 0), (Digest::of(b"b"), 0));
        let (acme, other): (TenantId, TenantId) = ("acme".parse().unwrap(), "other".parse().unwrap());
        let (one, two) = (Value::from(1), Value::from(2));
        assert!(!results.is_dear(a));
        results.learn(a, Duration::from_micros(19));
        assert!(!results.is_dear(a));
        results.learn(a, Duration::from_micros(20));
        assert!(results.is_dear(a) && !results.is_dear(b));
        results.put(a, &acme, one.as_ref(), two.as_ref());
        assert_eq!(results.get(a, &acme, one.as_ref()).as_deref(), Some(&two));
        assert!(results.get(a, &acme, two.as_ref()).is_none());
        assert!(results.get(b, &acme, one.as_ref()).is_none());
        assert!(results.get((a.0, 1), &acme, one.as_ref()).is_none());
        assert!(results.get(a, &other, one.as_ref()).is_none());
        let numbers = results.numbers();
        assert_eq!((numbers.hits, numbers.misses), (1, 4));
    }

    #[test]
    fn switched_off_it_keeps_nothing() {
        let results = Results::new(0, Duration::ZERO);
        results.put(
            (Digest::of(b"a"), 0),
            &"acme".parse().unwrap(),
            Value::from(1).as_ref(),
            Value::from(2).as_ref(),
        );
        assert!(!results.is_on() && results.numbers() == CacheNumbers::default());
    }
}
