//! Texts from elsewhere, made safe for a terminal.
//!
//! Invariant: what comes out of this module cannot move the cursor, change colours, reverse the reading direction or
//! hide characters.

/// Whether a terminal might act on `c` instead of showing it, or not show it at all.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// `text` on one line: white space becomes a blank, other control characters go.
#[must_use]
pub fn line(text: &str) -> String {
    text.chars()
        .filter_map(|c| {
            if matches!(c, '\n' | '\t') {
                Some(' ')
            } else {
                (!acts(c)).then_some(c)
            }
        })
        .collect()
}

/// `text` with its line breaks; other control characters go.
#[must_use]
pub fn lines(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' => Some('\n'),
            '\t' => Some(' '),
            c => (!acts(c)).then_some(c),
        })
        .collect()
}

/// `text` on one line of at most `most` characters, with a mark where it was cut.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let clean = line(text);
    if clean.chars().count() <= most {
        return clean;
    }
    let mut short: String = clean.chars().take(most.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// JSON text with the characters that a terminal might act on escaped; it means the same.
pub(crate) fn json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        // Such a character can only stand inside a string: JSON's own syntax is ASCII and line breaks.
        if c != '\n' && acts(c) {
            safe.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    safe
}

/// JSON text on several lines, its keys in the order in which they stand; what is no JSON comes out as something else.
pub(crate) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut rest = json.chars().peekable();
    let next_line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(c) = rest.next() {
        if quoted {
            out.push(c);
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            ' ' | '\n' | '\r' | '\t' => {}
            '{' | '[' => {
                while rest.next_if(char::is_ascii_whitespace).is_some() {}
                out.push(c);
                match rest.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        next_line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                next_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                next_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c => {
                quoted = c == '"';
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}[2Jb\r\u{9b}31mc\u{202e}d\u{7f}\u{200b}e\nf\tg";

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(line(HOSTILE), "a[2Jb31mcde f g");
        assert_eq!(lines(HOSTILE), "a[2Jb31mcde\nf g");
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        let text = "Größe → 東京 👍 “ok”";
        assert_eq!(line(text), text);
        assert_eq!(json(text), text);
    }

    #[test]
    fn json_is_escaped_without_changing_its_meaning() {
        let value = serde_json::json!({ "text": HOSTILE });
        let safe = json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(safe.chars().all(|c| c == '\n' || !acts(c)), "{safe:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }

    #[test]
    fn json_is_laid_out_without_touching_its_keys_and_texts() {
        let value = serde_json::json!({
            "a": [1, -2.5e3, true, null], "b": {}, "c": [], "d": {"e": "x: {\"y\", \\\\\" [1, 2]"}, "f": "\\\\"
        });
        let laid_out = serde_json::to_string_pretty(&value).unwrap();
        assert_eq!(pretty(&value.to_string()), laid_out);
        assert_eq!(pretty(&laid_out), laid_out, "it may be laid out already");
        assert_eq!(pretty("{\"b\":1,\"a\":[ ]}"), "{\n  \"b\": 1,\n  \"a\": []\n}");
        // A server may send anything.
        assert_eq!(pretty("]]}"), "\n]\n]\n}");
    }

    #[test]
    fn a_long_text_is_cut_with_a_mark() {
        assert_eq!(cut("one two three", 8), "one two…");
        assert_eq!(cut("one two", 8), "one two");
    }
}
