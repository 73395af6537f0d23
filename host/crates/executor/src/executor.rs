//! The executor: threads, timers, and the runs on them.

use std::sync::Arc;
use std::time::Duration;

use patchbay_expression::EvalLimits;
use patchbay_vocab::{Clock, TenantId};
use patchbay_workflow::Plan;

use crate::admission::{Admission, Admitted, Refusal, Start};
use crate::pool::Pool;
use crate::port::Host;
use crate::run::{OnEnd, Run, RunRequest};
use crate::timers::Timers;

/// How an executor works.
#[derive(Clone, Debug)]
pub struct ExecutorConfig {
    /// Threads that run nodes which are not polled.
    pub threads: usize,
    /// Bytes of one node's output.
    pub output_bytes: usize,
    /// What one evaluation of an expression may take.
    pub expressions: EvalLimits,
    /// How long a run that was told to end may take to do so, before what still runs in it is given up.
    pub grace: Duration,
}

/// What all runs share.
pub(crate) struct Shop {
    pub(crate) config: ExecutorConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) pool: Arc<Pool>,
}

impl Shop {
    #[inline]
    pub(crate) fn nanos(&self) -> u64 {
        let now = self.clock.now().0;
        // 584 years fit.
        now.as_secs() * 1_000_000_000 + u64::from(now.subsec_nanos())
    }
}

/// Runs plans on its threads.
pub struct Executor {
    shop: Arc<Shop>,
    admission: Arc<Admission>,
}

impl Executor {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn start(
        config: ExecutorConfig,
        clock: Arc<dyn Clock>,
        host: Arc<dyn Host>,
    ) -> std::io::Result<Self> {
        let pool = Pool::new(Timers::new(Arc::clone(&clock)));
        pool.start(config.threads, config.output_bytes)?;
        let admission = Admission::new(Arc::clone(&clock));
        let shop = Arc::new(Shop {
            config,
            clock,
            host,
            pool,
        });
        Ok(Self { shop, admission })
    }

    /// Begins a run; `on_end` is called once, from one of the threads that run nodes.
    pub fn run(&self, request: RunRequest, on_end: OnEnd) -> Arc<Run> {
        Run::begin(&self.shop, request, on_end)
    }

    /// Calls `start` with a place for a tenant's run of `plan`, now or when its document's limits allow; `key` is what its
    /// rate is counted by.
    ///
    /// # Errors
    /// When the limits refuse it.
    pub fn admit(
        &self,
        plan: &Plan,
        tenant: &TenantId,
        key: &str,
        start: Start,
    ) -> Result<Admitted, Refusal> {
        if plan.limits.concurrent_runs.is_none() && plan.rate.is_none() {
            // Unbounded workflows need no books.
            return Ok(Admission::admit_unbounded(start));
        }
        self.admission.admit(&self.shop.pool, plan, tenant, key, start)
    }

    /// Whether no run is counted, waits, or is remembered for a window.
    #[cfg(test)]
    pub(crate) fn has_no_books(&self) -> bool {
        self.admission.is_empty()
    }

    /// Threads that hang in calls that were given up.
    #[must_use]
    pub fn lost_threads(&self) -> u32 {
        self.shop.pool.lost()
    }

    /// Looks at the clock again; for clocks that are moved by hand.
    pub fn look(&self) {
        self.shop.pool.timers.look();
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.admission.close();
        self.shop.pool.close();
    }
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor")
            .field("config", &self.shop.config)
            .finish_non_exhaustive()
    }
}
