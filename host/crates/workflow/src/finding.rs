//! What is wrong, or odd, with a document.

use std::fmt;

/// A stable code of a finding, such as `CYCLE`; documented in `host/docs/workflow-findings.md`, never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FindingCode(pub &'static str);

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The document cannot be run.
    Error,
    /// It runs, and the author should look.
    Warning,
}

/// One thing that is wrong, or odd, with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its stable code.
    pub code: FindingCode,
    /// How bad it is.
    pub level: Level,
    /// Where, such as `nodes[1].parameters.value` or `connections.a.main.0`.
    pub path: String,
    /// What is wrong; lower case, no full stop.
    pub message: String,
    /// What to do; lower case, no full stop.
    pub hint: String,
    /// The id of the node it is about, where there is one.
    pub node: Option<String>,
    /// Grows along the document; findings are sorted by it.
    pub place: u32,
}

/// All findings of a document, in the order of its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// Whether none of them is an error.
    #[must_use]
    pub fn is_fit(&self) -> bool {
        self.errors().next().is_none()
    }

    /// Those that keep the document from running.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| finding.level == Level::Error)
    }

    /// Those that do not.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(|finding| finding.level == Level::Warning)
    }

    /// Both, in the order of the document; what both say is kept once.
    #[must_use]
    pub fn merged(mut self, other: Self) -> Self {
        for finding in other.0 {
            if !self.0.contains(&finding) {
                self.0.push(finding);
            }
        }
        self.0.sort_by_key(|finding| finding.place);
        self
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Self {
        Self(findings.into_iter().collect())
    }
}
