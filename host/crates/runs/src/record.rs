//! What became of a run, for the journal and for whoever asked for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use patchbay_executor::{Failure, Finished, NodeResult, RunStatus, Status};
use patchbay_journal as journal;
use patchbay_vocab::{Digest, NodeId, RunId, TenantId, UnixMillis, WorkflowId};
use patchbay_wire as wire;
use patchbay_workflow::{Findings, Level, SavePolicy};
use plugin_api::value::{Value, ValueRef};
use serde_json::value::RawValue;

/// What is known of a run beside what its executor knows.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) workflow: WorkflowId,
    pub(crate) name: Box<str>,
    pub(crate) text: Arc<str>,
    pub(crate) digest: Digest,
    pub(crate) trigger: journal::TriggerKind,
    pub(crate) parent: Option<RunId>,
    pub(crate) replay: Option<journal::Replay>,
    pub(crate) variables: Value,
    pub(crate) save: SavePolicy,
    pub(crate) warnings: Vec<wire::WorkflowFindingView>,
}

pub(crate) fn raw(value: ValueRef<'_>) -> Box<RawValue> {
    // A value's JSON is JSON.
    RawValue::from_string(value.to_json()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

pub(crate) fn findings(findings: &Findings) -> Vec<wire::WorkflowFindingView> {
    let view = findings.0.iter().map(|finding| wire::WorkflowFindingView {
        code: finding.code.0.to_owned(),
        level: match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
        }
        .to_owned(),
        path: finding.path.clone(),
        message: finding.message.clone(),
        hint: finding.hint.clone(),
        node: finding.node.clone(),
    });
    view.collect()
}

fn millis(duration: Duration) -> f64 {
    // Microseconds are as fine as people look.
    (duration.as_micros() as f64) / 1e3
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

const fn status(status: RunStatus) -> journal::RunStatus {
    match status {
        RunStatus::Success => journal::RunStatus::Success,
        RunStatus::Error => journal::RunStatus::Error,
        RunStatus::Cancelled => journal::RunStatus::Cancelled,
        RunStatus::Timeout => journal::RunStatus::Timeout,
    }
}

/// Composite ids of nodes in loops may be longer than an id may be: their end tells them apart.
fn node_id(id: &str) -> Option<NodeId> {
    id.parse().ok().or_else(|| {
        let from = (id.len().saturating_sub(250)..id.len()).find(|at| id.is_char_boundary(*at))?;
        id.get(from..)?.parse().ok()
    })
}

/// The code in results, and the node's own where that is another.
fn codes(failure: &Failure) -> (&str, Option<&str>) {
    let code = failure.error_code();
    (
        code,
        (failure.code != code && !failure.code.is_empty()).then_some(&*failure.code),
    )
}

/// Which run it is, and what began it.
pub(crate) struct Beginning<'r> {
    pub(crate) id: &'r RunId,
    pub(crate) tenant: &'r TenantId,
    pub(crate) trigger: &'r Value,
}

impl<'r> From<&'r patchbay_executor::Run> for Beginning<'r> {
    fn from(run: &'r patchbay_executor::Run) -> Self {
        Self {
            id: run.id(),
            tenant: run.tenant(),
            trigger: run.trigger(),
        }
    }
}

/// What the journal is told when a run begins.
pub(crate) fn begun(run: &Beginning<'_>, about: &About, at: UnixMillis) -> journal::RunStart {
    let contents = about.save.contents;
    journal::RunStart {
        id: run.id.clone(),
        workflow: about.workflow.clone(),
        name: about.name.clone(),
        digest: about.digest,
        document: Arc::clone(&about.text),
        tenant: run.tenant.clone(),
        trigger: about.trigger,
        trigger_value: contents.then(|| run.trigger.clone()),
        variables: contents.then(|| about.variables.clone()),
        started_at: at,
        parent: about.parent.clone(),
        replay: about.replay.clone(),
    }
}

/// What the journal is told when it has ended.
pub(crate) fn ended(finished: &Finished, about: &About) -> journal::RunRecord {
    let contents = about.save.contents;
    let nodes = finished.nodes();
    let error = finished.error.as_ref().map(|(node, failure)| journal::RunError {
        code: failure.error_code().into(),
        message: (&*failure.message).into(),
        node: node_id(node),
    });
    let error = error.or_else(|| cut_short(finished.status));
    let metrics = finished.metrics();
    journal::RunRecord {
        start: begun(&finished.run().into(), about, finished.started_at),
        status: status(finished.status),
        error,
        micros: micros(finished.took),
        variables_after: contents.then(|| finished.variables.clone()),
        metrics: journal::Metrics {
            nodes_executed: metrics.nodes_executed,
            success_nodes: metrics.success_nodes,
            failed_nodes: metrics.failed_nodes,
            retried_nodes: metrics.retried_nodes,
            total_retries: metrics.total_retries,
            validation_failures: metrics.validation_failures,
            recovery_attempts: metrics.recovery_attempts,
            recovery_successes: metrics.recovery_successes,
        },
        execution_order: finished.order().cloned().collect(),
        nodes: nodes
            .iter()
            .filter_map(|node| node_record(node, contents))
            .collect(),
    }
}

pub(crate) fn cut_short(status: RunStatus) -> Option<journal::RunError> {
    let (code, message) = match status {
        RunStatus::Cancelled => ("CANCELLED", "the run was cancelled"),
        RunStatus::Timeout => ("TIMEOUT", "the run took longer than it may"),
        RunStatus::Success | RunStatus::Error => return None,
    };
    Some(journal::RunError {
        code: code.into(),
        message: message.into(),
        node: None,
    })
}

fn node_record(node: &NodeResult<'_>, contents: bool) -> Option<journal::NodeRecord> {
    let kept = |value: Option<ValueRef<'_>>| value.filter(|_| contents).map(|value| value.to_value());
    Some(journal::NodeRecord {
        node: node_id(&node.id)?,
        node_type: node.node_type.into(),
        status: match node.status {
            Status::Success => journal::NodeStatus::Success,
            Status::Error => journal::NodeStatus::Error,
            Status::Skipped => journal::NodeStatus::Skipped,
        },
        plugin: node.served_by.map(|by| by.plugin.clone()),
        version: node.served_by.map(|by| by.version.clone()),
        revision: node.served_by.map(|by| by.revision),
        attempts: node.attempts,
        retries: node.attempts.saturating_sub(1),
        started_micros: micros(node.started),
        micros: micros(node.took),
        input: kept(node.input),
        output: kept(node.output),
        error: node.failure.map(|failure| {
            let (code, own) = codes(failure);
            journal::NodeError {
                code: code.into(),
                node_code: own.map(Into::into),
                message: (&*failure.message).into(),
                status_code: failure.status_code,
            }
        }),
        recovery: node.recovery.map(|recovered| journal::NodeRecovery {
            applied: if recovered.applied { "true" } else { "false" }.into(),
            fallback_node_type: recovered.fallback.clone(),
        }),
        validation_errors: node.validation.iter().map(|text| text.as_str().into()).collect(),
    })
}

/// A run that has just ended, as whoever asked for it sees it.
pub(crate) fn view(finished: &Finished, about: &About) -> wire::RunView {
    let metrics = finished.metrics();
    let run = finished.run();
    let error = finished.error.as_ref().map(|(node, failure)| wire::RunErrorView {
        node: Some(node.clone()),
        code: failure.error_code().to_owned(),
        message: failure.message.clone().into_owned(),
    });
    let error = error.or_else(|| {
        cut_short(finished.status).map(|error| wire::RunErrorView {
            node: None,
            code: error.code.into(),
            message: error.message.into(),
        })
    });
    let state = finished.nodes().into_iter().map(|node| {
        let at = finished.started_at.0 + u64::try_from(node.started.as_millis()).unwrap_or(0);
        (node.id.clone(), node_view(&node, UnixMillis(at)))
    });
    wire::RunView {
        run_id: run.id().clone(),
        workflow_id: about.workflow.clone(),
        workflow: about.name.to_string(),
        digest: Some(about.digest),
        tenant: run.tenant().clone(),
        status: finished.status.as_str().to_owned(),
        error,
        result: raw(finished.result().as_ref()),
        state: state.collect(),
        execution_order: finished.order().cloned().collect(),
        variables: raw(finished.variables.as_ref()),
        metrics: wire::RunMetrics {
            nodes_executed: metrics.nodes_executed,
            success_nodes: metrics.success_nodes,
            failed_nodes: metrics.failed_nodes,
            retried_nodes: metrics.retried_nodes,
            total_retries: metrics.total_retries,
            validation_failures: metrics.validation_failures,
            recovery_attempts: metrics.recovery_attempts,
            recovery_successes: metrics.recovery_successes,
        },
        started_at: finished.started_at,
        duration: millis(finished.took),
        trigger: about.trigger.as_str().to_owned(),
        parent: about
            .parent
            .clone()
            .or_else(|| about.replay.as_ref().map(|replay| replay.of.clone())),
        warnings: about.warnings.clone(),
    }
}

fn node_view(node: &NodeResult<'_>, at: UnixMillis) -> wire::NodeResultView {
    let codes = node.failure.map(codes);
    wire::NodeResultView {
        status: node.status.as_str().to_owned(),
        node_type: node.node_type.to_owned(),
        output: node.output.map(raw),
        error: node.failure.map(|failure| failure.message.clone().into_owned()),
        error_code: codes.map(|(code, _)| code.to_owned()),
        node_error_code: codes.and_then(|(_, own)| own).map(str::to_owned),
        status_code: node.failure.and_then(|failure| failure.status_code),
        timestamp: at,
        duration: millis(node.took),
        retries: node.attempts.saturating_sub(1),
        attempts: node.attempts,
        delays_ms: node.delays.iter().map(|delay| micros(*delay) / 1000).collect(),
        input_data: node.input.map(raw),
        recovery_applied: node.recovery.map(|recovered| recovered.applied),
        fallback_node_type: node
            .recovery
            .and_then(|recovered| recovered.fallback.as_deref())
            .map(str::to_owned),
        validation_errors: node.validation.to_vec(),
        plugin: node.served_by.map(|by| by.plugin.clone()),
        version: node.served_by.map(|by| by.version.clone()),
        revision: node.served_by.map(|by| by.revision),
    }
}

fn stored_json(json: Option<&journal::Json>) -> Option<Box<RawValue>> {
    RawValue::from_string(json?.as_str().to_owned()).ok()
}

/// A run of the journal.
pub(crate) fn stored(run: &journal::StoredRun) -> wire::RunView {
    let summary = summary(&run.summary);
    let null = || RawValue::NULL.to_owned();
    let state: BTreeMap<_, _> = run
        .nodes
        .iter()
        .map(|node| {
            let at = UnixMillis(summary.started_at.0 + node.started_micros / 1000);
            (node.node.as_str().to_owned(), stored_node(node, at))
        })
        .collect();
    wire::RunView {
        run_id: summary.run_id,
        workflow_id: summary.workflow_id,
        workflow: summary.workflow,
        digest: Some(run.digest),
        tenant: summary.tenant,
        status: summary.status,
        error: summary.error,
        result: null(),
        state,
        execution_order: run.execution_order.clone(),
        variables: stored_json(run.variables_after.as_ref()).unwrap_or_else(null),
        metrics: metrics(&run.summary.metrics),
        started_at: summary.started_at,
        duration: summary.duration,
        trigger: summary.trigger,
        parent: summary.parent,
        warnings: Vec::new(),
    }
}

pub(crate) const fn metrics(metrics: &journal::Metrics) -> wire::RunMetrics {
    wire::RunMetrics {
        nodes_executed: metrics.nodes_executed,
        success_nodes: metrics.success_nodes,
        failed_nodes: metrics.failed_nodes,
        retried_nodes: metrics.retried_nodes,
        total_retries: metrics.total_retries,
        validation_failures: metrics.validation_failures,
        recovery_attempts: metrics.recovery_attempts,
        recovery_successes: metrics.recovery_successes,
    }
}

fn stored_node(node: &journal::StoredNode, at: UnixMillis) -> wire::NodeResultView {
    let error = node.error.as_ref();
    wire::NodeResultView {
        status: node.status.as_str().to_owned(),
        node_type: node.node_type.to_string(),
        output: stored_json(node.output.as_ref()),
        error: error.map(|error| error.message.to_string()),
        error_code: error.map(|error| error.code.to_string()),
        node_error_code: error
            .and_then(|error| error.node_code.as_deref())
            .map(str::to_owned),
        status_code: error.and_then(|error| error.status_code),
        timestamp: at,
        duration: node.micros as f64 / 1e3,
        retries: node.retries,
        attempts: node.attempts,
        delays_ms: Vec::new(),
        input_data: stored_json(node.input.as_ref()),
        recovery_applied: node
            .recovery
            .as_ref()
            .map(|recovery| &*recovery.applied == "true"),
        fallback_node_type: node
            .recovery
            .as_ref()
            .and_then(|recovery| recovery.fallback_node_type.as_deref())
            .map(str::to_owned),
        validation_errors: node.validation_errors.iter().map(ToString::to_string).collect(),
        plugin: node.plugin.clone(),
        version: node.version.clone(),
        revision: node.revision,
    }
}

/// A run of the journal, in a list.
pub(crate) fn summary(run: &journal::RunSummary) -> wire::RunSummaryView {
    wire::RunSummaryView {
        run_id: run.id.clone(),
        workflow_id: run.workflow.clone(),
        workflow: run.name.to_string(),
        tenant: run.tenant.clone(),
        status: run.status.as_str().to_owned(),
        error: run.error.as_ref().map(|error| wire::RunErrorView {
            node: error.node.as_ref().map(|node| node.as_str().to_owned()),
            code: error.code.to_string(),
            message: error.message.to_string(),
        }),
        started_at: run.started_at,
        duration: run.micros.unwrap_or(0) as f64 / 1e3,
        nodes_executed: run.metrics.nodes_executed,
        trigger: run.trigger.as_str().to_owned(),
        parent: run.parent.clone().or_else(|| run.replay_of.clone()),
    }
}
