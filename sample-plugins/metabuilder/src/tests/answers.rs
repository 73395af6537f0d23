use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::event::{KEPT, KEY};

#[test]
fn an_answer_is_what_a_webhook_sends() {
    for (input, expected) in [
        (
            r#"{"action": "http_response"}"#,
            r#"{"statusCode":200,"headers":{},"body":null}"#,
        ),
        (
            r#"{"action": "httpResponse", "status": "404", "body": [1]}"#,
            r#"{"statusCode":404,"headers":{},"body":[1]}"#,
        ),
        (
            r#"{"operation": "http_response", "statusCode": 302.0, "headers": {"Location": "/x", "X-N": 5, "X-B": true, "X-None": null}}"#,
            r#"{"statusCode":302,"headers":{"Location":"/x","X-N":"5","X-B":"true"},"body":null}"#,
        ),
    ] {
        assert_eq!(
            around().call::<action>(input).unwrap().to_json(),
            expected,
            "{input}"
        );
    }
    let many: Vec<String> = (0..33).map(|n| format!(r#""x{n}": "1""#)).collect();
    let many = format!(
        r#"{{"action": "http_response", "headers": {{{}}}}}"#,
        many.join(", ")
    );
    let long = format!(
        r#"{{"action": "http_response", "headers": {{"a": "{}"}}}}"#,
        "x".repeat(8_193)
    );
    check_errors::<action>(
        &around(),
        &[
            (r#"{"status": 200}"#, INVALID, "`action`: must be"),
            (r#"{"action": "redirect"}"#, INVALID, "`redirect`"),
            (
                r#"{"action": "http_response", "status": 199}"#,
                INVALID,
                "`status`",
            ),
            (
                r#"{"action": "http_response", "status": 600}"#,
                INVALID,
                "`status`",
            ),
            (
                r#"{"action": "http_response", "status": "ok"}"#,
                INVALID,
                "`status`",
            ),
            (
                r#"{"action": "http_response", "headers": []}"#,
                INVALID,
                "`headers`",
            ),
            (
                r#"{"action": "http_response", "headers": {"a b": "1"}}"#,
                INVALID,
                "`headers`",
            ),
            (
                r#"{"action": "http_response", "headers": {"a": "1\r\nset-cookie: b"}}"#,
                INVALID,
                "line breaks",
            ),
            (
                r#"{"action": "http_response", "headers": {"a": {}}}"#,
                INVALID,
                "`headers`",
            ),
            (&many, INVALID, "at most 32"),
            (&long, INVALID, "too long"),
        ],
    );
}

fn emit(harness: &Harness, event: &str, channel: &str, data: &str) -> Value {
    let input =
        format!(r#"{{"action": "emit_event", "event": "{event}", "channel": {channel}, "data": {data}}}"#);
    harness
        .call::<action>(&input)
        .unwrap_or_else(|error| panic!("{input}: {error}"))
}

fn kept(harness: &Harness, input: &str) -> Vec<String> {
    let output = harness.call::<events>(input).unwrap();
    let list = output.as_ref().get("result").unwrap().as_list().unwrap();
    list.iter()
        .map(|event| event.get("event").unwrap().as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_event_is_told_and_kept() {
    let harness = around().wall_clock(UNIX_EPOCH + Duration::from_millis(1_000));
    let output = emit(&harness, "post_created", "\"forum:7\"", r#"{"postId": 1}"#);
    assert_eq!(
        output.to_json(),
        r#"{"emitted":true,"event":"post_created","channel":"forum:7","at":1000,"sequence":1}"#
    );
    let logged = harness.logged();
    assert_eq!((&*logged[0].message, logged[0].level), ("event post_created", 3));
    assert_eq!(
        logged[0]
            .fields
            .as_ref()
            .pointer("/data/postId")
            .unwrap()
            .as_i64(),
        Some(1)
    );
    emit(&harness, "post_deleted", "null", "null");
    let stored = harness.key_value(KEY).unwrap();
    assert_eq!(stored.as_ref().get("next").unwrap().as_i64(), Some(3));
    let first = stored.as_ref().pointer("/events/0").unwrap();
    assert_eq!(
        first.to_json(),
        r#"{"sequence":1,"event":"post_created","channel":"forum:7","at":1000,"data":{"postId":1},"run":"test-run","node":"metabuilder.action"}"#
    );
    assert_eq!(kept(&harness, "{}"), ["post_created", "post_deleted"]);
    assert_eq!(kept(&harness, r#"{"channel": "forum:7"}"#), ["post_created"]);
    assert_eq!(kept(&harness, r#"{"event": "post_deleted"}"#), ["post_deleted"]);
    assert_eq!(kept(&harness, r#"{"after": 1}"#), ["post_deleted"]);
    assert_eq!(kept(&harness, r#"{"limit": 1}"#), ["post_deleted"]);
    assert_eq!(kept(&harness, r#"{"after": 2}"#), Vec::<String>::new());
}

#[test]
fn the_last_events_are_kept_and_no_more() {
    let harness = around();
    for n in 0..KEPT + 5 {
        emit(&harness, &format!("e{n}"), "null", "null");
    }
    let names = kept(&harness, "{}");
    assert_eq!((names.len(), &*names[0], &*names[KEPT - 1]), (KEPT, "e5", "e104"));
    let large = format!("\"{}\"", "x".repeat(16_000));
    for n in 0..30 {
        emit(&harness, &format!("large{n}"), "null", &large);
    }
    let bytes = harness.key_value(KEY).unwrap().as_bytes().len();
    assert!(bytes <= (256 << 10) + 1_024, "{bytes}");
    assert_eq!(kept(&harness, r#"{"limit": 1}"#), ["large29"]);
    let huge = format!("\"{}\"", "x".repeat(20_000));
    emit(&harness, "huge", "null", &huge);
    let last = harness.key_value(KEY).unwrap();
    let last = last
        .as_ref()
        .get("events")
        .unwrap()
        .as_list()
        .unwrap()
        .iter()
        .last()
        .unwrap()
        .to_value();
    assert!(last.as_ref().get("data").unwrap().is_null());
    assert!(
        last.as_ref()
            .get("dataBytes")
            .unwrap()
            .as_i64()
            .is_some_and(|bytes| bytes >= 20_000)
    );
}

#[test]
fn events_that_come_at_once_are_all_kept_in_one_order() {
    let harness = around();
    thread::scope(|scope| {
        for thread in 0..4 {
            let harness = harness.clone();
            scope.spawn(move || {
                for n in 0..20 {
                    emit(&harness, &format!("t{thread}-{n}"), "null", "null");
                }
            });
        }
    });
    let stored = harness.key_value(KEY).unwrap();
    let numbers = stored.as_ref().get("events").unwrap().as_list().unwrap();
    let numbers: Vec<i64> = numbers
        .iter()
        .map(|event| event.get("sequence").unwrap().as_i64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=80).collect::<Vec<i64>>());
}

#[test]
fn an_event_that_cannot_be_meant_is_refused() {
    let long = format!(r#"{{"action": "emit_event", "event": "{}"}}"#, "e".repeat(257));
    check_errors::<action>(
        &around(),
        &[
            (r#"{"action": "emit_event"}"#, INVALID, "`event`: is missing"),
            (r#"{"action": "emit_event", "event": " "}"#, INVALID, "`event`"),
            (r#"{"action": "emit_event", "event": 5}"#, INVALID, "`event`"),
            (
                r#"{"action": "emit_event", "event": "e", "channel": {}}"#,
                INVALID,
                "`channel`",
            ),
            (r#"{"action": "emit_event", "event": "a\nb"}"#, INVALID, "`event`"),
            (&long, INVALID, "`event`"),
        ],
    );
    check_errors::<events>(
        &around(),
        &[
            (r#"{"channel": 5}"#, INVALID, "`channel`"),
            (r#"{"event": []}"#, INVALID, "`event`"),
            (r#"{"after": -1}"#, INVALID, "`after`"),
            (r#"{"limit": 0}"#, INVALID, "`limit`"),
            (r#"{"limit": 101}"#, INVALID, "`limit`"),
        ],
    );
}

#[test]
fn one_more_than_the_limit_is_an_error_with_the_time_to_wait() {
    let calls = Calls::default();
    let over = r#"{"allowed": false, "tokensConsumed": 0, "remaining": 0, "limit": 5, "retryAfterMs": 900, "resetAfterMs": 60000}"#;
    let harness = calls.answer(Harness::new(), "rate-limiter", over);
    let ask = r#"{"key": "ada", "limit": 5, "window": 60000, "errorMessage": "Too many attempts."}"#;
    let error = harness.call::<rate_limit>(ask).unwrap_err();
    assert_eq!(
        (&*error.code, error.status_code, &*error.message),
        ("LIMIT_EXCEEDED", Some(429), "Too many attempts.")
    );
    assert_eq!(
        error.details.unwrap().to_json(),
        r#"{"limit":5,"windowMs":60000,"retryAfterMs":900}"#
    );
    assert_eq!(
        calls.taken()[0].1,
        r#"{"operationType":"limit:5:60000:metabuilder.rateLimit","accountId":"ada","customLimit":5,"resetWindowMs":60000}"#
    );
    let standard = harness
        .call::<rate_limit>(r#"{"key": "ada", "limit": 5}"#)
        .unwrap_err();
    assert!(
        standard.message.contains("5 in 60000 ms") && standard.message.contains("900 ms"),
        "{standard}"
    );
    let long = format!(r#"{{"key": "{}", "limit": 5}}"#, "k".repeat(257));
    check_errors::<rate_limit>(
        &around(),
        &[
            (r#"{"limit": 5}"#, INVALID, "`key`: is missing"),
            (r#"{"key": null, "limit": 5}"#, INVALID, "`key`: is missing"),
            (r#"{"key": "", "limit": 5}"#, INVALID, "`key`"),
            (r#"{"key": {}, "limit": 5}"#, INVALID, "`key`"),
            (&long, INVALID, "`key`"),
            (r#"{"key": "a"}"#, INVALID, "`limit`: is missing"),
            (r#"{"key": "a", "limit": 0}"#, INVALID, "`limit`"),
            (r#"{"key": "a", "limit": 1000001}"#, INVALID, "`limit`"),
            (r#"{"key": "a", "limit": 5, "window": 0}"#, INVALID, "`window`"),
            (
                r#"{"key": "a", "limit": 5, "window": "soon"}"#,
                INVALID,
                "`window`",
            ),
            (
                r#"{"operation": "throttle", "key": "a", "limit": 5}"#,
                INVALID,
                "`operation`",
            ),
        ],
    );
    check_errors::<rate_limit>(&Harness::new(), &[(ask, "UNKNOWN_NODE_TYPE", "`rate-limiter`")]);
}

#[test]
fn a_message_goes_to_the_node_for_its_type() {
    let calls = Calls::default();
    let sent = r#"{"success": true}"#;
    let mut harness = Harness::new();
    for node_type in [
        "notifications.slack",
        "notifications.discord",
        "notifications.all",
        "email-send",
    ] {
        harness = calls.answer(harness, node_type, sent);
    }
    for (input, node_type, asked) in [
        (
            r#"{"type": "slack", "message": "hi", "channel": "c"}"#,
            "notifications.slack",
            r#"{"message":"hi","channel":"c"}"#,
        ),
        (
            r#"{"channelType": "discord", "message": "hi"}"#,
            "notifications.discord",
            r#"{"message":"hi"}"#,
        ),
        (
            r#"{"type": null, "message": "hi"}"#,
            "notifications.all",
            r#"{"message":"hi"}"#,
        ),
        (
            r#"{"type": "email", "to": "a@b.co", "subject": "s"}"#,
            "email-send",
            r#"{"to":"a@b.co","subject":"s"}"#,
        ),
    ] {
        assert_eq!(
            harness.call::<notification>(input).unwrap().to_json(),
            r#"{"success":true}"#
        );
        assert_eq!(
            calls.taken(),
            [(node_type.to_owned(), asked.to_owned())],
            "{input}"
        );
    }
    check_errors::<notification>(
        &harness,
        &[
            (r#"{"type": "slack"}"#, INVALID, "`message`"),
            (r#"{"type": "slack", "message": ""}"#, INVALID, "`message`"),
            (r#"{"type": "pigeon", "message": "hi"}"#, INVALID, "`type`"),
            (r#"{"type": 5, "message": "hi"}"#, INVALID, "`type`"),
        ],
    );
    let none = r#"{"type": "slack", "message": "hi"}"#;
    check_errors::<notification>(
        &Harness::new(),
        &[(none, "UNKNOWN_NODE_TYPE", "`notifications.slack`")],
    );
}
