//! What a template is read as: a row of operations over a stack.

use crate::check::Check;
use crate::datum::Datum;
use crate::filter::Filter;
use crate::operator::Operator;

/// An operation. Those of expressions take their operands from the stack and leave their result there.
#[derive(Clone, Debug)]
pub(crate) enum Op<'v> {
    /// Writes a text of the template.
    Write(&'v str),
    /// Writes the value on the stack.
    Print,
    /// Leaves a constant.
    Constant(Datum<'v>),
    /// Leaves a variable: of the first of these slots that is set, else of the data.
    Load {
        name: &'v str,
        slots: Box<[usize]>,
    },
    /// Leaves what the innermost loop knows of itself.
    Round(Round),
    /// Leaves an entry of a map; `said` is how the template says it, up to here.
    Entry {
        key: Datum<'v>,
        said: &'v str,
    },
    /// As before, where the key is on the stack.
    EntryOf {
        said: &'v str,
    },
    /// Leaves a list of so many values.
    List(usize),
    /// Leaves a list of the numbers up to one, or from one up to another.
    Range {
        arguments: usize,
    },
    Not,
    Negate,
    Operate(Operator),
    Filter {
        filter: &'static Filter,
        arguments: usize,
    },
    Check {
        check: &'static Check,
        arguments: usize,
        negated: bool,
    },
    /// Goes on so many operations later if the value on the stack is false, and leaves it there; takes it away otherwise.
    And(usize),
    /// As before, if it is true.
    Or(usize),
    /// Takes a value, and goes on so many operations later if it is false.
    Unless(usize),
    /// Goes on so many operations later.
    Skip(usize),
    /// Takes a value into a slot.
    Store(usize),
    /// Takes a value and begins to go through it; goes on at `empty` when there is nothing.
    Begin(Box<Begin>),
    /// The end of a round: goes on at `body`, or, when there is no other round, at `exit`.
    Next {
        body: usize,
        exit: usize,
    },
}

/// How a loop begins.
#[derive(Clone, Debug)]
pub(crate) struct Begin {
    /// Where the item goes, or both parts of it.
    pub(crate) item: usize,
    pub(crate) second: Option<usize>,
    /// The slots that each round begins without.
    pub(crate) own: std::ops::Range<usize>,
    pub(crate) empty: usize,
}

/// What a loop knows of the round it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Round {
    Index,
    IndexFromZero,
    First,
    Last,
    Length,
}

impl Round {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "index" => Self::Index,
            "index0" => Self::IndexFromZero,
            "first" => Self::First,
            "last" => Self::Last,
            "length" => Self::Length,
            _ => return None,
        })
    }
}

/// A template that was read.
#[derive(Debug, Default)]
pub(crate) struct Program<'v> {
    /// Each with the byte of the template that it stands for.
    pub(crate) ops: Vec<(Op<'v>, usize)>,
    /// The number of slots.
    pub(crate) slots: usize,
    /// The variables that are looked for in the data, with the entries that are asked of them.
    pub(crate) uses: Vec<Vec<&'v str>>,
}
