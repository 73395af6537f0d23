//! The workflows that a run runs: their documents, and what becomes of their runs.
//!
//! Invariant: the record of a run that another run began names the document that it ran.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::Mutex;
use patchbay_dispatch::Routes;
use patchbay_executor::{Children, Class, Failure, Finished, RunStatus};
use patchbay_journal::TriggerKind;
use patchbay_vocab::{RunId, TenantId, WorkflowId};
use patchbay_workflow::{Plan, Work};
use plugin_api::value::ValueRef;

use crate::choice::{Chosen, outside};
use crate::compiled::{Bound, Compiled, Seen};
use crate::record::{self, About};
use crate::recorder::Told;
use crate::runs::{Runs, unreachable_id};

/// Documents of one run's sub-workflows that are remembered; a run that brings more of them, one by one, as JSON has
/// records that name its own document in place of the oldest.
const MOST: usize = 256;

/// A run of its own, and all runs within it.
pub(crate) struct Family {
    runs: Weak<Runs>,
    about: OnceLock<About>,
    documents: Mutex<VecDeque<Arc<Compiled>>>,
}

impl Family {
    pub(crate) fn new(runs: Weak<Runs>) -> Arc<Self> {
        Arc::new(Self {
            runs,
            about: OnceLock::new(),
            documents: Mutex::default(),
        })
    }

    /// What is known of the run that has no parent; before it begins.
    pub(crate) fn begins(&self, about: About) {
        // Once for each run.
        let _ = self.about.set(about);
    }

    /// What a node that runs a workflow names, on the versions that its run has.
    pub(crate) fn workflow(
        &self,
        tenant: &TenantId,
        named: ValueRef<'_>,
        routes: &Routes,
        seen: Seen,
    ) -> Result<Arc<Bound>, Failure> {
        let runs = self.runs.upgrade();
        let runs = runs.ok_or_else(|| Failure::new(Class::Cancelled, "the host is shutting down"))?;
        let (compiled, bound) = runs.sub_workflow(tenant, named, routes, seen)?;
        let mut documents = self.documents.lock();
        if !documents.iter().any(|known| Arc::ptr_eq(known, &compiled)) {
            documents.push_front(compiled);
            documents.truncate(MOST);
        }
        Ok(bound)
    }

    /// The document that has this plan, or has it in one of its nodes.
    fn document(&self, plan: &Arc<Plan>) -> Option<Arc<Compiled>> {
        let documents = self.documents.lock();
        let found = documents.iter().find(|known| Arc::ptr_eq(&known.plan, plan));
        found
            .or_else(|| documents.iter().find(|known| contains(&known.plan, plan)))
            .cloned()
    }
}

fn contains(plan: &Plan, wanted: &Arc<Plan>) -> bool {
    plan.nodes.iter().any(|node| match &node.work {
        Work::SubWorkflow(spec) => spec
            .inline
            .as_ref()
            .is_some_and(|inline| Arc::ptr_eq(inline, wanted) || contains(inline, wanted)),
        Work::Loop(spec) => contains(&spec.body, wanted),
        Work::Call(_) | Work::Trigger => false,
    })
}

impl Children for Family {
    fn id(&self) -> RunId {
        self.runs
            .upgrade()
            .map_or_else(unreachable_id, |runs| runs.fresh_id())
    }

    fn ended(&self, finished: &Finished) {
        let (Some(runs), Some(first)) = (self.runs.upgrade(), self.about.get()) else {
            return;
        };
        if finished.has_failures() {
            runs.failures.count(finished, None);
        }
        let plan = finished.plan();
        let keep = match finished.status {
            RunStatus::Success => plan.save.success,
            RunStatus::Error | RunStatus::Cancelled | RunStatus::Timeout => plan.save.failure,
        };
        if !keep {
            return;
        }
        let own = self.document(plan);
        let (text, digest) = own.as_ref().map_or_else(
            || (&first.text, first.digest),
            |compiled| (&compiled.text, compiled.digest),
        );
        let about = About {
            workflow: plan.id.clone(),
            name: plan.name.as_str().into(),
            text: Arc::clone(text),
            digest,
            trigger: TriggerKind::Workflow,
            parent: finished.run().parent().cloned(),
            replay: None,
            variables: plan.variables.clone(),
            save: plan.save,
            warnings: Vec::new(),
        };
        runs.recorder
            .tell(Told::Record(Box::new(record::ended(finished, &about))));
    }
}

impl Runs {
    /// What a node that runs a workflow names, on one snapshot.
    pub(crate) fn sub_workflow(
        &self,
        tenant: &TenantId,
        named: ValueRef<'_>,
        routes: &Routes,
        seen: Seen,
    ) -> Result<(Arc<Compiled>, Arc<Bound>), Failure> {
        let brought = named
            .get("workflow")
            .filter(|document| document.as_map().is_some());
        let text: Arc<str> = match brought {
            Some(document) => document.to_json().into(),
            None => self.named(tenant, named)?,
        };
        let compiled = self.compiled(&text).map_err(|error| invalid(error.to_string()))?;
        if let Some(of) = &compiled.plan.tenant
            && of != tenant
        {
            return Err(invalid(format!("the workflow is of tenant `{of}`")));
        }
        if let Some(why) = outside(&compiled, routes) {
            return Err(Failure {
                code: "VERSION_OUT_OF_RANGE".into(),
                ..Failure::new(Class::ExecutionError, why)
            });
        }
        let bound = self.fit(&compiled, routes, seen, tenant, &Chosen::default());
        let bound = bound.map_err(|error| invalid(error.to_string()))?;
        Ok((compiled, bound))
    }

    fn named(&self, tenant: &TenantId, named: ValueRef<'_>) -> Result<Arc<str>, Failure> {
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
        self.text_of(&id, tenant)
            .ok_or_else(|| invalid(format!("the host serves no workflow `{id}` for this tenant")))
    }
}

fn invalid(message: String) -> Failure {
    Failure {
        code: "VALIDATION_FAILED".into(),
        ..Failure::new(Class::ExecutionError, message)
    }
}
