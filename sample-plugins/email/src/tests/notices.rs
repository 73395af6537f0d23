//! Notices in rooms.

use std::sync::{Arc, Mutex};

use super::*;

const SLACK: &str = "https://hooks.slack.test/services/T0/B0/hunter2";
const DISCORD: &str = "https://discord.test/api/webhooks/1/hunter2";

/// A tenant with rooms, and the requests that were made of it; Slack and Discord answer with these statuses.
pub(super) fn rooms(harness: Harness, slack: i64, discord: i64) -> (Harness, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let harness = harness.node("http-request", move |request| {
        seen.lock().unwrap().push(request.to_json());
        let url = request
            .get("url")
            .and_then(|url| url.as_str())
            .unwrap_or_default();
        let status = Value::from(if url.contains("slack") { slack } else { discord });
        let body = Value::from("no_service\r\nat all");
        Ok(Value::from_pairs([
            ("statusCode", status.as_ref()),
            ("body", body.as_ref()),
        ])?)
    });
    (harness, asked)
}

fn with_secrets() -> Harness {
    Harness::new()
        .secret("SLACK_WEBHOOK_URL", SLACK)
        .secret("SLACK_WEBHOOK_URL_BUILD_ROOM", "https://hooks.slack.test/builds")
        .secret("DISCORD_WEBHOOK_URL", DISCORD)
}

#[test]
fn each_room_gets_what_it_understands() {
    let (harness, asked) = rooms(with_secrets(), 200, 204);
    harness.call::<notify_slack>(r#"{"message": "Hi"}"#).unwrap();
    harness
        .call::<notify_slack>(r##"{"message": "Hi", "channel": "#build-room"}"##)
        .unwrap();
    harness.call::<notify_discord>(r#"{"message": "Hi"}"#).unwrap();
    let request = |url: &str, key: &str| {
        format!(
            r#"{{"url":"{url}","method":"POST","body":{{"{key}":"Hi"}},"timeout":15000,"failOnStatus":false,"followRedirects":false}}"#
        )
    };
    assert_eq!(
        *asked.lock().unwrap(),
        [
            request(SLACK, "text"),
            request("https://hooks.slack.test/builds", "text"),
            request(DISCORD, "content"),
        ]
    );
}

#[test]
fn a_refusal_says_whether_to_try_again() {
    for (status, code, retryable) in [
        (404, code::EXECUTION_ERROR, false),
        (302, code::EXECUTION_ERROR, false),
        (429, code::TEMPORARY_FAILURE, true),
        (503, code::TEMPORARY_FAILURE, true),
    ] {
        let (harness, _) = rooms(with_secrets(), status, 204);
        let error = harness.call::<notify_slack>(r#"{"message": "Hi"}"#).unwrap_err();
        assert_eq!(
            (&*error.code, error.retryable),
            (code, Some(retryable)),
            "{error}"
        );
        assert!(
            error
                .message
                .contains(&format!("status {status}: no_service  at all")),
            "{error}"
        );
    }
}

#[test]
fn one_room_is_enough_for_all() {
    let all = r#"{"message": "Hi"}"#;
    let (harness, _) = rooms(with_secrets(), 200, 500);
    let output = harness.call::<notify_all>(all).unwrap();
    assert_eq!(
        output.to_json(),
        r#"{"success":false,"message":"Hi","slack":{"success":true,"skipped":false,"error":null},"discord":{"success":false,"skipped":false,"error":"Discord answered with status 500: no_service  at all"}}"#
    );
    let (harness, _) = rooms(Harness::new().secret("DISCORD_WEBHOOK_URL", DISCORD), 200, 204);
    let output = harness.call::<notify_all>(all).unwrap();
    assert_eq!(output.as_ref().get("success"), Some(Value::from(true).as_ref()));
    assert_eq!(
        output.as_ref().pointer("/slack/skipped"),
        Some(Value::from(true).as_ref())
    );
    let (harness, _) = rooms(with_secrets(), 404, 500);
    refuses::<notify_all>(
        &harness,
        &[(all, code::EXECUTION_ERROR, "Slack answered with status 404")],
    );
    let (harness, _) = rooms(Harness::new().secret("DISCORD_WEBHOOK_URL", DISCORD), 200, 500);
    refuses::<notify_all>(
        &harness,
        &[(all, code::TEMPORARY_FAILURE, "Discord answered with status 500")],
    );
    refuses::<notify_all>(
        &Harness::new(),
        &[(all, code::CREDENTIAL_MISSING, "`SLACK_WEBHOOK_URL`")],
    );
}

#[test]
fn bad_parameters_are_named() {
    let (harness, asked) = rooms(with_secrets(), 200, 204);
    let long = format!(r#"{{"message": "{}"}}"#, "é".repeat(2_001));
    refuses::<notify_discord>(
        &harness,
        &[
            ("{}", INVALID, "parameter `message`: is missing"),
            (r#"{"message": " \n"}"#, INVALID, "parameter `message`"),
            (r#"{"message": {}}"#, INVALID, "message"),
            (&long, INVALID, "longer than the 2000 characters"),
            (
                r#"{"message": "Hi", "channel_id": "a/b"}"#,
                INVALID,
                "parameter `channel`: `a/b`",
            ),
            (
                r#"{"message": "Hi", "channel": "none"}"#,
                code::CREDENTIAL_MISSING,
                "`DISCORD_WEBHOOK_URL_NONE`",
            ),
        ],
    );
    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn no_error_tells_the_webhook() {
    let failing = |why: fn(&str) -> NodeError| {
        with_secrets().node("http-request", move |request| {
            Err(why(request
                .get("url")
                .and_then(|url| url.as_str())
                .unwrap_or_default()))
        })
    };
    let loud = failing(|url| {
        NodeError::new(format!("cannot reach {url}"))
            .status(502)
            .retryable(true)
    });
    let error = loud.call::<notify_slack>(r#"{"message": "Hi"}"#).unwrap_err();
    assert_eq!(
        (&*error.message, error.status_code, error.retryable),
        ("the webhook could not be reached", Some(502), Some(true))
    );
    let detailed = failing(|url| NodeError::new("x").details(Value::from(url)));
    let error = detailed.call::<notify_slack>(r#"{"message": "Hi"}"#).unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    refuses::<notify_slack>(
        &with_secrets(),
        &[(
            r#"{"message": "Hi"}"#,
            "UNKNOWN_NODE_TYPE",
            "load the plugin `http`",
        )],
    );
}
