//! Attempts.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::server::{Answer, Server, head, raw, until_closed};
use super::{harness, number};
use crate::request::http_request;

/// A server that answers so often with a status, and then with 200.
fn busy(times: usize, status: u16) -> Server {
    let left = AtomicUsize::new(times);
    Server::start(move |_| {
        let more = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        Answer::of(if more.is_ok() { status } else { 200 }, "text/plain", "ok")
    })
}

fn request(more: &str) -> String {
    format!(r#"{{"url": "http://api.example/", "retryDelay": 0, {more}}}"#)
}

#[test]
fn a_request_is_made_again_as_often_as_the_workflow_says() {
    for (times, retries, attempts) in [(0, 3, 1), (1, 3, 2), (3, 3, 4)] {
        let server = busy(times, 503);
        let output = harness(&server)
            .call::<http_request>(&request(&format!(r#""retries": {retries}"#)))
            .unwrap();
        assert_eq!(
            (number(&output, "/attempts"), number(&output, "/statusCode")),
            (attempts, 200)
        );
        assert_eq!(server.seen().len(), times + 1);
    }
    let server = busy(9, 503);
    let error = harness(&server)
        .call::<http_request>(&request(r#""retries": 2"#))
        .unwrap_err();
    assert_eq!(error.status_code, Some(503));
    assert_eq!(number(&error.details.unwrap(), "/attempts"), 3);
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn only_statuses_that_may_pass_are_worth_another_attempt() {
    for (status, more, expected) in [
        (408, "", 2),
        (429, "", 2),
        (500, "", 2),
        (502, "", 2),
        (504, "", 2),
        (400, "", 1),
        (404, "", 1),
        (501, "", 1),
        (404, r#", "retryStatusCodes": [404]"#, 2),
        (503, r#", "retryStatusCodes": []"#, 1),
    ] {
        let server = busy(1, status);
        let request = request(&format!(r#""retries": 5, "failOnStatus": false{more}"#));
        let output = harness(&server).call::<http_request>(&request).unwrap();
        assert_eq!(number(&output, "/attempts"), expected, "{status}{more}");
        assert_eq!(server.seen().len() as i64, expected, "{status}{more}");
    }
}

#[test]
fn what_changes_something_is_made_again_only_if_the_workflow_says_so() {
    for (method, more, expected) in [
        ("POST", "", 1),
        ("PATCH", "", 1),
        ("PUT", "", 2),
        ("DELETE", "", 2),
        ("POST", r#", "retryAnyMethod": true"#, 2),
    ] {
        let server = busy(1, 503);
        let request = request(&format!(
            r#""retries": 5, "failOnStatus": false, "method": "{method}", "body": "x"{more}"#
        ));
        harness(&server).call::<http_request>(&request).unwrap();
        assert_eq!(server.seen().len(), expected, "{method}{more}");
        assert!(
            server.seen().iter().all(|seen| seen.body == b"x"),
            "{method}{more}"
        );
    }
}

#[test]
fn a_connection_that_breaks_is_worth_another_attempt() {
    let server = raw(|number, mut stream| {
        head(&mut stream);
        if number == 2 {
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            stream.get_mut().write_all(answer).unwrap();
            until_closed(&mut stream);
        }
    });
    let output = harness(&server)
        .call::<http_request>(&request(r#""retries": 5"#))
        .unwrap();
    assert_eq!(number(&output, "/attempts"), 3);
}

#[test]
fn a_host_that_cannot_be_reached_is_told_after_the_last_attempt() {
    // Nobody listens there any more.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let harness = plugin_api::testing::Harness::new()
        .setting("http.connect_to", &format!("api.example:80=127.0.0.1:{closed}"));
    let error = harness
        .call::<http_request>(&request(r#""retries": 2"#))
        .unwrap_err();
    assert_eq!(error.code, "TEMPORARY_FAILURE");
    assert!(
        error.message.contains("http://api.example cannot be reached"),
        "{error}"
    );
    assert!(error.message.contains("after 3 attempts"), "{error}");
}

#[test]
fn a_server_that_asks_to_wait_longer_than_the_call_may_take_is_not_asked_again() {
    for wait in ["3600", "Fri, 31 Dec 9999 23:59:59 GMT", "100"] {
        let server = Server::start(move |_| Answer::of(429, "text/plain", "").with("retry-after", wait));
        let harness = harness(&server).deadline(Duration::from_secs(60));
        let error = harness
            .call::<http_request>(&request(r#""retries": 5"#))
            .unwrap_err();
        assert_eq!(error.status_code, Some(429), "{wait}");
        assert_eq!(server.seen().len(), 1, "{wait}");
    }
}

#[test]
fn a_server_that_asks_to_wait_shorter_is_asked_again() {
    let server = Server::start(move |_| Answer::of(429, "text/plain", "").with("retry-after", "0"));
    // Its own wait would be longer than the call may take.
    let request = r#"{"url": "http://api.example/", "retries": 2, "retryDelay": 60000}"#;
    let harness = harness(&server).deadline(Duration::from_secs(50));
    assert_eq!(
        harness.call::<http_request>(request).unwrap_err().status_code,
        Some(429)
    );
    assert_eq!(server.seen().len(), 3);
}
