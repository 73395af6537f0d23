//! Where answers lead.

use super::server::{Answer, Seen, Server};
use super::{number, text};
use crate::request::http_request;
use plugin_api::testing::Harness;

/// A harness in which `a.example` and `b.example` are two servers.
fn two(a: &Server, b: &Server) -> Harness {
    Harness::new().setting(
        "http.connect_to",
        &format!(
            "a.example:80=127.0.0.1:{}, b.example:80=127.0.0.1:{}",
            a.port, b.port
        ),
    )
}

fn ok(_: &Seen) -> Answer {
    Answer::of(200, "text/plain", "ok")
}

fn to(status: u16, location: &'static str) -> impl Fn(&Seen) -> Answer + Send + Sync + 'static {
    move |_| Answer::bare(status).with("location", location)
}

#[test]
fn a_redirect_is_followed_with_the_method_that_it_asks_for() {
    for (status, method, expected, body) in [
        (301, "GET", "GET", ""),
        (301, "POST", "GET", ""),
        (302, "POST", "GET", ""),
        (302, "PUT", "PUT", "x"),
        (303, "PUT", "GET", ""),
        (303, "HEAD", "HEAD", ""),
        (307, "POST", "POST", "x"),
        (308, "PATCH", "PATCH", "x"),
    ] {
        let (a, b) = (
            Server::start(to(status, "http://b.example/to?q=1#f")),
            Server::start(ok),
        );
        let sent = if matches!(method, "GET" | "HEAD") {
            ""
        } else {
            r#", "body": "x""#
        };
        let request = format!(r#"{{"url": "http://a.example/from", "method": "{method}"{sent}}}"#);
        let output = two(&a, &b).call::<http_request>(&request).unwrap();
        let seen = b.seen().remove(0);
        assert_eq!(
            (seen.method.as_str(), seen.path.as_str()),
            (expected, "/to?q=1"),
            "{status} {method}"
        );
        assert_eq!(seen.body, body.as_bytes(), "{status} {method}");
        assert_eq!(
            seen.header("content-type").is_some(),
            !body.is_empty(),
            "{status} {method}"
        );
        assert_eq!(seen.header("host"), Some("b.example"));
        assert_eq!(number(&output, "/redirects"), 1);
        assert_eq!(text(&output, "/method"), expected);
        assert!(
            text(&output, "/url").starts_with("http://b.example/to"),
            "{output}"
        );
    }
}

#[test]
fn what_is_meant_for_one_origin_is_not_sent_to_another() {
    let call = |location: &'static str| {
        let (a, b) = (
            Server::start(move |seen| match seen.path.as_str() {
                "/from" => Answer::bare(307).with("location", location),
                _ => ok(seen),
            }),
            Server::start(ok),
        );
        let harness = two(&a, &b).secret("HTTP_TOKEN", "hidden");
        let request = r#"{
            "url": "http://a.example/from", "headers": {"Authorization": "Basic abc", "Cookie": "c=1", "X-Other": "1"},
            "auth": {"type": "header", "header": "X-Key"}
        }"#;
        harness.call::<http_request>(request).unwrap();
        (a.seen(), b.seen())
    };
    let (a, b) = call("http://b.example/to");
    for name in ["authorization", "cookie", "x-key", "x-other"] {
        assert!(a[0].header(name).is_some(), "{name}");
        assert_eq!(b[0].header(name).is_some(), name == "x-other", "{name}");
    }
    let (a, _) = call("/to");
    assert_eq!(a[1].header("x-key"), Some("hidden"));
    assert!(a[1].header("authorization").is_some() && a[1].header("cookie").is_some());
}

#[test]
fn what_was_taken_away_does_not_come_back() {
    let (a, b) = (
        Server::start(|seen| match seen.path.as_str() {
            "/from" => Answer::bare(302).with("location", "http://b.example/"),
            _ => ok(seen),
        }),
        Server::start(to(302, "http://a.example/back")),
    );
    let request = r#"{"url": "http://a.example/from", "headers": {"Authorization": "Basic abc"}}"#;
    two(&a, &b).call::<http_request>(request).unwrap();
    assert_eq!(a.seen()[1].path, "/back");
    assert_eq!(a.seen()[1].header("authorization"), None);
}

#[test]
fn a_loop_ends_where_the_workflow_says() {
    let a = Server::start(to(302, "/again"));
    for most in [0, 1, 5] {
        let before = a.seen().len();
        let request = format!(r#"{{"url": "http://a.example/", "maxRedirects": {most}}}"#);
        let error = two(&a, &a).call::<http_request>(&request).unwrap_err();
        assert_eq!(
            (error.code.as_ref(), error.retryable),
            ("EXECUTION_ERROR", Some(false))
        );
        assert!(error.message.contains("redirects"), "{error}");
        assert_eq!(a.seen().len() - before, most + 1);
    }
}

#[test]
fn a_redirect_can_be_an_answer() {
    let a = Server::start(to(302, "http://b.example/"));
    let request = r#"{"url": "http://a.example/", "followRedirects": false}"#;
    let output = two(&a, &a).call::<http_request>(request).unwrap();
    assert_eq!(
        (number(&output, "/statusCode"), number(&output, "/redirects")),
        (302, 0)
    );
    assert_eq!(text(&output, "/headers/location"), "http://b.example/");
    // Without a place to go to it is one in any case.
    let nowhere = Server::start(|_| Answer::bare(302));
    let output = two(&nowhere, &a)
        .call::<http_request>(r#"{"url": "http://a.example/"}"#)
        .unwrap();
    assert_eq!(number(&output, "/statusCode"), 302);
}

#[test]
fn a_redirect_leads_nowhere_that_a_request_may_not_go() {
    for location in [
        "http://127.0.0.1:9/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://localhost/",
        "//127.0.0.1/",
        "file:///etc/passwd",
        "ftp://a.example/",
        "javascript:1",
    ] {
        let a = Server::start(to(302, location));
        let error = two(&a, &a)
            .call::<http_request>(r#"{"url": "http://a.example/", "retries": 3, "retryDelay": 0}"#);
        let error = error.unwrap_err();
        assert_eq!(
            (error.code.as_ref(), error.retryable),
            ("NOT_ALLOWED", Some(false)),
            "{location}: {error}"
        );
        assert_eq!(a.seen().len(), 1, "{location}");
    }
}

#[test]
fn a_redirect_to_what_is_no_url_is_an_error() {
    for location in ["http://", "http://a b/", "https://[::1"] {
        let a = Server::start(to(302, location));
        let error = two(&a, &a)
            .call::<http_request>(r#"{"url": "http://a.example/"}"#)
            .unwrap_err();
        assert_eq!(error.code, "EXECUTION_ERROR", "{location}: {error}");
        assert!(error.message.contains("no URL"), "{location}: {error}");
    }
}

#[test]
fn a_server_gives_no_credentials_to_a_request() {
    let (a, b) = (
        Server::start(to(302, "http://user:word@b.example/")),
        Server::start(ok),
    );
    let output = two(&a, &b)
        .call::<http_request>(r#"{"url": "http://a.example/"}"#)
        .unwrap();
    assert_eq!(b.seen()[0].header("authorization"), None);
    assert_eq!(text(&output, "/url"), "http://b.example/");
}
