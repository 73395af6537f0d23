//! Calls of a plugin that sleeps: it is woken, and the call goes on.
//!
//! Invariant: a call that finds its version closed and still routed waits for it to be woken, no longer than its time, and
//! then looks at the routes again. A call of a plugin that is awake sees none of this.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use patchbay_registry::{Mount, NodeSlot};
use patchbay_vocab::{Explained, Monotonic};

use crate::dispatcher::{CallOptions, Dispatcher, leads_to};
use crate::error::CallError;
use crate::served::{Place, Served};
use crate::view::RouteCache;

/// How long a caller without a time limit of its own waits for a plugin to be woken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Maps again what was unmapped because nobody called it.
pub trait PluginWaker: Send + Sync {
    /// Has the plugin of a load that sleeps loaded again and routed to, and waits for that. `Ok` when the load is not
    /// the one to be woken any more.
    ///
    /// # Errors
    /// When it cannot be loaded, or the time is up.
    fn wake(&self, asleep: &Arc<Mount<Served>>, within: Duration) -> Result<(), StillAsleep>;
}

/// Why a plugin sleeps on.
#[derive(Clone, Debug)]
pub enum StillAsleep {
    /// It was not awake in time; it may be a moment later.
    TimedOut,
    /// It cannot be loaded.
    Failed(Explained),
}

/// Where the dispatcher finds who wakes plugins; empty on a host that puts none to sleep.
#[derive(Default)]
pub(crate) struct Bell(OnceLock<Weak<dyn PluginWaker>>);

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bell").field(&self.0.get().is_some()).finish()
    }
}

impl Dispatcher {
    /// Says who wakes plugins that sleep; the first to be named stays.
    pub fn woken_by(&self, waker: Weak<dyn PluginWaker>) {
        let _ = self.bell().0.set(waker);
    }

    /// After a call found `mount` closed: nothing when the routes lead elsewhere by now, otherwise has it woken.
    #[cold]
    pub(crate) fn await_open(
        &self,
        routes: &mut RouteCache,
        slot: NodeSlot,
        mount: &Arc<Mount<Served>>,
        place: Place,
        options: &CallOptions<'_>,
        begun: &mut Option<Monotonic>,
    ) -> Result<(), CallError> {
        let now = routes.load().route(slot);
        if !now.is_some_and(|route| leads_to(route, options, mount)) {
            return Ok(());
        }
        // Waiting counts: what is left of the time is the call's.
        let begun = *begun.get_or_insert_with(|| self.clock().now());
        let timeout = options.timeout.or(place.timeout);
        self.wake(mount, self.left(timeout, begun), options.node, timeout)
    }

    /// The load that is in the place of a closed one: woken when that sleeps; `None` when it is on its way out.
    #[cold]
    pub(crate) fn reopened(
        &self,
        closed: &Mount<Served>,
        left: Option<Duration>,
        node_type: &str,
    ) -> Result<Option<Arc<Mount<Served>>>, CallError> {
        let current = || self.registry().mounted(closed.plugin(), closed.revision());
        match current() {
            Some(asleep) if asleep.is_closed() => self.wake(&asleep, left, node_type, left)?,
            other => return Ok(other),
        }
        Ok(current())
    }

    /// Has a load woken that sleeps.
    #[cold]
    pub(crate) fn wake(
        &self,
        mount: &Arc<Mount<Served>>,
        left: Option<Duration>,
        node_type: &str,
        timeout: Option<Duration>,
    ) -> Result<(), CallError> {
        let waker = self.bell().0.get().and_then(Weak::upgrade);
        let waker = waker.ok_or(CallError::Closing)?;
        let within = left.unwrap_or(PATIENCE);
        waker.wake(mount, within).map_err(|error| match error {
            StillAsleep::TimedOut => CallError::TimedOut {
                node_type: node_type.to_owned(),
                after: timeout.unwrap_or(PATIENCE),
            },
            StillAsleep::Failed(why) => CallError::Asleep {
                plugin: mount.plugin().clone(),
                why: Box::new(why),
            },
        })
    }
}
