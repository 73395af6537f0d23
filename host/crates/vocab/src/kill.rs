//! Named points at which a test ends the process, as `kill -9` would.
//!
//! Invariant: without the feature `kill-points`, which no release is built with, a point is nothing at all.

/// A point at which the process can be made to die: with the feature `kill-points`, `PATCHBAY_KILL_AT=NAME` or
/// `PATCHBAY_KILL_AT=NAME:N` kills it when it comes here for the first, or the `N`th, time.
#[inline(always)]
pub fn kill_point(name: &'static str) {
    #[cfg(feature = "kill-points")]
    armed::reached(name);
    #[cfg(not(feature = "kill-points"))]
    let _ = name;
}

#[cfg(feature = "kill-points")]
mod armed {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Armed {
        name: String,
        nth: u64,
        seen: AtomicU64,
    }

    static ARMED: LazyLock<Option<Armed>> = LazyLock::new(|| {
        let text = std::env::var("PATCHBAY_KILL_AT").ok()?;
        let (name, nth) = match text.rsplit_once(':') {
            Some((name, nth)) => (name.to_owned(), nth.parse().ok()?),
            None => (text, 1),
        };
        Some(Armed {
            name,
            nth,
            seen: AtomicU64::new(0),
        })
    });

    pub(super) fn reached(name: &str) {
        let Some(armed) = ARMED.as_ref().filter(|armed| armed.name == name) else {
            return;
        };
        if armed.seen.fetch_add(1, Ordering::SeqCst) + 1 == armed.nth {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            // The signal is on its way to every thread of this process.
            loop {
                std::thread::park();
            }
        }
    }
}
