//! HTML that runs nothing.
//!
//! Invariant: what comes out is made of tags and attributes that are listed here, each written anew, and of text in which
//! no `<` is left. So a browser reads in it what was read here, however it would have read what came in.

mod listed;

use std::borrow::Cow;

use self::listed::{ATTRIBUTES, ELEMENTS, EMPTY, FURTHER, SILENCED};

/// Elements that are open at once.
const MAX_OPEN: usize = 200;
/// Bytes of a URL that stays.
const MAX_URL: usize = 1 << 20;

/// HTML without anything that could run, load a frame, or leave its place; at most so many bytes of it, and whether
/// something was left out for that. It ends where a browser would end it: no tag is cut, and none is left open.
pub(crate) fn sanitized(html: &str, most: usize) -> (String, bool) {
    let mut cleaning = Cleaning {
        out: String::with_capacity(html.len().min(most)),
        open: Vec::new(),
        room: most,
        is_full: false,
    };
    let mut rest = html;
    while !cleaning.is_full
        && let Some(at) = rest.find('<')
    {
        let (text, tag) = rest.split_at(at);
        cleaning.text(text);
        rest = cleaning.tag(tag);
    }
    cleaning.text(rest);
    cleaning.close_down_to(0);
    (cleaning.out, cleaning.is_full)
}

struct Cleaning {
    out: String,
    open: Vec<&'static str>,
    /// Bytes that may still come, beside the ends of what is open.
    room: usize,
    /// Whether something did not fit. Nothing comes after that but those ends.
    is_full: bool,
}

/// The bytes of `</name>`.
const fn end_length(name: &str) -> usize {
    name.len() + "</>".len()
}

impl Cleaning {
    /// Adds what may be cut between any two characters.
    fn text(&mut self, text: &str) {
        if self.is_full {
            return;
        }
        let kept = text
            .get(..text.floor_char_boundary(self.room))
            .unwrap_or_default();
        self.is_full = kept.len() < text.len();
        self.room -= kept.len();
        self.out.push_str(kept);
    }

    /// Adds what may not be cut, if there is room for it and for its end; says whether there was.
    fn whole(&mut self, part: &str, end: usize) -> bool {
        let bytes = part.len() + end;
        self.is_full |= bytes > self.room;
        if !self.is_full {
            self.room -= bytes;
            self.out.push_str(part);
        }
        !self.is_full
    }

    /// Deals with what begins with `<`, and gives what is behind it.
    fn tag<'h>(&mut self, html: &'h str) -> &'h str {
        let inner = html.get(1..).unwrap_or_default();
        if let Some(comment) = inner.strip_prefix("!--") {
            return behind(comment, "-->");
        }
        if inner.starts_with(['!', '?']) {
            return behind(inner, ">");
        }
        let (ends, inner) = match inner.strip_prefix('/') {
            Some(inner) => (true, inner),
            None => (false, inner),
        };
        if !inner.starts_with(|c: char| c.is_ascii_alphabetic()) {
            if ends {
                return behind(inner, ">");
            }
            self.whole("&lt;", 0);
            return inner;
        }
        let end = inner
            .find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'))
            .unwrap_or(inner.len());
        let (name, inner) = inner.split_at(end);
        let name = name.to_ascii_lowercase();
        let (attributes, rest) = attributes(inner);
        if ends {
            self.close(&name);
        } else if SILENCED.contains(&&*name) {
            return behind_element(rest, &name);
        } else if let Some(name) = kept(&name) {
            self.begin(name, &attributes);
        }
        rest
    }

    fn begin(&mut self, name: &'static str, attributes: &[(String, Cow<'_, str>)]) {
        let is_empty = EMPTY.contains(&name);
        if !is_empty && self.open.len() >= MAX_OPEN {
            return;
        }
        let mut tag = format!("<{name}");
        let mut written: Vec<&str> = Vec::new();
        for (attribute, value) in attributes {
            let value = match (name, attribute.as_str()) {
                (_, one) if written.contains(&one) => None,
                ("a", "href") => url(value, &["http:", "https:", "mailto:", "tel:"]),
                ("img", "src") => url(value, &["http:", "https:", "cid:", "data:image/"]),
                (_, one) if ATTRIBUTES.contains(&one) => Some(Cow::Borrowed(&**value)),
                _ => None,
            };
            let Some(value) = value else { continue };
            written.push(attribute);
            tag.push(' ');
            tag.push_str(attribute);
            tag.push_str("=\"");
            escape(&value, &mut tag);
            tag.push('"');
        }
        tag.push('>');
        let end = if is_empty { 0 } else { end_length(name) };
        if self.whole(&tag, end) && !is_empty {
            self.open.push(name);
        }
    }

    fn close(&mut self, name: &str) {
        if let Some(at) = self.open.iter().rposition(|open| *open == name) {
            self.close_down_to(at);
        }
    }

    fn close_down_to(&mut self, count: usize) {
        for name in self.open.drain(count..).rev() {
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push('>');
        }
    }
}

/// The element as it is listed, if it stays.
fn kept(name: &str) -> Option<&'static str> {
    let mut all = ELEMENTS.iter().chain(EMPTY).chain(FURTHER);
    all.find(|one| **one == name).copied()
}

/// What is behind a mark; nothing if there is none.
fn behind<'h>(html: &'h str, mark: &str) -> &'h str {
    html.split_once(mark).map_or("", |(_, rest)| rest)
}

/// What is behind the end of an element that goes; nothing if it has no end.
fn behind_element<'h>(html: &'h str, name: &str) -> &'h str {
    if name == "embed" {
        return html;
    }
    let mut rest = html;
    while let Some((_, after)) = rest.split_once("</") {
        let end = after
            .get(..name.len())
            .filter(|end| end.eq_ignore_ascii_case(name));
        let next = after.get(name.len()..).unwrap_or_default();
        if end.is_some() && next.starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')) {
            return attributes(next).1;
        }
        rest = after;
    }
    ""
}

/// The attributes of a tag with their values decoded, and what is behind the tag. A tag without an end takes all the rest.
fn attributes(html: &str) -> (Vec<(String, Cow<'_, str>)>, &str) {
    let mut found = Vec::new();
    let mut rest = html;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return (found, "");
        }
        if let Some(rest) = rest.strip_prefix('>') {
            return (found, rest);
        }
        // A `=` where a name should be begins one.
        let skip = usize::from(rest.starts_with('='));
        let end = rest
            .get(skip..)
            .and_then(|rest| rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '=')))
            .map_or(rest.len(), |end| end + skip);
        let (name, after) = rest.split_at(end);
        let after_space = after.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let Some(value) = after_space.strip_prefix('=') else {
            found.push((name.to_ascii_lowercase(), Cow::Borrowed("")));
            rest = after;
            continue;
        };
        let value = value.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let (value, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let value = value.get(1..).unwrap_or_default();
                match value.split_once(quote) {
                    Some(both) => both,
                    // It has no end, and neither has the tag.
                    None => return (found, ""),
                }
            }
            _ => {
                let end = value
                    .find(|c: char| c.is_ascii_whitespace() || c == '>')
                    .unwrap_or(value.len());
                value.split_at(end)
            }
        };
        found.push((name.to_ascii_lowercase(), decoded(value)));
        rest = after;
    }
}

/// A URL that leads where one of these schemes leads, as a browser would read it.
fn url<'v>(value: &'v str, schemes: &[&str]) -> Option<Cow<'v, str>> {
    if value.len() > MAX_URL {
        return None;
    }
    // Browsers leave these out wherever they are.
    let value: String = value.chars().filter(|c| !c.is_control()).collect();
    let value = value.trim().to_owned();
    let allowed = schemes.iter().any(|scheme| {
        let start = value.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    let is_picture_that_runs = value
        .get(..14)
        .is_some_and(|start| start.eq_ignore_ascii_case("data:image/svg"));
    ((allowed && !is_picture_that_runs) || value.starts_with('#')).then_some(Cow::Owned(value))
}

/// A value with what stands for a character replaced by it. What is not known stays, and is written as what it is not.
fn decoded(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        match reference(after) {
            Some((c, behind)) => {
                out.push(c);
                rest = behind;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character that a reference without its `&` stands for, and what is behind it.
fn reference(text: &str) -> Option<(char, &str)> {
    const NAMED: [(&str, char); 9] = [
        ("amp;", '&'),
        ("lt;", '<'),
        ("gt;", '>'),
        ("quot;", '"'),
        ("apos;", '\''),
        ("nbsp;", '\u{a0}'),
        ("colon;", ':'),
        ("Tab;", '\t'),
        ("NewLine;", '\n'),
    ];
    if let Some(number) = text.strip_prefix('#') {
        let (digits, radix) = match number.strip_prefix(['x', 'X']) {
            Some(digits) => (digits, 16),
            None => (number, 10),
        };
        let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
        let (digits, behind) = digits.split_at(end);
        if digits.is_empty() {
            return None;
        }
        let code = u32::from_str_radix(digits, radix).ok();
        let c = code.filter(|code| *code != 0).and_then(char::from_u32);
        return Some((
            c.unwrap_or(char::REPLACEMENT_CHARACTER),
            behind.strip_prefix(';').unwrap_or(behind),
        ));
    }
    NAMED
        .iter()
        .find_map(|(name, c)| Some((*c, text.strip_prefix(name)?)))
}

/// Writes a value between double quotes.
fn escape(value: &str, out: &mut String) {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\0' => {}
            c => out.push(c),
        }
    }
}
