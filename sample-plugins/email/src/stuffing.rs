//! A message as lines that no server takes for its end.

/// A message with a dot before each line that begins with one, every line ended by CR LF, the last one too.
pub(crate) fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 64 + 2);
    let mut rest = message;
    while !rest.is_empty() {
        if rest.first() == Some(&b'.') {
            out.push(b'.');
        }
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
        rest = after
            .strip_prefix(b"\r\n")
            .or_else(|| after.get(1..))
            .unwrap_or_default();
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_dot_alone_does_not_end_a_message() {
        assert_eq!(stuffed(b"a\r\n.\r\nb"), b"a\r\n..\r\nb\r\n");
        assert_eq!(stuffed(b".\n.."), b"..\r\n...\r\n");
        assert_eq!(stuffed(b"a\n.\r.\r\n"), b"a\r\n..\r\n..\r\n");
        assert_eq!(stuffed(b""), b"");
    }

    proptest! {
        #[test]
        fn no_message_ends_early_and_every_line_comes_back(lines in proptest::collection::vec("[.a\u{e9}]{0,4}", 0..8)) {
            let message: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let stuffed = String::from_utf8(stuffed(message.as_bytes())).unwrap();
            prop_assert!(stuffed.split("\r\n").all(|line| line != "."));
            let back: String = stuffed
                .split_terminator("\r\n")
                .map(|line| format!("{}\r\n", line.strip_prefix('.').unwrap_or(line)))
                .collect();
            prop_assert_eq!(back, message);
        }

        #[test]
        fn no_end_of_a_line_is_left_bare(message in proptest::collection::vec(proptest::sample::select(b".\r\na".to_vec()), 0..20)) {
            let stuffed = stuffed(&message);
            let text = String::from_utf8(stuffed).unwrap().replace("\r\n", "");
            prop_assert!(!text.contains(['\r', '\n']), "{text:?}");
        }
    }
}
