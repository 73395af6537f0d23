//! Messages that arrive.

use std::thread;

use mail_parser::{MessageParser, MimeHeaders};

use super::post_office::{PostOffice, Rules};
use super::*;

#[test]
fn a_message_arrives_as_it_was_meant() {
    let office = PostOffice::open(Rules::default());
    let output = at(office.port)
        .call::<email_send>(
            r#"{
                "from": "Zoë <zoe@example.com>", "to": ["a@example.com", "\"B, c\" <b@example.com>"],
                "cc": {"name": "Cé", "address": "c@example.com"}, "bcc": "hidden@example.com, a@example.com",
                "replyTo": "r@example.com", "subject": "Grüße", "body": "one\n.\n..two\nthree é", "html": "<p>Hi <img src=cid:x></p>",
                "attachments": [
                    {"filename": "é.txt", "content": "aGk="},
                    {"filename": "raw.bin", "content": "a\r\nb\nc", "encoding": "utf8", "contentType": "application/x-thing"},
                    {"filename": "x.png", "content": "iVBO\nRw==", "cid": "x"}
                ],
                "headers": {"X-Number": 5, "List-Unsubscribe": "<https://example.com/é>"}
            }"#,
        )
        .unwrap();
    let letter = office.letter();
    assert_eq!(letter.from, "zoe@example.com");
    assert_eq!(
        letter.to,
        [
            "a@example.com",
            "b@example.com",
            "c@example.com",
            "hidden@example.com"
        ]
    );
    let id = output
        .as_ref()
        .get("messageId")
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned();
    assert!(id.ends_with("@example.com") && id.len() == 44, "{id}");
    assert!(letter.content.is_ascii());
    assert!(!letter.text().replace("\r\n", "").contains(['\r', '\n']));

    let message = MessageParser::new().parse(&letter.content).unwrap();
    let header = |name: &str| message.header_raw(name.to_owned()).map(str::trim);
    assert_eq!(message.message_id(), Some(&*id));
    assert_eq!(message.from().unwrap().first().unwrap().name(), Some("Zoë"));
    let to: Vec<_> = message
        .to()
        .unwrap()
        .iter()
        .map(|one| (one.name(), one.address()))
        .collect();
    assert_eq!(
        to,
        [
            (None, Some("a@example.com")),
            (Some("B, c"), Some("b@example.com"))
        ]
    );
    assert_eq!(message.cc().unwrap().first().unwrap().name(), Some("Cé"));
    assert!(message.bcc().is_none() && !letter.text().contains("hidden@example.com"));
    assert_eq!(
        message.reply_to().unwrap().first().unwrap().address(),
        Some("r@example.com")
    );
    assert_eq!(message.subject(), Some("Grüße"));
    assert_eq!(header("X-Number"), Some("5"));
    assert!(message.date().is_some() && header("MIME-Version") == Some("1.0"));
    assert_eq!(
        message.body_text(0).unwrap().trim_end(),
        "one\r\n.\r\n..two\r\nthree é"
    );
    assert_eq!(
        message.body_html(0).unwrap().trim_end(),
        "<p>Hi <img src=cid:x></p>"
    );
    let files: Vec<_> = message
        .attachments()
        .map(|file| {
            (
                file.attachment_name(),
                file.content_id(),
                file.contents().to_vec(),
            )
        })
        .collect();
    assert_eq!(
        files,
        [
            (Some("x.png"), Some("x"), b"\x89PNG".to_vec()),
            (Some("é.txt"), None, b"hi".to_vec()),
            (Some("raw.bin"), None, b"a\r\nb\nc".to_vec()),
        ]
    );
}

#[test]
fn the_administrator_names_the_sender_and_the_templates() {
    let office = PostOffice::open(Rules::default());
    let harness = at(office.port)
        .setting("email.from", "Shop <shop@example.com>")
        .setting(
            "email.template.user_welcome",
            "Hello {{ user.name }}, {{user.tags.0}} {{n}}{{none}}",
        )
        .setting(
            "email.template.user_welcome.html",
            "<a title='{{user.name}}'>{{ user.name }}</a>{{user}}",
        )
        .setting("email.template.user_welcome.subject", "Welcome, {{user.name}}");
    harness
        .call::<email_send>(
            r#"{"to": "b@example.com", "template": "user_welcome",
                "data": {"user": {"name": "<b>'Ada' & \"Bob\"</b>{{n}}", "tags": ["x"]}, "n": 1.5, "none": null}}"#,
        )
        .unwrap();
    let letter = office.letter();
    let message = MessageParser::new().parse(&letter.content).unwrap();
    assert_eq!(
        message.from().unwrap().first().unwrap().address(),
        Some("shop@example.com")
    );
    assert_eq!(message.subject(), Some("Welcome, <b>'Ada' & \"Bob\"</b>{{n}}"));
    assert_eq!(
        message.body_text(0).unwrap().trim_end(),
        "Hello <b>'Ada' & \"Bob\"</b>{{n}}, x 1.5"
    );
    let name = "&lt;b&gt;&#39;Ada&#39; &amp; &quot;Bob&quot;&lt;/b&gt;{{n}}";
    assert!(
        message
            .body_html(0)
            .unwrap()
            .starts_with(&format!("<a title='{name}'>{name}</a>{{&quot;name&quot;"))
    );
}

#[test]
fn what_a_document_says_goes_before_its_template() {
    let office = PostOffice::open(Rules::default());
    let harness = at(office.port)
        .setting("email.template.t", "from the template")
        .setting("email.template.t.subject", "of the template");
    let input = r#"{"from": "a@example.com", "to": "b@example.com", "subject": "Mine", "body": "mine", "template": "t"}"#;
    harness.call::<email_send>(input).unwrap();
    let letter = office.letter();
    let message = MessageParser::new().parse(&letter.content).unwrap();
    assert_eq!(
        (message.subject(), message.body_text(0).unwrap().trim_end()),
        (Some("Mine"), "mine")
    );
}

#[test]
fn a_connection_is_a_server_of_its_own() {
    let (one, other) = (
        PostOffice::open(Rules::default()),
        PostOffice::open(Rules::default()),
    );
    let url = format!("smtp://127.0.0.1:{}?tls=none", other.port);
    let harness = at(one.port).secret("SMTP_URL_BULK", &url);
    harness.call::<email_send>(MAIL).unwrap();
    assert_eq!((one.letters().len(), other.letters().len()), (1, 0));
    let input = MAIL.replacen('{', r#"{"connection": "bulk", "#, 1);
    harness.call::<email_send>(&input).unwrap();
    assert_eq!((one.letters().len(), other.letters().len()), (1, 1));
}

#[test]
fn five_hundred_get_one_message_each_way() {
    for pipelining in [false, true] {
        let office = PostOffice::open(Rules {
            pipelining,
            ..Rules::default()
        });
        let to: Vec<String> = (0..500)
            .map(|index| format!("\"n{index}@example.com\""))
            .collect();
        let input = format!(
            r#"{{"from": "a@example.com", "bcc": [{}], "subject": "x"}}"#,
            to.join(",")
        );
        let output = at(office.port).call::<email_send>(&input).unwrap();
        assert_eq!(office.letter().to.len(), 500, "{pipelining}");
        let accepted = output.as_ref().get("accepted").unwrap().as_list().unwrap();
        assert_eq!(accepted.len(), 500, "{pipelining}");
    }
}

#[test]
fn many_messages_at_once_arrive_once_each() {
    let office = PostOffice::open(Rules {
        pipelining: true,
        ..Rules::default()
    });
    let port = office.port;
    let senders: Vec<_> = (0..8)
        .map(|sender| {
            thread::spawn(move || {
                let harness = at(port);
                for index in 0..10 {
                    let input = format!(
                        r#"{{"from": "a@example.com", "to": "b@example.com", "subject": "{sender}-{index}", "body": "x"}}"#
                    );
                    harness.call::<email_send>(&input).unwrap();
                }
            })
        })
        .collect();
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    let mut subjects: Vec<String> = office
        .letters()
        .iter()
        .map(|letter| {
            MessageParser::new()
                .parse(&letter.content)
                .unwrap()
                .subject()
                .unwrap()
                .to_owned()
        })
        .collect();
    subjects.sort_unstable();
    subjects.dedup();
    assert_eq!((subjects.len(), office.letters().len()), (80, 80));
}

#[test]
fn a_long_text_of_many_lines_arrives_whole() {
    let office = PostOffice::open(Rules::default());
    let text = ".\\n".repeat(1_000_000);
    let input = format!(r#"{{"from": "a@example.com", "to": "b@example.com", "body": "{text}"}}"#);
    at(office.port).call::<email_send>(&input).unwrap();
    let letter = office.letter();
    let lines = letter
        .content
        .split(|byte| *byte == b'\n')
        .filter(|line| **line == *b".\r")
        .count();
    assert_eq!(lines, 1_000_000);
}
