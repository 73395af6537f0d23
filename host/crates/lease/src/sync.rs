//! The atomics, and how a thread picks its shard: the machine's, or loom's under `--cfg loom`.

#[cfg(not(loom))]
pub(crate) use machine::{AtomicBool, AtomicU64, Ordering, shard_count, shard_hint, total_order};
#[cfg(loom)]
pub(crate) use model::{AtomicBool, AtomicU64, Ordering, shard_count, shard_hint, total_order};

#[cfg(not(loom))]
mod machine {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use std::cell::Cell;
    use std::sync::OnceLock;
    use std::sync::atomic::AtomicUsize;

    const MIN_SHARDS: usize = 8;
    const MAX_SHARDS: usize = 64;
    const UNSET: usize = usize::MAX;

    static NEXT: AtomicUsize = AtomicUsize::new(0);

    thread_local! {
        // Const-initialised and without a destructor: reading it is a plain load, and a thread that ends has
        // nothing to run.
        static INDEX: Cell<usize> = const { Cell::new(UNSET) };
    }

    /// A number that this thread keeps and that its neighbours do not share.
    #[inline]
    pub(crate) fn shard_hint() -> usize {
        let index = INDEX.get();
        if index == UNSET { first_hint() } else { index }
    }

    #[cold]
    fn first_hint() -> usize {
        let index = NEXT.fetch_add(1, Ordering::Relaxed) & (usize::MAX >> 1);
        INDEX.set(index);
        index
    }

    /// Twice the cores, as a power of two, so that threads seldom meet.
    pub(crate) fn shard_count() -> usize {
        static COUNT: OnceLock<usize> = OnceLock::new();
        *COUNT.get_or_init(|| {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            cores
                .saturating_mul(2)
                .clamp(MIN_SHARDS, MAX_SHARDS)
                .next_power_of_two()
        })
    }

    /// Nothing: on the machine the sequentially consistent accesses are themselves in the total order.
    #[inline(always)]
    pub(crate) fn total_order() {}
}

#[cfg(loom)]
mod model {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    /// Models choose their shards with `enter_on`; whatever does not choose takes the first.
    pub(crate) fn shard_hint() -> usize {
        0
    }

    pub(crate) fn shard_count() -> usize {
        2
    }

    /// loom treats a sequentially consistent access as acquire-release and knows the total order from fences
    /// alone, so the models state with a fence what the access itself states on the machine.
    pub(crate) fn total_order() {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
}
