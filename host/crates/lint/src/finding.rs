//! What a lint says.

use patchbay_vocab::Code;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something that callers will be misled by.
    Error,
    /// Something that callers will miss.
    Warning,
    /// Something worth a thought.
    Note,
}

impl Level {
    /// `error`, `warning` or `note`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// The stable code.
    pub code: Code,
    /// Where: a node and a field of it, or a part of the file.
    pub place: String,
    /// What is so.
    pub message: String,
    /// What to do.
    pub fix: String,
}

impl Finding {
    /// A finding.
    #[must_use]
    pub fn new(
        level: Level,
        code: Code,
        place: impl Into<String>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            level,
            code,
            place: place.into(),
            message: message.into(),
            fix: fix.into(),
        }
    }
}
