//! What is refused before any server hears of it.

use super::*;

/// A tenant whose server nobody should reach.
fn tenant() -> Harness {
    at(1)
}

#[test]
fn no_parameter_becomes_a_header_or_a_command_of_its_own() {
    let with = |fields: &str| {
        format!(r#"{{"from": "a@example.com", "to": "b@example.com", "body": "x", {fields}}}"#)
    };
    for (fields, part) in [
        (
            r#""subject": "Hi\r\nBcc: eve@example.com""#,
            "parameter `subject`: has a line break",
        ),
        (r#""subject": "Hi\nX: y""#, "`subject`"),
        (r#""subject": "Hi\u0000""#, "`subject`"),
        (r#""cc": "c@example.com\r\nDATA""#, "parameter `cc`"),
        (
            r#""replyTo": {"name": "R\r\nX: y", "address": "r@example.com"}"#,
            "parameter `replyTo`",
        ),
        (
            r#""headers": {"X-A": "b\r\nBcc: eve@example.com"}"#,
            "parameter `headers`: `X-A` has a line break",
        ),
        (r#""headers": {"X-A": "b\rc"}"#, "`X-A` has a line break"),
        (
            r#""headers": {"X-A\r\nBcc": "eve@example.com"}"#,
            "is no name of a header",
        ),
        (r#""headers": {"X A": "b"}"#, "`X A` is no name"),
        (r#""headers": {"X:A": "b"}"#, "`X:A` is no name"),
        (r#""headers": {"": "b"}"#, "is no name"),
        (r#""headers": {"X-É": "b"}"#, "is no name"),
        (
            r#""headers": {"BCC": "eve@example.com"}"#,
            "`BCC` is set by this node",
        ),
        (
            r#""headers": {"Content-Type": "text/html"}"#,
            "`Content-Type` is set by this node",
        ),
        (
            r#""headers": {"message-id": "x"}"#,
            "`message-id` is set by this node",
        ),
        (r#""headers": {"X-A": "1", "x-a": "2"}"#, "`x-a` is there twice"),
        (
            r#""headers": {"X-A": [1]}"#,
            "`X-A`: expected a text, found a list",
        ),
        (r#""messageId": "a@b>\r\nX: y""#, "parameter `messageId`"),
        (r#""messageId": "nothing""#, "parameter `messageId`"),
        (r#""messageId": "a b@c""#, "parameter `messageId`"),
        (
            r#""attachments": [{"filename": "a\r\nX: y", "content": ""}]"#,
            "item 0: `filename`",
        ),
        (
            r#""attachments": [{"content": "", "contentType": "a/b\r\nX: y"}]"#,
            "item 0: `contentType`",
        ),
        (
            r#""attachments": [{"content": "", "contentType": "multipart/mixed; boundary=x"}]"#,
            "item 0: `contentType`",
        ),
        (
            r#""attachments": [{"content": "", "cid": "a>\r\n"}]"#,
            "item 0: `cid`",
        ),
        (r#""connection": "a\r\n""#, "parameter `connection`"),
    ] {
        refuses::<email_send>(&tenant(), &[(&with(fields), INVALID, part)]);
    }
}

#[test]
fn bad_parameters_are_named() {
    let many: Vec<&str> = vec!["\"a@example.com\""; 300];
    let many = many.join(",");
    let crowd = format!(r#"{{"from": "a@example.com", "to": [{many}], "cc": [{many}], "body": "x"}}"#);
    for (input, part) in [
        ("{}", "parameter `to`: there is no recipient"),
        (
            r#"{"to": "", "cc": [], "bcc": null, "body": "x"}"#,
            "parameter `to`: there is no recipient",
        ),
        (
            r#"{"to": "nobody", "body": "x"}"#,
            "parameter `to`: `nobody` is no address",
        ),
        (
            r#"{"to": "b@example.com", "body": "x"}"#,
            "parameter `from`: is missing",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com, c@example.com", "body": "x"}"#,
            "one address only",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com"}"#,
            "parameter `body`: there is nothing to send",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com", "body": {}}"#,
            "body",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com", "html": 5}"#,
            "html",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com", "body": "x", "timeout": 0}"#,
            "parameter `timeout`",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com", "body": "x", "requireAll": "perhaps"}"#,
            "requireAll",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com", "body": "x", "smtpHost": "h", "smtpPort": 25}"#,
            "parameter `smtpHost`: is not for workflows",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com", "body": "x", "port": 25}"#,
            "parameter `smtpPort`",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com", "body": "x", "username": "u"}"#,
            "parameter `username`",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com", "body": "x", "password": "p"}"#,
            "parameter `password`",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com", "attachments": {}}"#,
            "attachments",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com", "attachments": [5]}"#,
            "item 0: expected a map",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com", "attachments": [{}]}"#,
            "item 0: `content`: expected a text in base64, found null",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com", "attachments": [{"content": "?"}]}"#,
            "item 0: `content` is no base64",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com", "attachments": [{"content": "", "encoding": "hex"}]}"#,
            "found `hex`",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com", "attachments": [{"content": "", "contentType": "png"}]}"#,
            "item 0: `contentType`",
        ),
        (
            r#"{"to": "b@example.com", "from": "a@example.com", "attachments": [{"content": "", "filename": ""}]}"#,
            "item 0: `filename`",
        ),
        (&crowd, "600 recipients"),
    ] {
        refuses::<email_send>(&tenant(), &[(input, INVALID, part)]);
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let long = "x".repeat(6 << 20);
    let file = "A".repeat(40 << 20);
    let files = vec![r#"{"content": ""}"#; 101].join(",");
    for (fields, code, part) in [
        (
            format!(r#""body": "{long}""#),
            code::LIMIT_EXCEEDED,
            "parameter `body`",
        ),
        (
            format!(r#""html": "{long}""#),
            code::LIMIT_EXCEEDED,
            "parameter `html`",
        ),
        (
            format!(r#""subject": "{}""#, "x".repeat(1_001)),
            code::LIMIT_EXCEEDED,
            "parameter `subject`",
        ),
        (
            format!(r#""attachments": [{{"content": "{file}"}}]"#),
            INVALID,
            "over 25 MiB",
        ),
        (format!(r#""attachments": [{files}]"#), INVALID, "101 files"),
        (
            format!(r#""body": "x", "headers": {{"X-A": "{}"}}"#, "x".repeat(4_001)),
            INVALID,
            "longer than 4000",
        ),
        (
            format!(
                r#""templateSource": {{"text": "{}"}}, "data": {{"x": "{}"}}"#,
                "{{x}}".repeat(100),
                "y".repeat(100_000)
            ),
            code::LIMIT_EXCEEDED,
            "longer than 5 MiB when it is filled",
        ),
        (
            format!(r#""templateSource": {{"text": "{long}"}}"#),
            INVALID,
            "`text` is longer",
        ),
    ] {
        let input = format!(r#"{{"from": "a@example.com", "to": "b@example.com", {fields}}}"#);
        let error = tenant().call::<email_send>(&input).unwrap_err();
        assert_eq!(error.code, code, "{error}");
        assert!(error.message.contains(part), "{error}");
    }
}

#[test]
fn a_template_that_is_not_there_or_not_filled_is_an_error() {
    let harness = tenant()
        .setting("email.template.only_subject.subject", "x")
        .setting("email.template.open", "Hello {{ name")
        .setting("email.template.greeting", "Hello {{ user.name }}");
    let with = |fields: &str| format!(r#"{{"from": "a@example.com", "to": "b@example.com", {fields}}}"#);
    for (fields, part) in [
        (
            r#""template": "user_welcome""#,
            "parameter `template`: there is no template `user_welcome`; the administrator sets `email.template.user_welcome`",
        ),
        (
            r#""template": "only_subject""#,
            "there is no template `only_subject`",
        ),
        (r#""template": "a.b""#, "is no name of a template"),
        (r#""template": "../x""#, "is no name of a template"),
        (r#""template": "open""#, "`{{` without `}}`"),
        (
            r#""template": "greeting""#,
            "parameter `data`: the template's text needs the field `user.name`",
        ),
        (
            r#""template": "greeting", "data": {"user": {}}"#,
            "needs the field `user.name`",
        ),
        (r#""template": "greeting", "data": []"#, "data"),
        (
            r#""template": "greeting", "templateSource": {"text": "x"}"#,
            "either `template` or `templateSource`",
        ),
        (
            r#""templateSource": {"html": "{{ x }}"}"#,
            "the template's HTML needs the field `x`",
        ),
        (
            r#""templateSource": {"text": 5}"#,
            "parameter `templateSource`: `text`",
        ),
        (
            r#""templateSource": {"text": "x", "subject": "{{s}}"}, "data": {"s": "a\r\nBcc: e@example.com"}"#,
            "parameter `subject`: has a line break",
        ),
    ] {
        refuses::<email_send>(&harness, &[(&with(fields), INVALID, part)]);
    }
}

#[test]
fn the_administrator_says_who_may_write_to_whom() {
    let harness = tenant()
        .setting("email.allow_from", "*@example.com")
        .setting("email.allow_recipients", "*@example.com, boss@other.example");
    refuses::<email_send>(
        &harness,
        &[
            (
                r#"{"from": "a@other.example", "to": "b@example.com", "body": "x"}"#,
                code::NOT_ALLOWED,
                "`email.allow_from` does not allow `a@other.example`",
            ),
            (
                r#"{"from": "a@example.com", "to": "b@example.com, c@other.example", "body": "x"}"#,
                code::NOT_ALLOWED,
                "parameter `to`: the setting `email.allow_recipients`",
            ),
            (
                r#"{"from": "a@example.com", "to": "b@example.com", "bcc": "c@other.example", "body": "x"}"#,
                code::NOT_ALLOWED,
                "parameter `bcc`",
            ),
            // Nothing is wrong with this one but that nobody is there.
            (
                r#"{"from": "A@EXAMPLE.com", "to": "BOSS@other.example", "body": "x"}"#,
                code::TEMPORARY_FAILURE,
                "connecting",
            ),
        ],
    );
    let closed = tenant().setting("email.allow_recipients", "");
    refuses::<email_send>(&closed, &[(MAIL, code::NOT_ALLOWED, "`email.allow_recipients`")]);
    let wrong = tenant().setting("email.from", "nobody");
    let input = r#"{"to": "b@example.com", "body": "x"}"#;
    refuses::<email_send>(
        &wrong,
        &[(
            input,
            code::EXECUTION_ERROR,
            "the setting `email.from` cannot be used",
        )],
    );
}

#[test]
fn without_a_server_the_error_says_which_secret_is_missing() {
    let named = MAIL.replacen('{', r#"{"connection": "bulk", "#, 1);
    refuses::<email_send>(
        &Harness::new(),
        &[
            (MAIL, code::CREDENTIAL_MISSING, "no secret `SMTP_URL`"),
            (&named, code::CREDENTIAL_MISSING, "no secret `SMTP_URL_BULK`"),
        ],
    );
    let wrong = Harness::new().secret("SMTP_URL", "smtp://u:hunter2@h/path");
    let error = wrong.call::<email_send>(MAIL).unwrap_err();
    assert!(
        error.message.contains("the secret `SMTP_URL` has a path") && !error.message.contains("hunter2"),
        "{error}"
    );
}
