//! Errors that say what happened, why, and what to do.

use std::error::Error;
use std::fmt;

/// A stable error code such as `PB-INSPECT-003`; documented in `host/docs/errors.md`, never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What every error of Patchbay answers: `Display` says what happened, `source` why, `help` what to do.
pub trait Explain: Error {
    /// The stable code.
    fn code(&self) -> Code;
    /// What the reader can do about it; one sentence, no full stop.
    fn help(&self) -> String;

    /// What happened followed by every cause, joined by `: `.
    fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    /// The owned form, for places that outlive the error (listings, other processes, the wire).
    fn explained(&self) -> Explained {
        Explained {
            code: self.code().0.into(),
            message: self.chain(),
            hint: self.help(),
        }
    }
}

/// An error reduced to its three texts.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Explained {
    /// The stable code.
    pub code: String,
    /// What happened and why.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
