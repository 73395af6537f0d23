//! Where requests may go, seen from outside: nothing may arrive at a server that may not be called.

use std::io::BufReader;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::server::{Answer, Server, head, raw};
use super::{harness, number};
use crate::request::http_request;
use plugin_api::prelude::*;
use plugin_api::testing::Harness;

fn server() -> Server {
    Server::start(|_| Answer::of(200, "text/plain", "ok"))
}

fn get(harness: &Harness, url: &str) -> Result<Value, NodeError> {
    harness.call::<http_request>(&format!(r#"{{"url": {}}}"#, Value::from(url).to_json()))
}

fn refused(harness: &Harness, url: &str, setting: &str) {
    let error = get(harness, url).unwrap_err();
    assert_eq!(error.code, "NOT_ALLOWED", "{url}: {error}");
    assert_eq!(error.retryable, Some(false), "{url}: {error}");
    assert!(error.message.contains(setting), "{url}: {error}");
}

#[test]
fn without_settings_no_address_of_the_host_is_called_however_it_is_written() {
    let server = server();
    let port = server.port;
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
    ] {
        let url = format!("http://{host}:{port}/");
        let error = get(&Harness::new(), &url).unwrap_err();
        // Other names of this machine may be unknown here, which is as good.
        let unknown = host.to_lowercase().contains("localhost") && error.code == "TEMPORARY_FAILURE";
        assert!(error.code == "NOT_ALLOWED" || unknown, "{host}: {error}");
    }
    assert!(server.seen().is_empty());
}

#[test]
fn an_administrator_opens_the_way_to_addresses() {
    let server = server();
    let url = format!("http://127.0.0.1:{}/", server.port);
    let named = format!("http://localhost:{}/", server.port);
    let private = Harness::new().setting("http.deny_private", "false");
    let listed = Harness::new().setting("http.allow_hosts", "127.0.0.0/8");
    let both = Harness::new().setting("http.allow_hosts", "*, 127.0.0.1");
    for harness in [&private, &listed, &both] {
        assert_eq!(number(&get(harness, &url).unwrap(), "/statusCode"), 200);
        assert_eq!(number(&get(harness, &named).unwrap(), "/statusCode"), 200);
    }
    refused(
        &Harness::new().setting("http.allow_hosts", "localhost"),
        &named,
        "http.deny_private",
    );
    refused(
        &Harness::new().setting("http.allow_hosts", ""),
        &url,
        "http.allow_hosts",
    );
    refused(
        &private.clone().setting("http.deny_hosts", "127.0.0.0/8"),
        &named,
        "http.deny_hosts",
    );
    refused(
        &private.clone().setting("http.deny_hosts", "localhost"),
        &named,
        "http.deny_hosts",
    );
    refused(&private, "http://169.254.169.254/latest/", "http.allow_hosts");
    assert_eq!(server.seen().len(), 6);
}

#[test]
fn a_setting_that_is_not_understood_lets_nothing_through() {
    let server = server();
    for (setting, value) in [
        ("http.allow_hosts", "http://api.example"),
        ("http.deny_hosts", "a/b"),
        ("http.deny_private", "maybe"),
        ("http.connect_to", "api.example"),
        (
            "http.ca",
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----",
        ),
        ("http.ca", "-----BEGIN NOTHING-----"),
        ("http.ca", "/nowhere/ca.pem"),
        ("http.ca", "/dev/null"),
        ("http.proxy", "no proxy"),
    ] {
        let mut one = harness(&server).setting(setting, value);
        // What is detoured needs no proxy.
        if setting == "http.proxy" {
            one = Harness::new().setting(setting, value);
        }
        refused(&one, "http://api.example/", setting);
    }
    assert!(server.seen().is_empty());
}

#[test]
fn a_detour_is_subject_to_the_rules_of_names() {
    let server = server();
    refused(
        &harness(&server).setting("http.deny_hosts", "*.example"),
        "http://api.example/",
        "http.deny_hosts",
    );
    refused(
        &harness(&server).setting("http.allow_hosts", "other.example"),
        "http://api.example/",
        "http.allow_hosts",
    );
    let allowed = harness(&server).setting("http.allow_hosts", "api.example");
    assert_eq!(
        number(&get(&allowed, "http://api.example/").unwrap(), "/statusCode"),
        200
    );
    // Another port of the same host is no part of the detour.
    assert!(get(&harness(&server), "http://api.example:81/").is_err());
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_detour_keeps_the_port_in_the_name_of_the_host() {
    let server = server();
    let harness = Harness::new().setting(
        "http.connect_to",
        &format!("api.example:8080=127.0.0.1:{}", server.port),
    );
    let output = get(&harness, "http://api.example:8080/x").unwrap();
    assert_eq!(server.seen()[0].header("host"), Some("api.example:8080"));
    assert_eq!(
        output.as_ref().get("url").unwrap().as_str(),
        Some("http://api.example:8080/x")
    );
}

#[test]
fn a_proxy_is_asked_for_what_may_be_called() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let proxy = raw(move |_, mut stream: BufReader<TcpStream>| {
        let head = head(&mut stream);
        assert!(
            head.starts_with("GET http://far.example/x HTTP/1.1\r\n"),
            "{head}"
        );
        counted.fetch_add(1, Ordering::Relaxed);
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
        std::io::Write::write_all(stream.get_mut(), answer).unwrap();
    });
    let harness = Harness::new().setting("http.proxy", &format!("http://127.0.0.1:{}", proxy.port));
    assert_eq!(
        number(&get(&harness, "http://far.example/x").unwrap(), "/statusCode"),
        200
    );
    for url in [
        "http://localhost/",
        "http://127.0.0.1/",
        "http://metadata.google.internal/",
        "http://10.0.0.1/",
    ] {
        let error = get(&harness, url).unwrap_err();
        assert_eq!(error.code, "NOT_ALLOWED", "{url}: {error}");
    }
    refused(
        &harness.clone().setting("http.deny_hosts", "*.example"),
        "http://far.example/x",
        "http.deny_hosts",
    );
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
