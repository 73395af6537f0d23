//! Servers on loopback: one that speaks HTTP as it should (hyper), and one that does what a test says.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

/// A request that arrived.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What a server answers.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    pub(super) fn bare(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(super) fn of(status: u16, content_type: &str, body: &str) -> Self {
        let answer = Self {
            body: body.as_bytes().to_vec(),
            ..Self::bare(status)
        };
        answer.with("content-type", content_type)
    }

    pub(super) fn bytes(content_type: &str, body: Vec<u8>) -> Self {
        let answer = Self {
            body,
            ..Self::bare(200)
        };
        answer.with("content-type", content_type)
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A server that runs until the test's process ends.
pub(super) struct Server {
    pub(super) port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(super) fn start(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let (answer, told) = (Arc::new(answer), Arc::clone(&seen));
        std::thread::spawn(move || serve(listener, &answer, &told));
        Self { port, seen }
    }

    /// What arrived so far.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The paths of what arrived so far.
    pub(super) fn paths(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.path).collect()
    }
}

fn serve<F>(listener: TcpListener, answer: &Arc<F>, seen: &Arc<Mutex<Vec<Seen>>>)
where
    F: Fn(&Seen) -> Answer + Send + Sync + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let (answer, seen) = (Arc::clone(answer), Arc::clone(seen));
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                async move {
                    let request = read(request).await;
                    let answer = answer(&request);
                    seen.lock().unwrap().push(request);
                    let mut response = Response::builder().status(answer.status);
                    for (name, value) in &answer.headers {
                        response = response.header(name, value);
                    }
                    let body = if answer.body.is_empty() {
                        Body::empty()
                    } else {
                        Body::from(answer.body)
                    };
                    Ok::<_, hyper::Error>(response.body(body).unwrap())
                }
            });
            let mut http = http1::Builder::new();
            http.auto_date_header(false);
            tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
        }
    });
}

async fn read(request: Request<hyper::body::Incoming>) -> Seen {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter();
    let headers = headers.map(|(name, value)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    });
    Seen {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.to_string(),
        headers: headers.collect(),
        body: to_bytes(Body::new(body), 64 << 20).await.unwrap().to_vec(),
    }
}

/// Starts a server that has each connection served by `serve`, which is given its number from 0 and its stream, on a
/// thread of its own.
pub(super) fn raw(serve: impl Fn(usize, BufReader<TcpStream>) + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let (stream, serve) = (stream.unwrap(), Arc::clone(&serve));
            std::thread::spawn(move || serve(number, BufReader::new(stream)));
        }
    });
    Server {
        port,
        seen: Arc::default(),
    }
}

/// Reads the head of a request; empty when there is none.
pub(super) fn head(stream: &mut impl BufRead) -> String {
    let mut head = String::new();
    while stream.read_line(&mut head).is_ok_and(|bytes| bytes > 2) {}
    head
}

/// Waits until the other side has closed the connection.
pub(super) fn until_closed(stream: &mut impl Read) {
    let mut bytes = [0; 1024];
    while stream.read(&mut bytes).is_ok_and(|bytes| bytes > 0) {}
}
