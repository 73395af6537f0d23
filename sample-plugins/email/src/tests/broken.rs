//! Servers that hang up, or say nothing more.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use super::script::{Line, server};
use super::*;

/// A way of going along with the client for a while, and where it is left then.
type Scene = (fn(&mut Line), &'static str);

const BEFORE_THE_END: [Scene; 7] = [
    (|_| (), "greeting the server"),
    (
        |line| {
            line.say("220 test");
            line.hear();
        },
        "greeting the server",
    ),
    (
        |line| {
            line.say("220 test");
            line.expect("EHLO", "250-test\n250 STARTTLS");
            line.expect("STARTTLS", "220 go");
        },
        "beginning TLS",
    ),
    (
        |line| {
            line.say("220 test");
            line.expect("EHLO", "250-test\n250 AUTH PLAIN");
            line.hear();
        },
        "naming the sender",
    ),
    (
        |line| {
            line.say("220 test");
            line.expect("EHLO", "250 test");
            line.expect("MAIL", "250 ok");
            line.hear();
        },
        "naming the recipients",
    ),
    (
        |line| {
            line.up_to_data();
            line.hear();
        },
        "sending the message",
    ),
    (
        |line| {
            line.say("220 test");
            line.expect("EHLO", "250-test\n250 PIPELINING");
            line.hear();
            line.expect("RCPT", "250 ok\n250 ok");
            line.hear();
        },
        "sending the message",
    ),
];

fn taken_whole(line: &mut Line) {
    line.up_to_data();
    line.expect("DATA", "354 go");
    line.hear_message();
}

fn at(port: u16) -> Harness {
    let harness = super::at(port);
    let url = format!("smtp://127.0.0.1:{port}?tls=opportunistic");
    harness.secret("SMTP_URL", &url)
}

#[test]
fn a_connection_cut_before_the_end_is_worth_another_try() {
    for (scene, step) in BEFORE_THE_END {
        let (port, server) = server(scene);
        let error = at(port).call::<email_send>(MAIL).unwrap_err();
        server.join().unwrap();
        assert_eq!(
            (&*error.code, error.retryable),
            (code::TEMPORARY_FAILURE, Some(true)),
            "{step}: {error}"
        );
        assert!(error.message.contains(step), "{step}: {error}");
        assert_eq!(
            detail(&error, "mayHaveBeenAccepted"),
            Some(Value::from(false)),
            "{step}"
        );
    }
}

#[test]
fn a_connection_cut_in_the_middle_of_a_message_is_worth_another_try() {
    let (port, server) = server(|line| {
        line.up_to_data();
        line.expect("DATA", "354 go");
        // What it has not read yet breaks the connection rather than ending it.
        line.hear();
    });
    let input = format!(
        r#"{{"from": "a@example.com", "to": "b@example.com", "attachments": [{{"content": "{}"}}]}}"#,
        "A".repeat(20 << 20)
    );
    let error = at(port).call::<email_send>(&input).unwrap_err();
    server.join().unwrap();
    assert_eq!(
        (&*error.code, error.retryable),
        (code::TEMPORARY_FAILURE, Some(true)),
        "{error}"
    );
    assert!(error.message.contains("sending the message"), "{error}");
}

#[test]
fn a_connection_cut_after_the_end_is_not_tried_again() {
    let (port, server) = server(taken_whole);
    let error = at(port).call::<email_send>(MAIL).unwrap_err();
    server.join().unwrap();
    assert_eq!(
        (&*error.code, error.retryable),
        (code::EXECUTION_ERROR, Some(false)),
        "{error}"
    );
    assert!(
        error
            .message
            .contains("may have accepted it: look for `1@example.com`"),
        "{error}"
    );
    assert_eq!(detail(&error, "mayHaveBeenAccepted"), Some(Value::from(true)));
    assert_eq!(detail(&error, "messageId"), Some(Value::from("1@example.com")));
}

/// What comes of a message whose server says nothing more from there on.
fn left_hanging(harness: Harness, input: String, scene: fn(&mut Line)) -> impl FnOnce() -> NodeError {
    move || {
        let (port, server) = server(move |line| {
            scene(line);
            line.hang();
        });
        let url = format!("smtp://127.0.0.1:{port}?tls=opportunistic");
        let error = harness
            .secret("SMTP_URL", &url)
            .call::<email_send>(&input)
            .unwrap_err();
        server.join().unwrap();
        error
    }
}

#[test]
fn a_server_that_says_nothing_more_is_left_in_time() {
    let input = MAIL.replacen('{', r#"{"timeout": 3000, "#, 1);
    let scenes = BEFORE_THE_END
        .into_iter()
        .chain([(taken_whole as fn(&mut Line), "take the message")]);
    let waiting: Vec<_> = scenes
        .map(|(scene, step)| {
            (
                thread::spawn(left_hanging(Harness::new(), input.clone(), scene)),
                step,
            )
        })
        .collect();
    for (waiting, step) in waiting {
        let error = waiting.join().unwrap();
        assert!(
            error.message.contains("time ran out after 3000 ms while"),
            "{error}"
        );
        assert!(error.message.contains(step), "{step}: {error}");
        let may_be_on_its_way = step == "take the message";
        let code = if may_be_on_its_way {
            code::EXECUTION_ERROR
        } else {
            code::TEMPORARY_FAILURE
        };
        assert_eq!(
            (&*error.code, error.retryable),
            (code, Some(!may_be_on_its_way)),
            "{error}"
        );
        assert_eq!(
            error.message.contains("may have accepted it"),
            may_be_on_its_way,
            "{error}"
        );
    }
}

#[test]
fn the_callers_own_deadline_ends_it_with_a_word_of_where_it_was() {
    let scenes: [Scene; 2] = [(|_| (), "greeting the server"), (taken_whole, "take the message")];
    let waiting: Vec<_> = scenes
        .into_iter()
        .map(|(scene, step)| {
            let harness = Harness::new().deadline(Duration::from_secs(3));
            (thread::spawn(left_hanging(harness, MAIL.to_owned(), scene)), step)
        })
        .collect();
    for (waiting, step) in waiting {
        let error = waiting.join().unwrap();
        assert!(
            error.message.contains("time ran out") && error.message.contains(step),
            "{error}"
        );
    }
}

#[test]
fn a_message_that_was_taken_is_sent_whatever_comes_then() {
    let (port, server) = server(|line| {
        taken_whole(line);
        line.say("250 2.0.0 queued as 17");
        line.hang();
    });
    let output = at(port).call::<email_send>(MAIL).unwrap();
    let response = output
        .as_ref()
        .get("response")
        .unwrap()
        .as_str()
        .map(str::to_owned);
    assert_eq!(response.as_deref(), Some("250 2.0.0 queued as 17"));
    drop(server);
}

#[test]
fn nobody_is_called_for_a_caller_that_gave_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let harness = at(listener.local_addr().unwrap().port()).cancelled();
    let error = harness.call::<email_send>(MAIL).unwrap_err();
    assert_eq!(error.code, code::CANCELLED);
    assert!(listener.accept().is_err());
}

#[test]
fn a_server_that_is_not_there_may_come_back() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = at(port).call::<email_send>(MAIL).unwrap_err();
    assert_eq!(
        (&*error.code, error.retryable),
        (code::TEMPORARY_FAILURE, Some(true)),
        "{error}"
    );
    assert!(error.message.contains("connecting"), "{error}");
}
