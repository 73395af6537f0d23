//! Rollouts: planned, begun, steered, looked at; and the policies that they follow.

use axum::extract::{Path, State};
use patchbay_control::{Force, Order, PromoteHow, RolloutScope};
use patchbay_vocab::PluginName;
use patchbay_wire::{
    PolicyRequest, PolicyView, ProblemView, RolloutOrder, RolloutPlanView, RolloutRequest, RolloutView,
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::body::{Json, Query};
use crate::error::{HttpError, Refusal};
use crate::order::{OrderHeaders, Sender, force, target};

/// The longest text that may be the id of a rollout.
const LONGEST_ID: usize = 128;

/// Which rollouts to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Of this plugin
    #[param(value_type = Option<String>)]
    plugin: Option<PluginName>,
    /// Whether those that have ended are listed, too; they are not when left out
    #[serde(default)]
    all: bool,
}

/// Show what a rollout would change, and for whom; nothing is changed
#[utoipa::path(post, path = "/plugins/{name}/rollout/plan", operation_id = "plan_rollout", tag = "rollouts",
    request_body = RolloutRequest, params(("name" = String, Path, description = "The plugin")), responses(
    (status = 200, description = "Whether or not it would be allowed", body = RolloutPlanView),
    (status = "default", body = ProblemView)))]
pub(crate) async fn plan(
    State(app): State<App>,
    Path(name): Path<String>,
    Json(request): Json<RolloutRequest>,
) -> Result<axum::Json<RolloutPlanView>, Refusal> {
    let plugin: PluginName = name.parse()?;
    // The use case reads it as well; here it is told apart from a version that is not there.
    target(&request.to)?;
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.rollout_plan(&plugin, &request))
            .await??,
    ))
}

/// Bring a revision live, step by step
#[utoipa::path(post, path = "/plugins/{name}/rollout", operation_id = "start_rollout", tag = "rollouts",
    request_body = RolloutRequest, params(("name" = String, Path, description = "The plugin"), OrderHeaders), responses(
    (status = 200, description = "It has begun, and may have ended already", body = RolloutView),
    (status = "default", body = ProblemView)))]
pub(crate) async fn start(
    State(app): State<App>,
    Path(name): Path<String>,
    sender: Sender,
    Json(request): Json<RolloutRequest>,
) -> Result<axum::Json<RolloutView>, Refusal> {
    let plugin: PluginName = name.parse()?;
    let to = target(&request.to)?;
    let order = sender.order(request.reason, force(request.force));
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.rollout_start(&plugin, &to, request.policy, order))
            .await??,
    ))
}

/// Hold a rollout where it is
#[utoipa::path(post, path = "/plugins/{name}/rollout/pause", operation_id = "pause_rollout", tag = "rollouts",
    request_body = RolloutOrder, params(("name" = String, Path, description = "The plugin"), OrderHeaders), responses(
    (status = 200, body = RolloutView), (status = "default", body = ProblemView)))]
pub(crate) async fn pause(
    State(app): State<App>,
    Path(name): Path<String>,
    sender: Sender,
    Json(request): Json<RolloutOrder>,
) -> Result<axum::Json<RolloutView>, Refusal> {
    let (plugin, order) = steered(&name, sender, request)?;
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.rollout_pause(&plugin, order))
            .await??,
    ))
}

/// Let a rollout that is paused go on
#[utoipa::path(post, path = "/plugins/{name}/rollout/resume", operation_id = "resume_rollout", tag = "rollouts",
    request_body = RolloutOrder, params(("name" = String, Path, description = "The plugin"), OrderHeaders), responses(
    (status = 200, body = RolloutView), (status = "default", body = ProblemView)))]
pub(crate) async fn resume(
    State(app): State<App>,
    Path(name): Path<String>,
    sender: Sender,
    Json(request): Json<RolloutOrder>,
) -> Result<axum::Json<RolloutView>, Refusal> {
    let (plugin, order) = steered(&name, sender, request)?;
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.rollout_resume(&plugin, order))
            .await??,
    ))
}

/// Take a rollout to its next step, or live
#[utoipa::path(post, path = "/plugins/{name}/rollout/promote", operation_id = "promote_rollout", tag = "rollouts",
    request_body = RolloutOrder, params(("name" = String, Path, description = "The plugin"), OrderHeaders), responses(
    (status = 200, body = RolloutView), (status = "default", body = ProblemView)))]
pub(crate) async fn promote(
    State(app): State<App>,
    Path(name): Path<String>,
    sender: Sender,
    Json(request): Json<RolloutOrder>,
) -> Result<axum::Json<RolloutView>, Refusal> {
    let plugin: PluginName = name.parse()?;
    let how = if request.full {
        PromoteHow::Full
    } else {
        PromoteHow::NextStep
    };
    let order = sender.order(request.reason, Force::No);
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.rollout_promote(&plugin, how, order))
            .await??,
    ))
}

/// End a rollout: the revision before receives every call again
#[utoipa::path(post, path = "/plugins/{name}/rollout/abort", operation_id = "abort_rollout", tag = "rollouts",
    request_body = RolloutOrder, params(("name" = String, Path, description = "The plugin"), OrderHeaders), responses(
    (status = 200, body = RolloutView), (status = "default", body = ProblemView)))]
pub(crate) async fn abort(
    State(app): State<App>,
    Path(name): Path<String>,
    sender: Sender,
    Json(request): Json<RolloutOrder>,
) -> Result<axum::Json<RolloutView>, Refusal> {
    let (plugin, order) = steered(&name, sender, request)?;
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.rollout_abort(&plugin, order))
            .await??,
    ))
}

/// The rollouts, each with the last of its evidence
#[utoipa::path(get, path = "/rollouts", operation_id = "list_rollouts", tag = "rollouts", params(ListQuery), responses(
    (status = 200, body = Vec<RolloutView>), (status = "default", body = ProblemView)))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Vec<RolloutView>>, Refusal> {
    let scope = if query.all {
        RolloutScope::All
    } else {
        RolloutScope::Running
    };
    Ok(axum::Json(
        app.record(move |patchbay| patchbay.rollouts(query.plugin.as_ref(), scope))
            .await??,
    ))
}

/// One rollout with its evidence
#[utoipa::path(get, path = "/rollouts/{id}", operation_id = "show_rollout", tag = "rollouts",
    params(("id" = String, Path, description = "The rollout, or a plugin, whose latest is meant")), responses(
    (status = 200, body = RolloutView), (status = "default", body = ProblemView)))]
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<axum::Json<RolloutView>, Refusal> {
    if id.len() > LONGEST_ID {
        return Err(HttpError::UnknownRoute.into());
    }
    Ok(axum::Json(
        app.record(move |patchbay| patchbay.rollout(&id)).await??,
    ))
}

/// How a plugin's versions go live
#[utoipa::path(get, path = "/plugins/{name}/policy", operation_id = "show_policy", tag = "rollouts",
    params(("name" = String, Path, description = "The plugin")), responses(
    (status = 200, body = PolicyView), (status = "default", body = ProblemView)))]
pub(crate) async fn policy(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<axum::Json<PolicyView>, Refusal> {
    let plugin: PluginName = name.parse()?;
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.policy(&plugin)).await??,
    ))
}

/// Set how a plugin's versions go live
#[utoipa::path(put, path = "/plugins/{name}/policy", operation_id = "set_policy", tag = "rollouts",
    request_body = PolicyRequest, params(("name" = String, Path, description = "The plugin"), OrderHeaders), responses(
    (status = 200, body = PolicyView), (status = "default", body = ProblemView)))]
pub(crate) async fn set_policy(
    State(app): State<App>,
    Path(name): Path<String>,
    sender: Sender,
    Json(request): Json<PolicyRequest>,
) -> Result<axum::Json<PolicyView>, Refusal> {
    let plugin: PluginName = name.parse()?;
    let order = sender.order(request.reason, Force::No);
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.set_policy(&plugin, request.policy, order))
            .await??,
    ))
}

/// An order that knows no halves: `full` belongs to a promotion.
fn steered(name: &str, sender: Sender, request: RolloutOrder) -> Result<(PluginName, Order), Refusal> {
    if request.full {
        let why = "`full` says how to promote".to_owned();
        return Err(HttpError::BadBody { why }.into());
    }
    Ok((name.parse()?, sender.order(request.reason, Force::No)))
}
