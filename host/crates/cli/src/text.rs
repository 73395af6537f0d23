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
    fn a_long_text_is_cut_with_a_mark() {
        assert_eq!(cut("one two three", 8), "one two…");
        assert_eq!(cut("one two", 8), "one two");
    }
}
