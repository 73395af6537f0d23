//! A message as the tree of parts that it is.
//!
//! Invariant: whatever the message says, there is a bound on the depth of the tree, on its parts, on the headers of each; a
//! message within the message is a part like any other and is not taken apart.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::parsers::MessageStream;
use mail_parser::{ContentType, Header, HeaderName, HeaderValue, MessageParser};

/// Parts within parts.
const MAX_DEPTH: usize = 32;
/// Parts of one message.
const MAX_PARTS: usize = 2_000;
/// Bytes of the headers of one part.
const MAX_HEADER_BYTES: usize = 1 << 20;
/// Headers of one part.
const MAX_HEADERS: usize = 2_000;
/// Bytes of a boundary.
const MAX_BOUNDARY: usize = 256;

/// Why a message is not taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is over a limit, which this says.
    Excess(String),
    /// It is no message.
    NoMessage,
}

/// What parts are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Nothing,
    Digest,
    /// Its first part shows the others.
    Related,
}

/// A part that has no parts.
#[derive(Debug)]
pub(crate) struct Leaf<'m> {
    pub(crate) headers: Vec<Header<'m>>,
    body: &'m [u8],
    /// Such as `text/plain`, in lower case.
    pub(crate) kind: String,
    /// Whether it is something that another part shows.
    pub(crate) shown_elsewhere: bool,
}

/// A part, with those in it.
#[derive(Debug)]
pub(crate) enum Part<'m> {
    Leaf(Leaf<'m>),
    /// Several ways of saying the same.
    Alternatives(Vec<Part<'m>>),
    Several(Vec<Part<'m>>),
}

/// A message, taken apart.
#[derive(Debug)]
pub(crate) struct Entity<'m> {
    pub(crate) raw: &'m [u8],
    pub(crate) headers: Vec<Header<'m>>,
    pub(crate) body: Part<'m>,
}

impl<'m> Entity<'m> {
    pub(crate) fn read(raw: &'m [u8]) -> Result<Self, Unreadable> {
        let raw = without_envelope(raw);
        let (headers, body) = split(raw)?;
        if headers.is_empty() {
            return Err(Unreadable::NoMessage);
        }
        let mut parts = 0;
        let body = part(headers.clone(), body, Within::Nothing, 0, &mut parts)?;
        Ok(Self { raw, headers, body })
    }
}

/// The message behind the line that a mailbox file has before it.
fn without_envelope(raw: &[u8]) -> &[u8] {
    if !raw.starts_with(b"From ") {
        return raw;
    }
    let end = raw.iter().position(|byte| *byte == b'\n');
    end.and_then(|end| raw.get(end + 1..)).unwrap_or_default()
}

/// The headers, and what is behind the empty line that ends them.
fn split(data: &[u8]) -> Result<(Vec<Header<'_>>, &[u8]), Unreadable> {
    let mut at = 0;
    let (head, body) = loop {
        let rest = data.get(at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
            break (data, &[][..]);
        };
        let next = at + length + 1;
        if matches!(rest.get(..length), Some([] | [b'\r'])) {
            // The parser wants the empty line, too.
            break data.split_at_checked(next).unwrap_or((data, &[]));
        }
        at = next;
    };
    if head.len() > MAX_HEADER_BYTES {
        let kib = MAX_HEADER_BYTES >> 10;
        return Err(Unreadable::Excess(format!(
            "the headers of a part are longer than {kib} KiB"
        )));
    }
    let mut headers = Vec::new();
    MessageStream::new(head).parse_headers(&MessageParser::new(), &mut headers);
    // A line without a colon is none, also where it is the last one.
    headers.retain(|header| {
        let before = (header.offset_start as usize).checked_sub(1);
        before.and_then(|at| head.get(at)) == Some(&b':')
    });
    if headers.len() > MAX_HEADERS {
        return Err(Unreadable::Excess(format!(
            "a part has more than {MAX_HEADERS} headers"
        )));
    }
    Ok((headers, body))
}

fn part<'m>(
    headers: Vec<Header<'m>>,
    body: &'m [u8],
    within: Within,
    depth: usize,
    parts: &mut usize,
) -> Result<Part<'m>, Unreadable> {
    *parts += 1;
    if *parts > MAX_PARTS {
        return Err(Unreadable::Excess(format!(
            "the message has more than {MAX_PARTS} parts"
        )));
    }
    let kind = kind(&headers, within);
    let children = boundary(&headers)
        .filter(|_| kind.starts_with("multipart/"))
        .map(|boundary| bodies(body, boundary))
        .filter(|bodies| !bodies.is_empty());
    let Some(children) = children else {
        return Ok(Part::Leaf(Leaf {
            headers,
            body,
            kind,
            shown_elsewhere: within == Within::Related,
        }));
    };
    if depth >= MAX_DEPTH {
        return Err(Unreadable::Excess(format!(
            "the message has parts within parts more than {MAX_DEPTH} deep"
        )));
    }
    let mut all = Vec::with_capacity(children.len().min(MAX_PARTS));
    for (index, data) in children.into_iter().enumerate() {
        let (headers, body) = split(data)?;
        let within = match kind.as_str() {
            "multipart/digest" => Within::Digest,
            "multipart/related" if index > 0 => Within::Related,
            _ => Within::Nothing,
        };
        all.push(part(headers, body, within, depth + 1, parts)?);
    }
    Ok(if kind == "multipart/alternative" {
        Part::Alternatives(all)
    } else {
        Part::Several(all)
    })
}

/// The last value of a header: it is the first one that counts for most, and there should be one only.
pub(crate) fn value<'h, 'm>(headers: &'h [Header<'m>], name: &HeaderName<'_>) -> Option<&'h HeaderValue<'m>> {
    headers
        .iter()
        .find(|header| header.name == *name)
        .map(|header| &header.value)
}

fn kind(headers: &[Header<'_>], within: Within) -> String {
    let Some(content_type) =
        value(headers, &HeaderName::ContentType).and_then(|value| value.as_content_type())
    else {
        return match within {
            Within::Digest => "message/rfc822".to_owned(),
            _ => "text/plain".to_owned(),
        };
    };
    let subtype = content_type.subtype().unwrap_or("plain");
    format!("{}/{subtype}", content_type.ctype()).to_ascii_lowercase()
}

fn boundary<'h>(headers: &'h [Header<'_>]) -> Option<&'h str> {
    let content_type = value(headers, &HeaderName::ContentType)?.as_content_type()?;
    let boundary = content_type.attribute("boundary")?;
    (1..=MAX_BOUNDARY).contains(&boundary.len()).then_some(boundary)
}

/// What is between the lines of a boundary; no more than one over the limit of parts.
fn bodies<'m>(body: &'m [u8], boundary: &str) -> Vec<&'m [u8]> {
    let mut found = Vec::new();
    let mut start = None;
    let mut at = 0;
    while let Some(rest) = body.get(at..).filter(|rest| !rest.is_empty()) {
        let length = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |end| end + 1);
        let line = rest.get(..length).unwrap_or_default();
        if let Some(last) = delimits(line, boundary) {
            if let Some(start) = start {
                found.push(without_end(body.get(start..at).unwrap_or_default()));
            }
            start = Some(at + length);
            if last || found.len() > MAX_PARTS {
                return found;
            }
        }
        at += length;
    }
    if let Some(rest) = start.and_then(|start| body.get(start..)) {
        found.push(rest);
    }
    found
}

/// Whether a line is a boundary, and if so whether it is the last one.
fn delimits(line: &[u8], boundary: &str) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary.as_bytes())?;
    let (rest, last) = match rest.strip_prefix(b"--") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    rest.iter().all(u8::is_ascii_whitespace).then_some(last)
}

/// A part without the end of its last line, which is the boundary's.
fn without_end(part: &[u8]) -> &[u8] {
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

impl Leaf<'_> {
    /// The bytes that it stands for; as they are where they are encoded badly.
    pub(crate) fn bytes(&self) -> Cow<'_, [u8]> {
        let encoding = value(&self.headers, &HeaderName::ContentTransferEncoding)
            .and_then(|value| value.as_text())
            .unwrap_or_default()
            .trim();
        let decoded = if encoding.eq_ignore_ascii_case("base64") {
            base64_decode(self.body)
        } else if encoding.eq_ignore_ascii_case("quoted-printable") {
            quoted_printable_decode(self.body)
        } else {
            None
        };
        decoded.map_or(Cow::Borrowed(self.body), Cow::Owned)
    }

    /// The text that it is.
    pub(crate) fn text(&self) -> String {
        let charset = value(&self.headers, &HeaderName::ContentType)
            .and_then(|value| value.as_content_type())
            .and_then(|kind| kind.attribute("charset"))
            .filter(|charset| !charset.is_empty());
        let bytes = self.bytes();
        match charset.and_then(|charset| charset_decoder(charset.as_bytes())) {
            Some(decode) => decode(&bytes),
            None => String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// The name of the file that it is, without folders.
    pub(crate) fn file_name(&self) -> Option<String> {
        let attribute = |header: &HeaderName<'_>, name: &str| {
            let value = value(&self.headers, header)?.as_content_type()?;
            value.attribute(name)
        };
        let name = attribute(&HeaderName::ContentDisposition, "filename")
            .or_else(|| attribute(&HeaderName::ContentType, "name"))?;
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let name: String = name.chars().filter(|c| !c.is_control()).take(200).collect();
        let name = name.trim().trim_start_matches('.').to_owned();
        Some(name).filter(|name| !name.is_empty())
    }

    /// Whether it says that it is to be kept rather than shown.
    pub(crate) fn is_attached(&self) -> bool {
        value(&self.headers, &HeaderName::ContentDisposition)
            .and_then(|value| value.as_content_type())
            .is_some_and(ContentType::is_attachment)
    }
}
