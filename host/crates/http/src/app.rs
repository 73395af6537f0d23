//! The router: every route, its description, and what they share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use patchbay_control::{ControlError, Patchbay};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::error::{HttpError, Refusal};
use crate::guard::Guard;
use crate::routes;

/// Calls of nodes at once; each holds a thread.
const CALLS: usize = 64;
/// Everything else that blocks: listings and orders. Kept apart, so that stuck calls do not keep an admin out.
const ORDERS: usize = 16;
/// Beginning runs and reading what is kept of them, which may have to wait for the disk. Waiting for the end of a run
/// takes no thread.
const RECORDS: usize = 16;
/// Streams of events at once.
const STREAMS: usize = 64;
/// How long work waits for a free thread.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the routes share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) patchbay: Patchbay,
    streams: Arc<Semaphore>,
    /// Closed when the server ends; without a server of ours there is nobody to say so.
    pub(crate) closing: Option<watch::Receiver<()>>,
    calls: Arc<Semaphore>,
    orders: Arc<Semaphore>,
    records: Arc<Semaphore>,
}

impl App {
    /// Runs a listing or an order off the threads that serve connections.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Patchbay) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        self.blocking(&self.orders, work).await
    }

    /// Runs a call of a node.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Patchbay) -> Result<T, ControlError> + Send + 'static,
    ) -> Result<T, Refusal> {
        Ok(self.blocking(&self.calls, work).await??)
    }

    /// Begins a run, or reads what is kept of runs.
    pub(crate) async fn record<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Patchbay) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        self.blocking(&self.records, work).await
    }

    /// Begins to read what is kept, and does not wait for the end: the work answers by itself.
    pub(crate) async fn begin(&self, work: impl FnOnce(&Patchbay) + Send + 'static) -> Result<(), Refusal> {
        self.spawn(&self.records, work).await.map(drop)
    }

    /// A place for a stream of events, held while there is one.
    pub(crate) fn stream(&self) -> Result<OwnedSemaphorePermit, HttpError> {
        let place = Arc::clone(&self.streams).try_acquire_owned();
        place.map_err(|_| HttpError::Busy)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        places: &Arc<Semaphore>,
        work: impl FnOnce(&Patchbay) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let done = self.spawn(places, work).await?;
        done.await.map_err(|error| {
            tracing::error!(%error, "a request's work did not end");
            HttpError::Failed.into()
        })
    }

    async fn spawn<T: Send + 'static>(
        &self,
        places: &Arc<Semaphore>,
        work: impl FnOnce(&Patchbay) -> T + Send + 'static,
    ) -> Result<JoinHandle<T>, Refusal> {
        let place = tokio::time::timeout(PATIENCE, Arc::clone(places).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(HttpError::Busy.into());
        };
        let patchbay = self.patchbay.clone();
        Ok(tokio::task::spawn_blocking(move || {
            // The place is free when the work is done, not when the client has gone.
            let _place = place;
            work(&patchbay)
        }))
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Patchbay",
        description = "The control channel of a Patchbay host. Every answer that is not a success is a `ProblemView` \
                       with a stable code.",
        license(name = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "host", description = "How the host is and what happens in it"),
        (name = "plugins", description = "Versions, what holds them, and changes of what is live"),
        (name = "rollouts", description = "How versions go live step by step, and who is held where"),
        (name = "nodes", description = "The catalogue, and calls"),
        (name = "workflows", description = "Documents, their runs, and what is kept of them"),
        (name = "audit", description = "What was done, by whom and why, and what is kept on disk")
    )
)]
struct Description;

/// The whole API for a host that listens nowhere in particular: it answers to loopback names.
///
/// Streams of events end when the host's own stream does; [`crate::serve`] ends them earlier, at shutdown.
pub fn router(patchbay: Patchbay) -> Router {
    build(patchbay, None, None)
}

/// The API's description.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    parts().1
}

pub(crate) fn build(
    patchbay: Patchbay,
    bound: Option<SocketAddr>,
    closing: Option<watch::Receiver<()>>,
) -> Router {
    let app = App {
        patchbay,
        closing,
        streams: Arc::new(Semaphore::new(STREAMS)),
        calls: Arc::new(Semaphore::new(CALLS)),
        orders: Arc::new(Semaphore::new(ORDERS)),
        records: Arc::new(Semaphore::new(RECORDS)),
    };
    let (api, description) = parts();
    let router = api
        .merge(routes::ready())
        .with_state(app)
        .merge(routes::fixed(&description));
    Guard::new(bound).protect(router)
}

/// The routes and their description, in which the rest of a path is a parameter like any other.
fn parts() -> (Router<App>, utoipa::openapi::OpenApi) {
    let api = OpenApiRouter::with_openapi(Description::openapi()).nest("/api/v1", routes::api());
    let (router, mut description) = api.split_for_parts();
    let paths = std::mem::take(&mut description.paths.paths);
    let paths = paths.into_iter().map(|(path, mut item)| {
        if path.contains("{*") {
            // One function answers several methods; each of them needs a name of its own.
            for (method, operation) in [
                ("get", &mut item.get),
                ("post", &mut item.post),
                ("put", &mut item.put),
                ("patch", &mut item.patch),
                ("delete", &mut item.delete),
            ] {
                if let Some(id) = operation.as_mut().and_then(|one| one.operation_id.as_mut()) {
                    *id = format!("{id}_{method}");
                }
            }
        }
        (path.replace("{*", "{"), item)
    });
    description.paths.paths = paths.collect();
    (router, description)
}
