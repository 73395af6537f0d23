//! Mail taken apart.

use proptest::prelude::*;

use super::*;

fn parse(message: &str) -> Value {
    parse_with(message, "")
}

fn parse_with(message: &str, more: &str) -> Value {
    let message = Value::from(message).to_json();
    let input = format!(r#"{{"message": {message}{more}}}"#);
    Harness::new().call::<email_parser>(&input).unwrap()
}

/// Some of the output, as JSON.
fn some(output: &Value, pointer: &str) -> String {
    output
        .as_ref()
        .pointer(pointer)
        .unwrap_or(ValueRef::NULL)
        .to_json()
}

#[test]
fn every_part_of_a_message_is_found() {
    let output = parse(concat!(
        "From ada@example.com Fri Mar  1 09:30:00 2024\r\n",
        "Received: from a\r\n by b\r\n",
        "Received: from c\r\n",
        "From: =?iso-8859-1?Q?Zo=EB?= <zoe@example.com>\r\n",
        "To: \"B, c\" <b@example.com>, d@example.com\r\n",
        "Cc: team: e@example.com, F <f@example.com>;\r\n",
        "Reply-To: r@example.com\r\n",
        "Subject: =?utf-8?b?R3LDvMOfZQ==?= =?utf-8?q?_an?=\r\n alle\r\n",
        "Date: Fri, 1 Mar 2024 09:30:00 +0100\r\n",
        "Message-ID: <1@example.com>\r\n",
        "In-Reply-To: <0@example.com>\r\n",
        "References: <a@example.com>\r\n <0@example.com>\r\n",
        "X-Thing: one\r\n",
        "MIME-Version: 1.0\r\n",
        "Content-Type: multipart/mixed; boundary=\"out er\"\r\n",
        "\r\n",
        "nobody reads this\r\n",
        "--out er\r\n",
        "Content-Type: multipart/alternative; boundary=in\r\n",
        "\r\n",
        "--in\r\n",
        "Content-Type: text/plain; charset=iso-8859-1\r\n",
        "Content-Transfer-Encoding: quoted-printable\r\n",
        "\r\n",
        "Sch=F6n=\r\n!\r\n",
        "--in\r\n",
        "Content-Type: multipart/related; boundary=rel\r\n",
        "\r\n",
        "--rel\r\n",
        "Content-Type: text/html; charset=utf-8\r\n",
        "Content-Transfer-Encoding: base64\r\n",
        "\r\n",
        "PHA+U2Now7ZuPC9wPg==\r\n",
        "--rel\r\n",
        "Content-Type: image/png; name=\"p.png\"\r\n",
        "Content-ID: <pic@x>\r\n",
        "Content-Transfer-Encoding: base64\r\n",
        "\r\n",
        "iVBORw==\r\n",
        "--rel--\r\n",
        "--in--\r\n",
        "--out er \t\r\n",
        "Content-Type: application/pdf\r\n",
        "Content-Disposition: attachment; filename*=utf-8''%C3%A9.pdf\r\n",
        "\r\n",
        "%PDF\r\n",
        "--out er\r\n",
        "Content-Type: message/rfc822\r\n",
        "\r\n",
        "Subject: inner\r\n\r\nbody\r\n",
        "--out er\r\n",
        "\r\n",
        "And more.\r\n",
        "--out er--\r\n",
        "nor this\r\n",
    ));
    assert_eq!(
        some(&output, "/from"),
        r#"[{"name":"Zoë","address":"zoe@example.com"}]"#
    );
    assert_eq!(
        some(&output, "/to"),
        r#"[{"name":"B, c","address":"b@example.com"},{"name":null,"address":"d@example.com"}]"#
    );
    assert_eq!(
        some(&output, "/cc"),
        r#"[{"name":null,"address":"e@example.com"},{"name":"F","address":"f@example.com"}]"#
    );
    assert_eq!(some(&output, "/subject"), r#""Grüße an alle""#);
    assert_eq!(some(&output, "/date"), r#""2024-03-01T09:30:00+01:00""#);
    assert_eq!(some(&output, "/messageId"), r#""1@example.com""#);
    assert_eq!(some(&output, "/inReplyTo"), r#"["0@example.com"]"#);
    assert_eq!(
        some(&output, "/references"),
        r#"["a@example.com","0@example.com"]"#
    );
    assert_eq!(some(&output, "/text"), r#""Schön!\nAnd more.""#);
    assert_eq!(some(&output, "/html"), r#""<p>Schön</p>""#);
    assert_eq!(some(&output, "/headers/received"), r#"["from a by b","from c"]"#);
    assert_eq!(some(&output, "/headers/x-thing"), r#""one""#);
    let files = [
        r#"{"filename":"p.png","contentType":"image/png","size":4,"inline":true,"contentId":"pic@x","content":"iVBORw=="}"#,
        r#"{"filename":"é.pdf","contentType":"application/pdf","size":4,"inline":false,"contentId":null,"content":"JVBERg=="}"#,
        r#"{"filename":"attachment-3","contentType":"message/rfc822","size":22,"inline":false,"contentId":null,"content":"U3ViamVjdDogaW5uZXINCg0KYm9keQ=="}"#,
    ];
    assert_eq!(some(&output, "/attachments"), format!("[{}]", files.join(",")));
    assert_eq!(some(&output, "/attachmentCount"), "3");
}

#[test]
fn a_message_is_read_however_it_is_given() {
    let bytes = r#"{"rawMessage": "RnJvbTogYUBleGFtcGxlLmNvbQpDb250ZW50LVR5cGU6IHRleHQvcGxhaW47IGNoYXJzZXQ9aXNvLTg4NTktMQoK6Q==", "encoding": "base64", "tenantId": "x"}"#;
    let output = Harness::new().call::<email_parser>(bytes).unwrap();
    assert_eq!(some(&output, "/text"), r#""é""#);
    for (charset, bytes, text) in [
        ("shift_jis", "k/qWew==", "日本"),
        ("gb2312", "1tDOxA==", "中文"),
        ("iso-2022-jp", "GyRCRnxLXBsoQg==", "日本"),
        ("koi8-r", "zcnS", "мир"),
        ("utf-16", "/v8EPA==", "м"),
        ("nonsense", "/w==", "\u{fffd}"),
    ] {
        let message = format!(
            "Subject: x\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: base64\n\n{bytes}\n"
        );
        assert_eq!(
            some(&parse(&message), "/text"),
            Value::from(text).to_json(),
            "{charset}"
        );
    }
}

#[test]
fn what_is_wanted_of_a_message_can_be_said() {
    let message = concat!(
        "From: a@example.com\nContent-Type: multipart/mixed; boundary=b\n\n",
        "--b\nContent-Type: text/html\n\n<b onclick=x>é</b><script>y</script>\n",
        "--b\nContent-Disposition: attachment; filename=a.txt\n\n12345\n--b--",
    );
    let output = parse_with(
        message,
        r#", "sanitizeHtml": false, "maxBodyLength": 14, "maxAttachmentSize": 4"#,
    );
    assert_eq!(some(&output, "/html"), r#""<b onclick=x>""#);
    assert_eq!(some(&output, "/truncated"), "true");
    assert_eq!(some(&output, "/attachments/0/content"), "null");
    assert_eq!(some(&output, "/attachments/0/size"), "5");
    let output = parse_with(
        message,
        r#", "maxBodyLength": 7, "extractAttachmentContent": "false""#,
    );
    assert_eq!(some(&output, "/html"), r#""<b></b>""#);
    assert_eq!(some(&output, "/attachments/0/content"), "null");
    let output = parse_with(message, r#", "includeAttachments": false"#);
    assert_eq!(
        (some(&output, "/attachments"), some(&output, "/attachmentCount")),
        ("[]".into(), "1".into())
    );
}

#[test]
fn a_file_has_a_name_that_stays_where_it_is_put() {
    for (given, expected) in [
        ("../../etc/passwd", "passwd"),
        ("C:\\\\a\\\\b.txt", "b.txt"),
        (".bashrc", "bashrc"),
        ("...", "attachment-1"),
        ("/", "attachment-1"),
        ("a b", "a b"),
    ] {
        let message = format!("Subject: x\nContent-Disposition: attachment; filename=\"{given}\"\n\nx\n");
        assert_eq!(
            some(&parse(&message), "/attachments/0/filename"),
            format!("{expected:?}"),
            "{given}"
        );
    }
}

#[test]
fn what_is_no_message_is_refused() {
    refuses::<email_parser>(
        &Harness::new(),
        &[
            ("{}", INVALID, "parameter `message`: is missing"),
            (
                r#"{"message": 5}"#,
                INVALID,
                "parameter `message`: expected a text, found a number",
            ),
            (
                r#"{"message": null}"#,
                INVALID,
                "parameter `message`: expected a text, found null",
            ),
            (r#"{"message": ""}"#, INVALID, "it has no headers"),
            (
                r#"{"message": "\r\n\r\nno headers"}"#,
                INVALID,
                "it has no headers",
            ),
            (r#"{"message": "just a text"}"#, INVALID, "it has no headers"),
            (
                r#"{"message": "?", "encoding": "base64"}"#,
                INVALID,
                "parameter `message`: is no base64",
            ),
            (
                r#"{"message": "a: b\n\n", "encoding": "hex"}"#,
                INVALID,
                "parameter `encoding`",
            ),
            (
                r#"{"message": "a: b\n\n", "maxBodyLength": -1}"#,
                INVALID,
                "parameter `maxBodyLength`",
            ),
            (
                r#"{"message": "a: b\n\n", "maxAttachmentSize": 1e9}"#,
                INVALID,
                "parameter `maxAttachmentSize`",
            ),
            (
                r#"{"message": "a: b\n\n", "sanitizeHtml": "perhaps"}"#,
                INVALID,
                "sanitizeHtml",
            ),
        ],
    );
}

/// `depth` parts, each within the one before.
fn nested(depth: usize) -> String {
    let mut message = "Subject: x\n".to_owned();
    for level in 0..depth {
        message.push_str(&format!(
            "Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"
        ));
    }
    message + "\ndeep"
}

#[test]
fn a_message_over_a_limit_is_refused() {
    let fine = nested(32);
    assert_eq!(some(&parse(&fine), "/text"), r#""deep""#);
    for (message, part) in [
        (nested(33), "more than 32 deep"),
        (nested(100_000), "more than 32 deep"),
        (
            format!(
                "Content-Type: multipart/mixed; boundary=b\n\n{}",
                "--b\n\nx\n".repeat(3_000)
            ),
            "more than 2000 parts",
        ),
        (
            format!("Subject: {}\n\n", "x".repeat(2 << 20)),
            "longer than 1024 KiB",
        ),
        (format!("{}\n", "a: b\n".repeat(3_000)), "more than 2000 headers"),
        (
            format!("Subject: x\n\n{}", "x".repeat(26 << 20)),
            "longer than 25 MiB",
        ),
    ] {
        let input = format!(r#"{{"message": {}}}"#, Value::from(&*message).to_json());
        let error = Harness::new().call::<email_parser>(&input).unwrap_err();
        assert_eq!(error.code, code::LIMIT_EXCEEDED, "{error}");
        assert!(error.message.contains(part), "{error}");
    }
}

#[test]
fn messages_within_messages_are_files_however_deep_they_go() {
    let message = "Content-Type: message/rfc822\n\n".repeat(200_000);
    let output = parse(&message);
    assert_eq!(some(&output, "/attachmentCount"), "1");
    let digest = "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: y\n\ninner\n--b--";
    let output = parse(digest);
    assert_eq!(some(&output, "/attachments/0/contentType"), r#""message/rfc822""#);
}

#[test]
fn boundaries_that_are_none_do_no_harm() {
    for content_type in [
        "multipart/mixed",
        "multipart/mixed; boundary=",
        "multipart/mixed; boundary=\"\"",
        "multipart/mixed; boundary=never",
        "multipart/",
        "/",
        ";",
    ] {
        let message = format!("Subject: x\nContent-Type: {content_type}\n\ntext\n--b\n");
        let output = parse(&message);
        let whole = some(&output, "/attachmentCount") == "1" || some(&output, "/text").contains("text");
        assert!(whole, "{content_type}: {output}");
    }
}

#[test]
fn a_caller_that_gave_up_is_not_kept_waiting() {
    let error = Harness::new()
        .cancelled()
        .call::<email_parser>(r#"{"message": "a: b\n\nc"}"#)
        .unwrap_err();
    assert_eq!(error.code, code::CANCELLED);
}

/// Texts that look now and then like a part of a message.
fn nearly_a_message() -> impl Strategy<Value = Vec<u8>> {
    let words = proptest::sample::select(vec![
        "From: ",
        "To:",
        "Subject:",
        "Date: ",
        "Received: from ",
        "Content-Type: multipart/mixed; boundary=b",
        "Content-Type: multipart/alternative; boundary=\"b\"",
        "Content-Type: message/rfc822",
        "text/html; charset=utf-7",
        "Content-Type: text/plain; charset=",
        "Content-Transfer-Encoding: base64",
        "quoted-printable",
        "--b",
        "--",
        "=?utf-8?b?",
        "?=",
        "=?x?q?",
        "=",
        "\r\n",
        "\n",
        "\n\n",
        " ",
        "\t",
        "<",
        ">",
        "(",
        ")",
        "\"",
        "\\",
        ";",
        ",",
        ":",
        "@",
        "a@b.c",
        "filename*0=",
        "filename*1*=",
        "%",
    ]);
    let piece = prop_oneof![
        6 => words.prop_map(|word| word.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_comes_is_taken_apart_or_refused(message in nearly_a_message()) {
        use base64::Engine as _;
        let text = base64::prelude::BASE64_STANDARD.encode(&message);
        let input = format!(r#"{{"message": "{text}", "encoding": "base64"}}"#);
        if let Err(error) = Harness::new().call::<email_parser>(&input) {
            prop_assert_eq!(error.code, INVALID);
        }
    }
}
