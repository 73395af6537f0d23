//! Who may sign what, and how much has to be signed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::PublicKey;
use patchbay_vocab::{KeyId, PluginName, TeamName, Version};

/// Whether a file needs a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signatures {
    /// A file may come without one. One that it does come with must be right.
    #[default]
    Optional,
    /// Every file needs one, by a team's key, with claims.
    Required,
}

/// Whom this host believes. The standard one knows nobody and demands nothing.
#[derive(Clone, Debug, Default)]
pub struct TrustPolicy {
    /// Whether a file needs a signature.
    pub signatures: Signatures,
    /// Who signs; no two of them share a key.
    pub teams: Vec<Team>,
    /// Keys that are believed no more, whoever listed them.
    pub revoked: BTreeSet<KeyId>,
    /// Below these no version of a plugin is taken, signed or not.
    pub minimum_versions: BTreeMap<PluginName, Version>,
}

impl TrustPolicy {
    /// The team that has this key, and the key.
    pub(super) fn find(&self, id: KeyId) -> Option<(&Team, &TrustedKey)> {
        let keys = |team: &'_ Team| team.keys.iter().position(|key| key.id == id);
        self.teams
            .iter()
            .find_map(|team| keys(team).map(|at| (team, &team.keys[at])))
    }
}

/// Who signs.
#[derive(Clone, Debug)]
pub struct Team {
    /// Its name.
    pub name: TeamName,
    /// Its keys; several while one replaces another.
    pub keys: Vec<TrustedKey>,
    /// The plugins that its keys may sign; `None` for all.
    pub plugins: Option<Vec<NamePattern>>,
}

/// A public key, as `minisign` and `patchbay keygen` print it.
#[derive(Clone, PartialEq, Eq)]
pub struct TrustedKey {
    id: KeyId,
    pub(super) key: PublicKey,
}

impl TrustedKey {
    /// The id that its signatures carry.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }
}

impl fmt::Debug for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustedKey({})", self.id)
    }
}

/// A text that is no public key. The text itself is not repeated: it may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// The wrong half of a key pair.
    #[error(
        "this is a secret key, and it must not be here: make a new pair, since others may have read this one"
    )]
    Secret,
    /// Something else.
    #[error("this is no minisign public key: 56 characters that begin with `RW`")]
    Malformed,
}

const PUBLIC_BYTES: usize = 42;
const SECRET_BYTES: usize = 158;

impl FromStr for TrustedKey {
    type Err = BadKey;

    /// Reads one line of base64, or the two lines of a `.pub` file.
    fn from_str(text: &str) -> Result<Self, BadKey> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let line = lines
            .find(|line| !line.starts_with("untrusted comment:"))
            .ok_or(BadKey::Malformed)?;
        let bytes = STANDARD.decode(line).map_err(|_| BadKey::Malformed)?;
        if bytes.len() == SECRET_BYTES {
            return Err(BadKey::Secret);
        }
        let id = bytes.get(2..10).and_then(|id| id.first_chunk());
        let (Some(id), PUBLIC_BYTES, None) = (id, bytes.len(), lines.next()) else {
            return Err(BadKey::Malformed);
        };
        Ok(Self {
            id: KeyId::from_bytes(*id),
            key: PublicKey::from_base64(line).map_err(|_| BadKey::Malformed)?,
        })
    }
}

/// Names of plugins: a name in which `*` stands for any text, also for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(String);

/// A text that can match no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no pattern of plugin names: 1 to 64 of a-z, 0-9, '-', '_' and '*'")]
pub struct BadPattern(String);

impl FromStr for NamePattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let fits = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'*')
        };
        if text.is_empty() || text.len() > 64 || !text.bytes().all(fits) {
            let shown = text.chars().take(80).flat_map(char::escape_debug).collect();
            return Err(BadPattern(shown));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl NamePattern {
    /// Whether it stands for this name.
    #[must_use]
    pub fn matches(&self, name: &PluginName) -> bool {
        let Some((head, rest)) = self.0.split_once('*') else {
            return self.0 == name.as_str();
        };
        let Some(mut left) = name.as_str().strip_prefix(head) else {
            return false;
        };
        let mut parts: Vec<&str> = rest.split('*').collect();
        let tail = parts.pop().unwrap_or_default();
        // The first place of a part leaves the most for those behind it, so nothing has to be tried twice.
        for part in parts {
            let Some((_, behind)) = left.split_once(part) else {
                return false;
            };
            left = behind;
        }
        left.ends_with(tail)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PUBLIC: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    #[test]
    fn a_public_key_is_one_line_or_the_file_that_minisign_writes() {
        let key: TrustedKey = PUBLIC.parse().unwrap();
        assert_eq!(key.id().to_string(), "E7620F1842B4E81F");
        let file = format!("untrusted comment: minisign public key E7620F1842B4E81F\n{PUBLIC}\n");
        assert_eq!(file.parse(), Ok(key));
    }

    #[test]
    fn what_is_no_public_key_is_refused_and_a_secret_one_by_name() {
        let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
        let secret = pair.sk.to_box(None).unwrap().to_string();
        for text in [secret.as_str(), secret.lines().nth(1).unwrap()] {
            let error = text.parse::<TrustedKey>().unwrap_err();
            assert_eq!(error, BadKey::Secret);
            assert!(!error.to_string().contains(text));
        }
        let two = format!("{PUBLIC}\n{PUBLIC}");
        let other_algorithm = PUBLIC.replacen("RW", "AA", 1);
        for text in [
            "",
            "untrusted comment: x",
            &PUBLIC[1..],
            &PUBLIC[..55],
            "RWQ!",
            &two,
            &other_algorithm,
        ] {
            assert_eq!(text.parse::<TrustedKey>(), Err(BadKey::Malformed), "{text}");
        }
    }

    #[test]
    fn a_star_stands_for_any_text_and_everything_else_for_itself() {
        let matches = |pattern: &str, name: &str| {
            pattern
                .parse::<NamePattern>()
                .unwrap()
                .matches(&name.parse().unwrap())
        };
        for (pattern, name) in [
            ("ledger", "ledger"),
            ("*", "ledger"),
            ("pay-*", "pay-in"),
            ("pay-*", "pay-"),
            ("*-in", "pay-in"),
            ("p*y*n", "pay-in"),
            ("**pay**", "pay"),
            ("a*ab", "aab"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("ledger", "ledger2"),
            ("pay-*", "pay"),
            ("pay-*", "xpay-in"),
            ("*-in", "pay-in-x"),
            ("aa*a", "aa"),
            ("a*b*c", "acb"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        for text in ["", "Pay-*", "pay.*", "pay ?", &"a".repeat(65)] {
            assert!(text.parse::<NamePattern>().is_err(), "{text}");
        }
    }

    /// What the pattern means, said in the plainest way.
    fn plainly(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|at| plainly(rest, &name[at..])),
            Some((byte, rest)) => name
                .split_first()
                .is_some_and(|(first, left)| first == byte && plainly(rest, left)),
        }
    }

    proptest! {
        #[test]
        fn a_pattern_matches_what_its_meaning_says(pattern in "[ab*]{1,7}", name in "[ab]{1,7}") {
            let found = pattern.parse::<NamePattern>().unwrap().matches(&name.parse().unwrap());
            prop_assert_eq!(found, plainly(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
