//! Invariant: looking for a pattern takes time linear in the text, whatever the pattern.

use plugin_api::prelude::*;
use regex::{Regex, RegexBuilder};

/// The longest regular expression, in bytes.
const MAX_PATTERN: usize = 10_000;

/// A regular expression may take this many bytes when compiled.
const MAX_COMPILED: usize = 4 << 20;

/// What is looked for in a text.
pub(crate) enum Pattern<'p> {
    Contains(&'p str),
    Equals(&'p str),
    StartsWith(&'p str),
    EndsWith(&'p str),
    Regex(Regex),
}

impl<'p> Pattern<'p> {
    /// `None` for a mode that is none of these; `parameter` has the pattern.
    pub(crate) fn of(mode: &str, pattern: &'p str, parameter: &str) -> NodeResult<Option<Self>> {
        Ok(Some(match mode {
            "contains" => Self::Contains(pattern),
            "equals" => Self::Equals(pattern),
            "startsWith" | "starts_with" | "startswith" => Self::StartsWith(pattern),
            "endsWith" | "ends_with" | "endswith" => Self::EndsWith(pattern),
            "regex" => Self::Regex(regex(pattern, parameter)?),
            _ => return Ok(None),
        }))
    }

    pub(crate) fn fits(&self, text: &str) -> bool {
        match self {
            Self::Contains(part) => text.contains(part),
            Self::Equals(whole) => text == *whole,
            Self::StartsWith(part) => text.starts_with(part),
            Self::EndsWith(part) => text.ends_with(part),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

fn regex(pattern: &str, parameter: &str) -> NodeResult<Regex> {
    if pattern.len() > MAX_PATTERN {
        let why = format_args!("a regular expression has at most {MAX_PATTERN} bytes");
        return Err(NodeError::invalid(parameter, why));
    }
    let built = RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .build();
    built.map_err(|error| NodeError::invalid(parameter, format_args!("is no regular expression: {error}")))
}
