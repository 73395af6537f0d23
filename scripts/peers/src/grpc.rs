//! gRPC over a unix socket: a server in a process of its own, and one warm connection to it.
//!
//! Invariant: client and server are tonic as its generator would write them, one thread each, with nothing between them
//! but the socket.

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::task::{Context as Polling, Poll};

use anyhow::{Context, Result, ensure};
use tokio::net::UnixListener;
use tokio::runtime::Runtime;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

const NOOP: &str = "/peers.Nodes/Noop";
const ECHO: &str = "/peers.Nodes/Echo";

/// Nothing.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Nothing {}

/// The standard payload.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Payload {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(int64, tag = "2")]
    pub(crate) count: i64,
    #[prost(bool, tag = "3")]
    pub(crate) active: bool,
}

/// The service's one method per path: gives back what came.
#[derive(Clone)]
struct GiveBack;

impl<M: Send + 'static> Service<Request<M>> for GiveBack {
    type Response = Response<M>;
    type Error = Status;
    type Future = std::future::Ready<Result<Response<M>, Status>>;

    fn poll_ready(&mut self, _: &mut Polling<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<M>) -> Self::Future {
        std::future::ready(Ok(Response::new(request.into_inner())))
    }
}

#[derive(Clone)]
struct Nodes;

impl Service<http::Request<tonic::body::Body>> for Nodes {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Polling<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        Box::pin(async move {
            Ok(match request.uri().path() {
                NOOP => {
                    let codec = ProstCodec::<Nothing, Nothing>::default();
                    tonic::server::Grpc::new(codec).unary(GiveBack, request).await
                }
                ECHO => {
                    let codec = ProstCodec::<Payload, Payload>::default();
                    tonic::server::Grpc::new(codec).unary(GiveBack, request).await
                }
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

/// Serves on a socket until the process is killed; `ready` is called when it listens.
pub(crate) fn serve(socket: &Path, ready: impl FnOnce()) -> Result<()> {
    runtime()?.block_on(async {
        let incoming = UnixListenerStream::new(UnixListener::bind(socket)?);
        ready();
        Ok(Server::builder().serve_with_incoming(Nodes, incoming).await?)
    })
}

/// A warm connection to a server in a child process, which ends with it.
pub(crate) struct Client {
    runtime: Runtime,
    grpc: tonic::client::Grpc<Channel>,
    server: Child,
}

impl Client {
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let socket = folder.join("grpc.sock");
        let mut server = Command::new(std::env::current_exe()?)
            .arg("serve-grpc")
            .arg(&socket)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let answers = server.stdout.take().context("the server has no output")?;
        BufReader::new(answers).read_line(&mut line)?;
        ensure!(line.trim() == "ready", "the gRPC server did not come up");
        let runtime = runtime()?;
        let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display()))?;
        let channel = runtime.block_on(endpoint.connect())?;
        Ok(Self {
            runtime,
            grpc: tonic::client::Grpc::new(channel),
            server,
        })
    }

    fn unary<M>(&mut self, path: &'static str, message: M) -> Result<M>
    where
        M: prost::Message + Default + 'static,
    {
        let Self { runtime, grpc, .. } = self;
        runtime.block_on(async {
            grpc.ready().await?;
            let (path, codec) = (PathAndQuery::from_static(path), ProstCodec::<M, M>::default());
            Ok(grpc.unary(Request::new(message), path, codec).await?.into_inner())
        })
    }

    pub(crate) fn noop(&mut self) -> Result<Nothing> {
        self.unary(NOOP, Nothing {})
    }

    pub(crate) fn echo(&mut self, payload: &Payload) -> Result<Payload> {
        self.unary(ECHO, payload.clone())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing left to do.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
