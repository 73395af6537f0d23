//! A statement's text as tokens that mean the same to everybody who reads them.
//!
//! Invariant: what leaves here is a sequence of tokens that the database splits the way we did. Comments are gone. Names have
//! neither quotes nor escapes within them, texts neither quotes nor backslashes: those are bound as parameters instead.
//! Every placeholder has the number of its argument.
//!
//! The depth of what the tokens can nest is bounded as well, since the tree that is made of them is walked by recursion:
//! `1 + 1 + 1 ...` nests once for each operator.

use plugin_api::error::code;
use plugin_api::prelude::*;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Word};

use super::arguments::{Arguments, Given};
use super::{refused, unreadable};
use crate::dialect::Dialect;

/// Longer statements are refused; what is long is bound as a parameter.
const MOST_BYTES: usize = 128 << 10;

/// Operators and keywords that may nest in each other.
const MOST_NESTED: usize = 400;

/// The longest name that either database knows.
const LONGEST_NAME: usize = 128;

/// Splits a statement that a workflow wrote, and gives each placeholder its argument.
pub(super) fn lex(
    text: &str,
    given: &Given,
    dialect: Dialect,
) -> NodeResult<(Vec<TokenWithSpan>, Vec<Value>)> {
    let mut arguments = Arguments::new(given, dialect);
    let mut tokens = Vec::new();
    let mut split = split(text, dialect)?.into_iter().peekable();
    while let Some(mut token) = split.next() {
        token.token = match token.token {
            Token::Whitespace(_) => continue,
            Token::Question => arguments.next()?,
            Token::Placeholder(name) => arguments.placeholder(&name)?,
            Token::Colon => match split.peek().map(|next| &next.token) {
                Some(Token::Word(word)) if word.quote_style.is_none() => {
                    let found = arguments.named(&word.value)?;
                    split.next();
                    found
                }
                _ => Token::Colon,
            },
            Token::SingleQuotedString(text) if text.contains(['\'', '\\', '\0']) => arguments.literal(&text),
            Token::Word(word) => Token::Word(name(word)?),
            other => other,
        };
        check(&token.token, dialect)?;
        tokens.push(token);
    }
    while tokens.last().is_some_and(|last| last.token == Token::SemiColon) {
        tokens.pop();
    }
    if tokens.iter().any(|token| token.token == Token::SemiColon) {
        return Err(refused(
            "it has more than one statement; `sql.transaction` takes a list of them",
        ));
    }
    bound_nesting(&tokens)?;
    Ok((tokens, arguments.finish()?))
}

/// Splits a statement that was written here: it has nothing left to be made plain.
pub(super) fn relex(text: &str, dialect: Dialect) -> NodeResult<Vec<TokenWithSpan>> {
    let mut tokens = split(text, dialect)?;
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    for token in &mut tokens {
        let is_plain = match &token.token {
            Token::SingleQuotedString(text) => !text.contains(['\'', '\\', '\0']),
            Token::Word(word) => name(word.clone())? == *word,
            Token::SemiColon | Token::Question | Token::Whitespace(_) => false,
            _ => true,
        };
        if !is_plain {
            return Err(refused("it cannot be written down again as it was read"));
        }
        check(&token.token, dialect)?;
    }
    Ok(tokens)
}

fn split(text: &str, dialect: Dialect) -> NodeResult<Vec<TokenWithSpan>> {
    if text.len() > MOST_BYTES {
        return Err(NodeError::with_code(
            code::LIMIT_EXCEEDED,
            format!(
                "the statement has {} bytes; at most {MOST_BYTES} are read, so bind long texts as parameters",
                text.len()
            ),
        ));
    }
    Tokenizer::new(dialect.grammar(), text)
        .tokenize_with_location()
        .map_err(|error| unreadable(&error.to_string()))
}

/// Makes a name plain: quoted by `"` or not at all.
fn name(mut word: Word) -> NodeResult<Word> {
    if word.quote_style.is_some() {
        let is_plain = !word.value.is_empty()
            && word.value.len() <= LONGEST_NAME
            && !word
                .value
                .contains(|c: char| c.is_control() || matches!(c, '"' | '\\' | '`' | '[' | ']'));
        if !is_plain {
            return Err(refused(
                "a name in quotes is empty, too long, or has quotes, brackets, backslashes or control characters in it",
            ));
        }
        word.quote_style = Some('"');
        return Ok(word);
    }
    let mut bytes = word.value.bytes();
    let begins = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if !begins || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'$') {
        return Err(refused(format_args!(
            "the name {} has characters beyond letters, digits and `_`; write it in double quotes",
            word.value.escape_debug()
        )));
    }
    Ok(word)
}

/// Refuses tokens that some reader might take for another.
fn check(token: &Token, dialect: Dialect) -> NodeResult<()> {
    let is_known = match token {
        Token::Word(_)
        | Token::SingleQuotedString(_)
        | Token::Placeholder(_)
        | Token::Comma
        | Token::DoubleEq
        | Token::Eq
        | Token::Neq
        | Token::Lt
        | Token::Gt
        | Token::LtEq
        | Token::GtEq
        | Token::Plus
        | Token::Minus
        | Token::Mul
        | Token::Div
        | Token::Mod
        | Token::StringConcat
        | Token::LParen
        | Token::RParen
        | Token::Period
        | Token::SemiColon
        | Token::Ampersand
        | Token::Pipe
        | Token::Tilde
        | Token::ShiftLeft
        | Token::ShiftRight
        | Token::Arrow
        | Token::LongArrow => true,
        Token::Number(digits, is_long) => {
            !is_long
                && digits
                    .bytes()
                    .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        }
        Token::HexStringLiteral(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        Token::DoubleColon
        | Token::Colon
        | Token::LBracket
        | Token::RBracket
        | Token::Caret
        | Token::Sharp
        | Token::TildeAsterisk
        | Token::ExclamationMarkTilde
        | Token::ExclamationMarkTildeAsterisk
        | Token::HashArrow
        | Token::HashLongArrow
        | Token::HashMinus
        | Token::AtArrow
        | Token::ArrowAt
        | Token::AtAt
        | Token::AtQuestion
        | Token::Overlap => dialect == Dialect::Postgres,
        _ => false,
    };
    if is_known {
        return Ok(());
    }
    let shown: String = token.to_string().chars().take(20).collect();
    Err(refused(format_args!(
        "it has `{}`, which is not among the signs that statements may have here; bind values as parameters",
        shown.escape_debug()
    )))
}

/// Keeps an upper bound of how deep the tree of these tokens can be. A comma begins something new beside what came before;
/// a set operation does not.
fn bound_nesting(tokens: &[TokenWithSpan]) -> NodeResult<()> {
    let mut open = vec![0_usize];
    let (mut nested, mut sets) = (0, 0);
    for token in tokens {
        match &token.token {
            Token::LParen | Token::LBracket => open.push(0),
            Token::RParen | Token::RBracket => nested -= open.pop().unwrap_or_default(),
            Token::Comma => nested -= open.last_mut().map(std::mem::take).unwrap_or_default(),
            Token::SingleQuotedString(_)
            | Token::Number(..)
            | Token::HexStringLiteral(_)
            | Token::Placeholder(_)
            | Token::Period => {}
            Token::Word(word) => match word.keyword {
                Keyword::NoKeyword => {}
                Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT => sets += 1,
                _ => count(&mut open, &mut nested),
            },
            _ => count(&mut open, &mut nested),
        }
        if nested + sets + open.len() > MOST_NESTED {
            return Err(NodeError::with_code(
                code::LIMIT_EXCEEDED,
                "the statement nests too deep, or chains too many operators; use `IN` and parameters, or several statements",
            ));
        }
    }
    Ok(())
}

fn count(open: &mut [usize], nested: &mut usize) {
    if let Some(last) = open.last_mut() {
        *last += 1;
        *nested += 1;
    }
}
