//! Running a program. Invariant: nothing here calls itself, and every operation is paid for before it is done.

use std::rc::Rc;

use plugin_api::prelude::*;
use plugin_api::reading::Growing;
use plugin_api::value::{ListIter, MapIter};

use crate::budget::{Budget, Trouble};
use crate::datum::{Datum, List};
use crate::filter_text::escaped;
use crate::program::{Begin, Op, Program, Round};

/// The longest list that `range` makes.
const MAX_RANGE: i64 = 100_000;

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    None,
    Html,
}

/// What happens where the data has nothing under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Empty,
    Error,
}

/// What a loop goes through.
enum Rows<'v> {
    Items(ListIter<'v>),
    Entries(MapIter<'v>),
    Made(Rc<List<'v>>, usize),
}

struct Frame<'p, 'v> {
    rows: Rows<'v>,
    begin: &'p Begin,
    /// The number of the round, from 0.
    round: usize,
    length: usize,
}

/// A program that runs.
pub(crate) struct Machine<'p, 'v, 'c> {
    program: &'p Program<'v>,
    data: ValueRef<'v>,
    escape: Escape,
    missing: Missing,
    budget: Budget<'c>,
    stack: Vec<Datum<'v>>,
    slots: Vec<Option<Datum<'v>>>,
    loops: Vec<Frame<'p, 'v>>,
    out: Growing,
}

impl<'p, 'v, 'c> Machine<'p, 'v, 'c> {
    pub(crate) fn new(
        program: &'p Program<'v>,
        data: ValueRef<'v>,
        (escape, missing): (Escape, Missing),
        ctx: &'c Ctx<'c>,
    ) -> Self {
        Self {
            program,
            data,
            escape,
            missing,
            budget: Budget::new(ctx),
            stack: Vec::new(),
            slots: vec![None; program.slots],
            loops: Vec::new(),
            out: Growing::default(),
        }
    }

    /// Runs to the end; a failure comes with the byte of the template where it happened.
    pub(crate) fn run(mut self) -> Result<String, (Trouble, usize)> {
        let program = self.program;
        let mut next = 0;
        while let Some((op, at)) = program.ops.get(next) {
            next += 1;
            match self.step(op) {
                Ok(Go::On) => {}
                Ok(Go::Later(by)) => next += by,
                Ok(Go::To(place)) => next = place,
                Err(trouble) => return Err((trouble, *at)),
            }
        }
        Ok(self.out.finish())
    }

    fn step(&mut self, op: &'p Op<'v>) -> Result<Go, Trouble> {
        self.budget.step()?;
        match op {
            Op::Write(text) => self.out.push(text, "template")?,
            Op::Print => self.print()?,
            Op::Constant(value) => self.stack.push(value.clone()),
            Op::Load { name, slots } => {
                let set = slots.iter().find_map(|slot| self.slots.get(*slot)?.clone());
                let found = set.or_else(|| self.data.get(name).map(Datum::of));
                self.stack.push(found.unwrap_or(Datum::Undefined(name)));
            }
            Op::Round(round) => {
                let round = self.round(*round);
                self.stack.push(round);
            }
            Op::Entry { key, said } => {
                let base = self.there()?;
                self.stack.push(base.entry(key).unwrap_or(Datum::Undefined(said)));
            }
            Op::EntryOf { said } => {
                let key = self.there()?;
                let base = self.there()?;
                self.stack
                    .push(base.entry(&key).unwrap_or(Datum::Undefined(said)));
            }
            Op::List(count) => {
                let items = self.taken(*count);
                self.stack.push(Datum::list(items, &self.budget)?);
            }
            Op::Range { arguments } => {
                let range = self.range(*arguments)?;
                self.stack.push(range);
            }
            Op::Not => {
                let value = self.there()?;
                self.stack.push(Datum::Flag(!value.is_true()));
            }
            Op::Negate => {
                let value = self.there()?;
                let negative = match &value {
                    Datum::Whole(number) => number.checked_neg().map(Datum::Whole),
                    Datum::Float(number) => Some(Datum::Float(-number)),
                    _ => None,
                };
                let Some(negative) = negative else {
                    return Trouble::wrong(format!("there is no negative of {}", value.kind()));
                };
                self.stack.push(negative);
            }
            Op::Operate(operator) => {
                let right = self.there()?;
                let left = self.there()?;
                self.stack.push(operator.apply(&left, &right, &self.budget)?);
            }
            Op::Filter { filter, arguments } => {
                let values = self.taken(arguments + 1);
                let asks_itself = matches!(filter.name, "default" | "d");
                if let Some(value) = values.first().filter(|_| !asks_itself) {
                    self.check(value)?;
                }
                let name = filter.name;
                let made = (filter.run)(&values, &self.budget).map_err(|trouble| match trouble {
                    Trouble::Wrong(why) => Trouble::Wrong(format!("the filter `{name}`: {why}")),
                    over => over,
                });
                self.stack.push(made?);
            }
            Op::Check {
                check,
                arguments,
                negated,
            } => {
                let values = self.taken(arguments + 1);
                let holds = (check.holds)(&values, &self.budget)?;
                self.stack.push(Datum::Flag(holds != *negated));
            }
            Op::And(by) | Op::Or(by) => {
                let value = self.there()?;
                if value.is_true() == matches!(op, Op::Or(_)) {
                    self.stack.push(value);
                    return Ok(Go::Later(*by));
                }
            }
            Op::Unless(by) => {
                if !self.there()?.is_true() {
                    return Ok(Go::Later(*by));
                }
            }
            Op::Skip(by) => return Ok(Go::Later(*by)),
            Op::Store(slot) => {
                let value = self.pop();
                self.store(*slot, value);
            }
            Op::Begin(begin) => return self.begin(begin),
            Op::Next { body, exit } => {
                return Ok(Go::To(if self.next_round()? { *body } else { *exit }));
            }
        }
        Ok(Go::On)
    }

    /// The value on the stack. A program leaves one where it takes one.
    fn pop(&mut self) -> Datum<'v> {
        self.stack.pop().unwrap_or(Datum::Null)
    }

    /// The value on the stack, which has to be there.
    fn there(&mut self) -> Result<Datum<'v>, Trouble> {
        let value = self.pop();
        self.check(&value)?;
        Ok(value)
    }

    fn check(&self, value: &Datum<'v>) -> Result<(), Trouble> {
        match value {
            Datum::Undefined(said) if self.missing == Missing::Error => {
                let said: String = said.chars().take(80).collect();
                Trouble::wrong(format!("there is no `{said}` in the data"))
            }
            _ => Ok(()),
        }
    }

    /// So many values of the stack, in their order.
    fn taken(&mut self, count: usize) -> Vec<Datum<'v>> {
        let from = self.stack.len().saturating_sub(count);
        self.stack.split_off(from)
    }

    fn print(&mut self) -> Result<(), Trouble> {
        let value = self.there()?;
        self.budget.read(value.size())?;
        let written = value.written();
        let safe = self.escape == Escape::None || matches!(value, Datum::Safe(_));
        let written = if safe {
            written
        } else {
            escaped(&written).into_owned().into()
        };
        Ok(self.out.push(&written, "template")?)
    }

    fn round(&self, round: Round) -> Datum<'v> {
        let Some(frame) = self.loops.last() else {
            return Datum::Null;
        };
        let number = |number: usize| Datum::Whole(i64::try_from(number).unwrap_or(i64::MAX));
        match round {
            Round::Index => number(frame.round + 1),
            Round::IndexFromZero => number(frame.round),
            Round::First => Datum::Flag(frame.round == 0),
            Round::Last => Datum::Flag(frame.round + 1 == frame.length),
            Round::Length => number(frame.length),
        }
    }

    fn range(&mut self, arguments: usize) -> Result<Datum<'v>, Trouble> {
        let values = self.taken(arguments);
        let (start, end) = match values.as_slice() {
            [Datum::Whole(end)] => (0, *end),
            [Datum::Whole(start), Datum::Whole(end)] => (*start, *end),
            _ => return Trouble::wrong("`range` is from a whole number up to another one"),
        };
        if end.saturating_sub(start) > MAX_RANGE {
            return Trouble::wrong(format!("`range` gives {MAX_RANGE} numbers at most"));
        }
        Datum::list((start..end).map(Datum::Whole).collect(), &self.budget)
    }

    fn store(&mut self, slot: usize, value: Datum<'v>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(value);
        }
    }

    fn begin(&mut self, begin: &'p Begin) -> Result<Go, Trouble> {
        let value = self.there()?;
        let data = match &value {
            Datum::Data(data) => Some(*data),
            _ => None,
        };
        let items = data
            .and_then(|data| data.as_list())
            .map(|list| Rows::Items(list.iter()));
        let entries = || {
            data.and_then(|data| data.as_map())
                .map(|map| Rows::Entries(map.iter()))
        };
        let rows = match (items.or_else(entries), &value) {
            (Some(rows), _) => rows,
            (None, Datum::List(list)) => Rows::Made(Rc::clone(list), 0),
            (None, Datum::Undefined(_) | Datum::Null) => return Ok(Go::To(begin.empty)),
            (None, Datum::Text(_) | Datum::Safe(_)) => {
                return Trouble::wrong(
                    "a text has no items to go through; the filters `split` and `lines` make a list of it",
                );
            }
            (None, other) => return Trouble::wrong(format!("{} has no items to go through", other.kind())),
        };
        let length = value.length().unwrap_or_default();
        if length == 0 {
            return Ok(Go::To(begin.empty));
        }
        self.loops.push(Frame {
            rows,
            begin,
            round: 0,
            length,
        });
        self.bind_round()?;
        Ok(Go::On)
    }

    /// Whether there is another round; ends the loop if there is none.
    fn next_round(&mut self) -> Result<bool, Trouble> {
        match self.loops.last_mut() {
            Some(frame) if frame.round + 1 < frame.length => frame.round += 1,
            _ => {
                self.loops.pop();
                return Ok(false);
            }
        }
        self.bind_round()?;
        Ok(true)
    }

    /// Puts what a round is about into its slots, and forgets what the one before set.
    fn bind_round(&mut self) -> Result<(), Trouble> {
        let Some(frame) = self.loops.last_mut() else {
            return Ok(());
        };
        let begin = frame.begin;
        let (item, second) = match &mut frame.rows {
            Rows::Items(items) => (items.next().map(Datum::of), None),
            Rows::Entries(entries) => match entries.next() {
                Some((key, value)) => (Some(Datum::lent(key)), Some(Datum::of(value))),
                None => (None, None),
            },
            Rows::Made(list, at) => {
                *at += 1;
                (list.items.get(*at - 1).cloned(), None)
            }
        };
        for slot in begin.own.clone() {
            if let Some(place) = self.slots.get_mut(slot) {
                *place = None;
            }
        }
        let item = item.unwrap_or(Datum::Null);
        match (begin.second, second) {
            (None, _) => self.store(begin.item, item),
            (Some(slot), Some(value)) => {
                self.store(begin.item, item);
                self.store(slot, value);
            }
            (Some(slot), None) => {
                let pair = if item.length() == Some(2) {
                    item.items(&self.budget)?
                } else {
                    None
                };
                let Some(Ok([first, second])) = pair.map(<[Datum<'v>; 2]>::try_from) else {
                    return Trouble::wrong("with two names, each item has to be a list of two");
                };
                self.store(begin.item, first);
                self.store(slot, second);
            }
        }
        Ok(())
    }
}

/// Where a program goes on.
enum Go {
    On,
    Later(usize),
    To(usize),
}
