//! Calls of nodes.

use axum::extract::{Path, State};
use patchbay_vocab::NodeType;
use patchbay_wire::{CallReply, CallRequest, ProblemView};

use crate::app::App;
use crate::body::Json;
use crate::error::Refusal;

/// Call a node
#[utoipa::path(post, path = "/call/{nodeType}", tag = "nodes", request_body = CallRequest,
    params(("nodeType" = String, Path, description = "The node type, or one of its aliases")), responses(
    (status = 200, body = CallReply),
    (status = 422, description = "The node answered with an error", body = ProblemView),
    (status = 504, description = "The node did not answer in time", body = ProblemView),
    (status = "default", body = ProblemView)))]
pub(crate) async fn call(
    State(app): State<App>,
    Path(name): Path<String>,
    Json(request): Json<CallRequest>,
) -> Result<axum::Json<CallReply>, Refusal> {
    let node: NodeType = name.parse()?;
    app.call(move |patchbay| patchbay.call_json(node.as_str(), request))
        .await
        .map(axum::Json)
}
