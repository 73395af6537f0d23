//! Patterns that are ready to be looked for.
//!
//! Invariant: a compiled pattern knows what it costs at worst, and is not used on a text for which that is too much.

use plugin_api::error::code;
use plugin_api::prelude::*;
use regex::{Regex, RegexBuilder};
use regex_automata::nfa::thompson::{Config, NFA};

use crate::dialect::{Flags, translated};

/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 10_000;

/// What a pattern may take when compiled, in bytes.
const MAX_COMPILED: usize = 10 << 20;

/// What a search may keep of its states, in bytes.
const MAX_SEARCH: usize = 1 << 20;

/// Steps of a search: at worst, each byte of a text is looked at in each state of the pattern. So many take up to two
/// seconds.
const MAX_STEPS: u64 = 250_000_000;

/// So many groups cost as much as what is done without any.
const GROUPS_PER_STEP: u64 = 50;

/// A pattern.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) regex: Regex,
    /// The names of the groups; the first one is the whole match.
    pub(crate) names: Vec<Option<String>>,
    /// Steps for one byte of a text, at worst.
    cost: u64,
}

impl Compiled {
    pub(crate) fn of(pattern: &str, flags: Flags) -> NodeResult<Self> {
        if pattern.len() > MAX_PATTERN {
            let why = format_args!("must have at most {MAX_PATTERN} bytes");
            return Err(NodeError::invalid("pattern", why));
        }
        let pattern = translated(pattern, flags)?;
        let states = states(&pattern, flags)?;
        let regex = RegexBuilder::new(&pattern)
            .case_insensitive(flags.ignore_case)
            .multi_line(flags.multi_line)
            .dot_matches_new_line(flags.dot_all)
            .ignore_whitespace(flags.extended)
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(MAX_SEARCH)
            .build()
            .map_err(|_| too_large())?;
        let names: Vec<_> = regex
            .capture_names()
            .map(|name| name.map(str::to_owned))
            .collect();
        let groups = u64::try_from(names.len()).unwrap_or(u64::MAX);
        let cost = states.saturating_mul(GROUPS_PER_STEP.saturating_add(groups)) / GROUPS_PER_STEP;
        Ok(Self { regex, names, cost })
    }

    /// What it weighs where it is kept.
    pub(crate) const fn weight(&self) -> u64 {
        self.cost
    }

    /// Refuses a text that could take too long.
    pub(crate) fn allow(&self, text: &str) -> NodeResult<()> {
        let longest = MAX_STEPS / self.cost.max(1);
        if u64::try_from(text.len()).unwrap_or(u64::MAX) <= longest {
            return Ok(());
        }
        let message = format!(
            "parameter `value`: a text may have at most {longest} bytes with this pattern; a pattern with fewer \
             repetitions, or without the flag `u`, can take longer ones"
        );
        Err(NodeError::with_code(code::LIMIT_EXCEEDED, message))
    }
}

/// The number of states of the automaton that a pattern is.
fn states(pattern: &str, flags: Flags) -> NodeResult<u64> {
    let hir = regex_syntax::ParserBuilder::new()
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .ignore_whitespace(flags.extended)
        .build()
        .parse(pattern)
        .map_err(|error| match error {
            regex_syntax::Error::Parse(error) => NodeError::invalid("pattern", error.kind()),
            regex_syntax::Error::Translate(error) => NodeError::invalid("pattern", error.kind()),
            _ => NodeError::invalid("pattern", "is no pattern"),
        })?;
    let nfa = NFA::compiler()
        .configure(Config::new().nfa_size_limit(Some(MAX_COMPILED)))
        .build_from_hir(&hir)
        .map_err(|_| too_large())?;
    Ok(u64::try_from(nfa.states().len()).unwrap_or(u64::MAX))
}

fn too_large() -> NodeError {
    let why = format_args!(
        "would take more than {} MiB: ask for fewer repetitions",
        MAX_COMPILED >> 20
    );
    NodeError::invalid("pattern", why)
}
