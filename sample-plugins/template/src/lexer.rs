//! The words of a template. Invariant: every word is a part of the template, and its place is known.

use std::borrow::Cow;

/// What a tag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    /// `{{ }}`
    Value,
    /// `{= =}`, which means the same.
    Plain,
    /// `{% %}`
    Block,
}

/// A word of a tag.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Word<'v> {
    Name(&'v str),
    Whole(i64),
    Float(f64),
    Text(Cow<'v, str>),
    Sign(&'static str),
    /// The end of the tag; whether what follows is trimmed.
    End {
        trim: bool,
    },
}

/// What is wrong, and at which byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) message: String,
    pub(crate) at: usize,
}

impl Mistake {
    pub(crate) fn at<T>(at: usize, message: impl Into<String>) -> Result<T, Self> {
        let message = message.into();
        Err(Self { message, at })
    }
}

/// Longer ones first.
const SIGNS: [&str; 22] = [
    "==", "!=", "<=", ">=", "//", "**", "<", ">", "+", "-", "*", "/", "%", "~", "|", ".", ",", "(", ")", "[",
    "]", "=",
];

/// Reads the words of one tag.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'v> {
    source: &'v str,
    /// The byte behind the words that were taken.
    at: usize,
    close: &'static str,
    /// The next word with the byte behind it, once it was looked at.
    ahead: Option<(Word<'v>, usize)>,
}

impl<'v> Lexer<'v> {
    /// From behind the beginning of a tag.
    pub(crate) const fn new(source: &'v str, at: usize, tag: Tag) -> Self {
        let close = match tag {
            Tag::Value => "}}",
            Tag::Plain => "=}",
            Tag::Block => "%}",
        };
        Self {
            source,
            at,
            close,
            ahead: None,
        }
    }

    /// The byte behind the last word.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// A part of the template.
    pub(crate) fn said(&self, from: usize, to: usize) -> &'v str {
        self.source.get(from..to).unwrap_or_default()
    }

    fn rest(&self) -> &'v str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Where the next word begins.
    pub(crate) fn skip_blanks(&mut self) -> usize {
        self.at += self.rest().len() - self.rest().trim_start().len();
        self.at
    }

    /// The next word, without taking it.
    pub(crate) fn peek(&mut self) -> Result<&Word<'v>, Mistake> {
        let ahead = match self.ahead.take() {
            Some(ahead) => ahead,
            None => {
                let before = self.skip_blanks();
                let word = self.read()?;
                let behind = std::mem::replace(&mut self.at, before);
                (word, behind)
            }
        };
        Ok(&self.ahead.insert(ahead).0)
    }

    /// Takes the next word.
    pub(crate) fn next(&mut self) -> Result<Word<'v>, Mistake> {
        match self.ahead.take() {
            Some((word, behind)) => {
                self.at = behind;
                Ok(word)
            }
            None => {
                self.skip_blanks();
                self.read()
            }
        }
    }

    fn takes_if(&mut self, is: impl Fn(&Word<'v>) -> bool) -> Result<bool, Mistake> {
        let takes = is(self.peek()?);
        if takes {
            self.next()?;
        }
        Ok(takes)
    }

    /// Takes the next word if it is this sign.
    pub(crate) fn takes(&mut self, sign: &str) -> Result<bool, Mistake> {
        self.takes_if(|word| matches!(word, Word::Sign(found) if *found == sign))
    }

    /// Takes the next word if it is this name.
    pub(crate) fn takes_name(&mut self, name: &str) -> Result<bool, Mistake> {
        self.takes_if(|word| matches!(word, Word::Name(found) if *found == name))
    }

    /// Takes the next word, which has to be this sign.
    pub(crate) fn expect(&mut self, sign: &str) -> Result<(), Mistake> {
        if self.takes(sign)? {
            return Ok(());
        }
        let at = self.skip_blanks();
        Mistake::at(at, format!("expected `{sign}`, found {}", self.next()?.shown()))
    }

    /// The word that begins here.
    fn read(&mut self) -> Result<Word<'v>, Mistake> {
        let (at, rest) = (self.at, self.rest());
        for trim in [false, true] {
            let found = if trim { rest.strip_prefix('-') } else { Some(rest) };
            if found.is_some_and(|rest| rest.starts_with(self.close)) {
                self.at += self.close.len() + usize::from(trim);
                return Ok(Word::End { trim });
            }
        }
        match rest.chars().next() {
            None => Mistake::at(
                at,
                format!("the tag is never closed: `{}` is missing", self.close),
            ),
            Some(first) if first.is_alphabetic() || first == '_' => {
                let name = self.while_is(|c| c.is_alphanumeric() || c == '_');
                Ok(Word::Name(name))
            }
            Some(first) if first.is_ascii_digit() => self.number(at),
            Some(quote @ ('"' | '\'')) => self.text(quote, at),
            Some('$') => Mistake::at(
                at,
                "`$` is for expressions of the workflow: put what they give into `data`, or a template that they give into `source`",
            ),
            Some(other) => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => {
                    self.at += sign.len();
                    Ok(Word::Sign(sign))
                }
                None => Mistake::at(at, format!("{other:?} has no meaning here")),
            },
        }
    }

    fn while_is(&mut self, is: impl Fn(char) -> bool) -> &'v str {
        let rest = self.rest();
        let length = rest.find(|c| !is(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn number(&mut self, at: usize) -> Result<Word<'v>, Mistake> {
        self.while_is(|c| c.is_ascii_digit());
        let mut ahead = self.clone();
        let is_float = ahead.rest().starts_with('.') && {
            ahead.at += 1;
            !ahead.while_is(|c| c.is_ascii_digit()).is_empty()
        };
        if is_float {
            *self = ahead;
            let number = self.said(at, self.at).parse().unwrap_or_default();
            return Ok(Word::Float(number));
        }
        match self.said(at, self.at).parse() {
            Ok(number) => Ok(Word::Whole(number)),
            Err(_) => Mistake::at(at, "the number is too large"),
        }
    }

    /// A text in quotes. Behind a `\` stands a quote, another one, or `n`, `r` or `t`.
    fn text(&mut self, quote: char, at: usize) -> Result<Word<'v>, Mistake> {
        self.at += 1;
        let start = self.at;
        let mut text = Cow::Borrowed("");
        let mut plain = start;
        let mut characters = self.rest().char_indices();
        while let Some((offset, character)) = characters.next() {
            if character == quote {
                let part = self.said(plain, start + offset);
                self.at = start + offset + 1;
                return Ok(Word::Text(text + part));
            }
            if character == '\\' {
                let escaped = match characters.next() {
                    Some((_, 'n')) => "\n",
                    Some((_, 'r')) => "\r",
                    Some((_, 't')) => "\t",
                    Some((_, '\\')) => "\\",
                    Some((_, '"')) => "\"",
                    Some((_, '\'')) => "'",
                    _ => {
                        return Mistake::at(
                            start + offset,
                            "a `\\` stands before a quote, another one, n, r or t",
                        );
                    }
                };
                text = text + self.said(plain, start + offset) + escaped;
                plain = start + offset + 2;
            }
        }
        Mistake::at(at, format!("the text is never closed: {quote} is missing"))
    }
}

impl Word<'_> {
    /// For messages.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Name(name) => format!("`{}`", name.chars().take(40).collect::<String>()),
            Self::Whole(_) | Self::Float(_) => "a number".to_owned(),
            Self::Text(_) => "a text".to_owned(),
            Self::Sign(sign) => format!("`{sign}`"),
            Self::End { .. } => "the end of the tag".to_owned(),
        }
    }
}
