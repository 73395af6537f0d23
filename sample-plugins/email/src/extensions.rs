//! What a server says that it can do.

use crate::reply::Reply;

/// What a server can do beyond the least.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    pub(crate) start_tls: bool,
    pub(crate) pipelining: bool,
    pub(crate) utf8: bool,
    pub(crate) size: Option<u64>,
    pub(crate) mechanisms: Vec<String>,
}

impl Extensions {
    pub(crate) fn read(reply: &Reply) -> Self {
        let mut extensions = Self::default();
        for line in reply.lines.iter().skip(1) {
            let mut words = line.split_ascii_whitespace();
            let word = words.next().unwrap_or_default().to_ascii_uppercase();
            match word.as_str() {
                "STARTTLS" => extensions.start_tls = true,
                "PIPELINING" => extensions.pipelining = true,
                "SMTPUTF8" => extensions.utf8 = true,
                "SIZE" => {
                    let size = words.next().and_then(|size| size.parse().ok());
                    extensions.size = Some(size.unwrap_or(0));
                }
                "AUTH" => extensions.mechanisms.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        extensions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_read_however_they_are_written() {
        let reply = Reply {
            code: 250,
            lines: [
                "me",
                "size 100",
                "Auth PLAIN login",
                "starttls",
                "",
                " ",
                "8BITMIME",
            ]
            .map(str::to_owned)
            .to_vec(),
        };
        let extensions = Extensions::read(&reply);
        assert!(extensions.start_tls && !extensions.pipelining);
        assert_eq!(extensions.size, Some(100));
        assert_eq!(extensions.mechanisms, ["PLAIN", "login"]);
    }
}
