//! What is written can be read again: by an implementation that has no part in the writing, and by our own.

use std::time::UNIX_EPOCH;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use mail_parser::{MessageParser, MimeHeaders};
use proptest::prelude::*;

use super::*;
use crate::attachment::File;
use crate::compose::Draft;

fn draft(name: &str, subject: &str) -> Draft {
    let name = Some(name.to_owned()).filter(|name| !name.is_empty());
    let mailbox = Mailbox::new(name, "a@example.com".parse().unwrap());
    Draft {
        from: mailbox.clone(),
        to: vec![mailbox],
        cc: Vec::new(),
        bcc: Vec::new(),
        reply_to: Vec::new(),
        subject: subject.to_owned(),
        text: None,
        html: None,
        files: Vec::new(),
        headers: Vec::new(),
        message_id: "1@example.com".into(),
        date: UNIX_EPOCH,
    }
}

/// Words with one space between.
fn words() -> impl Strategy<Value = String> {
    proptest::collection::vec("[a-zA-Z0-9äß€😀.,!?()<>@;:\\\\\"'&-]{1,12}", 1..12)
        .prop_map(|words| words.join(" "))
}

/// Texts of many lines.
fn lines() -> impl Strategy<Value = String> {
    proptest::collection::vec("[ a-zA-Zäß€😀.=-]{0,100}|\\.|--|=3D", 0..8).prop_map(|lines| lines.join("\n"))
}

fn unix(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end().to_owned()
}

proptest! {
    #[test]
    fn what_is_written_can_be_read(
        name in words(),
        subject in words(),
        text in lines(),
        html in lines(),
        content in proptest::collection::vec(any::<u8>(), 0..200),
        file in "[a-zäß€][a-zäß€ _]{0,29}\\.bin",
        header in words(),
    ) {
        let mut draft = draft(&name, &subject);
        draft.text = Some(text.clone());
        draft.html = Some(html.clone());
        draft.headers = vec![("X-Thing".parse_name(), header.clone())];
        draft.files = vec![File {
            name: file.clone(),
            kind: ContentType::parse("application/octet-stream").unwrap(),
            content_id: None,
            content: content.clone(),
        }];
        let message = draft.written().unwrap();
        prop_assert!(message.is_ascii());
        let lines_are_short = message.split(|byte| *byte == b'\n').all(|line| line.len() <= 998);
        prop_assert!(lines_are_short, "{}", String::from_utf8_lossy(&message));

        let read = MessageParser::new().parse(&message).unwrap();
        prop_assert_eq!(read.from().unwrap().first().unwrap().name(), Some(&*name));
        prop_assert_eq!(read.subject(), Some(&*subject));
        prop_assert_eq!(unix(&read.body_text(0).unwrap()), unix(&text));
        prop_assert_eq!(unix(&read.body_html(0).unwrap()), unix(&html));
        let attached = read.attachment(0).unwrap();
        prop_assert_eq!(attached.attachment_name(), Some(&*file));
        prop_assert_eq!(attached.contents(), &content[..]);

        let message = Value::from(&*String::from_utf8(message).unwrap()).to_json();
        let input = format!(r#"{{"message": {message}, "sanitizeHtml": false}}"#);
        let output = Harness::new().call::<email_parser>(&input).unwrap();
        let at = |pointer: &str| output.as_ref().pointer(pointer).and_then(|text| text.as_str()).map(str::to_owned);
        prop_assert_eq!(at("/from/0/name"), Some(name));
        prop_assert_eq!(at("/subject"), Some(subject));
        prop_assert_eq!(at("/text").map(|text| unix(&text)), Some(unix(&text)));
        prop_assert_eq!(at("/html").map(|html| unix(&html)), Some(unix(&html)));
        prop_assert_eq!(at("/headers/x-thing"), Some(header));
        prop_assert_eq!(at("/attachments/0/filename"), Some(file));
    }
}

trait ParseName {
    fn parse_name(&self) -> lettre::message::header::HeaderName;
}

impl ParseName for str {
    fn parse_name(&self) -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii(self.to_owned()).unwrap()
    }
}

#[test]
fn a_message_has_no_more_parts_than_it_needs() {
    let plain = File {
        name: "a.txt".into(),
        kind: ContentType::parse("text/plain").unwrap(),
        content_id: None,
        content: b"x".to_vec(),
    };
    let shown = File {
        content_id: Some("x".into()),
        ..plain.clone()
    };
    for (text, html, files, expected) in [
        (Some("t"), None, vec![], vec!["text/plain"]),
        (None, Some("h"), vec![], vec!["text/html"]),
        (None, None, vec![], vec!["text/plain"]),
        (
            Some("t"),
            Some("h"),
            vec![],
            vec!["multipart/alternative", "text/plain", "text/html"],
        ),
        (
            Some("t"),
            None,
            vec![plain.clone()],
            vec!["multipart/mixed", "text/plain", "text/plain"],
        ),
        // There is no HTML to show it.
        (
            Some("t"),
            None,
            vec![shown.clone()],
            vec!["multipart/mixed", "text/plain", "text/plain"],
        ),
        (
            None,
            Some("h"),
            vec![shown.clone()],
            vec!["multipart/related", "text/html", "text/plain"],
        ),
        (
            Some("t"),
            Some("h"),
            vec![plain, shown],
            vec![
                "multipart/mixed",
                "multipart/alternative",
                "text/plain",
                "multipart/related",
                "text/html",
                "text/plain",
                "text/plain",
            ],
        ),
    ] {
        let mut draft = draft("", "x");
        draft.text = text.map(str::to_owned);
        draft.html = html.map(str::to_owned);
        draft.files = files;
        let message = String::from_utf8(draft.written().unwrap()).unwrap();
        let kinds: Vec<&str> = message
            .lines()
            .filter_map(|line| line.strip_prefix("Content-Type: "))
            .map(|kind| kind.split(';').next().unwrap_or_default())
            .collect();
        assert_eq!(kinds, expected, "{message}");
    }
}

#[test]
fn no_two_messages_have_the_same_boundaries() {
    let boundary = || {
        let mut draft = draft("", "x");
        draft.text = Some("t".into());
        draft.html = Some("h".into());
        let message = String::from_utf8(draft.written().unwrap()).unwrap();
        let (_, after) = message.split_once("boundary=\"").unwrap();
        after.split('"').next().unwrap().to_owned()
    };
    let (one, other) = (boundary(), boundary());
    assert!(one.len() == 40 && one != other, "{one} {other}");
}
