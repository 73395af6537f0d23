//! Why a policy, an order, a path or a stored rollout is refused.

use patchbay_vocab::{Code, Explain};

/// A policy that cannot be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Its text has another shape.
    #[error("the policy cannot be read")]
    Unreadable {
        /// Where, and what was expected.
        #[source]
        source: serde_json::Error,
    },
    /// Its text is too long.
    #[error("the policy has {bytes} bytes, {limit} at most")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A number is out of bounds.
    #[error("`{field}` is {found}")]
    OutOfRange {
        /// The field, with where it stands: `canary.analysis.minCalls`.
        field: String,
        /// What it is.
        found: String,
        /// What it may be.
        allowed: String,
    },
    /// The steps are none.
    #[error("`{field}` cannot be steps: {reason}")]
    Steps {
        /// The field.
        field: String,
        /// What is wrong with them.
        reason: String,
    },
    /// There are not as many pauses as steps.
    #[error("`{field}` has {pauses} pause(s) for {steps} step(s) below 100 %")]
    Pauses {
        /// The field.
        field: String,
        /// How many pauses.
        pauses: usize,
        /// How many steps.
        steps: usize,
    },
    /// A word, as the command line passes it, is none of those there are.
    #[error("`{text}` is no {what}")]
    Piece {
        /// What it should be.
        what: &'static str,
        /// What it is, in part.
        text: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// A path that is to be ignored is none.
    #[error("a path to ignore cannot be read")]
    Path {
        /// What is wrong with it.
        #[source]
        source: PathError,
    },
    /// Two pieces do not go together.
    #[error("`{piece}` means nothing for the policy `{policy}`")]
    Foreign {
        /// The piece.
        piece: &'static str,
        /// The kind of the policy.
        policy: &'static str,
    },
}

impl PolicyError {
    pub(crate) fn piece(what: &'static str, text: &str, allowed: &'static str) -> Self {
        let text = text.chars().take(80).flat_map(char::escape_debug).collect();
        Self::Piece { what, text, allowed }
    }
}

impl Explain for PolicyError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Unreadable { .. } => "PB-ROLLOUT-001",
            Self::TooLong { .. } => "PB-ROLLOUT-002",
            Self::OutOfRange { .. } => "PB-ROLLOUT-003",
            Self::Steps { .. } => "PB-ROLLOUT-004",
            Self::Pauses { .. } => "PB-ROLLOUT-005",
            Self::Piece { .. } => "PB-ROLLOUT-006",
            Self::Foreign { .. } => "PB-ROLLOUT-007",
            Self::Path { source } => return source.code(),
        })
    }

    fn help(&self) -> String {
        match self {
            Self::Unreadable { .. } => {
                "correct it at the place named; host/docs/rollouts.md has every field".to_owned()
            }
            Self::TooLong { .. } => "leave out what is standard, or ignore fewer paths".to_owned(),
            Self::OutOfRange { allowed, .. } => format!("it may be {allowed}"),
            Self::Steps { .. } => {
                "give 1 to 20 percentages above 0, each larger than the one before, such as 5, 25, 50"
                    .to_owned()
            }
            Self::Pauses { .. } => {
                "give one pause for all steps, or a list with one for each step below 100 %".to_owned()
            }
            Self::Piece { allowed, .. } => format!("it may be {allowed}"),
            Self::Path { source } => source.help(),
            Self::Foreign { .. } => "leave it out, or choose a policy that has it".to_owned(),
        }
    }
}

/// An order that is refused; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// The rollout is over.
    #[error("cannot {order} a rollout that is {phase}")]
    Finished {
        /// What was ordered.
        order: &'static str,
        /// How it ended.
        phase: &'static str,
    },
    /// The rollout waits for something else.
    #[error("cannot resume a rollout that waits for an order to promote")]
    WaitsForPromotion,
    /// The candidate cannot be called yet.
    #[error("cannot promote a rollout whose candidate is not ready")]
    NotReady,
}

impl Explain for OrderError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Finished { .. } => "PB-ROLLOUT-010",
            Self::WaitsForPromotion => "PB-ROLLOUT-011",
            Self::NotReady => "PB-ROLLOUT-013",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::Finished { .. } => {
                "start another rollout, or go back with `patchbay rollback PLUGIN`".to_owned()
            }
            Self::WaitsForPromotion => {
                "`patchbay rollout promote PLUGIN` takes it to its next step, `abort` ends it".to_owned()
            }
            Self::NotReady => "order it again in a moment, or abort it".to_owned(),
        }
    }
}

/// A stored rollout that cannot be continued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// Its text is none that this program writes.
    #[error("the stored rollout cannot be read")]
    Unreadable {
        /// Where, and what was expected.
        #[source]
        source: serde_json::Error,
    },
}

impl Explain for RestoreError {
    fn code(&self) -> Code {
        Code("PB-ROLLOUT-012")
    }

    fn help(&self) -> String {
        "start a new rollout of the version; what is live has not changed".to_owned()
    }
}

/// A path that cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is no path: {reason} (at byte {at})")]
pub struct PathError {
    pub(crate) path: String,
    pub(crate) reason: &'static str,
    pub(crate) at: usize,
}

impl PathError {
    /// Where in the text.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }
}

impl Explain for PathError {
    fn code(&self) -> Code {
        Code("PB-ROLLOUT-020")
    }

    fn help(&self) -> String {
        "write it like `/meta/at` or `$.items[*].id`; `*` stands for any key or index".to_owned()
    }
}
