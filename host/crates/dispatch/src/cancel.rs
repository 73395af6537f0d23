//! Giving up a call that is polled.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Notify;

/// A caller's word that it no longer wants the result, for any number of calls; its clones are the same word.
///
/// The calls' nodes see [`flag`](Self::flag), and may end by themselves; a call that was begun ends at once.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    flag: Arc<AtomicU32>,
    woken: Arc<Notify>,
}

impl Cancel {
    /// Gives up, for good.
    pub fn cancel(&self) {
        self.flag.store(1, Ordering::SeqCst);
        self.woken.notify_waiters();
    }

    /// Whether the caller gave up.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::SeqCst) != 0
    }

    /// What the nodes look at, for [`CallOptions::cancel`](crate::CallOptions::cancel). Who sets it by hand wakes nobody.
    #[must_use]
    pub const fn flag(&self) -> &Arc<AtomicU32> {
        &self.flag
    }

    /// Ends when the caller gives up.
    pub async fn cancelled(&self) {
        loop {
            // Made before the look, so that what comes between is heard.
            let woken = self.woken.notified();
            if self.is_cancelled() {
                return;
            }
            woken.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_who_waits_hears_of_it_and_whoever_comes_later_does_not_wait() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap();
        let cancel = Cancel::default();
        let waiting: Vec<_> = (0..50)
            .map(|_| {
                let cancel = cancel.clone();
                runtime.spawn(async move { cancel.cancelled().await })
            })
            .collect();
        assert!(!cancel.is_cancelled());
        cancel.cancel();
        runtime.block_on(async {
            for waiter in waiting {
                waiter.await.unwrap();
            }
            cancel.cancelled().await;
        });
        assert_eq!(cancel.flag().load(Ordering::SeqCst), 1);
    }
}
