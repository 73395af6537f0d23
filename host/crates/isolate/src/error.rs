//! Why a trial load refused a file.

use std::time::Duration;

use patchbay_vocab::{Code, Explain, Explained};

use crate::fence::Offence;

/// Why a trial load refused a file, or could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The child could not be started.
    #[error("the trial load could not be started")]
    Spawn(#[source] std::io::Error),
    /// The child did not speak the protocol at all.
    #[error("the helper process ended without a word; it is not a Patchbay executable")]
    NotAHelper,
    /// The child was ended by a signal.
    #[error("the plugin crashed the trial load during {stage}: {signal}")]
    Crashed {
        /// What it was doing.
        stage: String,
        /// The signal's name.
        signal: String,
    },
    /// The child ended by itself.
    #[error("the plugin ended the trial load's process during {stage} (exit status {status})")]
    Exited {
        /// What it was doing.
        stage: String,
        /// The exit status.
        status: i32,
    },
    /// The child was too slow.
    #[error("the trial load did not end within {} ms; it hung during {stage}", deadline.as_millis())]
    TimedOut {
        /// What it was doing.
        stage: String,
        /// How long it had.
        deadline: Duration,
    },
    /// The child used more than it may.
    #[error("the plugin used up the trial load's {what} during {stage}")]
    Limit {
        /// What it was doing.
        stage: String,
        /// The resource.
        what: &'static str,
    },
    /// The plugin started a process.
    #[error("the plugin {how} during {stage}")]
    Process {
        /// What the trial was doing.
        stage: String,
        /// How it showed.
        how: &'static str,
    },
    /// The plugin reached for other processes.
    #[error("the plugin signalled other processes or tried to leave the trial during {stage}")]
    Others {
        /// What the trial was doing.
        stage: String,
    },
    /// The plugin changed what belongs to the whole process.
    #[error("the plugin changed {what} of the whole process")]
    Disturbed {
        /// What it changed.
        what: String,
    },
    /// The plugin closed descriptors that it had not opened.
    #[error("the plugin closed descriptors that it had not opened during {stage}")]
    Descriptors {
        /// What the trial was doing.
        stage: String,
    },
    /// The plugin used the network.
    #[error("the plugin used the network during {stage}")]
    Network {
        /// What the trial was doing.
        stage: String,
    },
    /// A verdict that the trial did not reach, or one that another was beside.
    #[error("the plugin spoke in the trial's name during {stage}")]
    Forged {
        /// What the trial was doing.
        stage: String,
    },
    /// The child said more than a verdict can be.
    #[error("the trial load said more than a verdict can be")]
    TooMuch,
    /// The child's verdict: unfit.
    #[error("{}", .0.message)]
    Unfit(Explained),
}

impl ProbeError {
    /// The child was ended by its fence.
    pub(crate) fn of(offence: Offence, stage: String) -> Self {
        match offence {
            Offence::Process => Self::Process {
                stage,
                how: "started a process",
            },
            Offence::Others => Self::Others { stage },
            Offence::Limits => Self::Disturbed {
                what: "the limits, rights, mounts or filters".to_owned(),
            },
            Offence::Files => Self::Limit {
                stage,
                what: "allowance of files, queues and shared memory (none)",
            },
            Offence::Memory => Self::Limit {
                stage,
                what: "memory",
            },
            Offence::Descriptors => Self::Descriptors { stage },
            Offence::Network => Self::Network { stage },
        }
    }
}

impl Explain for ProbeError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Spawn(_) => "PB-PROBE-001",
            Self::NotAHelper => "PB-PROBE-002",
            Self::Crashed { .. } => "PB-PROBE-003",
            Self::Exited { .. } => "PB-PROBE-004",
            Self::TimedOut { .. } => "PB-PROBE-005",
            Self::Limit { .. } => "PB-PROBE-006",
            Self::TooMuch => "PB-PROBE-007",
            Self::Unfit(_) => "PB-PROBE-008",
            Self::Process { .. } => "PB-PROBE-009",
            Self::Others { .. } => "PB-PROBE-010",
            Self::Disturbed { .. } => "PB-PROBE-011",
            Self::Descriptors { .. } => "PB-PROBE-012",
            Self::Forged { .. } => "PB-PROBE-013",
            Self::Network { .. } => "PB-PROBE-014",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::Spawn(_) => "check the limits on processes and the rights of the host's executable".into(),
            Self::NotAHelper => {
                "call patchbay::serve_if_asked() first in main, or set probe.helper to the patchbay executable".into()
            }
            Self::Crashed { .. } => {
                "run `patchbay check FILE.so` under a debugger; the version that serves is not touched".into()
            }
            Self::Exited { .. } => "a plugin must not end its process, least of all in a constructor".into(),
            Self::TimedOut { .. } => {
                "constructors and examples must be quick; move slow work into a node, or raise probe.deadline".into()
            }
            Self::Limit { .. } => "constructors and examples must be modest; they may not write files".into(),
            Self::Process { .. } => {
                "start no process in constructors, `start` or examples; start it in a node that declares its effect".into()
            }
            Self::Others { .. } => {
                "send no signals beyond the plugin's own threads, and leave sessions and process groups alone".into()
            }
            Self::Disturbed { .. } => {
                "leave it as it was: the plugin shares one process with the host and with all other plugins".into()
            }
            Self::Descriptors { .. } => {
                "close only what the plugin itself opened; no `closefrom`, no loop over all descriptors".into()
            }
            Self::Forged { .. } => {
                "do not load this file anywhere: find out who built it, and replace it by one that is known".into()
            }
            Self::Network { .. } => {
                "connect and listen in a node that declares its effect, not in constructors, `start` or examples".into()
            }
            Self::TooMuch => "the metadata is too large; shorten descriptions and schemas".into(),
            Self::Unfit(explained) => explained.hint.clone(),
        }
    }

    fn explained(&self) -> Explained {
        match self {
            // The child's own code says more than that there was a child.
            Self::Unfit(explained) => explained.clone(),
            other => Explained {
                code: other.code().0.into(),
                message: other.chain(),
                hint: other.help(),
            },
        }
    }
}
