//! The node that takes mail apart.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use mail_parser::parsers::MessageStream;
use mail_parser::{Address, Header, HeaderName, HeaderValue};
use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Given, Whole, kind_name};

use crate::entity::{Entity, Leaf, Unreadable, value};
use crate::gathering::Found;
use crate::sanitize::sanitized;

/// Bytes of one message.
const MAX_MESSAGE: usize = 25 << 20;
/// Bytes of a text, unless told otherwise.
const MAX_BODY: i64 = 5 << 20;
/// Bytes of a file, unless told otherwise.
const MAX_FILE: i64 = 10 << 20;

#[parameters]
pub(crate) struct Parse<'a> {
    /// The message as it was sent, headers and all.
    #[serde(default, alias = "rawMessage", alias = "raw_message")]
    #[schemars(extend("type" = "string"), length(max = 34_952_536))]
    message: Given<'a>,
    /// What the message is given as: `text`, or `base64` for bytes that are no text.
    #[serde(default)]
    #[schemars(extend("default" = "text"), length(max = 10))]
    encoding: Option<&'a str>,
    /// Whether attachments are listed.
    #[serde(default, alias = "include_attachments")]
    #[schemars(extend("default" = true))]
    include_attachments: Option<Flag>,
    /// Whether attachments are listed with what is in them, in base64.
    #[serde(default, alias = "extract_attachment_content")]
    #[schemars(extend("default" = true))]
    extract_attachment_content: Option<Flag>,
    /// Bytes of an attachment up to which it is listed with what is in it.
    #[serde(default, alias = "max_attachment_size")]
    #[schemars(extend("default" = 10_485_760, "minimum" = 0, "maximum" = 26_214_400))]
    max_attachment_size: Option<Whole>,
    /// Bytes of the text, and of the HTML; the rest is left out.
    #[serde(default, alias = "max_body_length")]
    #[schemars(extend("default" = 5_242_880, "minimum" = 0, "maximum" = 26_214_400))]
    max_body_length: Option<Whole>,
    /// Whether scripts, styles, forms and all else that is no text is taken out of the HTML.
    #[serde(default, alias = "sanitize_html")]
    #[schemars(extend("default" = true))]
    sanitize_html: Option<Flag>,
}

/// Somebody who sent or got a message.
#[output]
struct Person {
    /// The name, if there is one.
    name: Option<String>,
    /// The address.
    address: String,
}

/// A file that came with a message.
#[output]
struct File {
    /// Its name, without folders.
    filename: String,
    /// Such as `image/png`.
    content_type: String,
    /// Its size in bytes.
    size: usize,
    /// Whether it belongs to the text rather than beside it.
    inline: bool,
    /// The name that the HTML shows it by, as `cid:NAME`.
    content_id: Option<String>,
    /// What is in it, in base64; null if that was not wanted, or is too much.
    content: Option<String>,
}

/// A message, taken apart.
#[output]
pub(crate) struct Parsed {
    /// Who wrote it.
    from: Vec<Person>,
    /// Who it was sent to.
    to: Vec<Person>,
    /// Who got a copy.
    cc: Vec<Person>,
    /// Who got a copy without the others' knowing, where that is still in it.
    bcc: Vec<Person>,
    /// Where answers go.
    reply_to: Vec<Person>,
    /// The subject.
    subject: Option<String>,
    /// When it was sent, with the sender's offset.
    date: Option<String>,
    /// Its id, without angle brackets.
    message_id: Option<String>,
    /// The messages that it answers.
    in_reply_to: Vec<String>,
    /// The messages of its thread.
    references: Vec<String>,
    /// The plain text.
    text: Option<String>,
    /// The HTML.
    html: Option<String>,
    /// Whether some of the text or the HTML was left out.
    truncated: bool,
    /// The headers by their names in lower case: a text each, a list where there are several of a name.
    #[schemars(with = "BTreeMap<String, Value>")]
    headers: Value,
    /// The files.
    attachments: Vec<File>,
    /// How many there are.
    attachment_count: usize,
}

/// Takes a mail apart: who, when, what, and the files with it.
#[node(
    id = "email-parser",
    aliases = ["email.parse", "email_parser"],
    category = "utility",
    effect = "pure",
    tags = ["email", "text"],
    example(
        title = "a text",
        input = r#"{"message": "From: Ada <ada@example.com>\r\nTo: bob@example.com\r\nSubject: =?utf-8?q?Caf=C3=A9?=\r\nDate: Fri, 1 Mar 2024 09:30:00 +0100\r\nMessage-ID: <1@example.com>\r\n\r\nAt noon?\r\n"}"#,
        output = r#"{
            "from": [{"name": "Ada", "address": "ada@example.com"}], "to": [{"name": null, "address": "bob@example.com"}],
            "cc": [], "bcc": [], "replyTo": [], "subject": "Café", "date": "2024-03-01T09:30:00+01:00",
            "messageId": "1@example.com", "inReplyTo": [], "references": [], "text": "At noon?\r\n", "html": null,
            "truncated": false,
            "headers": {"from": "Ada <ada@example.com>", "to": "bob@example.com", "subject": "Café",
                "date": "Fri, 1 Mar 2024 09:30:00 +0100", "message-id": "<1@example.com>"},
            "attachments": [], "attachmentCount": 0
        }"#
    ),
    example(
        title = "HTML and a file",
        input = r#"{"message": "From: ada@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p onclick=x()>Hi</p><script>y()</script>\n--b\nContent-Type: text/csv\nContent-Disposition: attachment; filename=\"../a.csv\"\n\n1,2\n--b--\n"}"#,
        output = r#"{
            "from": [{"name": null, "address": "ada@example.com"}], "to": [], "cc": [], "bcc": [], "replyTo": [],
            "subject": null, "date": null, "messageId": null, "inReplyTo": [], "references": [], "text": null,
            "html": "<p>Hi</p>", "truncated": false,
            "headers": {"from": "ada@example.com", "content-type": "multipart/mixed; boundary=b"},
            "attachments": [{"filename": "a.csv", "contentType": "text/csv", "size": 3, "inline": false, "contentId": null,
                "content": "MSwy"}],
            "attachmentCount": 1
        }"#
    )
)]
pub(crate) fn email_parser(input: Parse<'_>, ctx: &Ctx<'_>) -> NodeResult<Parsed> {
    let raw = raw(&input)?;
    let entity = Entity::read(&raw).map_err(|unreadable| match unreadable {
        Unreadable::Excess(why) => {
            NodeError::with_code(code::LIMIT_EXCEEDED, format!("parameter `message`: {why}"))
        }
        Unreadable::NoMessage => NodeError::invalid("message", "is no mail: it has no headers"),
    })?;
    let limit = |given: Option<Whole>, usual, parameter| {
        let bytes = given.map_or(Ok(usual), |bytes| bytes.within(parameter, 0..=MAX_MESSAGE as i64))?;
        Ok::<_, NodeError>(usize::try_from(bytes)?)
    };
    let most_text = limit(input.max_body_length, MAX_BODY, "maxBodyLength")?;
    let most_file = limit(input.max_attachment_size, MAX_FILE, "maxAttachmentSize")?;
    let is_on = |flag: Option<Flag>| !matches!(flag, Some(Flag(false)));
    let wanted = if is_on(input.extract_attachment_content) {
        Some(most_file)
    } else {
        None
    };
    let mut found = Found::default();
    found.take(&entity.body, ctx)?;
    let mut truncated = false;
    let mut within = |text: String| {
        truncated |= text.len() > most_text;
        let mut text = text;
        text.truncate(text.floor_char_boundary(most_text));
        text
    };
    let text = found.text.map(&mut within);
    let html = match found.html {
        Some(html) if is_on(input.sanitize_html) => {
            let (html, was_cut) = sanitized(&html, most_text);
            truncated |= was_cut;
            Some(html)
        }
        html => html.map(within),
    };
    let attachment_count = found.files.len();
    let attachments = if is_on(input.include_attachments) {
        let files = found.files.iter().enumerate();
        files
            .map(|(index, leaf)| ctx.check().map(|()| file(leaf, index, wanted)))
            .collect::<NodeResult<_>>()?
    } else {
        Vec::new()
    };
    let headers = &entity.headers;
    let text_of = |name| {
        value(headers, &name)
            .and_then(|value| value.as_text())
            .map(str::to_owned)
    };
    Ok(Parsed {
        from: people(headers, &HeaderName::From),
        to: people(headers, &HeaderName::To),
        cc: people(headers, &HeaderName::Cc),
        bcc: people(headers, &HeaderName::Bcc),
        reply_to: people(headers, &HeaderName::ReplyTo),
        subject: text_of(HeaderName::Subject),
        date: date(headers),
        message_id: text_of(HeaderName::MessageId),
        in_reply_to: ids(headers, &HeaderName::InReplyTo),
        references: ids(headers, &HeaderName::References),
        text,
        html,
        truncated,
        headers: table(&entity)?,
        attachments,
        attachment_count,
    })
}

/// The bytes of the message.
fn raw<'a>(input: &Parse<'a>) -> NodeResult<Cow<'a, [u8]>> {
    let given = input.message.of("message")?;
    let text = given.as_str().map(str::as_bytes).or_else(|| given.as_bytes());
    let Some(bytes) = text else {
        let why = format_args!("expected a text, found {}", kind_name(given));
        return Err(NodeError::invalid("message", why));
    };
    let too_long = || {
        let why = format!("parameter `message`: is longer than {} MiB", MAX_MESSAGE >> 20);
        NodeError::with_code(code::LIMIT_EXCEEDED, why)
    };
    let raw: Cow<'_, [u8]> = match input.encoding {
        None | Some("text" | "utf8" | "utf-8" | "") => bytes.into(),
        Some("base64") if bytes.len() / 4 * 3 > MAX_MESSAGE => return Err(too_long()),
        Some("base64") => {
            let dense: Vec<u8> = bytes
                .iter()
                .copied()
                .filter(|b| !b.is_ascii_whitespace())
                .collect();
            let decoded = BASE64_STANDARD.decode(dense);
            decoded
                .map_err(|_| NodeError::invalid("message", "is no base64"))?
                .into()
        }
        Some(_) => return Err(NodeError::invalid("encoding", "must be `text` or `base64`")),
    };
    if raw.len() > MAX_MESSAGE {
        return Err(too_long());
    }
    Ok(raw)
}

fn file(leaf: &Leaf<'_>, index: usize, most: Option<usize>) -> File {
    let bytes = leaf.bytes();
    let content_id = value(&leaf.headers, &HeaderName::ContentId)
        .and_then(|id| id.as_text())
        .map(str::to_owned);
    File {
        filename: leaf
            .file_name()
            .unwrap_or_else(|| format!("attachment-{}", index + 1)),
        content_type: leaf.kind.clone(),
        size: bytes.len(),
        inline: !leaf.is_attached() && (leaf.shown_elsewhere || content_id.is_some()),
        content_id,
        content: most
            .filter(|most| bytes.len() <= *most)
            .map(|_| BASE64_STANDARD.encode(&bytes)),
    }
}

fn people(headers: &[Header<'_>], name: &HeaderName<'_>) -> Vec<Person> {
    let all = headers.iter().filter(|header| header.name == *name);
    let addresses = all.filter_map(|header| header.value.as_address());
    let mut people = Vec::new();
    for address in addresses {
        let mut add = |one: &mail_parser::Addr<'_>| {
            if let Some(address) = &one.address {
                people.push(Person {
                    name: one.name.as_deref().map(str::to_owned),
                    address: address.to_string(),
                });
            }
        };
        match address {
            Address::List(list) => list.iter().for_each(&mut add),
            Address::Group(groups) => groups
                .iter()
                .flat_map(|group| &group.addresses)
                .for_each(&mut add),
        }
    }
    people
}

fn ids(headers: &[Header<'_>], name: &HeaderName<'_>) -> Vec<String> {
    match value(headers, name) {
        Some(HeaderValue::Text(id)) => vec![id.to_string()],
        Some(HeaderValue::TextList(ids)) => ids.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

fn date(headers: &[Header<'_>]) -> Option<String> {
    let date = value(headers, &HeaderName::Date)?.as_datetime()?;
    date.is_valid().then(|| date.to_rfc3339())
}

/// The headers as they say, by their names, in the order in which the names come.
fn table(entity: &Entity<'_>) -> NodeResult<Value> {
    let mut names: Vec<(String, Vec<Value>)> = Vec::new();
    let mut places = BTreeMap::new();
    for header in &entity.headers {
        let name = header.name.as_str().to_ascii_lowercase();
        let raw = entity
            .raw
            .get(header.offset_start as usize..header.offset_end as usize)
            .unwrap_or_default();
        let text = match MessageStream::new(raw).parse_unstructured() {
            HeaderValue::Text(text) => Value::from(&*text),
            _ => Value::from(""),
        };
        let place = *places.entry(name.clone()).or_insert(names.len());
        match names.get_mut(place) {
            Some((_, texts)) => texts.push(text),
            None => names.push((name, vec![text])),
        }
    }
    let mut pairs = Vec::with_capacity(names.len());
    for (name, texts) in names {
        let value = match <[Value; 1]>::try_from(texts) {
            Ok([text]) => text,
            Err(texts) => Value::from_items(texts.iter().map(Value::as_ref))?,
        };
        pairs.push((name, value));
    }
    Ok(Value::from_pairs(
        pairs.iter().map(|(name, value)| (name, value.as_ref())),
    )?)
}
