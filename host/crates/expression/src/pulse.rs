//! Invariant: whatever repeats in a script looks at the clock: loops, and bodies of functions.
//!
//! The engine asks whether to stop once in ten thousand jumps, and one jump can be a call of a built-in function that
//! takes milliseconds. So scripts get a look at the clock (`$$t()`, which is true) where code can come again.

use crate::lexer::{Kind, Token};

/// A text for the script that the source does not have, and where it goes.
pub(crate) type Insertion = (usize, &'static str);

/// Where looks at the clock go, in the order of the source.
pub(crate) fn pulses(source: &str, tokens: &[Token]) -> Vec<Insertion> {
    let mut found = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let text = text_of(source, token);
        let next = tokens.get(index + 1);
        let next_is = |wanted: &'static str| next.is_some_and(|next| next.kind == Kind::Punct(wanted));
        let after_next = next.map_or(token.end, |next| next.end);
        match (token.kind, text) {
            (Kind::Name, "while") if next_is("(") => found.push((after_next, "$$t(),")),
            (Kind::Name, "for") if next_is("(") => {
                found.extend(in_head(tokens.get(index + 1..).unwrap_or_default()));
            }
            (Kind::Punct("(" | "[" | "{"), _) => open.push(index),
            (Kind::Punct(")"), _) => {
                let keyword = open
                    .pop()
                    .and_then(|start| tokens.get(start.checked_sub(1)?))
                    .map_or("", |before| text_of(source, before));
                if next_is("{") && keyword != "switch" {
                    found.push((after_next, "$$t();"));
                }
            }
            (Kind::Punct("]" | "}"), _) => {
                open.pop();
            }
            (Kind::Punct("=>"), _) if next_is("{") => found.push((after_next, "$$t();")),
            (Kind::Punct("=>"), _) => {
                if let (Some(next), Some(end)) = (
                    next,
                    body_end(source, tokens.get(index + 1..).unwrap_or_default()),
                ) {
                    found.push((next.start, "($$t(),"));
                    found.push((end, ")"));
                }
            }
            _ => {}
        }
    }
    // Stable, so that what is closed at one place is closed in the order in which it was opened.
    found.sort_by_key(|(at, _)| *at);
    found
}

fn text_of<'s>(source: &'s str, token: &Token) -> &'s str {
    source.get(token.start..token.end).unwrap_or_default()
}

/// The place of the condition in the head of a `for` with semicolons.
fn in_head(tokens: &[Token]) -> Option<Insertion> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Punct("(" | "[" | "{") => depth += 1,
            Kind::Punct(")" | "]" | "}") => depth = depth.checked_sub(1).filter(|depth| *depth > 0)?,
            Kind::Punct(";") if depth == 1 => {
                let empty = tokens
                    .get(index + 1)
                    .is_some_and(|next| next.kind == Kind::Punct(";"));
                return Some((token.end, if empty { "$$t()" } else { "$$t()," }));
            }
            _ => {}
        }
    }
    None
}

/// Where the body of an arrow function ends that is an expression. Where a line break might end it, that is the
/// engine's to know, and it gets no pulse.
fn body_end(source: &str, tokens: &[Token]) -> Option<usize> {
    let (mut depth, mut choices) = (0_usize, 0_usize);
    let mut end = None;
    for token in tokens {
        let between = end
            .filter(|_| depth == 0)
            .map_or("", |end| source.get(end..token.start).unwrap_or_default());
        if between.contains(['\n', '\r', '\u{2028}', '\u{2029}']) {
            return None;
        }
        match token.kind {
            Kind::Punct("(" | "[" | "{") => depth += 1,
            Kind::Punct(")" | "]" | "}") if depth == 0 => return end,
            Kind::Punct(")" | "]" | "}") => depth -= 1,
            Kind::Punct("," | ";") if depth == 0 => return end,
            Kind::Punct("?") if depth == 0 => choices += 1,
            Kind::Punct(":") if depth == 0 => match choices.checked_sub(1) {
                Some(left) => choices = left,
                None => return end,
            },
            _ => {}
        }
        end = Some(token.end);
    }
    end
}
