//! Filters that make texts. Invariant: the room for a text is asked for before it is taken.

use std::borrow::Cow;

use crate::budget::{Budget, Trouble};
use crate::datum::{Datum, Words};
use crate::filter::{input, text, whole};

type Made<'v> = Result<Datum<'v>, Trouble>;

/// The value before `|` as a text; looking at it is paid for.
fn words<'a>(values: &'a [Datum<'_>], budget: &Budget<'_>) -> Result<Cow<'a, str>, Trouble> {
    let value = input(values);
    budget.read(value.size())?;
    match value.kind() {
        "a list" | "a map" | "bytes" => Trouble::wrong(format!("expected a text, found {}", value.kind())),
        _ => Ok(value.written()),
    }
}

pub(crate) fn upper<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    Datum::made(&words(values, budget)?.to_uppercase(), budget)
}

pub(crate) fn lower<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    Datum::made(&words(values, budget)?.to_lowercase(), budget)
}

/// The first letter large, the others small.
pub(crate) fn capitalize<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let words = words(values, budget)?;
    Datum::made(&capital(&words), budget)
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(char::to_uppercase);
    let first: String = first.into_iter().flatten().collect();
    first + &characters.as_str().to_lowercase()
}

/// The first letter of every word large, the others small.
pub(crate) fn title<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let words = words(values, budget)?;
    let titled: String = words.split_inclusive(char::is_whitespace).map(capital).collect();
    Datum::made(&titled, budget)
}

pub(crate) fn trim<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    Datum::made(words(values, budget)?.trim(), budget)
}

pub(crate) fn string<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let value = input(values);
    budget.read(value.size())?;
    Datum::made(&value.written(), budget)
}

pub(crate) fn replace<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let words = words(values, budget)?;
    let from = text(values, 1)?.unwrap_or_default();
    let to = text(values, 2)?.unwrap_or_default();
    let times = words.matches(from).count();
    budget.made(times.saturating_mul(to.len()))?;
    Datum::made(&words.replace(from, to), budget)
}

/// The parts between a separator, or between blanks.
pub(crate) fn split<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let words = words(values, budget)?;
    let parts: Vec<&str> = match text(values, 1)? {
        Some("") => return Trouble::wrong("a text is not split at nothing"),
        Some(separator) => words.split(separator).collect(),
        None => words.split_whitespace().collect(),
    };
    listed(parts, budget)
}

pub(crate) fn lines<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let words = words(values, budget)?;
    listed(words.lines().collect(), budget)
}

fn listed<'v>(parts: Vec<&str>, budget: &Budget<'_>) -> Made<'v> {
    let parts = parts.into_iter().map(|part| Datum::made(part, budget));
    Datum::list(parts.collect::<Result<_, _>>()?, budget)
}

/// So many characters at most, the dots included that say that there is more.
pub(crate) fn truncate<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let words = words(values, budget)?;
    let most = whole(values, 1)?.and_then(|most| usize::try_from(most).ok());
    let Some(most) = most else {
        return Trouble::wrong("a text is cut to a length that is not negative");
    };
    let end = text(values, 2)?.unwrap_or("...");
    if words.chars().nth(most).is_none() {
        return Datum::made(&words, budget);
    }
    let kept = most.saturating_sub(end.chars().count());
    let cut = words.char_indices().nth(kept).map_or(words.len(), |(at, _)| at);
    let kept = words.get(..cut).unwrap_or_default();
    Datum::made(&format!("{kept}{end}"), budget)
}

/// Blanks before every line but the first one; with `true`, before that one, too.
pub(crate) fn indent<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let words = words(values, budget)?;
    let width = whole(values, 1)?.unwrap_or(4);
    let Some(width) = usize::try_from(width).ok().filter(|width| *width <= 1000) else {
        return Trouble::wrong("a text is indented by 0 to 1000 blanks");
    };
    budget.made(
        words
            .matches('\n')
            .count()
            .saturating_add(1)
            .saturating_mul(width),
    )?;
    let first = matches!(values.get(2), Some(Datum::Flag(true)));
    let blanks = " ".repeat(width);
    let mut out = String::new();
    for (position, line) in words.split_inclusive('\n').enumerate() {
        if (position > 0 || first) && !line.trim_end_matches(['\r', '\n']).is_empty() {
            out.push_str(&blanks);
        }
        out.push_str(line);
    }
    Datum::made(&out, budget)
}

/// The characters that mean something in HTML, as its entities. What is safe stays as it is.
pub(crate) fn escape<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let value = input(values);
    budget.read(value.size())?;
    if matches!(value, Datum::Safe(_)) {
        return Ok(value.clone());
    }
    let written = value.written();
    let escaped = escaped(&written);
    budget.made(escaped.len())?;
    Ok(Datum::Safe(Words::Made(escaped.as_ref().into())))
}

pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    const SPECIAL: [char; 5] = ['&', '<', '>', '"', '\''];
    if !text.contains(SPECIAL) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// A text that is written as it is.
pub(crate) fn safe<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    match input(values) {
        Datum::Text(words) => Ok(Datum::Safe(words.clone())),
        Datum::Undefined(said) => Ok(Datum::Undefined(said)),
        value => {
            budget.read(value.size())?;
            let written = value.written();
            budget.made(written.len())?;
            Ok(Datum::Safe(Words::Made(written.as_ref().into())))
        }
    }
}

/// As JSON that may stand in HTML, too, and so is not escaped again.
pub(crate) fn to_json<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let value = input(values);
    budget.read(value.size().saturating_mul(4))?;
    let json = value.json();
    budget.made(json.len())?;
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        // These stand in texts alone; written as numbers, they mean nothing to HTML.
        match character {
            '<' | '>' | '&' | '\'' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            other => out.push(other),
        }
    }
    budget.made(out.len())?;
    Ok(Datum::Safe(Words::Made(out.as_str().into())))
}

/// A text as a part of a URL.
pub(crate) fn url_encode<'v>(values: &[Datum<'v>], budget: &Budget<'_>) -> Made<'v> {
    let words = words(values, budget)?;
    budget.made(words.len().saturating_mul(3))?;
    let mut out = String::with_capacity(words.len());
    for byte in words.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(byte.into());
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    Datum::made(&out, budget)
}
