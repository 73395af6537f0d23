//! What a node's parameters come to: a message that was checked in every part.

use std::time::SystemTime;

use lettre::message::Mailbox;
use lettre::message::header::HeaderName;
use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Dict, kind_name, text_of};

use crate::address;
use crate::attachment::files;
use crate::compose::Draft;
use crate::line::{has_control, one_line, random_hex};
use crate::policy::Allowed;
use crate::sending::Mail;
use crate::template::Template;

/// Recipients of one message.
const MAX_RECIPIENTS: usize = 500;
/// Bytes of a subject.
const MAX_SUBJECT: usize = 1_000;
/// Bytes of a text.
const MAX_TEXT: usize = 5 << 20;
/// Further headers, and bytes of one.
const MAX_HEADERS: usize = 50;
const MAX_HEADER: usize = 4_000;
/// Headers that the message has anyway, or that servers write.
const TAKEN: [&str; 14] = [
    "from",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "message-id",
    "reply-to",
    "mime-version",
    "sender",
    "return-path",
    "received",
    "resent-to",
    "dkim-signature",
];

/// Reads and checks everything that the message is made of.
pub(crate) fn draft(input: &Mail<'_>, ctx: &Ctx<'_>) -> NodeResult<Draft> {
    refuse_servers(input)?;
    let to = address::mailboxes(input.to.0, "to")?;
    let cc = address::mailboxes(input.cc.0, "cc")?;
    let bcc = address::mailboxes(input.bcc.0, "bcc")?;
    let reply_to = address::mailboxes(input.reply_to.0, "replyTo")?;
    let count = to.len() + cc.len() + bcc.len();
    if count == 0 {
        return Err(NodeError::invalid("to", "there is no recipient"));
    }
    if count > MAX_RECIPIENTS {
        let why = format_args!("{count} recipients, at most {MAX_RECIPIENTS} are sent one message");
        return Err(NodeError::invalid("to", why));
    }
    let from = sender(input, ctx)?;
    Allowed::read("email.allow_from", ctx)?.check([&from], "from")?;
    let allowed = Allowed::read("email.allow_recipients", ctx)?;
    for (mailboxes, parameter) in [(&to, "to"), (&cc, "cc"), (&bcc, "bcc")] {
        allowed.check(mailboxes, parameter)?;
    }
    let template = template(input, ctx)?.unwrap_or_default();
    let body = input.body.as_ref().map(|text| text.as_str().to_owned());
    let subject = match &input.subject {
        Some(subject) => subject.as_str().to_owned(),
        None => template.subject.unwrap_or_default(),
    };
    check_text(&subject, "subject", MAX_SUBJECT)?;
    if has_control(&subject) {
        return Err(NodeError::invalid(
            "subject",
            "has a line break or another control character",
        ));
    }
    let text = body.filter(|text| !text.is_empty()).or(template.text);
    let html = input
        .html
        .map(str::to_owned)
        .filter(|html| !html.is_empty())
        .or(template.html);
    check_text(text.as_deref().unwrap_or_default(), "body", MAX_TEXT)?;
    check_text(html.as_deref().unwrap_or_default(), "html", MAX_TEXT)?;
    let files = files(input.attachments, ctx)?;
    if subject.is_empty() && text.is_none() && html.is_none() && files.is_empty() {
        return Err(NodeError::invalid(
            "body",
            "there is nothing to send: no subject, no text, no file",
        ));
    }
    Ok(Draft {
        message_id: message_id(input.message_id, &from)?,
        to,
        cc,
        bcc,
        reply_to,
        from,
        subject,
        text,
        html,
        files,
        headers: headers(input.headers)?,
        date: ctx.wall_clock().unwrap_or_else(SystemTime::now),
    })
}

fn refuse_servers(input: &Mail<'_>) -> NodeResult<()> {
    let why = "is not for workflows to say: the administrator keeps the server in the secret `SMTP_URL`, and others in \
               `SMTP_URL_NAME`, which `connection` chooses";
    for (value, parameter) in [
        (input.smtp_host, "smtpHost"),
        (input.smtp_port, "smtpPort"),
        (input.username, "username"),
        (input.password, "password"),
    ] {
        if !value.0.is_null() {
            return Err(NodeError::invalid(parameter, why));
        }
    }
    Ok(())
}

fn sender(input: &Mail<'_>, ctx: &Ctx<'_>) -> NodeResult<Mailbox> {
    if let Some(from) = address::mailbox(input.from.0, "from")? {
        return Ok(from);
    }
    let Some(setting) = ctx.setting("email.from")? else {
        let why = "is missing, and the administrator has set no `email.from`";
        return Err(NodeError::invalid("from", why));
    };
    let unusable = |why: &str| NodeError::new(format!("the setting `email.from` cannot be used: {why}"));
    address::mailbox(Value::from(&*setting).as_ref(), "from")
        .map_err(|error| unusable(&error.message))?
        .ok_or_else(|| unusable("it has no address"))
}

/// The template with its fields filled, if there is one.
fn template(input: &Mail<'_>, ctx: &Ctx<'_>) -> NodeResult<Option<Template>> {
    let named = input.template.filter(|name| !name.is_empty());
    let template = match (named, input.template_source.value().is_null()) {
        (None, true) => return Ok(None),
        (Some(_), false) => {
            let why = "give either `template` or `templateSource`";
            return Err(NodeError::invalid("templateSource", why));
        }
        (Some(name), true) => Template::named(name, ctx)?,
        (None, false) => source(input.template_source)?,
    };
    template.filled(input.data.value(), ctx).map(Some)
}

fn source(given: Dict<'_>) -> NodeResult<Template> {
    let text = |key: &str| match given.get(key) {
        None => Ok(None),
        Some(value) if value.is_null() => Ok(None),
        Some(value) => match value.as_str() {
            Some(text) if text.len() <= MAX_TEXT => Ok(Some(text.to_owned())),
            Some(_) => {
                let why = format_args!("`{key}` is longer than {} MiB", MAX_TEXT >> 20);
                Err(NodeError::invalid("templateSource", why))
            }
            None => {
                let why = format_args!("`{key}`: expected a text, found {}", kind_name(value));
                Err(NodeError::invalid("templateSource", why))
            }
        },
    };
    Ok(Template {
        subject: text("subject")?,
        text: text("text")?,
        html: text("html")?,
    })
}

fn check_text(text: &str, parameter: &str, most: usize) -> NodeResult<()> {
    if text.len() <= most {
        return Ok(());
    }
    let why = format!(
        "parameter `{parameter}`: {} bytes, at most {most} are sent",
        text.len()
    );
    Err(NodeError::with_code(code::LIMIT_EXCEEDED, why))
}

/// Reads the further headers. None of them is another header, and none has two lines.
fn headers(given: Dict<'_>) -> NodeResult<Vec<(HeaderName, String)>> {
    let wrong = |why: String| NodeError::invalid("headers", why);
    if given.len() > MAX_HEADERS {
        return Err(wrong(format!(
            "{} headers, at most {MAX_HEADERS} are sent",
            given.len()
        )));
    }
    let mut headers: Vec<(HeaderName, String)> = Vec::with_capacity(given.len());
    for (name, value) in given.iter() {
        let shown = one_line(name);
        let is_name =
            (1..=76).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
        let header = HeaderName::new_from_ascii(name.to_owned())
            .ok()
            .filter(|_| is_name);
        let Some(header) = header else {
            return Err(wrong(format!("`{shown}` is no name of a header")));
        };
        let lower = name.to_ascii_lowercase();
        if TAKEN.contains(&&*lower) || lower.starts_with("content-") {
            return Err(wrong(format!(
                "`{shown}` is set by this node or by servers alone"
            )));
        }
        if headers.iter().any(|(one, _)| *one == header) {
            return Err(wrong(format!("`{shown}` is there twice")));
        }
        let Some(text) = text_of(value) else {
            let found = kind_name(value);
            return Err(wrong(format!("`{shown}`: expected a text, found {found}")));
        };
        if has_control(&text) || text.len() > MAX_HEADER {
            return Err(wrong(format!(
                "`{shown}` has a line break or another control character, or is longer than {MAX_HEADER} bytes"
            )));
        }
        headers.push((header, text.into_owned()));
    }
    Ok(headers)
}

/// The id that was given, or one that no other message has.
fn message_id(given: Option<&str>, from: &Mailbox) -> NodeResult<String> {
    let Some(id) = given.filter(|id| !id.is_empty()) else {
        return Ok(format!("{}@{}", random_hex::<16>()?, from.email.domain()));
    };
    let bare = id
        .strip_prefix('<')
        .and_then(|id| id.strip_suffix('>'))
        .unwrap_or(id);
    let is_id = bare.len() <= 255
        && bare
            .split_once('@')
            .is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty())
        && bare
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>');
    if is_id {
        Ok(bare.to_owned())
    } else {
        Err(NodeError::invalid(
            "messageId",
            "is not of the form `name@domain`",
        ))
    }
}
