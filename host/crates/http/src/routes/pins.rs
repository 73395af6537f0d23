//! Pins: who is held where.

use axum::extract::{Path, State};
use patchbay_control::{Force, PinScope};
use patchbay_vocab::PluginName;
use patchbay_wire::{PinRequest, PinView, PinnedView, ProblemView};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::body::{Json, Query};
use crate::error::{HttpError, Refusal};
use crate::order::{OrderHeaders, Sender, target};

/// Which pins to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Of this plugin
    #[param(value_type = Option<String>)]
    plugin: Option<PluginName>,
}

/// Who is held where
#[utoipa::path(get, path = "/pins", operation_id = "list_pins", tag = "rollouts", params(ListQuery), responses(
    (status = 200, body = Vec<PinView>), (status = "default", body = ProblemView)))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Vec<PinView>>, Refusal> {
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.pins(query.plugin.as_ref()))
            .await??,
    ))
}

/// Hold a tenant, a workflow or everybody at a revision
#[utoipa::path(post, path = "/plugins/{name}/pin", tag = "rollouts", request_body = PinRequest,
    params(("name" = String, Path, description = "The plugin"), OrderHeaders), responses(
    (status = 200, body = PinnedView), (status = "default", body = ProblemView)))]
pub(crate) async fn pin(
    State(app): State<App>,
    Path(name): Path<String>,
    sender: Sender,
    Json(request): Json<PinRequest>,
) -> Result<axum::Json<PinnedView>, Refusal> {
    let plugin: PluginName = name.parse()?;
    let to = request.to.as_deref().ok_or_else(|| HttpError::BadTarget {
        why: "it is left out".into(),
    })?;
    let to = target(to)?;
    let scope = PinScope {
        tenant: request.tenant,
        workflow: request.workflow,
    };
    let order = sender.order(request.reason, Force::No);
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.pin(&plugin, &to, scope, order))
            .await??,
    ))
}

/// Let go of whoever was held
#[utoipa::path(post, path = "/plugins/{name}/unpin", tag = "rollouts", request_body = PinRequest,
    params(("name" = String, Path, description = "The plugin"), OrderHeaders), responses(
    (status = 200, body = PinnedView), (status = "default", body = ProblemView)))]
pub(crate) async fn unpin(
    State(app): State<App>,
    Path(name): Path<String>,
    sender: Sender,
    Json(request): Json<PinRequest>,
) -> Result<axum::Json<PinnedView>, Refusal> {
    let plugin: PluginName = name.parse()?;
    if request.to.is_some() {
        // Whoever names a version may believe that other pins stay.
        let why = "`to` belongs to a pin: who is let go is named by `tenant` and `workflow`".to_owned();
        return Err(HttpError::BadBody { why }.into());
    }
    let scope = PinScope {
        tenant: request.tenant,
        workflow: request.workflow,
    };
    let order = sender.order(request.reason, Force::No);
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.unpin(&plugin, scope, order))
            .await??,
    ))
}
