//! What the executor gets from this host: futures driven, workflows by name, the environment.

use std::sync::{Arc, Weak};

use patchbay_executor::{Class, Failure, Host, Prepared, Stop, Task};
use patchbay_vocab::TenantId;
use plugin_api::value::{Value, ValueRef};

use crate::compiled::{Seen, Stand};
use crate::runs::Runs;

pub(crate) struct RunsHost {
    pub(crate) runs: Weak<Runs>,
    pub(crate) tasks: tokio::runtime::Handle,
    /// The part of the environment that workflows may read, as it was at the start.
    pub(crate) env: Vec<(String, Value)>,
}

impl Host for RunsHost {
    fn spawn(&self, task: Task<()>) -> Stop {
        let handle = self.tasks.spawn(task);
        Box::new(move || handle.abort())
    }

    fn workflow(&self, tenant: &TenantId, named: ValueRef<'_>) -> Result<Arc<Prepared>, Failure> {
        let Some(runs) = self.runs.upgrade() else {
            return Err(Failure::new(Class::Cancelled, "the host is shutting down"));
        };
        // A run's hold knows better: it has the versions of its run.
        let live = runs.registry.snapshot();
        let seen = Seen::Shared(Stand::live(live.generation()));
        let (_, bound) = runs.sub_workflow(tenant, named, &live, seen)?;
        Ok(Arc::clone(&bound.prepared))
    }

    fn env(&self, name: &str) -> Option<Value> {
        let known = self.env.iter().find(|(known, _)| known == name);
        known.map(|(_, value)| value.clone())
    }
}
