//! What is asked of the registry, by whom, and what came of it.

use std::any::Any;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use patchbay_vocab::{Digest, NodeType, PluginName, RevisionNumber, UnixMillis, Version, VersionReq};

/// What an artifact says it is, once every check has passed.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The plugin it is a version of.
    pub plugin: PluginName,
    /// Its version.
    pub version: Version,
    /// The hash of its bytes.
    pub digest: Digest,
    /// The node types it offers, in the order of its own table.
    pub nodes: Vec<NodeType>,
    /// What it needs of other plugins.
    pub dependencies: Vec<Dependency>,
}

/// A plugin that must be live, in a range of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The plugin that is needed.
    pub plugin: PluginName,
    /// The versions that will do.
    pub range: VersionReq,
}

/// Who asked for a change, and why.
#[derive(Clone, Debug)]
pub struct Change {
    /// Who.
    pub actor: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// What the history shall call a promotion when it is more than that, [`Action::RolledBack`] above all.
    pub action: Option<Action>,
    /// A name under which the same order may come again without being done twice.
    pub key: Option<Arc<str>>,
    /// What whoever asked for it wants to have remembered together with it, or not at all.
    pub along: Option<Along>,
}

/// Something that only the witness, and who made it, can read.
#[derive(Clone)]
pub struct Along(pub Arc<dyn Any + Send + Sync>);

impl fmt::Debug for Along {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Along")
    }
}

impl Change {
    /// A change that the history calls by the name of the operation.
    #[must_use]
    pub fn by(actor: &str, reason: &str) -> Self {
        Self {
            actor: actor.into(),
            reason: reason.into(),
            action: None,
            key: None,
            along: None,
        }
    }

    /// A promotion that the history calls a rollback.
    #[must_use]
    pub fn rollback(actor: &str, reason: &str) -> Self {
        Self {
            action: Some(Action::RolledBack),
            ..Self::by(actor, reason)
        }
    }
}

/// Whether to override what may be overridden; each refusal says whether it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// Refusals stand.
    No,
    /// Quarantine is lifted, dependents may break.
    Yes,
}

/// What another content under a version that is already known means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameVersion {
    /// It is refused: a version is published once.
    Refuse,
    /// It is the next revision of that version: development mode.
    Replace,
}

/// What happened to a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// It was given its number.
    Admitted,
    /// It went live.
    Promoted,
    /// It went live again, being older than what it replaced.
    RolledBack,
    /// It went live because the live one was quarantined.
    FellBack,
    /// It was taken out of service.
    Quarantined,
    /// Its quarantine was lifted.
    Released,
    /// It was live and is not any more, and nothing replaced it.
    Removed,
    /// It was unloaded.
    Retired,
    /// Somebody is held at it.
    Pinned,
    /// Somebody is held at it no more.
    Unpinned,
    /// It receives a share of the calls, or another one than before.
    Weighted,
    /// It receives no share of the calls any more.
    Unweighted,
    /// Its record and its artifact are not kept any more.
    Forgotten,
}

impl Action {
    /// The lower-case name that listings and JSON use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Promoted => "promoted",
            Self::RolledBack => "rolled-back",
            Self::FellBack => "fell-back",
            Self::Quarantined => "quarantined",
            Self::Released => "released",
            Self::Removed => "removed",
            Self::Retired => "retired",
            Self::Pinned => "pinned",
            Self::Unpinned => "unpinned",
            Self::Weighted => "weighted",
            Self::Unweighted => "unweighted",
            Self::Forgotten => "forgotten",
        }
    }
}

impl Action {
    const ALL: [Self; 13] = [
        Self::Admitted,
        Self::Promoted,
        Self::RolledBack,
        Self::FellBack,
        Self::Quarantined,
        Self::Released,
        Self::Removed,
        Self::Retired,
        Self::Pinned,
        Self::Unpinned,
        Self::Weighted,
        Self::Unweighted,
        Self::Forgotten,
    ];

    /// The action of that name, if it is one.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == word)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One line of a plugin's history.
#[derive(Clone, Debug)]
pub struct HistoryEntry {
    /// When.
    pub at: UnixMillis,
    /// The snapshot generation once it was done.
    pub generation: u64,
    /// What.
    pub action: Action,
    /// To which revision.
    pub revision: RevisionNumber,
    /// Its version.
    pub version: Version,
    /// The revision that was live before, where one was replaced.
    pub from: Option<RevisionNumber>,
    /// Who.
    pub actor: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
}

/// The number of an admitted revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It was given just now.
    New(RevisionNumber),
    /// The same content had been admitted before, under this number.
    Known(RevisionNumber),
}

impl Admission {
    /// The number, new or known.
    #[must_use]
    pub const fn number(self) -> RevisionNumber {
        match self {
            Self::New(number) | Self::Known(number) => number,
        }
    }
}

/// A change of what is live; `from == Some(to)` when it was live already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// The plugin.
    pub plugin: PluginName,
    /// What was live before.
    pub from: Option<RevisionNumber>,
    /// What is live now.
    pub to: RevisionNumber,
    /// The generation of the snapshot that has it.
    pub generation: u64,
}

/// What a quarantine led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Whether the revision was live; without a fallback, its plugin has no live revision now.
    pub was_live: bool,
    /// The revision that took over.
    pub fallback: Option<Swap>,
    /// The generation of the snapshot now.
    pub generation: u64,
}

/// What a pin, or its end, has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinning {
    /// Where it held before.
    pub before: Option<RevisionNumber>,
    /// Where it holds now.
    pub now: Option<RevisionNumber>,
    /// The generation of the snapshot now.
    pub generation: u64,
}

/// A plugin whose node types do not resolve any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The plugin.
    pub plugin: PluginName,
    /// What was live before; warm now.
    pub from: RevisionNumber,
    /// The generation of the snapshot without it.
    pub generation: u64,
}

/// How a person names a revision: `3` or `r3` by number, `1.2.0` by version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// By number.
    Revision(RevisionNumber),
    /// By version; the latest revision of it where there are several.
    Version(Version),
}

/// A text that names no revision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is neither a revision number like 3 or r3 nor a version like 1.2.0")]
pub struct BadSelector {
    text: String,
}

impl FromStr for Selector {
    type Err = BadSelector;

    fn from_str(text: &str) -> Result<Self, BadSelector> {
        let digits = text.strip_prefix('r').unwrap_or(text);
        let number = Some(digits).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        if let Some(Ok(number)) = number.map(str::parse) {
            return Ok(Self::Revision(RevisionNumber(number)));
        }
        match Version::parse(text) {
            Ok(version) => Ok(Self::Version(version)),
            // Hostile input is quoted in part.
            Err(_) => Err(BadSelector {
                text: text.chars().take(80).flat_map(char::escape_debug).collect(),
            }),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revision(number) => write!(f, "revision {number}"),
            Self::Version(version) => write!(f, "version {version}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_a_number_or_a_version_and_nothing_else() {
        for text in ["3", "r3"] {
            assert_eq!(text.parse(), Ok(Selector::Revision(RevisionNumber(3))));
        }
        assert_eq!(
            "1.2.0-rc.1".parse(),
            Ok(Selector::Version("1.2.0-rc.1".parse().unwrap()))
        );
        let long = "9".repeat(5000);
        for text in [
            "",
            "r",
            "r-1",
            "+3",
            "1.2",
            "v1.2.0",
            "latest",
            "99999999999999999999",
            &long,
        ] {
            let error = text.parse::<Selector>().unwrap_err().to_string();
            assert!(error.len() < 300, "{error}");
        }
    }
}
