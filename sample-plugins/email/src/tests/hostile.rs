//! Servers that do not keep to the protocol.

use super::script::server;
use super::*;

#[test]
fn what_is_no_reply_is_an_error_and_not_waited_for_for_ever() {
    let endless = vec![b'2'; 100_000];
    let long = format!("220-{}\r\n", "x".repeat(3_000));
    let many = "220-x\r\n".repeat(200);
    for (bytes, part) in [
        (&endless[..], "a line of it is too long"),
        (long.as_bytes(), "a line of it is too long"),
        (many.as_bytes(), "do not belong together"),
        (b"220-a\r\n250 b\r\n", "do not belong together"),
        (b"HTTP/1.1 400 Bad Request\r\n", "no reply of SMTP"),
        (b"\r\n", "no reply of SMTP"),
        (b"999 x\r\n", "no reply of SMTP"),
        (b"\xff\xfe\x00\n", "no reply of SMTP"),
    ] {
        let bytes = bytes.to_vec();
        let (port, server) = server(move |line| {
            line.send(&bytes);
            line.hang();
        });
        let error = at(port).call::<email_send>(MAIL).unwrap_err();
        server.join().unwrap();
        assert_eq!(
            (&*error.code, error.retryable),
            (code::EXECUTION_ERROR, Some(false)),
            "{error}"
        );
        assert!(error.message.contains(part), "{error}");
    }
}

#[test]
fn what_a_server_says_of_itself_does_no_harm() {
    let (port, server) = server(|line| {
        line.say("220-\n220- \n220");
        line.expect(
            "EHLO",
            "250-\n250- \n250-SIZE\n250-SIZE x\n250-AUTH\n250-SIZE -1\n250 \t",
        );
        line.expect("MAIL FROM:<a@example.com>", "250 ok");
        line.expect("RCPT", "250 ok");
        line.expect("DATA", "354 go");
        line.hear_message();
        line.say("250 \u{1b}[2Jok\u{7}");
    });
    let output = at(port).call::<email_send>(MAIL).unwrap();
    server.join().unwrap();
    let response = output
        .as_ref()
        .get("response")
        .unwrap()
        .as_str()
        .map(str::to_owned);
    assert_eq!(response.as_deref(), Some("250  [2Jok"));
}

#[test]
fn an_old_server_is_greeted_in_the_old_way() {
    let (port, server) = server(|line| {
        line.say("220 old");
        line.expect("EHLO [127.0.0.1]", "502 what");
        line.expect("HELO [127.0.0.1]", "250 hello");
        line.expect("MAIL FROM:<a@example.com>", "250 ok");
        line.expect("RCPT", "250 ok");
        line.expect("DATA", "354 go");
        let message = line.hear_message();
        line.say("250 ok");
        message
    });
    at(port).call::<email_send>(MAIL).unwrap();
    assert!(server.join().unwrap().contains(&"Subject: Hi".to_owned()));
}

#[test]
fn a_message_that_is_too_large_for_the_server_is_not_begun() {
    let (port, server) = server(|line| {
        line.say("220 test");
        line.expect("EHLO", "250-test\n250 SIZE 100");
        line.hear()
    });
    let error = at(port).call::<email_send>(MAIL).unwrap_err();
    assert_eq!(
        (&*error.code, error.retryable),
        (code::EXECUTION_ERROR, Some(false))
    );
    assert!(error.message.contains("at most 100 bytes"), "{error}");
    assert_eq!(server.join().unwrap(), "");
}

#[test]
fn the_size_is_told_to_a_server_that_wants_to_know() {
    let (port, server) = server(|line| {
        line.say("220 test");
        line.expect("EHLO", "250-test\n250 SIZE 0");
        let mail = line.hear();
        line.say("550 no");
        mail
    });
    at(port).call::<email_send>(MAIL).unwrap_err();
    let mail = server.join().unwrap();
    let size = mail.strip_prefix("MAIL FROM:<a@example.com> SIZE=").unwrap();
    assert!(size.parse::<u32>().unwrap() > 200, "{mail}");
}

#[test]
fn letters_beyond_ascii_in_an_address_need_a_server_that_takes_them() {
    let input = MAIL.replace("b@example.com", "bö@example.com");
    for takes_them in [false, true] {
        let (port, server) = server(move |line| {
            line.say("220 test");
            line.expect(
                "EHLO",
                if takes_them {
                    "250-test\n250 SMTPUTF8"
                } else {
                    "250 test"
                },
            );
            let mail = line.hear();
            line.say("250 ok");
            (mail, line.hear())
        });
        let error = at(port).call::<email_send>(&input).unwrap_err();
        let heard = server.join().unwrap();
        if takes_them {
            assert_eq!(
                heard,
                (
                    "MAIL FROM:<a@example.com> BODY=8BITMIME SMTPUTF8".to_owned(),
                    "RCPT TO:<bö@example.com>".to_owned()
                )
            );
        } else {
            assert!(error.message.contains("`SMTPUTF8`"), "{error}");
            assert_eq!(heard, (String::new(), String::new()));
        }
    }
}

#[test]
fn a_message_is_not_told_to_a_server_that_wants_none() {
    for (data, end) in [("250 ok", "250 ok"), ("354 go", "354 go on")] {
        let (port, server) = server(move |line| {
            line.up_to_data();
            line.expect("DATA", data);
            let heard = line.hear_message();
            line.say(end);
            line.hang();
            heard
        });
        let error = at(port).call::<email_send>(MAIL).unwrap_err();
        let heard = server.join().unwrap();
        assert!(
            error.message.contains("something else than it was asked"),
            "{error}"
        );
        assert_eq!(heard.is_empty(), data == "250 ok", "{heard:?}");
        assert_eq!(
            detail(&error, "mayHaveBeenAccepted"),
            Some(Value::from(data != "250 ok"))
        );
        assert_eq!(error.retryable, Some(false));
    }
}
