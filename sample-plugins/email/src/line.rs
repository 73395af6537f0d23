//! Texts that become a part of a line: of a header, of a command, of an error.

use std::fmt::Write as _;

/// Whether a text would begin a line of its own, or do something else to its reader.
pub(crate) fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

/// A text from outside, fit for an error: one line, no control characters, not long.
pub(crate) fn one_line(text: &str) -> String {
    let line: String = text
        .chars()
        .take(300)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    line.trim().to_owned()
}

/// A text with every line ended by CR LF, however they were ended.
pub(crate) fn with_crlf(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    let mut rest = text;
    while let Some(at) = rest.find(['\r', '\n']) {
        let (line, end) = rest.split_at(at);
        out.push_str(line);
        out.push_str("\r\n");
        rest = end
            .strip_prefix("\r\n")
            .or_else(|| end.get(1..))
            .unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// So many random bytes, in hexadecimal.
///
/// # Errors
/// When the system has none.
pub(crate) fn random_hex<const N: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    let mut text = String::with_capacity(2 * N);
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_of_a_line_becomes_the_same() {
        assert_eq!(with_crlf("a\nb\r\nc\rd\n\r\n\r"), "a\r\nb\r\nc\r\nd\r\n\r\n\r\n");
        assert_eq!(with_crlf(""), "");
        assert_eq!(with_crlf("é\né"), "é\r\né");
    }

    #[test]
    fn random_texts_differ() {
        let (one, other) = (random_hex::<16>().unwrap(), random_hex::<16>().unwrap());
        assert_eq!(one.len(), 32);
        assert_ne!(one, other);
    }
}
