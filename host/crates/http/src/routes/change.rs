//! Orders: what is live is changed.

use axum::extract::{Path, State};
use patchbay_control::{Order, Selector};
use patchbay_vocab::PluginName;
use patchbay_wire::{ChangeRequest, ProblemView, SwapView};

use crate::app::App;
use crate::body::Json;
use crate::error::{HttpError, Refusal};
use crate::order::{OrderHeaders, Sender, force, target};

/// Make a revision live
#[utoipa::path(post, path = "/plugins/{name}/promote", tag = "plugins", request_body = ChangeRequest,
    params(("name" = String, Path, description = "The plugin"), OrderHeaders), responses(
    (status = 200, body = SwapView), (status = "default", body = ProblemView)))]
pub(crate) async fn promote(
    State(app): State<App>,
    Path(name): Path<String>,
    sender: Sender,
    Json(request): Json<ChangeRequest>,
) -> Result<axum::Json<SwapView>, Refusal> {
    let Wanted { plugin, to, order } = wanted(&name, sender, request)?;
    let to = to.ok_or_else(|| HttpError::BadTarget {
        why: "it is left out".into(),
    })?;
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.promote(&plugin, &to, order))
            .await??,
    ))
}

/// Make the revision before live again, or the one that is named
#[utoipa::path(post, path = "/plugins/{name}/rollback", tag = "plugins", request_body = ChangeRequest,
    params(("name" = String, Path, description = "The plugin"), OrderHeaders), responses(
    (status = 200, body = SwapView), (status = "default", body = ProblemView)))]
pub(crate) async fn rollback(
    State(app): State<App>,
    Path(name): Path<String>,
    sender: Sender,
    Json(request): Json<ChangeRequest>,
) -> Result<axum::Json<SwapView>, Refusal> {
    let Wanted { plugin, to, order } = wanted(&name, sender, request)?;
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.rollback(&plugin, to.as_ref(), order))
            .await??,
    ))
}

/// Take the live revision out of service, or the one that is named
#[utoipa::path(post, path = "/plugins/{name}/quarantine", tag = "plugins", request_body = ChangeRequest,
    params(("name" = String, Path, description = "The plugin"), OrderHeaders), responses(
    (status = 200, body = SwapView), (status = "default", body = ProblemView)))]
pub(crate) async fn quarantine(
    State(app): State<App>,
    Path(name): Path<String>,
    sender: Sender,
    Json(request): Json<ChangeRequest>,
) -> Result<axum::Json<SwapView>, Refusal> {
    let Wanted { plugin, to, order } = wanted(&name, sender, request)?;
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.quarantine(&plugin, to.as_ref(), order))
            .await??,
    ))
}

struct Wanted {
    plugin: PluginName,
    to: Option<Selector>,
    order: Order,
}

fn wanted(name: &str, sender: Sender, request: ChangeRequest) -> Result<Wanted, Refusal> {
    Ok(Wanted {
        plugin: name.parse()?,
        to: request.to.as_deref().map(target).transpose()?,
        order: sender.order(request.reason, force(request.force)),
    })
}
