//! Servers that say no.

use mailin::AuthMechanism;
use mailin::Response;
use mailin::response::{INTERNAL_ERROR, NO_MAILBOX, NO_SERVICE, OK, OUT_OF_SPACE, TRANSACTION_FAILED};

use super::post_office::{PostOffice, Rules};
use super::*;

#[test]
fn a_refusal_says_where_and_why_and_whether_to_try_again() {
    for (rules, code, part, smtp) in [
        (
            Rules {
                on_mail: |_| INTERNAL_ERROR,
                ..Rules::default()
            },
            code::TEMPORARY_FAILURE,
            "naming the sender: 451",
            451,
        ),
        (
            Rules {
                on_mail: |_| NO_MAILBOX,
                ..Rules::default()
            },
            code::EXECUTION_ERROR,
            "naming the sender: 550",
            550,
        ),
        (
            Rules {
                on_mail: |_| NO_SERVICE,
                ..Rules::default()
            },
            code::TEMPORARY_FAILURE,
            "421 Service not available",
            421,
        ),
        (
            Rules {
                on_rcpt: |_| OUT_OF_SPACE,
                ..Rules::default()
            },
            code::TEMPORARY_FAILURE,
            "`b@example.com` (452",
            452,
        ),
        (
            Rules {
                on_rcpt: |_| NO_MAILBOX,
                ..Rules::default()
            },
            code::EXECUTION_ERROR,
            "`b@example.com` (550 Mailbox",
            550,
        ),
        (
            Rules {
                on_rcpt: |_| NO_SERVICE,
                ..Rules::default()
            },
            code::TEMPORARY_FAILURE,
            "naming the recipients: 421",
            421,
        ),
        (
            Rules {
                on_data: || INTERNAL_ERROR,
                ..Rules::default()
            },
            code::TEMPORARY_FAILURE,
            "sending the message: 451",
            451,
        ),
        (
            Rules {
                on_data: || TRANSACTION_FAILED,
                ..Rules::default()
            },
            code::EXECUTION_ERROR,
            "sending the message: 554",
            554,
        ),
        (
            Rules {
                on_end: || INTERNAL_ERROR,
                ..Rules::default()
            },
            code::TEMPORARY_FAILURE,
            "take the message: 451",
            451,
        ),
        (
            Rules {
                on_end: || TRANSACTION_FAILED,
                ..Rules::default()
            },
            code::EXECUTION_ERROR,
            "take the message: 554",
            554,
        ),
    ] {
        for pipelining in [false, true] {
            let office = PostOffice::open(Rules {
                pipelining,
                ..rules.clone()
            });
            let error = at(office.port).call::<email_send>(MAIL).unwrap_err();
            assert_eq!(error.code, code, "{error}");
            assert_eq!(error.retryable, Some(code == code::TEMPORARY_FAILURE), "{error}");
            assert!(error.message.contains(part), "{error}");
            assert_eq!(detail(&error, "smtpCode"), Some(Value::from(smtp)), "{error}");
            assert_eq!(
                detail(&error, "mayHaveBeenAccepted"),
                Some(Value::from(false)),
                "{error}"
            );
            // A server's code is not one of HTTP, which retry policies would take it for.
            assert_eq!(error.status_code, None);
            assert_eq!(office.letters(), []);
        }
    }
}

const FOUR: &str = r#"{"from": "a@example.com", "to": "good@example.com, bad@example.com", "cc": "full@example.com",
    "bcc": "fine@example.com", "subject": "Hi", "requireAll": false}"#;

fn picky(to: &str) -> Response {
    match to {
        "bad@example.com" => NO_MAILBOX,
        "full@example.com" => OUT_OF_SPACE,
        _ => OK,
    }
}

#[test]
fn who_is_refused_is_named_and_the_others_get_it() {
    for pipelining in [false, true] {
        let office = PostOffice::open(Rules {
            on_rcpt: picky,
            pipelining,
            ..Rules::default()
        });
        let output = at(office.port).call::<email_send>(FOUR).unwrap();
        let output = output.as_ref();
        assert_eq!(
            output.get("accepted").unwrap().to_json(),
            r#"["good@example.com","fine@example.com"]"#
        );
        assert_eq!(
            output.get("rejected").unwrap().to_json(),
            r#"[{"address":"bad@example.com","code":550,"message":"550 Mailbox unavailable","temporary":false},{"address":"full@example.com","code":452,"message":"452 Insufficient system storage","temporary":true}]"#
        );
        assert_eq!(office.letter().to, ["good@example.com", "fine@example.com"]);
    }
}

#[test]
fn nobody_gets_it_when_everybody_must() {
    let office = PostOffice::open(Rules {
        on_rcpt: picky,
        ..Rules::default()
    });
    let error = at(office.port)
        .call::<email_send>(&FOUR.replace("false", "true"))
        .unwrap_err();
    assert_eq!(error.code, code::TEMPORARY_FAILURE);
    assert!(
        error.message.contains("`bad@example.com` (550") && error.message.contains("`full@example.com` (452"),
        "{error}"
    );
    let rejected = detail(&error, "rejected").unwrap();
    assert_eq!(rejected.as_ref().as_list().unwrap().len(), 2);
    assert_eq!(office.letters(), []);
}

#[test]
fn an_error_names_some_of_many_refused() {
    let office = PostOffice::open(Rules {
        on_rcpt: |_| NO_MAILBOX,
        ..Rules::default()
    });
    let to: Vec<String> = (0..30).map(|index| format!("\"n{index}@example.com\"")).collect();
    let input = format!(
        r#"{{"from": "a@example.com", "to": [{}], "subject": "x"}}"#,
        to.join(",")
    );
    let error = at(office.port).call::<email_send>(&input).unwrap_err();
    assert!(
        error.message.contains("`n9@example.com`") && error.message.ends_with("and 20 more"),
        "{error}"
    );
}

#[test]
fn a_wrong_password_is_not_told() {
    let echo: fn(&str) -> Response = |password| Response::custom(535, format!("no: {password}"));
    for (on_password, part) in [
        (
            Rules::default().on_password,
            "logging in: 535 Invalid credentials; look whether",
        ),
        (
            echo,
            "logging in: 535 (what it says is left out, since the password is in it)",
        ),
    ] {
        for mechanism in [AuthMechanism::Plain, AuthMechanism::Login] {
            let office = PostOffice::open(Rules {
                auth: vec![mechanism],
                on_password,
                ..Rules::default()
            });
            let url = format!("smtp://user:hunter2@127.0.0.1:{}?tls=none", office.port);
            let error = Harness::new()
                .secret("SMTP_URL", &url)
                .call::<email_send>(MAIL)
                .unwrap_err();
            assert_eq!(
                (&*error.code, error.retryable),
                (code::EXECUTION_ERROR, Some(false))
            );
            assert!(error.message.contains(part), "{error}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}

#[test]
fn a_server_that_wants_somebody_to_log_in_says_so() {
    let office = PostOffice::open(Rules {
        auth: vec![AuthMechanism::Plain],
        ..Rules::default()
    });
    let error = at(office.port).call::<email_send>(MAIL).unwrap_err();
    assert!(error.message.contains("naming the sender: 5"), "{error}");
    let url = format!("smtp://u:p@127.0.0.1:{}?tls=none&auth=xoauth2", office.port);
    let error = Harness::new()
        .secret("SMTP_URL", &url)
        .call::<email_send>(MAIL)
        .unwrap_err();
    assert!(
        error.message.contains("no way of logging in that is known here"),
        "{error}"
    );
}
