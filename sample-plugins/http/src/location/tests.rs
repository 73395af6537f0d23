use super::*;
use plugin_api::testing::Harness;
use proptest::prelude::*;

fn parse(input: &str) -> Result<Value, NodeError> {
    Harness::new().call::<url_parse>(input)
}

fn build(input: &str) -> Result<Value, NodeError> {
    Harness::new().call::<url_build>(input)
}

#[test]
fn the_examples_hold() {
    Harness::new().check_examples::<url_parse>();
    Harness::new().check_examples::<url_build>();
}

#[test]
fn parts_of_any_scheme_are_found() {
    for (url, pointer, expected) in [
        ("mailto:a@example.org", "/protocol", r#""mailto:""#),
        ("mailto:a@example.org", "/pathname", r#""a@example.org""#),
        ("mailto:a@example.org", "/origin", r#""null""#),
        ("https://u:p@example.org", "/username", r#""u""#),
        ("https://u:p@example.org", "/password", r#""p""#),
        ("https://EXAMPLE.org:443/", "/host", r#""example.org""#),
        ("https://EXAMPLE.org:443/", "/port", "null"),
        ("http://[::1]:8080/", "/hostname", r#""[::1]""#),
        ("http://2130706433/", "/hostname", r#""127.0.0.1""#),
        (
            "http://b\u{fc}cher.example/",
            "/hostname",
            r#""xn--bcher-kva.example""#,
        ),
        ("http://a/?x=1&x=2&x=3", "/query/x", r#"["1","2","3"]"#),
        ("http://a/?", "/search", r#""""#),
    ] {
        let output = parse(&format!(r#"{{"url": "{url}"}}"#)).unwrap();
        let found = output.as_ref().pointer(pointer).unwrap().to_json();
        assert_eq!(found, expected, "{url} {pointer}");
    }
}

#[test]
fn what_is_no_url_is_an_error_that_names_the_parameter() {
    for (input, parameter) in [
        (r#"{"url": "no url"}"#, "url"),
        (r#"{"url": "/relative"}"#, "url"),
        (r#"{"url": "http://a b/"}"#, "url"),
        (r#"{"url": "http://example.org/a\r\nX-B: 1"}"#, "url"),
        (r#"{"url": "ht\ttp://example.org/"}"#, "url"),
        (r#"{"url": "/a", "base": "b"}"#, "base"),
        (r#"{"url": "http://1.2.3.4.5/"}"#, "url"),
        (r#"{"url": 5}"#, "url"),
        ("{}", "url"),
    ] {
        let error = parse(input).unwrap_err();
        assert_eq!(error.code, "VALIDATION_FAILED", "{input}");
        assert!(
            error.message.contains(&format!("`{parameter}`")),
            "{input}: {error}"
        );
    }
    let long = format!(r#"{{"url": "http://a/{}"}}"#, "x".repeat(LONGEST));
    assert_eq!(parse(&long).unwrap_err().code, "VALIDATION_FAILED");
}

#[test]
fn parts_that_fit_no_url_are_errors_that_name_the_parameter() {
    for (input, parameter) in [
        ("{}", "hostname"),
        (r#"{"hostname": ""}"#, "hostname"),
        (r#"{"hostname": "a/b"}"#, "hostname"),
        (r#"{"hostname": "user@evil.example"}"#, "hostname"),
        (r#"{"hostname": "a:80"}"#, "hostname"),
        (r#"{"hostname": "a?b"}"#, "hostname"),
        (r#"{"hostname": "a\nb"}"#, "hostname"),
        (r#"{"hostname": "a", "port": 65536}"#, "port"),
        (r#"{"hostname": "a", "port": -1}"#, "port"),
        (r#"{"hostname": "a", "port": "x"}"#, "port"),
        (r#"{"hostname": "a", "protocol": "a b"}"#, "protocol"),
        (r#"{"hostname": "a", "protocol": ""}"#, "protocol"),
        (r#"{"hostname": "a", "pathname": "\n"}"#, "pathname"),
        (r#"{"hostname": "a", "hash": "\n"}"#, "hash"),
        (r#"{"hostname": "a", "query": 5}"#, "query"),
        (r#"{"hostname": "a", "query": {"b": {}}}"#, "query"),
        (r#"{"url": "x"}"#, "url"),
        (r#"{"url": "mailto:a@b", "port": 5}"#, "port"),
        (r#"{"url": "mailto:a@b", "username": "c"}"#, "username"),
        (r#"{"url": "http://a/", "protocol": "mailto"}"#, "protocol"),
    ] {
        let error = build(input).unwrap_err();
        assert_eq!(error.code, "VALIDATION_FAILED", "{input}");
        assert!(
            error.message.contains(&format!("`{parameter}`")),
            "{input}: {error}"
        );
    }
    let long = format!(r#"{{"hostname": "a", "pathname": "{}"}}"#, "x".repeat(LONGEST));
    assert_eq!(build(&long).unwrap_err().code, "LIMIT_EXCEEDED");
}

#[test]
fn a_part_stays_what_it_is() {
    for (input, expected) in [
        (
            r#"{"hostname": "[::1]", "port": 80, "protocol": "http:"}"#,
            "http://[::1]/",
        ),
        (
            r#"{"hostname": "a", "pathname": "/x?y#z"}"#,
            "https://a/x%3Fy%23z",
        ),
        (r##"{"hostname": "a", "hash": "#top"}"##, "https://a/#top"),
        (
            r#"{"hostname": "a", "username": "u@x", "password": "p:/"}"#,
            "https://u%40x:p%3A%2F@a/",
        ),
        (r#"{"url": "https://a/?b=1", "query": {}}"#, "https://a/"),
        (r#"{"url": "https://a/?b=1"}"#, "https://a/?b=1"),
        (
            r#"{"hostname": "a", "query": [{"name": "b", "value": "\r\n"}]}"#,
            "https://a/?b=%0D%0A",
        ),
    ] {
        let output = build(input).unwrap();
        assert_eq!(
            output.as_ref().get("result").unwrap().as_str(),
            Some(expected),
            "{input}"
        );
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_json()
}

proptest! {
    #[test]
    fn what_was_put_together_comes_apart_the_same(
        host in "[a-z][a-z0-9-]{0,10}[a-z]\\.(org|net)",
        port in 1_u16..,
        names in proptest::collection::btree_map("[a-z]{1,6}", "\\PC{0,12}", 0..5),
    ) {
        let query: Vec<String> = names.iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
        let query = format!("{{{}}}", query.join(","));
        let built = build(&format!(r#"{{"hostname": "{host}", "port": {port}, "query": {query}}}"#)).unwrap();
        let url = built.as_ref().get("result").unwrap().to_json();
        let apart = parse(&format!(r#"{{"url": {url}}}"#)).unwrap();
        prop_assert_eq!(apart.as_ref().get("hostname").unwrap().as_str(), Some(host.as_str()));
        let expected = Value::from_json(&query).unwrap();
        prop_assert_eq!(apart.as_ref().get("query").unwrap().to_json(), expected.to_json());
        // A URL that was written by the standard is written so again.
        prop_assert_eq!(apart.as_ref().get("href").unwrap().to_json(), url.clone());
        let again = build(&format!(r#"{{"url": {url}}}"#)).unwrap();
        prop_assert_eq!(again.as_ref().get("result").unwrap().to_json(), url);
    }

    #[test]
    fn no_text_is_a_reason_for_a_panic(text in "\\PC{0,40}") {
        let text = quoted(&text);
        let _ = parse(&format!(r#"{{"url": {text}}}"#));
        let _ = build(&format!(r#"{{"hostname": {text}, "pathname": {text}, "hash": {text}}}"#));
    }
}
