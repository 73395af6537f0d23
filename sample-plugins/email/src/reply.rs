//! What a server answers. Invariant: a reply is one code and a few short lines, or it is none.

use crate::line::one_line;
use crate::wire::{Lost, Wire};

/// Lines of one reply.
const MAX_LINES: usize = 128;

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) lines: Vec<String>,
}

impl Reply {
    /// Reads a reply to its end.
    pub(crate) async fn read(wire: &mut Wire) -> Result<Self, Lost> {
        let mut reply = None::<Self>;
        loop {
            let line = wire.line().await?;
            let (code, last, text) =
                parsed(&line).ok_or(Lost::Garbage("what it says is no reply of SMTP"))?;
            let reply = reply.get_or_insert(Self {
                code,
                lines: Vec::new(),
            });
            if reply.code != code || reply.lines.len() >= MAX_LINES {
                return Err(Lost::Garbage("the lines of a reply do not belong together"));
            }
            reply.lines.push(text.to_owned());
            if last {
                return Ok(reply.clone());
            }
        }
    }

    /// Whether the server says that the same may go well later.
    pub(crate) const fn is_temporary(&self) -> bool {
        matches!(self.code, 400..=499)
    }

    /// The code and what it says, fit for an error.
    pub(crate) fn shown(&self) -> String {
        one_line(&format!("{} {}", self.code, self.lines.join(" ")))
    }
}

/// The code of a line, whether it is the last one, and what it says.
fn parsed(line: &str) -> Option<(u16, bool, &str)> {
    let code = line
        .get(..3)
        .filter(|code| code.bytes().all(|b| b.is_ascii_digit()))?;
    let code: u16 = code.parse().ok().filter(|code| (200..600).contains(code))?;
    match line.as_bytes().get(3) {
        None => Some((code, true, "")),
        Some(b' ') => Some((code, true, line.get(4..)?)),
        Some(b'-') => Some((code, false, line.get(4..)?)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_reply_has_a_code_and_an_end() {
        for (line, expected) in [
            ("250 OK", Some((250, true, "OK"))),
            ("250-a b", Some((250, false, "a b"))),
            ("354", Some((354, true, ""))),
            ("250 ", Some((250, true, ""))),
            ("199 x", None),
            ("600 x", None),
            ("25", None),
            ("2500", None),
            ("+OK", None),
            ("25é x", None),
            ("", None),
        ] {
            assert_eq!(parsed(line), expected, "{line}");
        }
    }
}
