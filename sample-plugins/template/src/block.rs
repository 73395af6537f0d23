//! Conditions, loops and names. Invariant: what is open is closed by its own end, and every branch knows where it ends.

use crate::lexer::{Lexer, Mistake, Word};
use crate::parser::Parser;
use crate::program::{Begin, Op};

/// How many blocks may be open at once.
const MAX_BLOCKS: usize = 64;

/// A block that is not closed yet.
#[derive(Debug)]
pub(crate) enum Open {
    If {
        at: usize,
        /// What leads to the next branch; `None` in the last one.
        unless: Option<usize>,
        /// What leads to the end.
        skips: Vec<usize>,
    },
    For {
        at: usize,
        begin: usize,
        /// The end of its rounds, once it was reached.
        next: Option<usize>,
    },
}

impl<'v> Parser<'v> {
    fn opens(&mut self, block: Open, at: usize) -> Result<(), Mistake> {
        if self.open.len() == MAX_BLOCKS {
            return Mistake::at(
                at,
                format!("no more than {MAX_BLOCKS} blocks may lie in one another"),
            );
        }
        self.open.push(block);
        Ok(())
    }

    pub(crate) fn begin_if(&mut self, lexer: &mut Lexer<'v>, at: usize) -> Result<(), Mistake> {
        self.expression(lexer)?;
        let unless = Some(self.emit(Op::Unless(0), at));
        let skips = Vec::new();
        self.opens(Open::If { at, unless, skips }, at)?;
        self.branches_off();
        Ok(())
    }

    fn branches_off(&mut self) {
        self.branched += 1;
        self.branches.push(self.branched);
    }

    /// Ends a branch; what comes next is reached when its condition is false.
    fn next_branch(&mut self, at: usize) -> Result<(), Mistake> {
        let skip = self.emit(Op::Skip(0), at);
        let Some(Open::If { unless, skips, .. }) = self.open.last_mut() else {
            return Mistake::at(at, "there is no `if` that this belongs to");
        };
        skips.push(skip);
        let Some(unless) = unless.take() else {
            return Mistake::at(at, "the `else` of this `if` came before");
        };
        self.leads_here(unless);
        self.branches.pop();
        self.branches_off();
        Ok(())
    }

    pub(crate) fn other_branch(&mut self, lexer: &mut Lexer<'v>, at: usize) -> Result<(), Mistake> {
        self.next_branch(at)?;
        self.expression(lexer)?;
        let condition = self.emit(Op::Unless(0), at);
        if let Some(Open::If { unless, .. }) = self.open.last_mut() {
            *unless = Some(condition);
        }
        Ok(())
    }

    pub(crate) fn last_branch(&mut self, at: usize) -> Result<(), Mistake> {
        match self.open.last() {
            Some(Open::For { next: None, .. }) => self.end_rounds(at),
            Some(Open::For { .. }) => Mistake::at(at, "the `else` of this `for` came before"),
            _ => self.next_branch(at),
        }
    }

    pub(crate) fn end_if(&mut self, at: usize) -> Result<(), Mistake> {
        let Some(Open::If { unless, skips, .. }) = self.open.pop_if(|open| matches!(open, Open::If { .. }))
        else {
            return Mistake::at(at, "there is no `if` to end here");
        };
        unless
            .into_iter()
            .chain(skips)
            .for_each(|from| self.leads_here(from));
        self.branches.pop();
        Ok(())
    }

    fn name(lexer: &mut Lexer<'v>) -> Result<&'v str, Mistake> {
        let at = lexer.skip_blanks();
        match lexer.next()? {
            Word::Name(name) => Ok(name),
            other => Mistake::at(at, format!("expected a name, found {}", other.shown())),
        }
    }

    pub(crate) fn begin_for(&mut self, lexer: &mut Lexer<'v>, at: usize) -> Result<(), Mistake> {
        let item = Self::name(lexer)?;
        let second = if lexer.takes(",")? {
            Some(Self::name(lexer)?)
        } else {
            None
        };
        let here = lexer.skip_blanks();
        if !lexer.takes_name("in")? {
            return Mistake::at(here, format!("expected `in`, found {}", lexer.next()?.shown()));
        }
        self.expression(lexer)?;
        self.scopes.push(Vec::new());
        // Its rounds are a branch of their own: there may be none.
        self.branches_off();
        let item = self.bind(item);
        let second = second.map(|name| self.bind(name));
        let begin = Begin {
            item,
            second,
            own: self.program.slots..self.program.slots,
            empty: 0,
        };
        let begin = self.emit(Op::Begin(Box::new(begin)), at);
        self.opens(
            Open::For {
                at,
                begin,
                next: None,
            },
            at,
        )
    }

    /// Ends the rounds of a loop: what comes next is its `else`, or what is behind it.
    fn end_rounds(&mut self, at: usize) -> Result<(), Mistake> {
        let body = match self.open.last() {
            Some(Open::For { begin, .. }) => begin + 1,
            _ => return Mistake::at(at, "there is no `for` to end here"),
        };
        let end = self.emit(Op::Next { body, exit: body }, at);
        let (here, slots) = (self.program.ops.len(), self.program.slots);
        if let Some((Op::Begin(begin), _)) = self.program.ops.get_mut(body - 1) {
            begin.empty = here;
            begin.own.end = slots;
        }
        if let Some(Open::For { next, .. }) = self.open.last_mut() {
            *next = Some(end);
        }
        self.branches.pop();
        let scope = self.scopes.len();
        for name in self.scopes.pop().unwrap_or_default() {
            if let Some(bindings) = self.bindings.get_mut(name) {
                bindings.pop_if(|binding| binding.scope == scope);
            }
        }
        self.branches_off();
        Ok(())
    }

    pub(crate) fn end_for(&mut self, at: usize) -> Result<(), Mistake> {
        if matches!(self.open.last(), Some(Open::For { next: None, .. })) {
            self.end_rounds(at)?;
        }
        let Some(Open::For { next: Some(next), .. }) =
            self.open.pop_if(|open| matches!(open, Open::For { .. }))
        else {
            return Mistake::at(at, "there is no `for` to end here");
        };
        let here = self.program.ops.len();
        if let Some((Op::Next { exit, .. }, _)) = self.program.ops.get_mut(next) {
            *exit = here;
        }
        self.branches.pop();
        Ok(())
    }

    pub(crate) fn set(&mut self, lexer: &mut Lexer<'v>) -> Result<(), Mistake> {
        let at = lexer.skip_blanks();
        let name = Self::name(lexer)?;
        lexer.expect("=")?;
        self.expression(lexer)?;
        let slot = self.bind(name);
        self.emit(Op::Store(slot), at);
        Ok(())
    }
}
