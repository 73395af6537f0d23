//! Patterns as JavaScript reads them.
//!
//! Invariant: what is rewritten means the same in any place of a pattern, so nothing around it has to be looked at.

use std::convert::Infallible;

use plugin_api::prelude::*;
use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{
    AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSetItem, ErrorKind, Span, Visitor, visit,
};

/// How deep groups may lie in one another.
const MAX_DEPTH: u32 = 100;

/// Switches of a pattern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// `i`: large and small letters are the same.
    pub(crate) ignore_case: bool,
    /// `m`: `^` and `$` stand for the ends of lines, too.
    pub(crate) multi_line: bool,
    /// `s`: `.` stands for line breaks, too.
    pub(crate) dot_all: bool,
    /// `x`: blanks and comments in the pattern do not count.
    pub(crate) extended: bool,
    /// `u`: `\w`, `\d` and `\b` know all of Unicode.
    pub(crate) unicode: bool,
}

impl Flags {
    pub(crate) fn read(text: &str) -> NodeResult<Self> {
        let mut flags = Self::default();
        for letter in text.chars() {
            let flag = match letter {
                'i' => &mut flags.ignore_case,
                'm' => &mut flags.multi_line,
                's' => &mut flags.dot_all,
                'x' => &mut flags.extended,
                'u' => &mut flags.unicode,
                'g' => {
                    let why = "`g` is none here: take regex.matchAll, or `all` of regex.replace";
                    return Err(NodeError::invalid("flags", why));
                }
                other => {
                    let why =
                        format_args!("expected some of i, m, s, x and u, found {:?}", other.to_string());
                    return Err(NodeError::invalid("flags", why));
                }
            };
            *flag = true;
        }
        Ok(flags)
    }
}

/// The pattern as the `regex` crate should read it.
pub(crate) fn translated(pattern: &str, flags: Flags) -> NodeResult<String> {
    let mut parser = ParserBuilder::new()
        .nest_limit(MAX_DEPTH)
        .ignore_whitespace(flags.extended)
        .build();
    let ast = parser
        .parse(pattern)
        .map_err(|error| wrong(pattern, error.span(), error.kind()))?;
    if flags.unicode {
        return Ok(pattern.to_owned());
    }
    let Ok(ascii) = visit(&ast, Ascii::default());
    let mut text = String::with_capacity(pattern.len());
    let mut done = 0;
    for (span, instead) in ascii.found {
        text.push_str(pattern.get(done..span.start.offset).unwrap_or_default());
        text.push_str(instead);
        done = span.end.offset;
    }
    text.push_str(pattern.get(done..).unwrap_or_default());
    Ok(text)
}

/// What is wrong with a pattern, and where.
fn wrong(pattern: &str, span: &Span, kind: &ErrorKind) -> NodeError {
    let before = pattern.get(..span.start.offset).unwrap_or_default();
    let at = before.chars().count();
    let why = match kind {
        ErrorKind::UnsupportedLookAround => "look-around is not known, since matching takes linear time",
        ErrorKind::UnsupportedBackreference => {
            "back-references are not known, since matching takes linear time"
        }
        _ => return NodeError::invalid("pattern", format_args!("{kind}, at character {at}")),
    };
    NodeError::invalid("pattern", format_args!("{why}, at character {at}"))
}

/// Looks for what means something else in ASCII; finds it in the order of the pattern.
#[derive(Default)]
struct Ascii {
    found: Vec<(Span, &'static str)>,
}

impl Ascii {
    /// `\s` stays: to JavaScript, too, all blanks of Unicode are blanks.
    fn class(&mut self, class: &ClassPerl, instead: [&'static str; 4]) {
        let [word, no_word, digit, no_digit] = instead;
        let instead = match (&class.kind, class.negated) {
            (ClassPerlKind::Word, false) => word,
            (ClassPerlKind::Word, true) => no_word,
            (ClassPerlKind::Digit, false) => digit,
            (ClassPerlKind::Digit, true) => no_digit,
            (ClassPerlKind::Space, _) => return,
        };
        self.found.push((class.span, instead));
    }
}

impl Visitor for Ascii {
    type Output = Self;
    type Err = Infallible;

    fn finish(self) -> Result<Self, Infallible> {
        Ok(self)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Infallible> {
        match ast {
            // Whatever the case, since some letters beyond ASCII are small or large forms of ones in it.
            Ast::ClassPerl(class) => self.class(
                class,
                ["(?-i:[0-9A-Za-z_])", "(?-i:[^0-9A-Za-z_])", "[0-9]", "[^0-9]"],
            ),
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::WordBoundary => self.found.push((assertion.span, r"(?-u:\b)")),
                AssertionKind::NotWordBoundary => self.found.push((assertion.span, r"(?-u:\B)")),
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Infallible> {
        if let ClassSetItem::Perl(class) = item {
            self.class(class, ["[0-9A-Za-z_]", "[^0-9A-Za-z_]", "[0-9]", "[^0-9]"]);
        }
        Ok(())
    }
}
