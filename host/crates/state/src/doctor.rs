//! Looking at a data directory that no host has, and mending it.
//!
//! Invariant: looking changes nothing, and mending deletes nothing that may be the only copy of anything: what is damaged
//! or unknown is moved aside, what is deleted was never finished or is a copy. What a repair changes in the state is
//! in the audit.

mod artifacts;
mod condition;
mod examine;
mod held;
mod mend;
mod repair;
mod salvage;
mod scan;

use std::path::PathBuf;

use patchbay_vocab::{Code, Digest, PluginName, RevisionNumber};

use crate::record::Pin;

pub use examine::examine;
pub use repair::repair;

/// The files in a data directory that the doctor knows.
const STATE: &str = "state.db";
const JOURNAL: &str = "journal.db";
const ARTIFACTS: &str = "artifacts";
const MAPS: &str = "maps";
/// Where damaged artifacts go, and those that nobody remembers.
const DAMAGED: &str = "damaged";
const UNREMEMBERED: &str = "unremembered";

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It takes space.
    Note,
    /// Something will not be as it was.
    Warning,
    /// A host will not start, or not serve everything that is live.
    Error,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The stable code.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What was found.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// Whether [`repair`] mends it.
    pub repairable: bool,
    /// Where.
    pub path: Option<PathBuf>,
    pub(crate) defect: Defect,
}

/// What came of a repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The code of the finding.
    pub code: Code,
    /// What was done, or why it was not.
    pub message: String,
    /// Whether it was done.
    pub done: bool,
}

/// What a repair has to know.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Defect {
    HostRuns,
    NoDirectory,
    Unreadable,
    StateDamaged,
    StateForeign,
    JournalDamaged,
    JournalForeign,
    Swapped,
    AuditBroken,
    BadRow,
    ArtifactMissing(Digest),
    ArtifactDamaged(Digest),
    LiveUnfit(PluginName),
    Dangling(Dangling),
    Unremembered,
    Leftover,
    OrphanLog,
}

/// What refers to something that is not there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Dangling {
    Pin(Box<Pin>),
    Rollout(String),
    Good(PluginName, RevisionNumber),
    Index(Digest),
}

impl Defect {
    fn code(&self) -> Code {
        Code(match self {
            Self::HostRuns => "PB-DOCTOR-001",
            Self::NoDirectory => "PB-DOCTOR-002",
            Self::Unreadable => "PB-DOCTOR-003",
            Self::StateDamaged => "PB-DOCTOR-004",
            Self::StateForeign => "PB-DOCTOR-005",
            Self::JournalDamaged => "PB-DOCTOR-006",
            Self::JournalForeign => "PB-DOCTOR-007",
            Self::Swapped => "PB-DOCTOR-008",
            Self::AuditBroken => "PB-DOCTOR-009",
            Self::BadRow => "PB-DOCTOR-010",
            Self::ArtifactMissing(_) => "PB-DOCTOR-011",
            Self::ArtifactDamaged(_) => "PB-DOCTOR-012",
            Self::LiveUnfit(_) => "PB-DOCTOR-013",
            Self::Dangling(_) => "PB-DOCTOR-014",
            Self::Unremembered => "PB-DOCTOR-015",
            Self::Leftover => "PB-DOCTOR-016",
            Self::OrphanLog => "PB-DOCTOR-017",
        })
    }

    fn severity(&self) -> Severity {
        match self {
            Self::Unremembered | Self::Leftover => Severity::Note,
            Self::Dangling(_) | Self::OrphanLog => Severity::Warning,
            _ => Severity::Error,
        }
    }

    fn repairable(&self) -> bool {
        !matches!(
            self,
            Self::HostRuns | Self::NoDirectory | Self::Unreadable | Self::StateForeign | Self::JournalForeign
        )
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::HostRuns => "stop the host first: a data directory is looked at when nobody has it",
            Self::NoDirectory => "name the data directory of a host",
            Self::Unreadable => "check the rights and the disk",
            Self::StateDamaged => {
                "a repair moves it aside and begins a new one with every row that can still be read; a backup is better"
            }
            Self::StateForeign | Self::JournalForeign => {
                "start the version of the host that wrote it, or move the file away"
            }
            Self::JournalDamaged => {
                "a repair moves it aside, and a new one is begun; what can be read is saved from there with `sqlite3 FILE .recover`"
            }
            Self::Swapped => "a repair gives each file its name back",
            Self::AuditBroken => {
                "find out who wrote into the file; a repair moves it aside and begins a new audit that names the old head"
            }
            Self::BadRow => {
                "find out who wrote into the file; a repair moves it aside and leaves out what no host writes"
            }
            Self::ArtifactMissing(_) => {
                "put the file back from a backup, or into the plugin directory; a repair quarantines its revisions"
            }
            Self::ArtifactDamaged(_) => {
                "put the file back from a backup, or into the plugin directory; a repair moves it aside and quarantines its revisions"
            }
            Self::LiveUnfit(_) => "a repair makes live what was live before and can be loaded, or nothing",
            Self::Dangling(_) => "a repair drops the reference and says so in the audit",
            Self::Unremembered => "a repair moves it into `artifacts/unremembered`",
            Self::Leftover => "a repair removes it: it was never finished, or is a copy",
            Self::OrphanLog => {
                "put its database back beside it; a repair moves it aside, since a new database would destroy it"
            }
        }
    }

    fn found(self, message: impl Into<String>, path: impl Into<Option<PathBuf>>) -> Finding {
        Finding {
            code: self.code(),
            severity: self.severity(),
            message: message.into(),
            hint: self.hint().to_owned(),
            repairable: self.repairable(),
            path: path.into(),
            defect: self,
        }
    }
}

#[cfg(test)]
mod tests;
