//! Connections: accepted up to a limit, given time to say what they want, and let go in the end.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use patchbay_control::Patchbay;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::app;
use crate::error::HttpError;

/// Connections at once; more wait in the system's queue.
const MOST_CONNECTIONS: usize = 256;
/// How long a client may take to send the head of a request.
const SLOWEST_HEAD: Duration = Duration::from_secs(10);
const LARGEST_HEAD: usize = 64 << 10;
/// How long requests may take to finish once the host is told to end.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long to wait when the system cannot give a connection, such as when it is out of descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// Whether the API may listen on `address`: it has no authentication, so it stays on this machine.
///
/// # Errors
/// When it is not a loopback address.
pub fn may_listen(address: SocketAddr) -> Result<(), HttpError> {
    if address.ip().is_loopback() {
        Ok(())
    } else {
        Err(HttpError::NotLoopback { address })
    }
}

/// Serves the API and the page until `shutdown` is ready; requests that run then are given a few seconds to finish.
///
/// # Errors
/// When the listener has no address.
pub async fn serve(
    listener: TcpListener,
    patchbay: Patchbay,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    // Streams of events never finish by themselves: they end when this sender is dropped.
    let (closing, closed) = watch::channel(());
    let router = app::build(patchbay, Some(listener.local_addr()?), Some(closed));
    accept(listener, router, shutdown, closing).await;
    Ok(())
}

pub(crate) async fn accept(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
    closing: watch::Sender<()>,
) {
    let mut shutdown = pin!(shutdown);
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let served = graceful.watch(connection(stream, router.clone()));
                connections.spawn(async move {
                    // A connection that broke concerns nobody but the client.
                    let _ = served.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(BREATH).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    drop(closing);
    if tokio::time::timeout(FAREWELL, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests did not finish in time");
    }
    connections.shutdown().await;
}

fn connection(
    stream: TcpStream,
    router: Router,
) -> http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>> {
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(SLOWEST_HEAD)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}
