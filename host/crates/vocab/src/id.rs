//! Ids: validated once, when made.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A text that is not a valid id, with the rule it broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind}: {rule}")]
pub struct BadId {
    text: String,
    kind: &'static str,
    rule: &'static str,
}

impl BadId {
    fn new(text: &str, kind: &'static str, rule: &'static str) -> Self {
        // Hostile input is quoted in part: an id may be megabytes long.
        let text = text.chars().take(80).flat_map(char::escape_debug).collect();
        Self { text, kind, rule }
    }

    /// The rule that was broken.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        self.rule
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text of this id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.into())) } else { Err(BadId::new(text, $kind, $rule)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

fn starts_with_letter(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
}

text_id!(
    /// The name of a plugin, as its note carries it: `string`, `http-client`.
    PluginName,
    "plugin name",
    "1 to 63 of a-z, 0-9, '-' and '_', starting with a letter",
    // The note has 64 bytes for it, the last of which is zero.
    |t| t.len() <= 63
        && t.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
);

text_id!(
    /// What a workflow calls: `string.upper`, `http-request`.
    NodeType,
    "node type",
    "1 to 128 of a-z, A-Z, 0-9, '.', '-' and '_', starting with a letter, with no empty part between dots",
    |t| t.len() <= 128
        && starts_with_letter(t)
        && t.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        && t.split('.').all(|part| !part.is_empty())
);

text_id!(
    /// Whose data a call may see.
    TenantId,
    "tenant id",
    "1 to 128 of a-z, A-Z, 0-9, '.', '-', '_' and '@', starting with a letter or digit",
    |t| t.len() <= 128
        && t.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && t.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'@'))
);

text_id!(
    /// One execution of a workflow, or of one call outside any workflow.
    RunId,
    "run id",
    "1 to 128 of a-z, A-Z, 0-9, '-' and '_'",
    |t| !t.is_empty()
        && t.len() <= 128
        && t.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
);

text_id!(
    /// A node of a workflow: what its document calls it.
    NodeId,
    "node id",
    "1 to 256 bytes of text without control characters",
    |t| !t.trim().is_empty() && t.len() <= 256 && !t.chars().any(char::is_control)
);

text_id!(
    /// A workflow: what its document calls it.
    WorkflowId,
    "workflow id",
    "1 to 256 bytes of text without control characters",
    |t| !t.trim().is_empty() && t.len() <= 256 && !t.chars().any(char::is_control)
);

text_id!(
    /// Whose keys sign plugins.
    TeamName,
    "team name",
    "1 to 64 of a-z, A-Z, 0-9, '-' and '_', starting with a letter",
    |t| t.len() <= 64
        && starts_with_letter(t)
        && t.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
);

/// The number that a signing key carries and its signatures repeat. It tells keys apart for people; it proves nothing,
/// since whoever makes a key chooses it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(u64);

impl KeyId {
    /// Takes over the eight bytes as keys and signatures have them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for KeyId {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let digits = Some(text).filter(|t| t.len() == 16 && t.bytes().all(|b| b.is_ascii_hexdigit()));
        digits
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .map(Self)
            .ok_or_else(|| BadId::new(text, "key id", "16 hexadecimal digits"))
    }
}

impl serde::Serialize for KeyId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for KeyId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The number of a revision of one plugin: starts at 1, only ever grows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct RevisionNumber(pub u64);

impl fmt::Display for RevisionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for RevisionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}

/// The BLAKE3 hash of an artifact's bytes; two artifacts are the same exactly when their digests are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Takes over the 32 bytes of a finished hash.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Hashes `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The raw hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 12 hex digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Digest {
    type Err = BadId;
    fn from_str(text: &str) -> Result<Self, BadId> {
        let hash =
            blake3::Hash::from_hex(text).map_err(|_| BadId::new(text, "digest", "64 hexadecimal digits"))?;
        Ok(Self(*hash.as_bytes()))
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: FromStr<Err = BadId>>(good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(text.parse::<T>().is_ok(), "{text:?} is refused");
        }
        for text in bad {
            assert!(text.parse::<T>().is_err(), "{text:?} is accepted");
        }
    }

    #[test]
    fn ids_accept_their_alphabet_and_nothing_else() {
        let long = "a".repeat(129);
        check::<PluginName>(
            &["string", "http-client2", &long[..63]],
            &["", "String", "2x", "a/b", "../x", &long[..64]],
        );
        check::<NodeType>(
            &["string.startsWith", "http-request"],
            &["", ".a", "a.", "a..b", "a b", "é", &long],
        );
        check::<TenantId>(&["acme", "a@b.example"], &["", "a\0b", "-a", "a/b"]);
        check::<RunId>(&["01J-x_y"], &["", "a.b", "a\n"]);
        check::<NodeId>(
            &["Map Ticks", "größe/2"],
            &["", " ", "a\0b", "a\n", &"x".repeat(257)],
        );
        check::<WorkflowId>(&["wf-001", "85ec6e08-4376"], &["", " ", "a\u{1b}"]);
        let digest = Digest::of(b"x").to_string();
        check::<Digest>(&[&digest], &["", "00", &digest[1..]]);
        check::<TeamName>(&["payments", "Core-2"], &["", "2x", "a b", "a.b", &long]);
        check::<KeyId>(
            &["E7620F1842B4E81F", "e7620f1842b4e81f"],
            &["", "E7620F1842B4E81", "+7620F1842B4E81F", "0xE7620F1842B4E8"],
        );
    }

    #[test]
    fn a_key_id_is_written_as_the_minisign_tool_writes_it() {
        let id = KeyId::from_bytes([0x1f, 0xe8, 0xb4, 0x42, 0x18, 0x0f, 0x62, 0xe7]);
        assert_eq!(id.to_string(), "E7620F1842B4E81F");
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn a_refused_id_is_quoted_in_part_and_escaped() {
        let error = "\u{1b}[2J"
            .repeat(1000)
            .parse::<PluginName>()
            .unwrap_err()
            .to_string();
        assert!(error.len() < 1000 && !error.contains('\u{1b}'), "{error}");
    }
}
