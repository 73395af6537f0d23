//! The audit, and the removal of what nothing needs any more.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use patchbay_control::{AuditFilter, Collect, Force};
use patchbay_vocab::PluginName;
use patchbay_wire::{AuditVerifiedView, AuditView, CollectRequest, CollectedView, ProblemView};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::body::{Json, Query};
use crate::error::{HttpError, Refusal};
use crate::order::{OrderHeaders, Sender};
use crate::written::written;

/// How many records are listed when nothing is said.
const STANDARD: u32 = 100;

/// Which records to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Those after this number; when left out, the last ones, or of a plugin or an actor the first ones
    after: Option<u64>,
    /// How many at most, up to 1,000; 100 when left out
    limit: Option<u32>,
    /// Of this plugin
    #[param(value_type = Option<String>)]
    plugin: Option<PluginName>,
    /// Of this actor
    actor: Option<String>,
}

/// What the audit is held against.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct VerifyQuery {
    /// The head of an earlier look, which has to be among the records
    head: Option<String>,
}

/// Which records to export.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportQuery {
    /// Those after this number; all of them when left out
    #[serde(default)]
    after: u64,
}

/// Whether anything is removed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct CollectQuery {
    /// Whether only to say what would be removed; it is removed when left out
    #[serde(default)]
    dry_run: bool,
}

/// What was done, by whom and why, the oldest first
#[utoipa::path(get, path = "/audit", operation_id = "list_audit", tag = "audit", params(ListQuery), responses(
    (status = 200, body = Vec<AuditView>), (status = "default", body = ProblemView)))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Vec<AuditView>>, Refusal> {
    let filter = AuditFilter {
        after: query.after,
        limit: query.limit.unwrap_or(STANDARD),
        plugin: query.plugin,
        actor: query.actor,
    };
    Ok(axum::Json(
        app.record(move |patchbay| patchbay.audit(&filter)).await??,
    ))
}

/// Find out whether a record of the audit was changed, left out, moved or cut off
#[utoipa::path(get, path = "/audit/verify", operation_id = "verify_audit", tag = "audit", params(VerifyQuery), responses(
    (status = 200, description = "Whether or not it is whole", body = AuditVerifiedView),
    (status = "default", body = ProblemView)))]
pub(crate) async fn verify(
    State(app): State<App>,
    Query(query): Query<VerifyQuery>,
) -> Result<axum::Json<AuditVerifiedView>, Refusal> {
    let is_hash = |head: &String| head.len() == 64 && head.bytes().all(|b| b.is_ascii_hexdigit());
    if !query.head.as_ref().is_none_or(is_hash) {
        let why = "`head` is no hash of 64 hexadecimal digits".to_owned();
        return Err(HttpError::BadQuery { why }.into());
    }
    let head = query.head.map(|head| head.to_ascii_lowercase());
    Ok(axum::Json(
        app.record(move |patchbay| patchbay.audit_verify(head.as_deref()))
            .await??,
    ))
}

/// All records of the audit as lines of JSON
///
/// Each line is a record with the hash of the one before it; the last line says from where to where they go.
/// `patchbay audit verify --file` verifies them.
#[utoipa::path(get, path = "/audit/export", operation_id = "export_audit", tag = "audit", params(ExportQuery), responses(
    (status = 200, description = "Lines of JSON", content_type = "application/jsonl", body = String),
    (status = "default", body = ProblemView)))]
pub(crate) async fn export(
    State(app): State<App>,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Refusal> {
    let body = written(&app, move |patchbay, out| patchbay.audit_export(query.after, out)).await?;
    Ok(([(CONTENT_TYPE, "application/jsonl")], body).into_response())
}

/// Remove stored artifacts that nothing needs any more
#[utoipa::path(post, path = "/gc", operation_id = "collect", tag = "audit", request_body = CollectRequest,
    params(CollectQuery, OrderHeaders), responses(
    (status = 200, body = CollectedView), (status = "default", body = ProblemView)))]
pub(crate) async fn collect(
    State(app): State<App>,
    Query(query): Query<CollectQuery>,
    sender: Sender,
    Json(request): Json<CollectRequest>,
) -> Result<axum::Json<CollectedView>, Refusal> {
    let how = if query.dry_run {
        Collect::DryRun
    } else {
        Collect::ForReal
    };
    let order = sender.order(request.reason, Force::No);
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.collect(how, order)).await??,
    ))
}
