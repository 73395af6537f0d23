//! What the executor gets from this host: futures driven, workflows by name, the environment.

use std::sync::{Arc, Weak};

use patchbay_executor::{Class, Failure, Host, Prepared, Stop, Task};
use patchbay_vocab::{TenantId, WorkflowId};
use plugin_api::value::{Value, ValueRef};

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
        let invalid = |message: String| Failure {
            code: "VALIDATION_FAILED".into(),
            ..Failure::new(Class::ExecutionError, message)
        };
        let Some(runs) = self.runs.upgrade() else {
            return Err(Failure::new(Class::Cancelled, "the host is shutting down"));
        };
        if let Some(document) = named
            .get("workflow")
            .filter(|document| document.as_map().is_some())
        {
            return runs.sub_workflow(&document.to_json(), tenant).map_err(invalid);
        }
        let id = ["workflowId", "workflow_id", "workflow", "id"]
            .iter()
            .find_map(|key| named.get(key)?.as_str());
        let Some(id) = id else {
            return Err(invalid(
                "parameter `workflowId`: is missing, and no `workflow` is given".into(),
            ));
        };
        let id: WorkflowId = id
            .parse()
            .map_err(|error| invalid(format!("parameter `workflowId`: {error}")))?;
        let text = runs
            .text_of(&id, tenant)
            .ok_or_else(|| invalid(format!("the host serves no workflow `{id}` for this tenant")))?;
        runs.sub_workflow(&text, tenant).map_err(invalid)
    }

    fn env(&self, name: &str) -> Option<Value> {
        let known = self.env.iter().find(|(known, _)| known == name);
        known.map(|(_, value)| value.clone())
    }
}
