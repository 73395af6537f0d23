use super::*;
use crate::request::http_request;
use plugin_api::testing::Harness;

fn call(input: &str) -> NodeError {
    // Nothing may be called, so what is right so far ends there.
    Harness::new()
        .setting("http.allow_hosts", "")
        .call::<http_request>(input)
        .unwrap_err()
}

#[test]
fn every_bad_parameter_is_an_error_that_names_it() {
    for (input, parameter) in [
        ("{}", "url"),
        (r#"{"url": 5}"#, "url"),
        (r#"{"url": ""}"#, "url"),
        (r#"{"url": " "}"#, "url"),
        (r#"{"url": "/relative"}"#, "url"),
        (r#"{"url": "ftp://a/"}"#, "url"),
        (r#"{"url": "file:///etc/passwd"}"#, "url"),
        (r#"{"url": "http:///"}"#, "url"),
        (r#"{"url": "http://a b/"}"#, "url"),
        (r#"{"url": "http://a/\r\nHost: b"}"#, "url"),
        (r#"{"url": "http://user:hidden@a/"}"#, "url"),
        (r#"{"url": "http://hidden@a/"}"#, "url"),
        (r#"{"url": "http://a:99999/"}"#, "url"),
        (r#"{"url": "http://a/", "method": "TRACE"}"#, "method"),
        (r#"{"url": "http://a/", "method": "CONNECT"}"#, "method"),
        (
            r#"{"url": "http://a/", "method": "GET / HTTP/1.1\r\n"}"#,
            "method",
        ),
        (r#"{"url": "http://a/", "method": 5}"#, "method"),
        (r#"{"url": "http://a/", "query": 5}"#, "query"),
        (r#"{"url": "http://a/", "query": {"a": {}}}"#, "query"),
        (r#"{"url": "http://a/", "headers": "a"}"#, "headers"),
        (
            r#"{"url": "http://a/", "headers": {"A": "1\r\nB: 2"}}"#,
            "headers",
        ),
        (r#"{"url": "http://a/", "headers": {"Host": "b"}}"#, "headers"),
        (r#"{"url": "http://a/", "body": {}, "bodyType": "text"}"#, "body"),
        (
            r#"{"url": "http://a/", "body": 1, "bodyType": "xml"}"#,
            "bodyType",
        ),
        (
            r#"{"url": "http://a/", "body": 1, "contentType": "a"}"#,
            "contentType",
        ),
        (
            r#"{"url": "http://a/", "body": 1, "contentType": "a/b\r\nX-A: 1"}"#,
            "contentType",
        ),
        (r#"{"url": "http://a/", "responseType": "xml"}"#, "responseType"),
        (r#"{"url": "http://a/", "timeout": 0}"#, "timeout"),
        (r#"{"url": "http://a/", "timeout": 3600001}"#, "timeout"),
        (r#"{"url": "http://a/", "timeout": "soon"}"#, "timeout"),
        (r#"{"url": "http://a/", "timeout": 1.5}"#, "timeout"),
        (
            r#"{"url": "http://a/", "followRedirects": "maybe"}"#,
            "followRedirects",
        ),
        (r#"{"url": "http://a/", "maxRedirects": -1}"#, "maxRedirects"),
        (r#"{"url": "http://a/", "maxRedirects": 51}"#, "maxRedirects"),
        (r#"{"url": "http://a/", "retries": 21}"#, "retries"),
        (r#"{"url": "http://a/", "retries": -1}"#, "retries"),
        (r#"{"url": "http://a/", "retryDelay": 60001}"#, "retryDelay"),
        (
            r#"{"url": "http://a/", "retryStatusCodes": [99]}"#,
            "retryStatusCodes",
        ),
        (
            r#"{"url": "http://a/", "retryStatusCodes": "x"}"#,
            "retryStatusCodes",
        ),
        (r#"{"url": "http://a/", "retryAnyMethod": 1}"#, "retryAnyMethod"),
        (r#"{"url": "http://a/", "failOnStatus": 1}"#, "failOnStatus"),
        (
            r#"{"url": "http://a/", "maxResponseBytes": 67108865}"#,
            "maxResponseBytes",
        ),
        (r#"{"url": "http://a/", "auth": "x"}"#, "auth"),
        (r#"{"url": "http://a/", "auth": {}}"#, "auth"),
    ] {
        let error = call(input);
        assert_eq!(error.code, "VALIDATION_FAILED", "{input}: {error}");
        assert!(error.message.contains(parameter), "{input}: {error}");
        assert!(!error.message.contains("hidden"), "{input}: {error}");
    }
    let long = format!(
        r#"{{"url": "http://a/", "query": {{"a": "{}"}}}}"#,
        "x".repeat(LONGEST)
    );
    assert_eq!(call(&long).code, "VALIDATION_FAILED");
}

#[test]
fn what_is_right_is_only_stopped_by_the_rules() {
    for input in [
        r#"{"url": "http://a/"}"#,
        r#"{"url": " HTTPS://a/ ", "method": " get "}"#,
        r#"{"uri": "http://a/", "query": "?a=1&b"}"#,
        r#"{"endpoint": "http://a/", "timeout": "500", "retries": "3", "failOnStatus": "False"}"#,
        r#"{"url": "http://a/", "headers": null, "query": null, "body": null, "auth": null}"#,
        r#"{"url": "http://a/", "retryStatusCodes": []}"#,
    ] {
        assert_eq!(call(input).code, "NOT_ALLOWED", "{input}");
    }
}

#[test]
fn a_scheme_is_told_from_a_path() {
    for text in ["http://a", "HTTPS://a", "mailto:a", "a+b:c"] {
        assert!(is_absolute(text), "{text}");
    }
    for text in ["/a:b", "a/b:c", "", ":a", "1a:b", "a b:c", "//a:80/"] {
        assert!(!is_absolute(text), "{text}");
    }
}
