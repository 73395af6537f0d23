//! Paths, taken apart.
//!
//! Invariant: what a path gives for a name is one segment of it: it holds no slash, leads nowhere else, and has no
//! control characters, however it was written.

use plugin_api::prelude::*;
use plugin_api::reading::Outcome;

use crate::reference::{Names, Raw, cut};

/// The longest path, and the longest pattern.
const MAX_PATH: usize = 4_096;
/// Segments that a pattern may have.
const MAX_SEGMENTS: usize = 64;

#[derive(Clone, Debug, PartialEq)]
enum Segment<'p> {
    Fixed(&'p str),
    Name(&'p str),
    /// Everything behind it.
    Rest(&'p str),
}

/// What a path has to look like.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pattern<'p>(Vec<Segment<'p>>);

impl<'p> Pattern<'p> {
    /// Reads `/v1/:namespace/:name/*rest`.
    pub(crate) fn read(text: &'p str) -> NodeResult<Self> {
        let wrong = |why: std::fmt::Arguments<'_>| NodeError::invalid("pattern", why);
        let Some(inside) = text.strip_prefix('/') else {
            return Err(wrong(format_args!(
                "must begin with a slash, but is `{}`",
                cut(text)
            )));
        };
        let inside = inside.strip_suffix('/').unwrap_or(inside);
        let mut segments: Vec<Segment<'p>> = Vec::new();
        if inside.is_empty() {
            return Ok(Self(segments));
        }
        for part in inside.split('/') {
            if matches!(segments.last(), Some(Segment::Rest(_))) {
                return Err(wrong(format_args!("nothing can follow `*`")));
            }
            let segment = match (part.strip_prefix(':'), part.strip_prefix('*')) {
                (Some(name), _) => Segment::Name(name),
                (_, Some("")) => Segment::Rest("rest"),
                (_, Some(name)) => Segment::Rest(name),
                _ if part.is_empty() => return Err(wrong(format_args!("has an empty segment"))),
                _ => Segment::Fixed(part),
            };
            if let Segment::Name(name) | Segment::Rest(name) = segment {
                let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
                let fits = name.bytes().all(letter)
                    && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
                if !fits {
                    return Err(wrong(format_args!("`{}` is no name", cut(part))));
                }
                let same = |known: &Segment<'_>| matches!(known, Segment::Name(other) | Segment::Rest(other) if *other == name);
                if segments.iter().any(same) {
                    return Err(wrong(format_args!("has the name `{name}` twice")));
                }
            }
            segments.push(segment);
            if segments.len() > MAX_SEGMENTS {
                return Err(wrong(format_args!("has more than {MAX_SEGMENTS} segments")));
            }
        }
        Ok(Self(segments))
    }

    /// What the names stand for in a path; `None` when it does not fit.
    pub(crate) fn fit(&self, path: &str) -> NodeResult<Option<Vec<(&'p str, String)>>> {
        let end = path.find(['?', '#']).unwrap_or(path.len());
        let path = path.get(..end).unwrap_or_default();
        let Some(inside) = path.strip_prefix('/') else {
            return Err(NodeError::invalid("path", "must begin with a slash"));
        };
        let inside = inside.strip_suffix('/').unwrap_or(inside);
        let mut parts = inside.split('/').filter(|_| !inside.is_empty());
        let mut found = Vec::new();
        for segment in &self.0 {
            let Some(part) = parts.next() else { return Ok(None) };
            match segment {
                Segment::Rest(name) => {
                    let all = std::iter::once(part).chain(parts.by_ref()).map(decoded);
                    let all = all.collect::<NodeResult<Vec<_>>>()?;
                    found.push((*name, all.join("/")));
                }
                Segment::Name(_) if part.is_empty() => return Ok(None),
                Segment::Name(name) => found.push((*name, decoded(part)?)),
                Segment::Fixed(text) if decoded(part)? == *text => {}
                Segment::Fixed(_) => return Ok(None),
            }
        }
        Ok(parts.next().is_none().then_some(found))
    }
}

/// A segment with its `%2F` and the like read.
fn decoded(part: &str) -> NodeResult<String> {
    let wrong = |why: &str| NodeError::invalid("path", format_args!("segment `{}` {why}", cut(part)));
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(rest.next()), digit(rest.next()));
        let byte = high
            .zip(low)
            .and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        bytes.push(byte.ok_or_else(|| wrong("has a `%` without two hexadecimal digits"))?);
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("is no text in UTF-8"))?;
    if text == "." || text == ".." {
        return Err(wrong("leads to another place"));
    }
    if text.contains(['/', '\\']) || text.chars().any(char::is_control) {
        return Err(wrong("has a slash, a backslash or a control character"));
    }
    Ok(text)
}

#[parameters]
pub(crate) struct ParsePath<'a> {
    /// The path, such as `/v1/acme/lib/1.2.0`; what follows a `?` does not count.
    #[serde(default)]
    path: Raw<'a>,
    /// What it has to look like: `/v1/:namespace/:name/:version`. A `*` at the end takes all that is left.
    #[serde(default)]
    pattern: Raw<'a>,
    /// The variable that the result is kept in.
    #[serde(default)]
    #[schemars(length(max = 129))]
    out: Option<&'a str>,
}

/// Takes a path apart by a pattern: the result has a text for each `:name`. A path that does not fit is an error with the
/// status 404. Segments are percent-decoded, and must not hold a slash then.
#[node(
    id = "packagerepo.parsePath",
    aliases = ["packagerepo.parse_path"],
    category = "packagerepo",
    effect = "idempotent",
    tags = ["path", "route"],
    example(
        title = "a version of a package",
        input = r#"{"path": "/v1/acme/lib/1.2.0", "pattern": "/v1/:namespace/:name/:version"}"#,
        output = r#"{"result": {"namespace": "acme", "name": "lib", "version": "1.2.0"}}"#
    ),
    example(
        title = "all that is left",
        input = r#"{"path": "/files/a/b%20c.txt?raw=1", "pattern": "/files/*path"}"#,
        output = r#"{"result": {"path": "a/b c.txt"}}"#
    )
)]
pub(crate) fn parse_path(input: ParsePath<'_>, ctx: &Ctx<'_>) -> NodeResult<Answer<Outcome<'static>>> {
    let names = Names::new(ctx)?;
    let pattern = names.text(input.pattern, "pattern", MAX_PATH)?;
    let path = names.text(input.path, "path", MAX_PATH)?;
    let Some(found) = Pattern::read(&pattern)?.fit(&path)? else {
        let why = format_args!("`{}` does not fit `{}`", cut(&path), cut(&pattern));
        return Err(NodeError::invalid("path", why).status(404).retryable(false));
    };
    let found: Vec<(&str, Value)> = found
        .iter()
        .map(|(name, text)| (*name, Value::from(text.as_str())))
        .collect();
    let result = Value::from_pairs(found.iter().map(|(name, text)| (*name, text.as_ref())))?;
    names.set(input.out, result.as_ref())?;
    Ok(answer(Outcome::Made(result)))
}

#[cfg(test)]
mod tests;
