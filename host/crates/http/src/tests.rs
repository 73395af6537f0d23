use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::{get, post};
use patchbay_wire::{CallRequest, ProblemView};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, oneshot, watch};

use crate::body::{Json, LARGEST_BODY, LARGEST_DOCUMENT, Query, Text};
use crate::guard::Guard;
use crate::serve::accept;

/// A server with routes of its own behind the real guard and the real accept loop.
struct Server {
    runtime: Runtime,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    stopped: tokio::task::JoinHandle<()>,
}

impl Server {
    fn start(router: Router) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = oneshot::channel::<()>();
        let (closing, _) = watch::channel(());
        let router = Guard::new(Some(address)).protect(router);
        let ended = async {
            let _ = stopping.await;
        };
        let stopped = runtime.spawn(accept(listener, router, ended, closing));
        Self {
            runtime,
            address,
            stop,
            stopped,
        }
    }

    /// Sends bytes and returns everything that comes back.
    fn send(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        // A server that refuses a body may close before all of it is sent.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    }

    fn stop(self) {
        self.stop.send(()).unwrap();
        self.runtime.block_on(self.stopped).unwrap();
    }
}

fn echo() -> Router {
    let echo = async |Json(request): Json<CallRequest>| axum::Json(request.input);
    Router::new()
        .route("/echo", post(echo))
        .route("/read", get(async || "read"))
}

fn request(line: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}").into()
}

fn problem(answer: &str) -> ProblemView {
    let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

const JSON: &str = "content-type: application/json; charset=utf-8\r\n";

#[test]
fn every_refusal_is_a_problem_with_a_code_and_the_requests_id() {
    let server = Server::start(echo());
    let foreign = b"GET /read HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n".to_vec();
    let without_host = b"GET /read HTTP/1.1\r\nconnection: close\r\n\r\n".to_vec();
    let nested = format!("{{\"input\":{}", "[".repeat(100_000));
    let large = format!("\"{}\"", "a".repeat(LARGEST_BODY));
    let cases = [
        (request("GET /nothing", "", ""), 404, "PB-HTTP-001"),
        (request("GET /echo", "", ""), 405, "PB-HTTP-002"),
        (foreign, 421, "PB-HTTP-003"),
        (without_host, 421, "PB-HTTP-003"),
        (
            request("POST /echo", "origin: http://evil.example\r\n", "{}"),
            403,
            "PB-HTTP-004",
        ),
        (
            request("POST /echo", "content-type: text/plain\r\n", "{}"),
            415,
            "PB-HTTP-005",
        ),
        (request("POST /echo", "", "{}"), 415, "PB-HTTP-005"),
        (request("POST /echo", JSON, "{"), 400, "PB-HTTP-006"),
        (request("POST /echo", JSON, "{\"inputs\":1}"), 400, "PB-HTTP-006"),
        (request("POST /echo", JSON, &nested), 400, "PB-HTTP-006"),
        (request("POST /echo", JSON, &large), 413, "PB-HTTP-007"),
    ];
    for (request, status, code) in cases {
        let answer = server.send(&request);
        let head = String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{head}: {answer}"
        );
        assert!(
            answer.contains("content-type: application/json\r\n"),
            "{head}: {answer}"
        );
        let problem = problem(&answer);
        assert_eq!(problem.code, code, "{head}");
        let id = problem.request_id.unwrap();
        assert!(
            answer.contains(&format!("x-request-id: {id}\r\n")),
            "{head}: {answer}"
        );
        assert!(
            !problem.message.is_empty() && !problem.hint.is_empty() && answer.len() < 2_000,
            "{head}: {answer}"
        );
    }
    server.stop();
}

#[test]
fn a_wrong_method_is_told_which_ones_there_are() {
    let server = Server::start(echo());
    let answer = server.send(&request("DELETE /echo", "", ""));
    assert!(answer.contains("allow: POST\r\n"), "{answer}");
    server.stop();
}

#[test]
fn a_sound_request_is_served_and_carries_the_headers_for_browsers() {
    let server = Server::start(echo());
    let answer = server.send(&request("POST /echo", JSON, "{\"input\":[1,\"a\"]}"));
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n[1,\"a\"]"),
        "{answer}"
    );
    for header in [
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'",
        "cache-control: no-store",
    ] {
        assert!(answer.contains(header), "{header}: {answer}");
    }
    let empty = server.send(&request("POST /echo", "", ""));
    assert!(empty.ends_with("\r\n\r\n{}"), "{empty}");
    server.stop();
}

#[test]
fn a_route_for_documents_takes_longer_bodies_as_they_are_and_no_endless_ones() {
    let length = async |Text(text): Text<LARGEST_DOCUMENT>| axum::Json(text.len());
    let raw = async |Json(raw): Json<Box<serde_json::value::RawValue>, LARGEST_DOCUMENT>| axum::Json(raw);
    let server = Server::start(
        Router::new()
            .route("/length", post(length))
            .route("/raw", post(raw)),
    );
    let document = format!("\"{}\"", "a".repeat(16 << 20));
    let answer = server.send(&request("POST /length", JSON, &document));
    assert!(
        answer.ends_with(&format!("\r\n\r\n{}", document.len())),
        "{answer}"
    );
    let kept = r#"{"b": 1.0, "a": [123456789012345678901234567890]}"#;
    assert!(server.send(&request("POST /raw", JSON, kept)).ends_with(kept));
    // Text that is no JSON is taken by a route that says what is wrong with it.
    assert!(
        server
            .send(&request("POST /length", JSON, "{\"a\": ["))
            .ends_with("\r\n\r\n7")
    );
    let endless = format!("\"{}\"", "a".repeat(LARGEST_DOCUMENT));
    for (path, body, code) in [
        ("/length", endless.as_str(), "PB-HTTP-007"),
        ("/raw", "{\"a\": [", "PB-HTTP-006"),
    ] {
        let answer = server.send(&request(&format!("POST {path}"), JSON, body));
        assert_eq!(problem(&answer).code, code, "{path}");
    }
    let plain = server.send(&request("POST /length", "content-type: text/plain\r\n", "{}"));
    assert_eq!(problem(&plain).code, "PB-HTTP-005");
    server.stop();
}

#[test]
fn a_query_that_does_not_fit_is_told_why() {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        limit: Option<u32>,
    }
    let read = async |Query(wanted): Query<Wanted>| axum::Json(wanted.limit);
    let server = Server::start(Router::new().route("/query", get(read)));
    assert!(
        server
            .send(&request("GET /query?limit=7", "", ""))
            .ends_with("\r\n\r\n7")
    );
    for bad in ["limit=x", "limit=-1", "limits=7"] {
        let answer = server.send(&request(&format!("GET /query?{bad}"), "", ""));
        let problem = problem(&answer);
        assert_eq!(problem.code, "PB-HTTP-018", "{bad}");
        assert!(problem.message.contains("limit"), "{}", problem.message);
    }
    server.stop();
}

#[test]
fn bytes_that_are_no_request_cost_their_connection_only() {
    let server = Server::start(echo());
    let long_head = [
        b"GET /read HTTP/1.1\r\nhost: localhost\r\nx: ".to_vec(),
        vec![b'a'; 1 << 20],
    ]
    .concat();
    let many_headers = format!(
        "GET /read HTTP/1.1\r\nhost: localhost\r\n{}\r\n",
        "a: b\r\n".repeat(5_000)
    );
    let garbage: [&[u8]; 6] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"GET",
        b"\r\n\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        &long_head,
        many_headers.as_bytes(),
    ];
    for bytes in garbage {
        let mut stream = TcpStream::connect(server.address).unwrap();
        let _ = stream.write_all(bytes);
        drop(stream);
    }
    assert!(server.send(&request("GET /read", "", "")).ends_with("read"));
    server.stop();
}

#[test]
fn a_handler_that_panics_costs_its_connection_only() {
    let panics = async || -> &'static str { panic!("a bug") };
    let server = Server::start(echo().route("/panic", get(panics)));
    assert_eq!(server.send(&request("GET /panic", "", "")), "");
    assert!(server.send(&request("GET /read", "", "")).ends_with("read"));
    server.stop();
}

#[test]
fn a_request_that_runs_at_shutdown_is_finished() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let finished = Arc::new(AtomicUsize::new(0));
    let slow = {
        let (begun, go_on, finished) = (begun.clone(), go_on.clone(), finished.clone());
        async move || {
            begun.notify_one();
            go_on.notified().await;
            finished.fetch_add(1, Ordering::SeqCst);
            "done"
        }
    };
    let server = Server::start(Router::new().route("/slow", get(slow)));
    let address = server.address;
    let client = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&request("GET /slow", "", "")).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    server.runtime.block_on(begun.notified());
    server.stop.send(()).unwrap();
    // The listener is closed first: once nobody can connect, the server is saying farewell.
    while TcpStream::connect(address).is_ok() {
        std::thread::yield_now();
    }
    go_on.notify_one();
    server.runtime.block_on(server.stopped).unwrap();
    assert!(client.join().unwrap().ends_with("done"));
    assert_eq!(finished.load(Ordering::SeqCst), 1);
}

#[test]
fn only_loopback_may_be_listened_on() {
    use patchbay_vocab::Explain;
    for good in ["127.0.0.1:7411", "[::1]:0", "127.0.0.2:1"] {
        assert!(crate::may_listen(good.parse().unwrap()).is_ok(), "{good}");
    }
    for bad in ["0.0.0.0:7411", "[::]:7411", "10.0.0.1:80"] {
        let error = crate::may_listen(bad.parse().unwrap()).unwrap_err();
        assert_eq!(error.code().0, "PB-HTTP-016", "{bad}");
    }
}

#[test]
fn the_description_names_every_route_and_its_problems() {
    let description = serde_json::to_value(crate::openapi()).unwrap();
    assert_eq!(description["openapi"], "3.1.0");
    let mut routes = Vec::new();
    let mut ids = std::collections::HashSet::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            routes.push(format!("{method} {path}"));
            let problem = &operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(problem, "#/components/schemas/ProblemView", "{path}");
            assert!(operation["summary"].is_string(), "{path}");
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(ids.insert(id), "{method} {path} has the name of another");
        }
    }
    routes.sort();
    let expected = [
        "delete /api/v1/hooks/{path}",
        "get /api/v1/audit",
        "get /api/v1/audit/export",
        "get /api/v1/audit/verify",
        "get /api/v1/caches",
        "get /api/v1/events",
        "get /api/v1/failures",
        "get /api/v1/hooks/{path}",
        "get /api/v1/nodes",
        "get /api/v1/nodes/{nodeType}",
        "get /api/v1/pins",
        "get /api/v1/plugins",
        "get /api/v1/plugins/{name}",
        "get /api/v1/plugins/{name}/history",
        "get /api/v1/plugins/{name}/policy",
        "get /api/v1/rejected",
        "get /api/v1/rollouts",
        "get /api/v1/rollouts/{id}",
        "get /api/v1/runs",
        "get /api/v1/runs/{id}",
        "get /api/v1/runs/{id}/document",
        "get /api/v1/runs/{id}/events",
        "get /api/v1/status",
        "get /api/v1/workflows",
        "get /api/v1/workflows/{id}",
        "patch /api/v1/hooks/{path}",
        "post /api/v1/call/{nodeType}",
        "post /api/v1/gc",
        "post /api/v1/hooks/{path}",
        "post /api/v1/plugins/{name}/pin",
        "post /api/v1/plugins/{name}/promote",
        "post /api/v1/plugins/{name}/quarantine",
        "post /api/v1/plugins/{name}/rollback",
        "post /api/v1/plugins/{name}/rollout",
        "post /api/v1/plugins/{name}/rollout/abort",
        "post /api/v1/plugins/{name}/rollout/pause",
        "post /api/v1/plugins/{name}/rollout/plan",
        "post /api/v1/plugins/{name}/rollout/promote",
        "post /api/v1/plugins/{name}/rollout/resume",
        "post /api/v1/plugins/{name}/unpin",
        "post /api/v1/runs",
        "post /api/v1/runs/{id}/cancel",
        "post /api/v1/runs/{id}/replay",
        "post /api/v1/workflows/validate",
        "post /api/v1/workflows/{id}/runs",
        "put /api/v1/hooks/{path}",
        "put /api/v1/plugins/{name}/policy",
    ];
    assert_eq!(routes, expected);
    // Whatever changes something can be repeated under the same name; planning changes nothing.
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let of_an_admin = path.starts_with("/api/v1/plugins/") || path == "/api/v1/gc";
            let changes =
                of_an_admin && ["post", "put"].contains(&method.as_str()) && !path.ends_with("/plan");
            let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
            let header = |name: &str| {
                parameters
                    .iter()
                    .any(|one| one["name"] == name && one["in"] == "header")
            };
            let both = header("idempotency-key") && header("x-patchbay-actor");
            assert_eq!(both, changes, "{method} {path}");
        }
    }
    let schemas = description["components"]["schemas"].as_object().unwrap();
    for name in [
        "PluginView",
        "RevisionView",
        "NodeView",
        "EventView",
        "SwapView",
        "ProblemView",
        "DependencyView",
        "RunRequest",
        "RunView",
        "NodeResultView",
        "RunEventView",
        "ReplayView",
        "ValidateView",
        "WorkflowFindingView",
        "WorkflowView",
        "CachesView",
        "FailureCountView",
        "RolloutRequest",
        "RolloutOrder",
        "RolloutView",
        "RolloutPlanView",
        "PolicyView",
        "PinView",
        "PinnedView",
        "AuditView",
        "AuditVerifiedView",
        "CollectedView",
    ] {
        assert!(schemas.contains_key(name), "{name}");
    }
}

#[test]
fn the_page_loads_nothing_from_elsewhere_and_never_writes_markup() {
    let (page, script, style) = (
        include_str!("../assets/index.html"),
        include_str!("../assets/app.js"),
        include_str!("../assets/app.css"),
    );
    for text in [page, script, style] {
        assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("@import"));
    }
    // The policy of the page would block these, and the page would be broken.
    for inline in [" style=", " onclick=", " onsubmit=", "<style", "<script>"] {
        assert!(!page.contains(inline), "{inline}");
    }
    for sink in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "srcdoc",
    ] {
        assert!(!script.contains(sink), "{sink}");
    }
}
