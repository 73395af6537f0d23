//! A thread's own view of the routes, so that a call costs no shared counter.
//!
//! Invariant: a view belongs to one call at a time; a call within a call finds it taken, and makes its own.

use std::cell::Cell;
use std::sync::Arc;

use arc_swap::ArcSwap;
use arc_swap::cache::Cache;
use patchbay_registry::Snapshot;

use crate::dispatcher::Dispatcher;
use crate::served::Served;

/// Everything that is routed, at one generation.
pub type Routes = Snapshot<Served>;
pub(crate) type RouteCache = Cache<Arc<ArcSwap<Routes>>, Arc<Routes>>;

/// A thread's own view of the routes of the dispatcher it called last.
struct Cached {
    dispatcher: u64,
    routes: RouteCache,
}

thread_local! {
    // Taken out for the time of a call, so that a nested call on the same thread finds it gone and does without.
    static CACHED: Cell<Option<Box<Cached>>> = const { Cell::new(None) };
}

/// A thread's view, taken out for one call and put back when it ends, however it ends.
pub(crate) struct View<'d> {
    cached: Option<Box<Cached>>,
    dispatcher: &'d Dispatcher,
}

impl<'d> View<'d> {
    #[inline]
    pub(crate) fn take(dispatcher: &'d Dispatcher) -> Self {
        let cached = CACHED
            .take()
            .filter(|cached| cached.dispatcher == dispatcher.id());
        Self { cached, dispatcher }
    }

    #[inline]
    pub(crate) fn routes(&mut self) -> &mut RouteCache {
        let dispatcher = self.dispatcher;
        let make = || {
            let routes = Cache::new(Arc::clone(dispatcher.registry().source()));
            Box::new(Cached {
                dispatcher: dispatcher.id(),
                routes,
            })
        };
        &mut self.cached.get_or_insert_with(make).routes
    }
}

impl Drop for View<'_> {
    #[inline]
    fn drop(&mut self) {
        CACHED.set(self.cached.take());
    }
}

impl std::fmt::Debug for Cached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cached")
            .field("dispatcher", &self.dispatcher)
            .finish_non_exhaustive()
    }
}
