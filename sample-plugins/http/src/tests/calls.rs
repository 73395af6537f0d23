//! Requests and answers as they should be.

use super::server::{Answer, Seen, Server};
use super::{harness, number, text};
use crate::request::http_request;
use crate::shorthand::{api_put, http_get};
use plugin_api::prelude::*;
use plugin_api::testing::Harness;

fn one(request: &str, answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> (Value, Seen) {
    let server = Server::start(answer);
    let output = harness(&server).call::<http_request>(request).unwrap();
    (output, server.seen().remove(0))
}

fn ok(_: &Seen) -> Answer {
    Answer::of(200, "text/plain", "ok")
}

#[test]
fn a_request_is_sent_as_it_was_ordered() {
    let (_, seen) = one(
        r#"{
            "url": "http://api.example/a b?x=1", "method": "put", "query": {"y": "2&3", "n": null, "z": [true, 4]},
            "headers": {"X-One": "1", "Accept": "text/html"}, "body": {"k": "v"}
        }"#,
        ok,
    );
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("PUT", "/a%20b?x=1&y=2%263&z=true&z=4")
    );
    assert_eq!(seen.header("host"), Some("api.example"));
    assert_eq!(seen.header("x-one"), Some("1"));
    assert_eq!(seen.header("accept"), Some("text/html"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("user-agent"), Some("patchbay-http/1.0.0"));
    assert_eq!(seen.body, br#"{"k":"v"}"#);
}

#[test]
fn a_request_that_n8n_wrote_is_understood() {
    let (_, seen) = one(
        r#"{
            "url": "http://api.example/", "requestMethod": "POST", "contentType": "form-urlencoded",
            "queryParameters": {"parameters": [{"name": "a", "value": "1"}]},
            "headerParameters": {"parameters": [{"name": "X-B", "value": "2"}]},
            "bodyParameters": {"parameters": [{"name": "c", "value": "3"}]},
            "operation": "http_request"
        }"#,
        ok,
    );
    assert_eq!(seen.path, "/?a=1");
    assert_eq!(seen.header("x-b"), Some("2"));
    assert_eq!(
        seen.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(seen.body, b"c=3");
}

#[test]
fn a_body_is_given_as_its_media_type_says_or_as_it_is_wanted() {
    for (content_type, sent, wanted, body_type, body) in [
        ("application/json", r#"{"a":[1]}"#, "auto", "json", r#"{"a":[1]}"#),
        (
            "application/problem+json; charset=utf-8",
            "5",
            "auto",
            "json",
            "5",
        ),
        ("application/json", "no json", "auto", "text", r#""no json""#),
        ("application/json", "\u{feff}[1]", "auto", "json", "[1]"),
        ("text/html", "<p>", "auto", "text", r#""<p>""#),
        ("image/svg+xml", "<svg>", "auto", "text", r#""<svg>""#),
        ("", "x", "auto", "text", r#""x""#),
        ("application/octet-stream", "hi", "auto", "base64", r#""aGk=""#),
        ("application/octet-stream", "hi", "text", "text", r#""hi""#),
        ("text/plain", "[1]", "json", "json", "[1]"),
        ("application/json", "[1]", "base64", "base64", r#""WzFd""#),
        ("text/plain", "", "auto", "none", "null"),
        ("text/plain", "", "json", "none", "null"),
        ("text/plain", "", "text", "text", r#""""#),
    ] {
        let request = format!(r#"{{"url": "http://api.example/", "responseType": "{wanted}"}}"#);
        let (output, _) = one(&request, move |_| Answer::of(200, content_type, sent));
        assert_eq!(
            text(&output, "/bodyType"),
            body_type,
            "{content_type} {sent} {wanted}"
        );
        assert_eq!(
            output.as_ref().get("body").unwrap().to_json(),
            body,
            "{content_type} {sent} {wanted}"
        );
    }
}

#[test]
fn bytes_are_text_only_where_they_are() {
    for (content_type, wanted, body_type, body) in [
        ("text/plain; charset=ISO-8859-1", "auto", "text", "\u{e4}!"),
        ("text/plain", "auto", "base64", "5CE="),
        ("application/json", "auto", "base64", "5CE="),
    ] {
        let request = format!(r#"{{"url": "http://api.example/", "responseType": "{wanted}"}}"#);
        let (output, _) = one(&request, move |_| Answer::bytes(content_type, vec![0xe4, b'!']));
        assert_eq!(
            (text(&output, "/bodyType"), text(&output, "/body")),
            (body_type, body),
            "{content_type}"
        );
    }
}

#[test]
fn a_body_that_is_not_what_is_wanted_is_an_error() {
    for (wanted, body, why) in [("json", vec![b'{'], "no JSON"), ("text", vec![0xff], "no text")] {
        let server = Server::start(move |_| Answer::bytes("text/plain", body.clone()));
        let request = format!(r#"{{"url": "http://api.example/", "responseType": "{wanted}"}}"#);
        let error = harness(&server).call::<http_request>(&request).unwrap_err();
        assert_eq!(
            (error.code.as_ref(), error.retryable),
            ("EXECUTION_ERROR", Some(false))
        );
        assert!(
            error.message.contains(why) && error.message.contains("responseType"),
            "{error}"
        );
    }
}

#[test]
fn headers_of_an_answer_are_texts_and_cookies_a_list() {
    let (output, _) = one(r#"{"url": "http://api.example/"}"#, |_| {
        ok_with(&[
            ("x-a", "1"),
            ("x-a", "2"),
            ("set-cookie", "a=1, b"),
            ("set-cookie", "c=2"),
            ("x-l", "\u{e4}"),
        ])
    });
    assert_eq!(text(&output, "/headers/x-a"), "1, 2");
    assert_eq!(text(&output, "/headers/x-l"), "\u{e4}");
    let cookies = output.as_ref().pointer("/headers/set-cookie").unwrap().to_json();
    assert_eq!(cookies, r#"["a=1, b","c=2"]"#);
    let (output, _) = one(r#"{"url": "http://api.example/"}"#, |_| {
        ok_with(&[("set-cookie", "a=1")])
    });
    assert_eq!(
        output.as_ref().pointer("/headers/set-cookie").unwrap().to_json(),
        r#"["a=1"]"#
    );
}

fn ok_with(headers: &[(&str, &str)]) -> Answer {
    let answer = Answer::of(200, "text/plain", "ok");
    headers
        .iter()
        .fold(answer, |answer, (name, value)| answer.with(name, value))
}

#[test]
fn a_status_that_is_an_error_is_one_of_the_node_with_that_status() {
    let server = Server::start(|_| Answer::of(503, "application/json", r#"{"why": "busy"}"#));
    let error = harness(&server)
        .call::<http_request>(r#"{"url": "http://api.example/a?key=hidden"}"#)
        .unwrap_err();
    assert_eq!(
        (error.code.as_ref(), error.status_code),
        ("HTTP_STATUS", Some(503))
    );
    assert!(error.message.contains("503 (Service Unavailable)"), "{error}");
    assert!(!error.message.contains("hidden"), "{error}");
    let details = error.details.unwrap();
    assert_eq!(text(&details, "/body/why"), "busy");
    assert_eq!(number(&details, "/statusCode"), 503);
    let kept = harness(&server)
        .call::<http_request>(r#"{"url": "http://api.example/", "failOnStatus": "false"}"#)
        .unwrap();
    assert_eq!(
        (number(&kept, "/statusCode"), text(&kept, "/body/why")),
        (503, "busy")
    );
}

#[test]
fn an_error_page_is_no_error_of_its_form() {
    let server = Server::start(|_| Answer::of(500, "text/html", "<h1>"));
    let request = r#"{"url": "http://api.example/", "responseType": "json", "failOnStatus": false}"#;
    let output = harness(&server).call::<http_request>(request).unwrap();
    assert_eq!(
        (text(&output, "/bodyType"), text(&output, "/body")),
        ("text", "<h1>")
    );
}

#[test]
fn a_head_request_gives_headers_and_no_body() {
    let (output, seen) = one(
        r#"{"url": "http://api.example/", "method": "HEAD", "maxResponseBytes": 1}"#,
        |_| Answer::of(200, "text/plain", "longer than that"),
    );
    assert_eq!(seen.method, "HEAD");
    assert_eq!(text(&output, "/headers/content-length"), "16");
    assert_eq!(text(&output, "/bodyType"), "none");
}

#[test]
fn a_relative_url_is_below_the_base_that_the_administrator_set() {
    let server = Server::start(ok);
    let based = |base: &str| harness(&server).setting("http.base_url", base);
    let call = |harness: Harness, url: &str| {
        harness.call::<http_get>(&format!(r#"{{"endpoint": {}}}"#, Value::from(url).to_json()))
    };
    for (base, url, expected) in [
        ("http://api.example", "/v1/items", "/v1/items"),
        ("http://api.example/", "v1/items?a=1", "/v1/items?a=1"),
        ("http://api.example/api", "/v1", "/api/v1"),
        (
            "http://api.example/api/",
            "//evil.example/v1",
            "/api/evil.example/v1",
        ),
        (
            "http://api.example/api",
            "a:b/c".trim_start_matches("a:"),
            "/api/b/c",
        ),
    ] {
        call(based(base), url).unwrap();
        assert_eq!(server.paths().last().unwrap(), expected, "{base} {url}");
    }
    for url in ["../admin", "/..", "a/../../b", "%2e%2e/admin"] {
        let error = call(based("http://api.example/api"), url).unwrap_err();
        assert!(error.message.contains("http.base_url"), "{url}: {error}");
    }
    let error = call(Harness::new(), "/v1/items").unwrap_err();
    assert!(
        error.message.contains("`url`") && error.message.contains("http.base_url"),
        "{error}"
    );
    for bad in ["ftp://a", "no url", "http://a/?b", "http://a/#b"] {
        let error = call(based(bad), "/v1").unwrap_err();
        assert_eq!(error.code, "NOT_ALLOWED", "{bad}");
        assert!(error.message.contains("http.base_url"), "{bad}: {error}");
    }
}

#[test]
fn a_result_can_be_left_in_a_variable() {
    let server = Server::start(ok);
    let harness = harness(&server);
    let output = harness
        .call::<api_put>(r#"{"endpoint": "http://api.example/a", "body": "x", "out": "response"}"#)
        .unwrap();
    assert_eq!(
        harness.variable_value("response").unwrap().to_json(),
        output.to_json()
    );
    let error = harness
        .call::<api_put>(r#"{"endpoint": "http://api.example/a", "out": ""}"#)
        .unwrap_err();
    assert!(error.message.contains("`out`"), "{error}");
}

#[test]
fn connections_are_used_again_and_answers_are_unpacked() {
    let server = Server::start(|_| {
        // `gzip -n` of `hello`.
        let packed = vec![
            0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 0x86, 0xa6, 0x10, 0x36,
            5, 0, 0, 0,
        ];
        Answer::bytes("text/plain", packed).with("content-encoding", "gzip")
    });
    let harness = harness(&server);
    for _ in 0..3 {
        let output = harness
            .call::<http_get>(r#"{"url": "http://api.example/"}"#)
            .unwrap();
        assert_eq!(text(&output, "/body"), "hello");
        assert!(output.as_ref().pointer("/headers/content-encoding").is_none());
    }
}
