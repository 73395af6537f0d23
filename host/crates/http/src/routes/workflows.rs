//! Workflows: checked, and those that the host serves.

use axum::Json;
use axum::extract::{Path, State};
use patchbay_control::Patchbay;
use patchbay_vocab::{TenantId, WorkflowId};
use patchbay_wire::{CachesView, FailureCountView, ProblemView, ValidateView, WorkflowView};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::IntoParams;

use crate::app::App;
use crate::body::{LARGEST_DOCUMENT, Query, Text};
use crate::error::Refusal;

/// For whom a document is checked.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CheckQuery {
    /// For whom it would run; the document's tenant when left out
    #[param(value_type = Option<String>)]
    tenant: Option<TenantId>,
}

/// A document in an envelope; a document has no field `workflow`, but nodes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Enveloped {
    workflow: Box<RawValue>,
    tenant: Option<TenantId>,
}

/// Find everything that is wrong, or odd, with a workflow document
///
/// The body is the document, or `{"workflow": ..., "tenant": ...}`. Text that is no JSON is a document that cannot be
/// run, too: the answer says where it breaks off.
#[utoipa::path(post, path = "/workflows/validate", operation_id = "validate_workflow", tag = "workflows", request_body = Object, params(CheckQuery),
    responses((status = 200, body = ValidateView), (status = "default", body = ProblemView)))]
pub(crate) async fn validate(
    State(app): State<App>,
    Query(query): Query<CheckQuery>,
    Text(text): Text<LARGEST_DOCUMENT>,
) -> Result<Json<ValidateView>, Refusal> {
    let checked = move |patchbay: &Patchbay| match serde_json::from_str::<Enveloped>(&text) {
        Ok(Enveloped { workflow, tenant }) => {
            let tenant = query.tenant.or(tenant);
            patchbay.validate_workflow(workflow.get(), tenant.as_ref())
        }
        Err(_) => patchbay.validate_workflow(&text, query.tenant.as_ref()),
    };
    app.record(checked).await.map(Json)
}

/// The workflows that the host serves
#[utoipa::path(get, path = "/workflows", tag = "workflows", responses(
    (status = 200, body = Vec<WorkflowView>), (status = "default", body = ProblemView)))]
pub(crate) async fn workflows(State(app): State<App>) -> Result<Json<Vec<WorkflowView>>, Refusal> {
    app.record(Patchbay::workflows).await.map(Json)
}

/// One workflow that the host serves
#[utoipa::path(get, path = "/workflows/{id}", tag = "workflows",
    params(("id" = String, Path, description = "The workflow")), responses(
    (status = 200, body = WorkflowView), (status = "default", body = ProblemView)))]
pub(crate) async fn workflow(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<WorkflowView>, Refusal> {
    let id: WorkflowId = id.parse()?;
    Ok(Json(app.record(move |patchbay| patchbay.workflow(&id)).await??))
}

/// How often nodes of workflows failed since the host began, by kind, node type and version, and how recovery went
#[utoipa::path(get, path = "/failures", tag = "workflows", responses(
    (status = 200, body = Vec<FailureCountView>), (status = "default", body = ProblemView)))]
pub(crate) async fn failures(State(app): State<App>) -> Result<Json<Vec<FailureCountView>>, Refusal> {
    app.run(Patchbay::failures).await.map(Json)
}

/// What the host's caches hold, and how often they hit
#[utoipa::path(get, path = "/caches", tag = "host", responses(
    (status = 200, body = CachesView), (status = "default", body = ProblemView)))]
pub(crate) async fn caches(State(app): State<App>) -> Result<Json<CachesView>, Refusal> {
    app.run(Patchbay::caches).await.map(Json)
}
