//! What is stored of why a rollout went as it did.

use patchbay_vocab::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::input::Phase;
use crate::judge::Check;

/// A reason on record. Its size is bounded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Evidence {
    /// A window was judged.
    Check {
        /// When.
        at: UnixMillis,
        /// In which phase.
        phase: Phase,
        /// What came of it.
        check: Check,
    },
    /// The rollout went from one phase to another.
    Decision {
        /// When.
        at: UnixMillis,
        /// From where.
        from: Phase,
        /// Where to.
        to: Phase,
        /// Why.
        why: String,
        /// Who ordered it; nobody when the policy says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Answers were compared.
    #[serde(rename = "difference")]
    Differences {
        /// When.
        at: UnixMillis,
        /// In which phase.
        phase: Phase,
        /// How many.
        compared: u64,
        /// How many of them differ.
        differing: u64,
        /// How many may.
        allowed: u64,
    },
}

impl Evidence {
    /// The word for its kind: `check`, `decision`, `difference`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Check { .. } => "check",
            Self::Decision { .. } => "decision",
            Self::Differences { .. } => "difference",
        }
    }

    /// When it was.
    #[must_use]
    pub const fn at(&self) -> UnixMillis {
        match self {
            Self::Check { at, .. } | Self::Decision { at, .. } | Self::Differences { at, .. } => *at,
        }
    }
}
