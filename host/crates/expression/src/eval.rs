//! Invariant: evaluation takes time and space in proportion to the expression and what it reads, and a text or a list
//! larger than the limit is not made.

use std::borrow::Cow;
use std::cmp::Ordering;

use plugin_api::value::{ListRef, ValueError, Writer};

use crate::ast::{Binary, Expr, Key, Logic, MethodCall, Step, Unary};
use crate::fault::Fault;
use crate::number::power;
use crate::operand::{Operand, View, equal, order, owned, same, stopped};
use crate::path::{index, property};
use crate::resolve::is_refused;
use crate::{EvalLimits, Scope};

/// What an evaluation needs.
#[derive(Clone, Copy)]
pub(crate) struct Evaluation<'a> {
    pub(crate) scope: &'a dyn Scope,
    pub(crate) limits: &'a EvalLimits,
}

pub(crate) type Found<'a> = Result<Operand<'a>, Fault>;

impl<'a> Evaluation<'a> {
    pub(crate) fn eval(&self, expr: &'a Expr) -> Found<'a> {
        Ok(match expr {
            Expr::Path(root, steps) => return self.path(*root, steps),
            Expr::Undefined => Operand::Undefined,
            Expr::Null => Operand::Null,
            Expr::Bool(value) => Operand::Bool(*value),
            Expr::Int(value) => Operand::Int(*value),
            Expr::Float(value) => Operand::Float(*value),
            Expr::Text(text) => Operand::Text(Cow::Borrowed(text)),
            Expr::Member(base, steps) => return self.walk(self.eval(base)?, steps),
            Expr::Unary(operator, inner) => unary(*operator, self.eval(inner)?.view()),
            Expr::Binary(operator, sides, at) => {
                let (left, right) = (self.eval(&sides.0)?, self.eval(&sides.1)?);
                return self.binary(*operator, left.view(), right.view(), *at);
            }
            Expr::Logic(operator, sides) => return self.logic(*operator, sides),
            Expr::Choice(parts) => {
                let (condition, then, other) = &**parts;
                let holds = self.eval(condition)?.view().truthy();
                return self.eval(if holds { then } else { other });
            }
            Expr::Join(pieces) => {
                let mut out = String::new();
                for piece in pieces {
                    self.eval(piece)?.view().write_text(&mut out);
                    self.bounded(out.len(), 0)?;
                }
                Operand::Text(Cow::Owned(out))
            }
            Expr::List(items) => return self.list(items),
            Expr::Map(entries) => return self.map(entries),
            Expr::Call(function, arguments, at) => {
                let arguments = self.all(arguments)?;
                let result = function.call(&arguments, self.scope.now_millis(), *at)?;
                self.bounded(result.size(), *at)?;
                result
            }
            Expr::Method(call) => return self.method(call),
        })
    }

    fn all(&self, exprs: &'a [Expr]) -> Result<Vec<Operand<'a>>, Fault> {
        let (mut all, mut size) = (Vec::with_capacity(exprs.len()), 0);
        for expr in exprs {
            all.push(self.sized(expr, &mut size)?);
        }
        Ok(all)
    }

    /// Evaluates one of several, whose sizes together are bounded.
    fn sized(&self, expr: &'a Expr, size: &mut usize) -> Found<'a> {
        let value = self.eval(expr)?;
        if !matches!(value, Operand::Ref(_)) {
            *size += value.size();
            self.bounded(*size, 0)?;
        }
        Ok(value)
    }

    fn bounded(&self, size: usize, at: u32) -> Result<(), Fault> {
        if size > self.limits.output_bytes.max(1024) {
            return Err(Fault::size(at, self.limits.output_bytes));
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn walk(&self, mut value: Operand<'a>, mut steps: &'a [Step]) -> Found<'a> {
        // Nearly all steps are entries of maps; they need no operand in between.
        if let Operand::Ref(mut found) = value {
            while let (Some((Step::Key(key), rest)), Some(map)) = (steps.split_first(), found.as_map()) {
                match map.get(key) {
                    Some(entry) => found = entry,
                    None => return Ok(Operand::Undefined),
                }
                steps = rest;
            }
            value = Operand::Ref(found);
        }
        for step in steps {
            value = self.step(value, step)?;
        }
        Ok(value)
    }

    #[inline]
    pub(crate) fn step(&self, value: Operand<'a>, step: &'a Step) -> Found<'a> {
        Ok(match step {
            Step::Key(key) => property(value, key),
            Step::Index(place) => index(value, *place),
            Step::Computed(key) => {
                let key = self.eval(key)?;
                match key.view() {
                    View::Int(place) if place >= 0 => {
                        index(value, usize::try_from(place).unwrap_or(usize::MAX))
                    }
                    View::Text(key) if is_refused(key) => Operand::Undefined,
                    View::Text(key) => property(value, key),
                    other => {
                        let key = other.to_text();
                        if is_refused(&key) {
                            Operand::Undefined
                        } else {
                            property(value, &key)
                        }
                    }
                }
            }
        })
    }

    fn logic(&self, operator: Logic, sides: &'a (Expr, Expr)) -> Found<'a> {
        let left = self.eval(&sides.0)?;
        let keeps = match operator {
            Logic::And => !left.view().truthy(),
            Logic::Or => left.view().truthy(),
            Logic::Coalesce => !left.view().is_nullish(),
        };
        if keeps { Ok(left) } else { self.eval(&sides.1) }
    }

    fn method(&self, call: &'a MethodCall) -> Found<'a> {
        let receiver = self.eval(&call.receiver)?;
        if call.optional && receiver.view().is_nullish() {
            return Ok(Operand::Undefined);
        }
        let arguments = self.all(&call.arguments)?;
        let result = call.method.call(receiver.view(), &arguments, call.at)?;
        self.bounded(result.size(), call.at)?;
        Ok(result)
    }

    fn binary(&self, operator: Binary, left: View<'_>, right: View<'_>, at: u32) -> Found<'a> {
        let number = |result: f64| Ok(Operand::number(result));
        let holds = |result: bool| Ok(Operand::Bool(result));
        match operator {
            Binary::Add => self.add(left, right, at),
            Binary::Sub => number(left.to_number() - right.to_number()),
            Binary::Mul => number(left.to_number() * right.to_number()),
            Binary::Div => number(left.to_number() / right.to_number()),
            Binary::Rem => number(left.to_number() % right.to_number()),
            Binary::Pow => number(power(left.to_number(), right.to_number())),
            Binary::Equal => holds(equal(left, right)),
            Binary::NotEqual => holds(!equal(left, right)),
            Binary::Same => holds(same(left, right)),
            Binary::NotSame => holds(!same(left, right)),
            Binary::Less => holds(order(left, right) == Some(Ordering::Less)),
            Binary::Greater => holds(order(left, right) == Some(Ordering::Greater)),
            Binary::LessEqual => holds(order(left, right).is_some_and(Ordering::is_le)),
            Binary::GreaterEqual => holds(order(left, right).is_some_and(Ordering::is_ge)),
            Binary::In => contains(&left.to_text(), right, at).map(Operand::Bool),
        }
    }

    fn add(&self, left: View<'_>, right: View<'_>, at: u32) -> Found<'a> {
        let is_text = |view: View<'_>| matches!(view, View::Text(_) | View::Bytes(_)) || view.is_object();
        if !is_text(left) && !is_text(right) {
            return Ok(Operand::number(left.to_number() + right.to_number()));
        }
        let mut out = left.to_text();
        right.write_text(&mut out);
        self.bounded(out.len(), at)?;
        Ok(Operand::Text(Cow::Owned(out)))
    }

    fn list(&self, items: &'a [Expr]) -> Found<'a> {
        let mut size = 0;
        self.written(|out, fault| {
            Writer::new(out).list(|list| {
                items.iter().try_for_each(|item| {
                    let value = kept(self.eval(item), fault)?;
                    size += value.size();
                    kept(self.bounded(size, 0), fault)?;
                    list.item(|w| value.write(w))
                })
            })
        })
    }

    fn map(&self, entries: &'a [(Key, Expr)]) -> Found<'a> {
        // A key that comes again replaces the value and keeps its place.
        let mut all: Vec<(Cow<'a, str>, Operand<'a>)> = Vec::with_capacity(entries.len());
        let mut size = 0;
        for (key, value) in entries {
            let key = match key {
                Key::Fixed(key) => Cow::Borrowed(&**key),
                Key::Computed(key) => Cow::Owned(self.eval(key)?.view().to_text()),
            };
            let value = self.eval(value)?;
            size += key.len() + value.size();
            self.bounded(size, 0)?;
            match all.iter_mut().find(|(known, _)| *known == key) {
                Some(entry) => entry.1 = value,
                None => all.push((key, value)),
            }
        }
        self.written(|out, _| {
            Writer::new(out).map(|map| {
                all.iter()
                    .try_for_each(|(key, value)| map.entry(key, |w| value.write(w)))
            })
        })
    }

    /// A value that a closure writes; its fault is kept beside the writer's own error.
    fn written(
        &self,
        write: impl FnOnce(&mut Vec<u8>, &mut Option<Fault>) -> Result<(), ValueError>,
    ) -> Found<'a> {
        let (mut out, mut fault) = (Vec::new(), None);
        match write(&mut out, &mut fault).and_then(|()| owned(out)) {
            Ok(value) => {
                self.bounded(value.as_bytes().len(), 0)?;
                Ok(Operand::Owned(value))
            }
            Err(error) => Err(fault.unwrap_or_else(|| unfit(&error, 0))),
        }
    }
}

/// Keeps a fault where the writer's error cannot hold it.
pub(crate) fn kept<T>(result: Result<T, Fault>, fault: &mut Option<Fault>) -> Result<T, ValueError> {
    result.map_err(|found| {
        *fault = Some(found);
        stopped()
    })
}

/// A result that no value can hold.
pub(crate) fn unfit(error: &ValueError, at: u32) -> Fault {
    Fault::failed(at, format!("the result is no value: {error}"))
}

fn unary<'a>(operator: Unary, value: View<'_>) -> Operand<'a> {
    match operator {
        Unary::Not => Operand::Bool(!value.truthy()),
        Unary::Minus => Operand::number(-value.to_number()),
        Unary::Plus => Operand::number(value.to_number()),
        Unary::Typeof => Operand::Text(Cow::Borrowed(value.type_name())),
        Unary::Void => Operand::Undefined,
    }
}

fn contains(key: &str, of: View<'_>, at: u32) -> Result<bool, Fault> {
    match of {
        _ if is_refused(key) => Ok(false),
        View::Map(map) => Ok(map.get(key).is_some()),
        View::List(list) => Ok(key == "length" || list_place(list, key)),
        View::Node(node) => Ok(!matches!(property(Operand::Node(node), key), Operand::Undefined)),
        _ => Err(Fault::failed(
            at,
            format!("`in` needs a map or a list, not {}", of.noun()),
        )),
    }
}

fn list_place(list: ListRef<'_>, key: &str) -> bool {
    crate::path::place(key).is_some_and(|place| place < list.len())
}
