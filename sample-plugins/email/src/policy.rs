//! What the administrator allows. Invariant: a list that is set lets through what it names and nothing else, an empty one
//! nothing.

use lettre::message::Mailbox;
use plugin_api::error::code;
use plugin_api::prelude::*;

/// Addresses and patterns of them: `*` stands for anything.
#[derive(Clone, Debug)]
pub(crate) struct Allowed {
    setting: &'static str,
    patterns: Option<Vec<String>>,
}

impl Allowed {
    /// Reads a setting, which has commas or white space between its patterns.
    pub(crate) fn read(setting: &'static str, ctx: &Ctx<'_>) -> NodeResult<Self> {
        let patterns = ctx.setting(setting)?.map(|text| {
            let patterns = text.split(|c: char| c == ',' || c.is_whitespace());
            patterns
                .filter(|pattern| !pattern.is_empty())
                .map(str::to_ascii_lowercase)
                .collect()
        });
        Ok(Self { setting, patterns })
    }

    /// Says no to the first that is not allowed.
    pub(crate) fn check<'m>(
        &self,
        mailboxes: impl IntoIterator<Item = &'m Mailbox>,
        parameter: &str,
    ) -> NodeResult<()> {
        let Some(patterns) = &self.patterns else {
            return Ok(());
        };
        for mailbox in mailboxes {
            let address = mailbox.email.to_string().to_ascii_lowercase();
            if !patterns.iter().any(|pattern| fits(pattern, &address)) {
                let setting = self.setting;
                let why =
                    format!("parameter `{parameter}`: the setting `{setting}` does not allow `{address}`");
                return Err(NodeError::with_code(code::NOT_ALLOWED, why));
            }
        }
        Ok(())
    }
}

/// Whether a text is what a pattern says; `*` is any number of characters.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        // The part before this one is not the last, so its first place will do.
        if let Some(part) = last.replace(part) {
            match rest.find(part) {
                Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
                None => return false,
            }
        }
    }
    last.map_or_else(|| rest.is_empty(), |last| rest.ends_with(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_and_nothing_else_does() {
        for (pattern, text, expected) in [
            ("*", "a@b.c", true),
            ("*@b.c", "a@b.c", true),
            ("*@b.c", "a@x.b.c", false),
            ("*@*.b.c", "a@x.b.c", true),
            ("a@b.c", "a@b.c", true),
            ("a@b.c", "aa@b.c", false),
            ("a@b.c", "a@b.cc", false),
            ("a*c", "ac", true),
            ("a*a", "a", false),
            ("a*b*c", "a-c-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("**", "", true),
            ("?@b.c", "a@b.c", false),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
