//! A message as it goes to the server. Invariant: every line ends with CR LF, every header is one that the draft has, and
//! no part can end another.

use std::time::SystemTime;

use lettre::address::Envelope;
use lettre::message::header::{
    Cc, ContentTransferEncoding, ContentType, HeaderName, HeaderValue, MessageId, ReplyTo, Subject, To,
};
use lettre::message::{Attachment, Body, Mailbox, Mailboxes, Message, MultiPart, MultiPartKind, SinglePart};
use plugin_api::prelude::*;

use crate::attachment::File;
use crate::line::{random_hex, with_crlf};

/// A message that was checked and not yet written.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) from: Mailbox,
    pub(crate) to: Vec<Mailbox>,
    pub(crate) cc: Vec<Mailbox>,
    pub(crate) bcc: Vec<Mailbox>,
    pub(crate) reply_to: Vec<Mailbox>,
    pub(crate) subject: String,
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    pub(crate) files: Vec<File>,
    /// Further headers, which name none of the above.
    pub(crate) headers: Vec<(HeaderName, String)>,
    /// Without its angle brackets.
    pub(crate) message_id: String,
    pub(crate) date: SystemTime,
}

impl Draft {
    /// The message. Nobody sees from it who else got it as `bcc`.
    pub(crate) fn written(self) -> NodeResult<Vec<u8>> {
        let mut builder = Message::builder()
            .from(self.from)
            .header(MessageId::from(format!("<{}>", self.message_id)))
            .date(self.date);
        if !self.to.is_empty() {
            builder = builder.header(To::from(listed(&self.to)));
        }
        if !self.cc.is_empty() {
            builder = builder.header(Cc::from(listed(&self.cc)));
        }
        if !self.reply_to.is_empty() {
            builder = builder.header(ReplyTo::from(listed(&self.reply_to)));
        }
        let everybody = [&self.to, &self.cc, &self.bcc].into_iter().flatten();
        let everybody = everybody.map(|mailbox| mailbox.email.clone()).collect();
        builder = builder.envelope(Envelope::new(None, everybody).map_err(|error| unwritten(&error))?);
        if !self.subject.is_empty() {
            builder = builder.header(Subject::from(self.subject));
        }
        for (name, value) in self.headers {
            builder = builder.raw_header(HeaderValue::new(name, value));
        }
        let (inline, attached): (Vec<File>, Vec<File>) = self
            .files
            .into_iter()
            .partition(|file| self.html.is_some() && file.content_id.is_some());
        let body = body(self.text.as_deref(), self.html.as_deref(), inline)?;
        let message = if attached.is_empty() {
            match body {
                Part::Single(part) => builder.singlepart(part),
                Part::Multi(part) => builder.multipart(part),
            }
        } else {
            let mut whole = within(MultiPartKind::Mixed, body)?;
            for file in attached {
                whole = whole.singlepart(attachment(file));
            }
            builder.multipart(whole)
        };
        Ok(message.map_err(|error| unwritten(&error))?.formatted())
    }
}

fn unwritten(error: &lettre::error::Error) -> NodeError {
    NodeError::new(format!("the message cannot be written: {error}"))
}

fn listed(mailboxes: &[Mailbox]) -> Mailboxes {
    mailboxes.iter().cloned().collect()
}

enum Part {
    Single(SinglePart),
    Multi(MultiPart),
}

/// The texts: HTML with what it shows, as an alternative to plain text if there is any.
fn body(text: Option<&str>, html: Option<&str>, inline: Vec<File>) -> NodeResult<Part> {
    let plain = |text: &str| part(ContentType::TEXT_PLAIN, text);
    let Some(html) = html else {
        return Ok(Part::Single(plain(text.unwrap_or_default())));
    };
    let mut rich = Part::Single(part(ContentType::TEXT_HTML, html));
    if !inline.is_empty() {
        let mut related = within(MultiPartKind::Related, rich)?;
        for file in inline {
            related = related.singlepart(attachment(file));
        }
        rich = Part::Multi(related);
    }
    let Some(text) = text else { return Ok(rich) };
    let alternatives = within(MultiPartKind::Alternative, Part::Single(plain(text)))?;
    Ok(Part::Multi(match rich {
        Part::Single(rich) => alternatives.singlepart(rich),
        Part::Multi(rich) => alternatives.multipart(rich),
    }))
}

fn part(kind: ContentType, text: &str) -> SinglePart {
    SinglePart::builder().header(kind).body(with_crlf(text))
}

/// Parts of a kind, this one first. The boundary between them cannot be guessed, so no text can have it.
fn within(kind: MultiPartKind, first: Part) -> NodeResult<MultiPart> {
    let boundary = random_hex::<20>()?;
    let parts = MultiPart::builder().kind(kind).boundary(boundary).build();
    Ok(match first {
        Part::Single(part) => parts.singlepart(part),
        Part::Multi(part) => parts.multipart(part),
    })
}

fn attachment(file: File) -> SinglePart {
    let part = match file.content_id {
        Some(id) => Attachment::new_inline_with_name(id, file.name),
        None => Attachment::new(file.name),
    };
    // Anything else may change the ends of its lines.
    let body = Body::new_with_encoding(file.content, ContentTransferEncoding::Base64);
    part.body(body.unwrap_or_else(Body::new), file.kind)
}
