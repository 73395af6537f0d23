//! TLS and passwords.

use mailin::AuthMechanism;

use super::post_office::{Door, PostOffice, Rules};
use super::script::server;
use super::*;

fn url(door: Door, port: u16) -> String {
    let scheme = if door == Door::Wrapped { "smtps" } else { "smtp" };
    format!("{scheme}://user:secret@localhost:{port}")
}

#[test]
fn a_password_and_a_message_go_over_tls() {
    for door in [Door::StartTls, Door::Wrapped] {
        for mechanism in [AuthMechanism::Plain, AuthMechanism::Login] {
            let office = PostOffice::open(Rules {
                door,
                auth: vec![mechanism],
                ..Rules::default()
            });
            let harness = Harness::new()
                .secret("SMTP_URL", &url(door, office.port))
                .setting("email.ca", &office.authority);
            harness.call::<email_send>(MAIL).unwrap();
            let letter = office.letter();
            assert_eq!((letter.user.as_deref(), letter.secure), (Some("user"), true));
        }
    }
}

#[test]
fn an_authority_may_be_in_a_file() {
    let office = PostOffice::open(Rules {
        door: Door::Wrapped,
        ..Rules::default()
    });
    let path = std::env::temp_dir().join(format!("patchbay-email-{}.pem", std::process::id()));
    std::fs::write(&path, &office.authority).unwrap();
    let harness = Harness::new().secret("SMTP_URL", &format!("smtps://localhost:{}", office.port));
    let sent = harness
        .clone()
        .setting("email.ca", path.to_str().unwrap())
        .call::<email_send>(MAIL);
    std::fs::remove_file(&path).unwrap();
    sent.unwrap();
    let refused = |text: &str| {
        let error = harness
            .clone()
            .setting("email.ca", text)
            .call::<email_send>(MAIL)
            .unwrap_err();
        assert!(
            error.message.contains("the setting `email.ca` cannot be used"),
            "{error}"
        );
    };
    refused(path.to_str().unwrap());
    refused("/");
    refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    refused("-----nothing");
}

#[test]
fn a_server_that_cannot_prove_who_it_is_gets_neither_password_nor_message() {
    for door in [Door::StartTls, Door::Wrapped] {
        for (name, knows_it) in [("localhost", false), ("other.example", true)] {
            let office = PostOffice::open(Rules {
                door,
                auth: vec![AuthMechanism::Plain],
                name,
                ..Rules::default()
            });
            let mut harness = Harness::new().secret("SMTP_URL", &url(door, office.port));
            if knows_it {
                harness = harness.setting("email.ca", &office.authority);
            }
            let error = harness.call::<email_send>(MAIL).unwrap_err();
            assert_eq!(
                (&*error.code, error.retryable),
                (code::EXECUTION_ERROR, Some(false)),
                "{error}"
            );
            assert!(
                error.message.contains("cannot be trusted") && error.message.contains("`email.ca`"),
                "{error}"
            );
            assert_eq!(office.letters(), []);
        }
    }
}

#[test]
fn without_tls_nothing_is_said_to_a_server_that_should_have_it() {
    let (port, heard) = server(|line| {
        line.say("220 test");
        line.expect("EHLO", "250-test\n250 AUTH PLAIN");
        line.hear()
    });
    let harness = Harness::new().secret("SMTP_URL", &format!("smtp://user:hunter2@127.0.0.1:{port}"));
    let error = harness.call::<email_send>(MAIL).unwrap_err();
    assert_eq!(
        (&*error.code, error.retryable),
        (code::EXECUTION_ERROR, Some(false))
    );
    assert!(error.message.contains("`STARTTLS`"), "{error}");
    assert_eq!(heard.join().unwrap(), "");
}

#[test]
fn a_password_is_kept_from_a_server_that_could_have_tls_and_has_not() {
    let (port, heard) = server(|line| {
        line.say("220 test");
        line.expect("EHLO", "250-test\n250 AUTH PLAIN");
        line.hear()
    });
    let url = format!("smtp://user:hunter2@127.0.0.1:{port}?tls=opportunistic");
    let error = Harness::new()
        .secret("SMTP_URL", &url)
        .call::<email_send>(MAIL)
        .unwrap_err();
    assert!(
        error.message.contains("a password is not sent without"),
        "{error}"
    );
    assert_eq!(heard.join().unwrap(), "");
    // A message without one goes either way.
    let plain = PostOffice::open(Rules::default());
    let secure = PostOffice::open(Rules {
        door: Door::StartTls,
        ..Rules::default()
    });
    for office in [&plain, &secure] {
        let url = format!("smtp://localhost:{}?tls=opportunistic", office.port);
        let harness = Harness::new()
            .secret("SMTP_URL", &url)
            .setting("email.ca", &office.authority);
        harness.call::<email_send>(MAIL).unwrap();
        assert_eq!(office.letters().len(), 1);
    }
}

#[test]
fn what_came_before_tls_is_not_taken_for_what_comes_within() {
    let (port, server) = server(|line| {
        line.say("220 test");
        line.expect("EHLO", "250-test\n250 STARTTLS");
        line.expect("STARTTLS", "220 go\n250-test\n250 AUTH PLAIN");
        line.hang();
    });
    let harness = Harness::new().secret("SMTP_URL", &format!("smtp://127.0.0.1:{port}"));
    let error = harness.call::<email_send>(MAIL).unwrap_err();
    assert!(error.message.contains("it said more before TLS began"), "{error}");
    server.join().unwrap();
}

#[test]
fn a_token_is_sent_as_xoauth2_wants_it() {
    let (port, server) = server(|line| {
        line.say("220 test");
        line.expect("EHLO", "250-test\n250 auth xoauth2 PLAIN");
        line.expect(
            "AUTH XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHRvawEB",
            "334 eyJzdGF0dXMiOiI0MDEifQ==",
        );
        line.expect("", "535 5.7.8 no");
    });
    let url = format!("smtp://u:tok@127.0.0.1:{port}?tls=none&auth=xoauth2");
    let error = Harness::new()
        .secret("SMTP_URL", &url)
        .call::<email_send>(MAIL)
        .unwrap_err();
    assert!(error.message.contains("logging in: 535 5.7.8 no"), "{error}");
    server.join().unwrap();
}
