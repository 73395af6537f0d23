//! Invariant: a literal is read as JavaScript reads it, or left to the engine.

use crate::ast::Expr;
use crate::lexer::{Kind, Token};
use crate::number::{as_integer, read_prefixed};

/// The value of a number or a text.
pub(crate) fn read_literal(token: Token, text: &str) -> Option<Expr> {
    if token.kind == Kind::Text {
        return read_text(text).map(|text| Expr::Text(text.into()));
    }
    let number = read_numeral(text)?;
    Some(as_integer(number).map_or(Expr::Float(number), Expr::Int))
}

fn read_numeral(text: &str) -> Option<f64> {
    if let Some(number) = read_prefixed(text) {
        return (!number.is_nan()).then_some(number);
    }
    // `010` and `1n` are the engine's.
    let bytes = text.as_bytes();
    let odd = matches!(bytes, [b'0', b'0'..=b'9', ..])
        || !bytes
            .iter()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if odd { None } else { text.parse().ok() }
}

/// The text between quotes, its escapes read.
pub(crate) fn read_text(quoted: &str) -> Option<String> {
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    if !inner.contains('\\') {
        return Some(inner.to_owned());
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next()? {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'v' => out.push('\u{b}'),
            'x' => out.push(read_hex(&mut chars, 2)?),
            'u' => out.push(read_unicode(&mut chars)?),
            '0'..='9' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => return None,
            other => out.push(other),
        }
    }
    Some(out)
}

fn read_hex(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    char::from_u32(read_unit(chars, digits)?)
}

fn read_unit(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<u32> {
    (0..digits).try_fold(0, |sum, _| Some(sum * 16 + chars.next()?.to_digit(16)?))
}

fn read_unicode(chars: &mut std::str::Chars<'_>) -> Option<char> {
    if let Some(rest) = chars.as_str().strip_prefix('{') {
        let (digits, after) = rest.split_once('}')?;
        *chars = after.chars();
        let plain = !digits.is_empty() && digits.len() <= 6 && !digits.starts_with('+');
        return plain
            .then(|| u32::from_str_radix(digits, 16).ok())
            .flatten()
            .and_then(char::from_u32);
    }
    let high = read_unit(chars, 4)?;
    if !(0xd800..0xdc00).contains(&high) {
        return char::from_u32(high);
    }
    // Half a pair is no character; the engine reads it.
    let rest = chars.as_str().strip_prefix("\\u")?;
    *chars = rest.chars();
    let low = read_unit(chars, 4)?;
    let pair = [u16::try_from(high).ok()?, u16::try_from(low).ok()?];
    char::decode_utf16(pair).next()?.ok()
}
