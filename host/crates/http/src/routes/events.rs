//! The stream of events.
//!
//! Invariant: a reader that is too slow misses events and is told how many; the host never waits for one.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::{Stream, StreamExt};
use patchbay_wire::{EventView, ProblemView};
use tokio::sync::watch;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use crate::app::App;
use crate::error::Refusal;

pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What happens in the host, as server-sent events
///
/// Each message carries an `EventView`. A message of the type `lagged` carries `{"missed": n}` and stands for events
/// that the reader was too slow for.
#[utoipa::path(get, path = "/events", tag = "host", responses(
    (status = 200, content_type = "text/event-stream", body = EventView), (status = "default", body = ProblemView)))]
pub(crate) async fn events(
    State(app): State<App>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let place = app.stream()?;
    let messages = BroadcastStream::new(app.patchbay.subscribe()).map(move |event| {
        // The place is free when the stream is dropped.
        let _held = &place;
        Ok(message(event))
    });
    let stream = messages.take_until(closed(app.closing));
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn message(event: Result<EventView, BroadcastStreamRecvError>) -> Event {
    let sent = match event {
        Ok(event) => Event::default().id(event.sequence.to_string()).json_data(&event),
        Err(BroadcastStreamRecvError::Lagged(missed)) => Event::default()
            .event("lagged")
            .json_data(serde_json::json!({ "missed": missed })),
    };
    sent.unwrap_or_else(|_| Event::default().comment("an event could not be written"))
}

/// Ready when the server ends: its sender never sends, it only goes away.
pub(crate) async fn closed(closing: Option<watch::Receiver<()>>) {
    match closing {
        Some(mut closing) => while closing.changed().await.is_ok() {},
        None => std::future::pending().await,
    }
}
