//! What can go wrong on this side of the connection, and what the host refuses on the other.

use std::path::PathBuf;

use patchbay_vocab::{Code, Explain};
use patchbay_wire::ProblemView;

use crate::exit::Exit;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("`{url}` is not an address of a host: {why}")]
    BadUrl { url: String, why: &'static str },
    #[error("the input is not JSON")]
    BadJson(#[source] serde_json::Error),
    #[error("cannot read the input from `{}`", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("the input is larger than {most} bytes")]
    TooLarge { most: u64 },
    #[error("no host answers at {url}")]
    NobodyListens {
        url: String,
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the host at {url} did not answer in time")]
    Slow {
        url: String,
        #[source]
        cause: ureq::Error,
    },
    #[error("the connection to {url} broke")]
    Broken {
        url: String,
        #[source]
        cause: std::io::Error,
    },
    /// An order was sent twice, and neither was answered.
    #[error("the connection to {url} broke, twice")]
    Lost {
        url: String,
        key: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("what answers at {url} is not a Patchbay host: {what}")]
    Stranger { url: String, what: String },
    #[error("no node is in the category `{category}`")]
    NoCategory { category: String, known: Vec<String> },
    /// The host's own words, passed on.
    #[error("{}", problem.message)]
    Refused { status: u16, problem: Box<ProblemView> },
}

impl CliError {
    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::BadUrl { .. }
            | Self::BadJson(_)
            | Self::Unreadable { .. }
            | Self::TooLarge { .. }
            | Self::NoCategory { .. } => Exit::Usage,
            Self::NobodyListens { .. }
            | Self::Slow { .. }
            | Self::Broken { .. }
            | Self::Lost { .. }
            | Self::Stranger { .. } => Exit::Unreachable,
            Self::Refused { status, .. } => Exit::of_status(*status),
        }
    }

    /// What is printed.
    pub(crate) fn problem(&self) -> ProblemView {
        match self {
            Self::Refused { problem, .. } => (**problem).clone(),
            other => other.explained().into(),
        }
    }
}

impl Explain for CliError {
    fn code(&self) -> Code {
        Code(match self {
            Self::BadUrl { .. } => "PB-CLI-002",
            Self::BadJson(_) => "PB-CLI-003",
            Self::Unreadable { .. } => "PB-CLI-004",
            Self::TooLarge { .. } => "PB-CLI-005",
            Self::NobodyListens { .. } => "PB-CLI-006",
            Self::Slow { .. } | Self::Broken { .. } | Self::Lost { .. } => "PB-CLI-007",
            Self::Stranger { .. } | Self::Refused { .. } => "PB-CLI-008",
            Self::NoCategory { .. } => "PB-CLI-013",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::BadUrl { .. } => "write it like http://127.0.0.1:7411".into(),
            Self::BadJson(_) => "pass one JSON value, @FILE for a file's content, or - for stdin".into(),
            Self::Unreadable { .. } => {
                "check the path (after the @ of an argument) and its permissions".into()
            }
            Self::TooLarge { .. } => "pass less: a host refuses larger requests too".into(),
            Self::NobodyListens { .. } => "start one with `patchbay up`, or name another with --url".into(),
            Self::Slow { .. } => {
                "look at the host's log; `patchbay call --timeout` sets how long a call may take".into()
            }
            Self::Broken { .. } => {
                "look at the host's log; whether the request was carried out is not known".into()
            }
            Self::Lost { key, .. } => format!(
                "whether it was carried out is not known; the same order with `--key '{key}'` is not done twice"
            ),
            Self::Stranger { .. } => "check --url or PATCHBAY_URL".into(),
            Self::NoCategory { known, .. } if known.is_empty() => "no plugin is live".into(),
            Self::NoCategory { known, .. } => format!("there are: {}", known.join(", ")),
            Self::Refused { problem, .. } => problem.hint.clone(),
        }
    }
}

/// Why a command did not do what it was asked: what to print, and how to end.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What is printed.
    pub problem: Box<ProblemView>,
    /// How the command ends.
    pub exit: Exit,
}

impl From<CliError> for Refused {
    fn from(error: CliError) -> Self {
        Self {
            problem: Box::new(error.problem()),
            exit: error.exit(),
        }
    }
}
