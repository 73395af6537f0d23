//! Invariant: tokens lie in the source in order, brackets among them match, and where an expression ends is decided
//! by its tokens: braces in texts, templates and nested objects do not end it.

use std::str::Chars;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or a keyword.
    Name,
    /// A number.
    Number,
    /// A text in quotes.
    Text,
    /// A template literal, with everything in it.
    Template,
    /// A regular expression.
    Regex,
    /// Anything else.
    Punct(&'static str),
}

/// A piece of the source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// What ends the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The end of the source.
    Source,
    /// `}}` outside of brackets.
    Braces,
    /// `}` outside of brackets.
    Brace,
}

/// Tokens, and where what ended them begins.
#[derive(Debug)]
pub(crate) struct Lexed {
    pub(crate) tokens: Vec<Token>,
    pub(crate) end: usize,
}

/// A place in the source (in bytes) and what is wrong there.
#[derive(Debug)]
pub(crate) struct Flaw {
    pub(crate) at: usize,
    pub(crate) message: String,
}

impl Flaw {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
        }
    }
}

/// Templates within templates; each level is lexed once more by the level around it.
const MAX_NESTED: usize = 8;

#[rustfmt::skip]
const PUNCTS: [&str; 58] = [
    ">>>=", "...", "===", "!==", "**=", "<<=", ">>=", ">>>", "&&=", "||=", "??=",
    "=>", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
    "<<", ">>", "**",
    "{", "}", "(", ")", "[", "]", ";", ",", "<", ">", "+", "-", "*", "/", "%", "&", "|", "^", "!", "~", "?", ":",
    "=", ".", "#",
];

/// Reads tokens from `start` on.
pub(crate) fn lex(source: &str, start: usize, ending: Ending) -> Result<Lexed, Flaw> {
    lex_nested(source, start, ending, 0)
}

fn lex_nested(source: &str, start: usize, ending: Ending, nested: usize) -> Result<Lexed, Flaw> {
    if nested > MAX_NESTED {
        return Err(Flaw::new(start, "template literals are nested too deeply"));
    }
    let mut lexer = Lexer {
        source,
        at: start,
        tokens: Vec::new(),
        open: Vec::new(),
        nested,
    };
    loop {
        lexer.skip_space()?;
        let rest = lexer.rest();
        let ends = match ending {
            _ if !lexer.open.is_empty() => false,
            Ending::Source => rest.is_empty(),
            Ending::Braces => rest.starts_with("}}"),
            Ending::Brace => rest.starts_with('}'),
        };
        if ends {
            return Ok(Lexed {
                end: lexer.at,
                tokens: lexer.tokens,
            });
        }
        if rest.is_empty() {
            return Err(match lexer.open.pop() {
                Some((at, bracket)) => Flaw::new(at, format!("`{bracket}` is not closed")),
                None => Flaw::new(start, "the expression is not closed"),
            });
        }
        lexer.token()?;
    }
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    tokens: Vec<Token>,
    open: Vec<(usize, &'static str)>,
    nested: usize,
}

pub(crate) fn begins_name(c: char) -> bool {
    c.is_alphabetic() || c == '$' || c == '_'
}

pub(crate) fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || c == '$' || c == '_' || c == '\u{200c}' || c == '\u{200d}'
}

/// What JavaScript takes for white space.
pub(crate) fn is_space(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) -> Result<(), Flaw> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(is_space);
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                match trimmed.find("*/") {
                    Some(end) => self.at += end + 2,
                    None => return Err(Flaw::new(self.at, "the comment is not closed")),
                }
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        let rest = self.rest();
        let mut chars = rest.chars();
        let (first, second) = (chars.next().unwrap_or_default(), chars.next().unwrap_or_default());
        let kind = if begins_name(first) {
            self.at += rest.find(|c| !continues_name(c)).unwrap_or(rest.len());
            Kind::Name
        } else if first.is_ascii_digit() || (first == '.' && second.is_ascii_digit()) {
            self.number();
            Kind::Number
        } else if first == '"' || first == '\'' {
            self.text(first)?;
            Kind::Text
        } else if first == '`' {
            self.template()?;
            Kind::Template
        } else if first == '/' && self.regex_may_begin() {
            self.regex()?;
            Kind::Regex
        } else {
            self.punct()?
        };
        self.tokens.push(Token {
            kind,
            start,
            end: self.at,
        });
        Ok(())
    }

    fn number(&mut self) {
        let rest = self.rest().as_bytes();
        let prefixed = rest.first() == Some(&b'0') && rest.get(1).is_some_and(u8::is_ascii_alphabetic);
        let mut len = 0;
        while let Some(&byte) = rest.get(len) {
            let sign = (byte == b'+' || byte == b'-')
                && !prefixed
                && len > 0
                && matches!(rest.get(len - 1), Some(b'e' | b'E'));
            if !(byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_' || sign) {
                break;
            }
            len += 1;
        }
        self.at += len;
    }

    fn text(&mut self, quote: char) -> Result<(), Flaw> {
        let start = self.at;
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.at += at + 1;
                return Ok(());
            }
            if c == '\\' {
                chars.next();
            } else if c == '\n' {
                break;
            }
        }
        Err(Flaw::new(start, "the text is not closed"))
    }

    fn template(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        self.at += 1;
        loop {
            let rest = self.rest();
            if rest.starts_with('`') {
                self.at += 1;
                return Ok(());
            }
            if rest.starts_with("${") {
                let inner = lex_nested(self.source, self.at + 2, Ending::Brace, self.nested + 1)?;
                self.at = inner.end + 1;
                continue;
            }
            let mut chars: Chars<'_> = rest.chars();
            match chars.next() {
                Some('\\') => self.at += 1 + chars.next().map_or(0, char::len_utf8),
                Some(c) => self.at += c.len_utf8(),
                None => return Err(Flaw::new(start, "the template literal is not closed")),
            }
        }
    }

    /// Whether a slash here begins a regular expression: not after something that has a value.
    fn regex_may_begin(&self) -> bool {
        let Some(last) = self.tokens.last() else {
            return true;
        };
        match last.kind {
            Kind::Punct(")" | "]" | "}" | "++" | "--") => false,
            Kind::Punct(_) => true,
            Kind::Name => matches!(
                self.source.get(last.start..last.end),
                Some(
                    "return"
                        | "typeof"
                        | "in"
                        | "of"
                        | "case"
                        | "delete"
                        | "void"
                        | "instanceof"
                        | "do"
                        | "else"
                )
            ),
            _ => false,
        }
    }

    fn regex(&mut self) -> Result<(), Flaw> {
        let start = self.at;
        let rest = self.rest();
        let mut in_class = false;
        let mut chars = rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\n' => break,
                '\\' => {
                    chars.next();
                }
                '[' => in_class = true,
                ']' => in_class = false,
                '/' if !in_class => {
                    self.at += at + 1;
                    let flags = self.rest();
                    self.at += flags.find(|c| !continues_name(c)).unwrap_or(flags.len());
                    return Ok(());
                }
                _ => {}
            }
        }
        Err(Flaw::new(start, "the regular expression is not closed"))
    }

    fn punct(&mut self) -> Result<Kind, Flaw> {
        let rest = self.rest();
        let mut chars = rest.chars();
        let punct = if rest.starts_with("?.") && chars.nth(2).is_some_and(|c| c.is_ascii_digit()) {
            Some("?")
        } else {
            PUNCTS.iter().copied().find(|punct| rest.starts_with(punct))
        };
        let Some(punct) = punct else {
            let found = rest.chars().next().unwrap_or_default().escape_debug();
            return Err(Flaw::new(self.at, format!("`{found}` belongs to no expression")));
        };
        match punct {
            "(" | "[" | "{" => self.open.push((self.at, punct)),
            ")" | "]" | "}" => {
                let fits = matches!(
                    (self.open.pop(), punct),
                    (Some((_, "(")), ")") | (Some((_, "[")), "]") | (Some((_, "{")), "}")
                );
                if !fits {
                    return Err(Flaw::new(self.at, format!("`{punct}` closes nothing")));
                }
            }
            _ => {}
        }
        self.at += punct.len();
        Ok(Kind::Punct(punct))
    }
}
