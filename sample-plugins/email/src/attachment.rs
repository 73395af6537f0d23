//! Files that go with a message. Invariant: what is attached was decoded whole, and all of it together is within the limit.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use lettre::message::header::ContentType;
use plugin_api::prelude::*;
use plugin_api::reading::{List, kind_name};

use crate::line::{has_control, one_line};

/// Files with one message.
const MAX_FILES: usize = 100;
/// Bytes of all of them, decoded.
pub(crate) const MAX_BYTES: usize = 25 << 20;
/// Bytes of a file's name.
const MAX_NAME: usize = 255;

/// With or without `=` at the end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) kind: ContentType,
    /// The name that HTML shows it by, as `cid:NAME`.
    pub(crate) content_id: Option<String>,
    pub(crate) content: Vec<u8>,
}

/// Reads a list of files, each a map of `filename`, `content` in base64, and, if wanted, `contentType`, `encoding` and `cid`.
pub(crate) fn files(list: List<'_>, ctx: &Ctx<'_>) -> NodeResult<Vec<File>> {
    if list.len() > MAX_FILES {
        let why = format_args!("{} files, at most {MAX_FILES} may be sent", list.len());
        return Err(NodeError::invalid("attachments", why));
    }
    let mut left = MAX_BYTES;
    let mut files = Vec::with_capacity(list.len());
    for (index, item) in list.iter().enumerate() {
        ctx.check()?;
        let file = file(item, left)
            .map_err(|why| NodeError::invalid("attachments", format_args!("item {index}: {why}")))?;
        left -= file.content.len();
        files.push(file);
    }
    Ok(files)
}

fn file(item: ValueRef<'_>, left: usize) -> Result<File, String> {
    let Some(map) = item.as_map() else {
        return Err(format!("expected a map, found {}", kind_name(item)));
    };
    let text = |key: &str| match map.get(key) {
        None => Ok(None),
        Some(value) if value.is_null() => Ok(None),
        Some(value) => match value.as_str() {
            Some(text) => Ok(Some(text)),
            None => Err(format!("`{key}`: expected a text, found {}", kind_name(value))),
        },
    };
    let name = text("filename")?.or(text("name")?).unwrap_or("attachment");
    if name.is_empty() || name.len() > MAX_NAME || has_control(name) {
        return Err(format!(
            "`filename` has from 1 to {MAX_NAME} bytes, without line breaks and other control characters"
        ));
    }
    let kind = text("contentType")?
        .or(text("mimeType")?)
        .unwrap_or_else(|| kind_of(name));
    let kind = content_type(kind)?;
    let content_id = text("cid")?.or(text("contentId")?).map(str::to_owned);
    if let Some(id) = &content_id {
        let is_id = (1..=MAX_NAME).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>');
        if !is_id {
            return Err("`cid` has letters, digits and signs other than `<` and `>`".to_owned());
        }
    }
    let content = map
        .get("content")
        .or_else(|| map.get("data"))
        .unwrap_or(ValueRef::NULL);
    let content = match (content.as_str(), content.as_bytes(), text("encoding")?) {
        (Some(text), _, None | Some("base64")) => base64(text, left)?,
        (Some(text), _, Some("utf8" | "utf-8" | "text")) => text.as_bytes().to_vec(),
        (None, Some(bytes), None) => bytes.to_vec(),
        (Some(_), _, Some(other)) => {
            return Err(format!(
                "`encoding`: expected `base64` or `utf8`, found `{}`",
                one_line(other)
            ));
        }
        _ => {
            return Err(format!(
                "`content`: expected a text in base64, found {}",
                kind_name(content)
            ));
        }
    };
    if content.len() > left {
        return Err(format!("all files together are over {} MiB", MAX_BYTES >> 20));
    }
    Ok(File {
        name: name.to_owned(),
        kind,
        content_id,
        content,
    })
}

/// Decodes base64, with or without white space in it.
fn base64(text: &str, left: usize) -> Result<Vec<u8>, String> {
    if text.len() / 4 > left {
        return Err(format!("all files together are over {} MiB", MAX_BYTES >> 20));
    }
    let wrong = |_| "`content` is no base64; set `encoding` to `utf8` for a text as it is".to_owned();
    if text.bytes().any(|b| b.is_ascii_whitespace()) {
        let dense: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        BASE64.decode(dense).map_err(wrong)
    } else {
        BASE64.decode(text).map_err(wrong)
    }
}

fn content_type(kind: &str) -> Result<ContentType, String> {
    let wrong = || {
        format!(
            "`contentType`: `{}` is none, which is like `image/png`",
            one_line(kind)
        )
    };
    if has_control(kind) || !kind.is_ascii() || kind.len() > MAX_NAME {
        return Err(wrong());
    }
    // A part that has parts in it is not a file.
    if kind
        .trim_start()
        .get(..10)
        .is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
    {
        return Err(wrong());
    }
    ContentType::parse(kind).map_err(|_| wrong())
}

/// What a file is, by the end of its name.
fn kind_of(name: &str) -> &'static str {
    let end = name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
    match end.as_deref() {
        Some("txt" | "log") => "text/plain; charset=utf-8",
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("csv") => "text/csv; charset=utf-8",
        Some("ics") => "text/calendar; charset=utf-8",
        Some("json") => "application/json",
        Some("xml") => "application/xml",
        Some("pdf") => "application/pdf",
        Some("zip") => "application/zip",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("svg") => "image/svg+xml",
        Some("webp") => "image/webp",
        Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => "application/octet-stream",
    }
}
