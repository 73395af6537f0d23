//! Orders: what is live is changed.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue};
use patchbay_control::{Force, Order, Selector};
use patchbay_vocab::PluginName;
use patchbay_wire::{ChangeRequest, ProblemView, SwapView};

use crate::app::App;
use crate::body::Json;
use crate::error::{HttpError, Refusal};

const ACTOR: &str = "x-patchbay-actor";
const LONGEST_ACTOR: usize = 64;

/// Make a revision live
#[utoipa::path(post, path = "/plugins/{name}/promote", tag = "plugins", request_body = ChangeRequest,
    params(("name" = String, Path, description = "The plugin"),
        ("x-patchbay-actor" = Option<String>, Header, description = "Who orders it; `api` when left out")), responses(
    (status = 200, body = SwapView), (status = "default", body = ProblemView)))]
pub(crate) async fn promote(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(request): Json<ChangeRequest>,
) -> Result<axum::Json<SwapView>, Refusal> {
    let Wanted { plugin, to, order } = wanted(&name, &headers, request)?;
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
    params(("name" = String, Path, description = "The plugin"),
        ("x-patchbay-actor" = Option<String>, Header, description = "Who orders it; `api` when left out")), responses(
    (status = 200, body = SwapView), (status = "default", body = ProblemView)))]
pub(crate) async fn rollback(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(request): Json<ChangeRequest>,
) -> Result<axum::Json<SwapView>, Refusal> {
    let Wanted { plugin, to, order } = wanted(&name, &headers, request)?;
    Ok(axum::Json(
        app.run(move |patchbay| patchbay.rollback(&plugin, to.as_ref(), order))
            .await??,
    ))
}

/// Take the live revision out of service, or the one that is named
#[utoipa::path(post, path = "/plugins/{name}/quarantine", tag = "plugins", request_body = ChangeRequest,
    params(("name" = String, Path, description = "The plugin"),
        ("x-patchbay-actor" = Option<String>, Header, description = "Who orders it; `api` when left out")), responses(
    (status = 200, body = SwapView), (status = "default", body = ProblemView)))]
pub(crate) async fn quarantine(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(request): Json<ChangeRequest>,
) -> Result<axum::Json<SwapView>, Refusal> {
    let Wanted { plugin, to, order } = wanted(&name, &headers, request)?;
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

fn wanted(name: &str, headers: &HeaderMap, request: ChangeRequest) -> Result<Wanted, Refusal> {
    let ChangeRequest { to, reason, force } = request;
    let to = to.map(|to| to.parse::<Selector>()).transpose();
    Ok(Wanted {
        plugin: name.parse()?,
        to: to.map_err(|error| HttpError::BadTarget {
            why: error.to_string().chars().take(400).collect(),
        })?,
        order: Order {
            actor: actor(headers.get(ACTOR))?,
            reason: reason.unwrap_or_default(),
            force: if force { Force::Yes } else { Force::No },
        },
    })
}

/// A name for the history: short, and fit to be printed anywhere.
fn actor(header: Option<&HeaderValue>) -> Result<String, HttpError> {
    let Some(header) = header else {
        return Ok("api".to_owned());
    };
    match header.to_str().map(str::trim) {
        Ok(name) if (1..=LONGEST_ACTOR).contains(&name.len()) && !name.contains('\t') => Ok(name.to_owned()),
        _ => Err(HttpError::BadActor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_short_and_printable_or_refused() {
        let check = |bytes: &[u8]| actor(Some(&HeaderValue::from_bytes(bytes).unwrap())).ok();
        assert_eq!(actor(None).unwrap(), "api");
        assert_eq!(check(b" cli:ann ").as_deref(), Some("cli:ann"));
        for bad in [&b""[..], b"  ", b"a\tb", b"\xff", &[b'a'; 65]] {
            assert_eq!(check(bad), None, "{bad:?}");
        }
    }
}
