mod calls;
mod hostile;
mod places;
mod redirects;
mod repeated;
mod secure;
mod server;

use plugin_api::export::Export;
use plugin_api::meta::{Capability, NodeMeta};
use plugin_api::prelude::*;
use plugin_api::testing::Harness;

use self::server::{Answer, Server};
use crate::location::{url_build, url_parse};
use crate::pastebin::{pastebin_create, pastebin_get, pastebin_list};
use crate::request::http_request;
use crate::shorthand::{api_delete, api_get, api_post, api_put, http_get, http_post};
use crate::webhook::webhook_response;

/// A harness in which `api.example` is a server on loopback.
fn harness(server: &Server) -> Harness {
    let port = server.port;
    Harness::new().setting("http.connect_to", &format!("api.example:80=127.0.0.1:{port}"))
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value
        .as_ref()
        .pointer(pointer)
        .and_then(|found| found.as_str())
        .unwrap_or_default()
}

fn number(value: &Value, pointer: &str) -> i64 {
    let found = value.as_ref().pointer(pointer).and_then(|found| found.as_i64());
    found.unwrap_or(i64::MIN)
}

fn metas() -> Vec<NodeMeta> {
    vec![
        api_delete::meta(),
        api_get::meta(),
        api_post::meta(),
        api_put::meta(),
        http_get::meta(),
        http_post::meta(),
        http_request::meta(),
        pastebin_create::meta(),
        pastebin_get::meta(),
        pastebin_list::meta(),
        url_build::meta(),
        url_parse::meta(),
        webhook_response::meta(),
    ]
}

#[test]
fn every_node_says_what_it_does_and_shows_it_twice() {
    for meta in metas() {
        assert!(!meta.description.trim().is_empty(), "{}", meta.node_type);
        assert!(meta.examples.len() >= 2, "{}", meta.node_type);
        assert!(
            meta.examples.iter().all(|example| !example.title.is_empty()),
            "{}",
            meta.node_type
        );
    }
}

#[test]
fn what_needs_the_network_says_so_and_has_time() {
    for meta in metas() {
        let local = meta.node_type.starts_with("url.") || meta.node_type == "webhook-response";
        assert_eq!(
            meta.capabilities.contains(&Capability::Network),
            !local,
            "{}",
            meta.node_type
        );
        assert_eq!(meta.is_async, !local, "{}", meta.node_type);
        assert_eq!(meta.timeout_ms > 0, !local, "{}", meta.node_type);
        let secrets = meta.capabilities.contains(&Capability::Secrets);
        assert_eq!(secrets, !meta.secrets.is_empty(), "{}", meta.node_type);
    }
}

fn example_api(request: &server::Seen) -> Answer {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/items?page=2") => Answer::of(200, "application/json", r#"{"items":["c","d"],"page":2}"#),
        ("GET", "/hello") => Answer::of(200, "text/plain", "hello"),
        ("GET", "/moved") => Answer::of(302, "text/plain", "").with("location", "/hello"),
        ("DELETE", "/items/1") => Answer::bare(204),
        ("POST" | "PUT", "/echo") => {
            let kind = request.header("content-type").unwrap_or_default().to_owned();
            Answer::of(201, &kind, &String::from_utf8_lossy(&request.body))
        }
        _ => Answer::of(404, "text/plain", "nothing is here"),
    }
}

fn example_pastes(request: &server::Seen) -> Answer {
    let json = "application/json";
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/api/pastes")
            if request
                .body
                .starts_with(br#"{"content":"fn main() {}","language":"rust""#) =>
        {
            Answer::of(201, json, r#"{"id": "p1"}"#)
        }
        ("POST", "/api/pastes") => Answer::of(400, json, "{}"),
        ("GET", "/api/pastes/p1") => Answer::of(
            200,
            json,
            r#"{"id": "p1", "content": "fn main() {}", "language": "rust", "title": "main", "createdAt": "2026-01-02T03:04:05Z"}"#,
        ),
        ("GET", "/api/pastes?limit=1") => Answer::of(
            200,
            json,
            r#"{"pastes": [{"id": "p1", "title": "main", "language": "rust"}]}"#,
        ),
        _ => Answer::of(404, json, "{}"),
    }
}

#[test]
fn all_examples_hold_against_a_server() {
    let (api, pastes) = (Server::start(example_api), Server::start(example_pastes));
    let harness = Harness::new().setting(
        "http.connect_to",
        &format!(
            "api.example:80=127.0.0.1:{}, paste.example:80=localhost:{}",
            api.port, pastes.port
        ),
    );
    harness.check_examples::<api_delete>();
    harness.check_examples::<api_get>();
    harness.check_examples::<api_post>();
    harness.check_examples::<api_put>();
    harness.check_examples::<http_get>();
    harness.check_examples::<http_post>();
    harness.check_examples::<http_request>();
    harness.check_examples::<pastebin_create>();
    harness.check_examples::<pastebin_get>();
    harness.check_examples::<pastebin_list>();
    assert_eq!(
        text(&harness.variable_value("response").unwrap(), "/body"),
        "aGVsbG8="
    );
}
