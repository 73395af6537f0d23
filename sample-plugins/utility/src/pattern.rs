//! Invariant: looking for a pattern takes time linear in the text, whatever the pattern, and no call takes more than its
//! share of it.
//!
//! Of the engine there is what follows all ways at once, and nothing of what makes some searches faster: it is small, and
//! never slow without reason.

use plugin_api::error::code;
use plugin_api::prelude::*;
use regex_automata::nfa::thompson::pikevm::{Cache, PikeVM};
use regex_automata::nfa::thompson::{Config, NFA};

/// The longest regular expression, in bytes.
const MAX_PATTERN: usize = 10_000;

/// A regular expression may take this many bytes when compiled.
const MAX_COMPILED: usize = 4 << 20;

/// Steps of all searches of a call: at worst, each byte of a text is looked at in each state of the expression.
const MAX_STEPS: u64 = 250_000_000;

/// What is looked for in a text.
pub(crate) enum Pattern<'p> {
    Contains(&'p str),
    Equals(&'p str),
    StartsWith(&'p str),
    EndsWith(&'p str),
    Regex(Box<Search>),
}

impl<'p> Pattern<'p> {
    /// `None` for a mode that is none of these; `parameter` has the pattern.
    pub(crate) fn of(mode: &str, pattern: &'p str, parameter: &str) -> NodeResult<Option<Self>> {
        Ok(Some(match mode {
            "contains" => Self::Contains(pattern),
            "equals" => Self::Equals(pattern),
            "startsWith" | "starts_with" | "startswith" => Self::StartsWith(pattern),
            "endsWith" | "ends_with" | "endswith" => Self::EndsWith(pattern),
            "regex" => Self::Regex(Box::new(Search::of(pattern, parameter)?)),
            _ => return Ok(None),
        }))
    }

    /// Whether a text has it.
    pub(crate) fn fits(&mut self, text: &str) -> NodeResult<bool> {
        Ok(match self {
            Self::Contains(part) => text.contains(*part),
            Self::Equals(whole) => text == *whole,
            Self::StartsWith(part) => text.starts_with(*part),
            Self::EndsWith(part) => text.ends_with(*part),
            Self::Regex(search) => search.fits(text)?,
        })
    }
}

/// A regular expression that is looked for in one text after the other.
pub(crate) struct Search {
    machine: PikeVM,
    cache: Cache,
    /// Steps for one byte, at worst.
    cost: u64,
    /// Steps that this call may still take.
    left: u64,
    /// The parameter that has the expression.
    parameter: String,
}

impl Search {
    fn of(pattern: &str, parameter: &str) -> NodeResult<Self> {
        if pattern.len() > MAX_PATTERN {
            let why = format_args!("a regular expression has at most {MAX_PATTERN} bytes");
            return Err(NodeError::invalid(parameter, why));
        }
        let wrong = |why: &dyn std::fmt::Display| {
            NodeError::invalid(parameter, format_args!("is no regular expression: {why}"))
        };
        let parsed = regex_syntax::Parser::new()
            .parse(pattern)
            .map_err(|error| match error {
                regex_syntax::Error::Parse(error) => wrong(error.kind()),
                regex_syntax::Error::Translate(error) => wrong(error.kind()),
                error => wrong(&error),
            })?;
        let limit = format!(
            "takes more than {} MiB: ask for fewer repetitions",
            MAX_COMPILED >> 20
        );
        let machine = NFA::compiler()
            .configure(Config::new().nfa_size_limit(Some(MAX_COMPILED)))
            .build_from_hir(&parsed)
            .and_then(PikeVM::new_from_nfa)
            .map_err(|_| NodeError::invalid(parameter, limit))?;
        Ok(Self {
            cost: u64::try_from(machine.get_nfa().states().len()).unwrap_or(u64::MAX),
            left: MAX_STEPS,
            cache: machine.create_cache(),
            machine,
            parameter: parameter.to_owned(),
        })
    }

    fn fits(&mut self, text: &str) -> NodeResult<bool> {
        let steps = u64::try_from(text.len())
            .unwrap_or(u64::MAX)
            .saturating_mul(self.cost);
        let Some(left) = self.left.checked_sub(steps) else {
            let most = MAX_STEPS / self.cost.max(1);
            let why = format!("so large an expression can be looked for in {most} bytes of text at most");
            let message = format!("parameter `{}`: {why}", self.parameter);
            return Err(NodeError::with_code(code::LIMIT_EXCEEDED, message));
        };
        self.left = left;
        Ok(self.machine.is_match(&mut self.cache, text))
    }
}
