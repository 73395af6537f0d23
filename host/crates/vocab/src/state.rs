//! The states a revision passes through.

use std::fmt;

/// Where a revision stands.
///
/// ```text
/// vetted -> warm -> (shadow | canary) -> live -> warm | draining -> retired -> warm ...
///    \________\_________\_________________\________\___________\______ quarantined
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RevisionState {
    /// Passed every check; not mapped.
    Vetted,
    /// Mapped and ready, receives no calls.
    Warm,
    /// Mapped; answers copies of calls, whose answers nobody sees.
    Shadow,
    /// Receives a part of the calls.
    Canary,
    /// Receives the calls.
    Live,
    /// Receives no new calls; waits for the last one to return.
    Draining,
    /// Unmapped; can be mapped again from the kept artifact.
    Retired,
    /// Taken out of service by an admin or by its own faults; never goes live without being released.
    Quarantined,
}

impl RevisionState {
    /// The lower-case name that listings and JSON use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vetted => "vetted",
            Self::Warm => "warm",
            Self::Shadow => "shadow",
            Self::Canary => "canary",
            Self::Live => "live",
            Self::Draining => "draining",
            Self::Retired => "retired",
            Self::Quarantined => "quarantined",
        }
    }
}

impl fmt::Display for RevisionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What keeps a drained version mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinReason {
    /// Calls that have not returned.
    Calls(u64),
    /// Instances or futures that have not been destroyed.
    Objects(u64),
    /// Threads the plugin started that are still running.
    Threads(u64),
    /// Destructors of thread-locals that run when their threads end.
    ThreadLocals(u64),
    /// The operating system still maps it after the close.
    StillMapped,
    /// The host runs without the interposers that make unmapping safe.
    KeepMapped,
}

impl fmt::Display for PinReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calls(n) => write!(f, "{n} running call(s)"),
            Self::Objects(n) => write!(f, "{n} live instance(s) or future(s)"),
            Self::Threads(n) => write!(f, "{n} thread(s) it started"),
            Self::ThreadLocals(n) => write!(f, "{n} thread-local destructor(s) pending"),
            Self::StillMapped => f.write_str("still mapped by the system"),
            Self::KeepMapped => f.write_str("kept mapped: this executable has no thread hooks"),
        }
    }
}
