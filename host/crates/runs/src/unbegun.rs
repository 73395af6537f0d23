//! Runs that were ended before they began.
//!
//! Invariant: such a run executes nothing and holds nothing; whoever waits for it and the journal are told of its end as
//! of any other's.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchbay_executor::{Metrics, Observer, RunStatus};
use patchbay_journal as journal;
use patchbay_vocab::UnixMillis;
use patchbay_wire as wire;
use plugin_api::value::Value;
use serde_json::value::RawValue;

use crate::begun::Over;
use crate::launch::Launch;
use crate::live::Live;
use crate::order::variables_of;
use crate::record;
use crate::recorder::Told;
use crate::runs::Runs;

impl Runs {
    /// Ends a run that waits for its place.
    pub(crate) fn end_unbegun(&self, live: &Live, launch: Launch) {
        let Launch {
            order,
            compiled,
            tenant,
            ended,
            ..
        } = launch;
        let plan = &compiled.plan;
        let contents = plan.save.contents;
        // What is missing among them no longer matters.
        let variables = variables_of(&order, plan);
        let variables = variables.map_or_else(|_| Value::empty_map(), |variables| variables.all());
        let at = live.began();
        let replay = order.again.as_ref().map(|again| again.replay.clone());
        let record = journal::RunRecord {
            start: journal::RunStart {
                id: live.id.clone(),
                workflow: plan.id.clone(),
                name: plan.name.as_str().into(),
                digest: compiled.digest,
                document: Arc::clone(&compiled.text),
                tenant,
                trigger: order.kind,
                trigger_value: contents.then_some(order.trigger),
                variables: contents.then(|| variables.clone()),
                started_at: at,
                parent: None,
                replay,
            },
            status: journal::RunStatus::Cancelled,
            error: record::cut_short(RunStatus::Cancelled),
            micros: 0,
            variables_after: contents.then(|| variables.clone()),
            metrics: journal::Metrics::default(),
            execution_order: Vec::new(),
            nodes: Vec::new(),
        };
        let view = view(&record, &variables, at);
        if plan.save.failure {
            self.recorder.tell(Told::Record(Box::new(record)));
        }
        live.ended(RunStatus::Cancelled, Metrics::default());
        self.forget(&live.id);
        // Nobody may wait any more.
        let _ = ended.send(Ok(Over::Unbegun(Box::new(view))));
    }
}

fn view(record: &journal::RunRecord, variables: &Value, at: UnixMillis) -> wire::RunView {
    let start = &record.start;
    wire::RunView {
        run_id: start.id.clone(),
        workflow_id: start.workflow.clone(),
        workflow: start.name.to_string(),
        digest: Some(start.digest),
        tenant: start.tenant.clone(),
        status: record.status.as_str().to_owned(),
        error: record.error.as_ref().map(|error| wire::RunErrorView {
            node: None,
            code: error.code.to_string(),
            message: error.message.to_string(),
        }),
        result: RawValue::NULL.to_owned(),
        state: BTreeMap::new(),
        execution_order: Vec::new(),
        variables: record::raw(variables.as_ref()),
        metrics: record::metrics(&record.metrics),
        started_at: at,
        duration: 0.0,
        trigger: start.trigger.as_str().to_owned(),
        parent: start.replay.as_ref().map(|replay| replay.of.clone()),
        warnings: Vec::new(),
    }
}
