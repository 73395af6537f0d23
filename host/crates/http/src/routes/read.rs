//! Listings.

use axum::Json;
use axum::extract::{Path, State};
use patchbay_control::Patchbay;
use patchbay_vocab::{NodeType, PluginName};
use patchbay_wire::{HistoryView, NodeView, PluginView, ProblemView, RejectedView, StatusView};

use crate::app::App;
use crate::error::{HttpError, Refusal};

/// How the host is
#[utoipa::path(get, path = "/status", tag = "host", responses(
    (status = 200, body = StatusView), (status = "default", body = ProblemView)))]
pub(crate) async fn status(State(app): State<App>) -> Result<Json<StatusView>, Refusal> {
    app.run(Patchbay::status).await.map(Json)
}

/// Every plugin with its revisions
#[utoipa::path(get, path = "/plugins", tag = "plugins", responses(
    (status = 200, body = Vec<PluginView>), (status = "default", body = ProblemView)))]
pub(crate) async fn plugins(State(app): State<App>) -> Result<Json<Vec<PluginView>>, Refusal> {
    app.run(Patchbay::plugins).await.map(Json)
}

/// One plugin with its revisions
#[utoipa::path(get, path = "/plugins/{name}", tag = "plugins",
    params(("name" = String, Path, description = "The plugin")), responses(
    (status = 200, body = PluginView), (status = "default", body = ProblemView)))]
pub(crate) async fn plugin(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<PluginView>, Refusal> {
    let name: PluginName = name.parse()?;
    Ok(Json(app.run(move |patchbay| patchbay.plugin(&name)).await??))
}

/// What was changed in a plugin, by whom and why
#[utoipa::path(get, path = "/plugins/{name}/history", tag = "plugins",
    params(("name" = String, Path, description = "The plugin")), responses(
    (status = 200, body = Vec<HistoryView>), (status = "default", body = ProblemView)))]
pub(crate) async fn history(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<Vec<HistoryView>>, Refusal> {
    let name: PluginName = name.parse()?;
    Ok(Json(app.run(move |patchbay| patchbay.history(&name)).await??))
}

/// The files that were refused
#[utoipa::path(get, path = "/rejected", tag = "plugins", responses(
    (status = 200, body = Vec<RejectedView>), (status = "default", body = ProblemView)))]
pub(crate) async fn rejected(State(app): State<App>) -> Result<Json<Vec<RejectedView>>, Refusal> {
    app.run(Patchbay::rejected).await.map(Json)
}

/// The catalogue: every node that can be called
#[utoipa::path(get, path = "/nodes", tag = "nodes", responses(
    (status = 200, body = Vec<NodeView>), (status = "default", body = ProblemView)))]
pub(crate) async fn nodes(State(app): State<App>) -> Result<Json<Vec<NodeView>>, Refusal> {
    app.run(Patchbay::nodes).await.map(Json)
}

/// One node of the catalogue
#[utoipa::path(get, path = "/nodes/{nodeType}", tag = "nodes",
    params(("nodeType" = String, Path, description = "The node type, or one of its aliases")), responses(
    (status = 200, body = NodeView), (status = "default", body = ProblemView)))]
pub(crate) async fn node(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<NodeView>, Refusal> {
    let name: NodeType = name.parse()?;
    Ok(Json(
        app.run(move |patchbay| patchbay.node(name.as_str())).await??,
    ))
}

/// Whether the plugins that were there at the start have been vetted, so that calls find them.
pub(crate) async fn ready(State(app): State<App>) -> Result<&'static str, Refusal> {
    if app.run(Patchbay::is_ready).await? {
        Ok("ready")
    } else {
        Err(HttpError::NotReady.into())
    }
}
