//! Findings while they are collected.
//!
//! Invariant: there are never more than [`MOST`] of them and a last one that counts the rest, no path or message is
//! longer than a screen can show, and no text is made for a finding that is left out.

use std::borrow::Cow;
use std::fmt;

use plugin_api::value::ValueRef;

use crate::{Finding, FindingCode, Findings, Level, code};

/// For so many findings a name is looked for that might have been meant: each takes a look at thousands.
const SUGGESTIONS: usize = 50;

/// More findings than this are counted, not kept.
pub(crate) const MOST: usize = 1_000;

/// Part of a path.
#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Key(&'p str),
    Index(usize),
}

/// A place in a document: a path that is written out only when something is found there.
#[derive(Clone, Copy)]
pub(crate) struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    step: Step<'p>,
    address: usize,
}

fn address(value: ValueRef<'_>) -> usize {
    value.raw().as_ptr().addr()
}

impl<'p> Place<'p> {
    /// The document as a whole.
    pub(crate) fn root(value: ValueRef<'_>) -> Self {
        Self {
            parent: None,
            step: Step::Root,
            address: address(value),
        }
    }

    /// The value under a key.
    pub(crate) fn key(&'p self, key: &'p str, value: ValueRef<'_>) -> Self {
        Self {
            parent: Some(self),
            step: Step::Key(key),
            address: address(value),
        }
    }

    /// A key that is not there, or whose value is of no interest.
    pub(crate) fn absent(&'p self, key: &'p str) -> Self {
        Self {
            parent: Some(self),
            step: Step::Key(key),
            address: self.address,
        }
    }

    /// The key, with its value when it has one.
    pub(crate) fn field(&'p self, key: &'p str, value: Option<ValueRef<'_>>) -> Self {
        value.map_or_else(|| self.absent(key), |value| self.key(key, value))
    }

    /// The same path, and the place of `value`.
    pub(crate) fn same(&self, value: ValueRef<'_>) -> Self {
        Self {
            address: address(value),
            ..*self
        }
    }

    /// An item of a list.
    pub(crate) fn index(&'p self, index: usize, value: ValueRef<'_>) -> Self {
        Self {
            parent: Some(self),
            step: Step::Index(index),
            address: address(value),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else {
            return Ok(());
        };
        write!(f, "{parent}")?;
        match self.step {
            Step::Root => Ok(()),
            Step::Key(key) => {
                if !matches!(parent.step, Step::Root) {
                    f.write_str(".")?;
                }
                write!(f, "{}", Shown(key))
            }
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// A text of the document as messages show it: cut, and without control characters.
pub(crate) struct Shown<'t>(pub(crate) &'t str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 120;
        for (n, letter) in self.0.chars().enumerate() {
            if n == LONGEST {
                return f.write_str("...");
            }
            if letter.is_control() {
                write!(f, "{}", letter.escape_default())?;
            } else {
                fmt::Write::write_char(f, letter)?;
            }
        }
        Ok(())
    }
}

/// Collects findings.
pub(crate) struct Notes<'d> {
    base: usize,
    most: usize,
    list: Vec<Finding>,
    left_out: usize,
    suggestions: usize,
    worst_left_out: Level,
    /// The id of the node that is being looked at.
    pub(crate) node: Option<Cow<'d, str>>,
    /// Whether an error was noted.
    pub(crate) failed: bool,
}

impl<'d> Notes<'d> {
    /// Nothing noted yet about the document `value`.
    pub(crate) fn new(value: ValueRef<'_>) -> Self {
        Self {
            base: address(value),
            most: MOST,
            list: Vec::new(),
            left_out: 0,
            suggestions: SUGGESTIONS,
            worst_left_out: Level::Warning,
            node: None,
            failed: false,
        }
    }

    /// Takes findings that nobody asks for.
    pub(crate) fn unheard() -> Self {
        Self {
            base: 0,
            most: 0,
            list: Vec::new(),
            left_out: 0,
            suggestions: 0,
            worst_left_out: Level::Warning,
            node: None,
            failed: false,
        }
    }

    /// Looks for what might have been meant, unless that was done too often already.
    pub(crate) fn suggest<T>(&mut self, look: impl FnOnce() -> Option<T>) -> Option<T> {
        self.suggestions = self.suggestions.checked_sub(1)?;
        look()
    }

    /// Something that keeps the document from running.
    pub(crate) fn error(
        &mut self,
        code: FindingCode,
        place: &Place<'_>,
        message: fmt::Arguments<'_>,
        hint: &str,
    ) {
        self.failed = true;
        self.note(code, Level::Error, place, message, hint);
    }

    /// Something that does not.
    pub(crate) fn warning(
        &mut self,
        code: FindingCode,
        place: &Place<'_>,
        message: fmt::Arguments<'_>,
        hint: &str,
    ) {
        self.note(code, Level::Warning, place, message, hint);
    }

    fn note(
        &mut self,
        code: FindingCode,
        level: Level,
        place: &Place<'_>,
        message: fmt::Arguments<'_>,
        hint: &str,
    ) {
        if self.list.len() >= self.most {
            self.left_out += 1;
            self.worst_left_out = self.worst_left_out.min(level);
            return;
        }
        self.list.push(Finding {
            code,
            level,
            path: place.to_string(),
            message: message.to_string(),
            hint: hint.to_owned(),
            node: self.node.as_ref().map(|node| Shown(node).to_string()),
            place: self.offset(place),
        });
    }

    /// Where in the document a place is: it grows along the text.
    pub(crate) fn offset(&self, place: &Place<'_>) -> u32 {
        u32::try_from(place.address.saturating_sub(self.base)).unwrap_or(u32::MAX)
    }

    /// All of them, in the order of the document.
    pub(crate) fn finish(mut self) -> Findings {
        self.list.sort_by_key(|finding| finding.place);
        if self.left_out > 0 {
            self.list.push(Finding {
                code: code::TOO_MANY_FINDINGS,
                level: self.worst_left_out,
                path: String::new(),
                message: format!("{} more findings are left out", self.left_out),
                hint: "mend the ones above, then look again".to_owned(),
                node: None,
                place: u32::MAX,
            });
        }
        Findings(self.list)
    }
}
