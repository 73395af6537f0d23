//! Runs: begun, listed, watched, ended, done again.
//!
//! Invariant: a run does not depend on who asked for it. A client that goes away ends nothing, and one that waits holds
//! no thread.

use std::convert::Infallible;

use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use patchbay_control::{Begun, ControlError, Patchbay, Wanted, Watch};
use patchbay_vocab::{RunId, TenantId, UnixMillis, WorkflowId};
use patchbay_wire::{
    ProblemView, ReplayRequest, ReplayView, RunBegun, RunEventView, RunListView, RunRequest, RunView,
};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::IntoParams;

use super::events::{KEEP_ALIVE, closed};
use crate::app::App;
use crate::body::{Json, LARGEST_DOCUMENT, Query};
use crate::error::{HttpError, Refusal};

/// Events that are on their way to one client.
const ON_THE_WAY: usize = 64;

/// How the answer to a new run comes.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Waiting {
    /// Whether the answer waits for the end of the run; it does when left out
    wait: Option<bool>,
}

/// Which runs to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Of this workflow
    #[param(value_type = Option<String>)]
    workflow: Option<WorkflowId>,
    /// Of this tenant
    #[param(value_type = Option<String>)]
    tenant: Option<TenantId>,
    /// That stand like this: `success`, `error`, `cancelled`, `timeout`, `running`, `queued`, `interrupted`
    status: Option<String>,
    /// That began at this time or after, in milliseconds since 1970-01-01 UTC
    since: Option<u64>,
    /// That were begun by this run
    #[param(value_type = Option<String>)]
    parent: Option<RunId>,
    /// How many at most; 50 when left out
    limit: Option<u32>,
    /// The `next` of the page before
    before: Option<String>,
}

/// Run a workflow
///
/// Answers with the run when it has ended; with `wait=false` as soon as it has begun. To a request that accepts
/// `text/event-stream`, it answers with events: one of the type `begun` with a `RunBegun`, then a `RunEventView` for each
/// thing that happens, and at the end one of the type `run` with the `RunView`, or `problem` with a `ProblemView`.
#[utoipa::path(post, path = "/runs", operation_id = "begin_run", tag = "workflows", request_body = RunRequest, params(Waiting), responses(
    (status = 200, description = "The run has ended, whether its nodes succeeded or not", body = RunView),
    (status = 202, description = "The run has begun", body = RunBegun),
    (status = 429, description = "The workflow may not run so often, or too many of its runs wait", body = ProblemView),
    (status = "default", body = ProblemView)))]
pub(crate) async fn begin(
    State(app): State<App>,
    Query(waiting): Query<Waiting>,
    headers: HeaderMap,
    Json(request): Json<RunRequest, LARGEST_DOCUMENT>,
) -> Result<Response, Refusal> {
    ran(&app, waiting, &headers, request).await
}

/// Run a workflow that the host serves
///
/// As for `POST /api/v1/runs`, without `workflow` and `workflowId` in the body.
#[utoipa::path(post, path = "/workflows/{id}/runs", operation_id = "run_workflow", tag = "workflows", request_body = RunRequest,
    params(("id" = String, Path, description = "The workflow"), Waiting), responses(
    (status = 200, description = "The run has ended, whether its nodes succeeded or not", body = RunView),
    (status = 202, description = "The run has begun", body = RunBegun),
    (status = "default", body = ProblemView)))]
pub(crate) async fn begin_served(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(waiting): Query<Waiting>,
    headers: HeaderMap,
    Json(mut request): Json<RunRequest, LARGEST_DOCUMENT>,
) -> Result<Response, Refusal> {
    if request.workflow.is_some() || request.workflow_id.is_some() {
        let why = "the path says which workflow is run".to_owned();
        return Err(HttpError::BadBody { why }.into());
    }
    request.workflow_id = Some(id.parse()?);
    ran(&app, waiting, &headers, request).await
}

async fn ran(
    app: &App,
    waiting: Waiting,
    headers: &HeaderMap,
    request: RunRequest,
) -> Result<Response, Refusal> {
    let streamed = accepts_events(headers);
    // Asked for before the run begins, so that one who is refused has begun nothing.
    let place = match streamed {
        true => Some(app.stream()?),
        false => None,
    };
    let (begun, watch) = app
        .record(move |patchbay| {
            let order = patchbay.order_of(request)?;
            match streamed {
                true => patchbay
                    .begin_watched_run(order)
                    .map(|(begun, watch)| (begun, Some(watch))),
                false => patchbay.begin_run(order).map(|begun| (begun, None)),
            }
        })
        .await??;
    let told = RunBegun {
        run_id: begun.id().clone(),
        queued: begun.is_queued(),
    };
    if let Some(place) = place {
        let (sender, events) = mpsc::channel(ON_THE_WAY);
        tokio::spawn(async move {
            let _place = place;
            tell(sender, told, watch, begun).await;
        });
        let events = ReceiverStream::new(events).map(Ok::<_, Infallible>);
        let events = events.take_until(closed(app.closing.clone()));
        return Ok(Sse::new(events)
            .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
            .into_response());
    }
    if waiting.wait == Some(false) {
        return Ok((StatusCode::ACCEPTED, axum::Json(told)).into_response());
    }
    let view = begun.ended().await.map_err(ControlError::from)?;
    Ok(axum::Json(view).into_response())
}

fn accepts_events(headers: &HeaderMap) -> bool {
    let accepts = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    accepts.flat_map(|value| value.split(',')).any(|kind| {
        let essence = kind.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("text/event-stream")
    })
}

/// Tells a client what becomes of a run, until it has ended or the client has gone.
async fn tell(to: mpsc::Sender<Event>, told: RunBegun, watch: Option<Watch>, begun: Begun) {
    if to.send(named("begun", &told)).await.is_err() {
        return;
    }
    if let Some(watch) = watch {
        tell_events(&to, watch).await;
    }
    let end = tokio::select! {
        end = begun.ended() => end,
        () = to.closed() => return,
    };
    let event = match end {
        Ok(view) => named("run", &view),
        Err(error) => named("problem", &ControlError::from(error).problem()),
    };
    // The client may have gone.
    let _ = to.send(event).await;
}

async fn tell_events(to: &mpsc::Sender<Event>, mut watch: Watch) {
    loop {
        let event = tokio::select! {
            event = watch.next() => event,
            () = to.closed() => None,
        };
        let Some(event) = event else { return };
        let last = event.kind == "run.ended";
        if to.send(plain(&event)).await.is_err() || last {
            return;
        }
    }
}

fn plain(event: &RunEventView) -> Event {
    written(Event::default(), event)
}

fn named<T: serde::Serialize>(kind: &str, body: &T) -> Event {
    written(Event::default().event(kind), body)
}

fn written<T: serde::Serialize>(event: Event, body: &T) -> Event {
    event
        .json_data(body)
        .unwrap_or_else(|_| Event::default().comment("an event could not be written"))
}

/// Runs, the newest first
#[utoipa::path(get, path = "/runs", operation_id = "runs", tag = "workflows", params(ListQuery), responses(
    (status = 200, body = RunListView), (status = "default", body = ProblemView)))]
pub(crate) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<RunListView>, Refusal> {
    let wanted = Wanted {
        workflow: query.workflow,
        tenant: query.tenant,
        status: query.status,
        since: query.since.map(UnixMillis),
        parent: query.parent,
        limit: query.limit,
        before: query.before,
    };
    Ok(axum::Json(
        app.record(move |patchbay| patchbay.runs(&wanted)).await??,
    ))
}

/// One run with its nodes
#[utoipa::path(get, path = "/runs/{id}", operation_id = "run", tag = "workflows",
    params(("id" = String, Path, description = "The run")), responses(
    (status = 200, body = RunView), (status = "default", body = ProblemView)))]
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<axum::Json<RunView>, Refusal> {
    let id: RunId = id.parse()?;
    Ok(axum::Json(app.record(move |patchbay| patchbay.run(&id)).await??))
}

/// The document that a run ran, as it was sent
#[utoipa::path(get, path = "/runs/{id}/document", operation_id = "run_document", tag = "workflows",
    params(("id" = String, Path, description = "The run")), responses(
    (status = 200, content_type = "application/json", body = Object), (status = "default", body = ProblemView)))]
pub(crate) async fn document(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let id: RunId = id.parse()?;
    let text = app.record(move |patchbay| patchbay.run_document(&id)).await??;
    let json = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, json)], text.to_string()).into_response())
}

/// What happens in a run that has not ended, as server-sent events
///
/// Each message carries a `RunEventView`; the last one is `run.ended`. A reader that is too slow misses events.
#[utoipa::path(get, path = "/runs/{id}/events", operation_id = "run_events", tag = "workflows",
    params(("id" = String, Path, description = "The run")), responses(
    (status = 200, content_type = "text/event-stream", body = RunEventView),
    (status = 409, description = "The run has ended", body = ProblemView),
    (status = "default", body = ProblemView)))]
pub(crate) async fn events(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let id: RunId = id.parse()?;
    let place = app.stream()?;
    let watch = app.record(move |patchbay| patchbay.watch_run(&id)).await??;
    let (sender, events) = mpsc::channel(ON_THE_WAY);
    tokio::spawn(async move {
        let _place = place;
        tell_events(&sender, watch).await;
    });
    let events = ReceiverStream::new(events).map(Ok::<_, Infallible>);
    let events = events.take_until(closed(app.closing));
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response())
}

/// End a run: nothing new starts in it, and what runs is told
#[utoipa::path(post, path = "/runs/{id}/cancel", operation_id = "cancel_run", tag = "workflows",
    params(("id" = String, Path, description = "The run")), responses(
    (status = 202, description = "It was told to end", body = RunBegun),
    (status = 409, description = "The run has ended", body = ProblemView),
    (status = "default", body = ProblemView)))]
pub(crate) async fn cancel(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<(StatusCode, axum::Json<RunBegun>), Refusal> {
    let id: RunId = id.parse()?;
    let told = RunBegun {
        run_id: id.clone(),
        queued: false,
    };
    app.record(move |patchbay| patchbay.cancel_run(&id)).await??;
    Ok((StatusCode::ACCEPTED, axum::Json(told)))
}

/// Do a run again, from the start or from a node on, and compare
#[utoipa::path(post, path = "/runs/{id}/replay", operation_id = "replay_run", tag = "workflows", request_body = ReplayRequest,
    params(("id" = String, Path, description = "The run")), responses(
    (status = 200, body = ReplayView), (status = "default", body = ProblemView)))]
pub(crate) async fn replay(
    State(app): State<App>,
    Path(id): Path<String>,
    Json(request): Json<ReplayRequest>,
) -> Result<axum::Json<ReplayView>, Refusal> {
    let id: RunId = id.parse()?;
    let begun = move |patchbay: &Patchbay| patchbay.begin_replay(&id, &request);
    let replaying = app.record(begun).await??;
    let view = replaying.ended().await.map_err(ControlError::from)?;
    Ok(axum::Json(view))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_for_those_who_accept_them() {
        let accepts = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(text));
            accepts_events(&headers)
        };
        assert!(accepts("text/event-stream") && accepts("application/json, Text/Event-Stream;q=0.5"));
        assert!(!accepts("*/*") && !accepts("application/json") && !accepts_events(&HeaderMap::new()));
    }
}
