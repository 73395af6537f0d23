//! Invariant: evaluation takes time and space in proportion to the expression and what it reads, and a text or a list
//! larger than the limit is not made.

use std::borrow::Cow;
use std::cmp::Ordering;

use plugin_api::value::{ListRef, ValueError, ValueRef, Writer};

use crate::ast::{Binary, Expr, Key, Logic, MethodCall, Root, Step, Unary};
use crate::fault::Fault;
use crate::number::power;
use crate::operand::{Operand, View, equal, order, owned, same, stopped, write_node};
use crate::path::{index, property};
use crate::resolve::is_refused;
use crate::{EvalLimits, NodeRef, NodeView, Scope, moment};

/// What an evaluation needs.
#[derive(Clone, Copy)]
pub(crate) struct Evaluation<'a> {
    pub(crate) scope: &'a dyn Scope,
    pub(crate) limits: &'a EvalLimits,
}

type Found<'a> = Result<Operand<'a>, Fault>;

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
    fn path(&self, root: Root, steps: &'a [Step]) -> Found<'a> {
        match root {
            Root::Json => self.walk(Operand::Ref(self.scope.json()), steps),
            Root::Node(node) => self.node(node, steps),
            Root::Binding(name) => {
                let bound = self.scope.binding(name).map_or(Operand::Undefined, Operand::Ref);
                self.walk(bound, steps)
            }
            Root::Context => self.walk(Operand::Ref(self.scope.context()), steps),
            Root::Workflow => self.walk(Operand::Ref(self.scope.workflow()), steps),
            Root::Input => self.input(self.scope.input(), steps),
            Root::InputItem => {
                let input = self.scope.input();
                match input.get("item") {
                    Some(item) => self.input(item, steps),
                    None => self.input(ends(input).0, steps),
                }
            }
            Root::InputFirst => self.input(ends(self.scope.input()).0, steps),
            Root::InputLast => self.input(ends(self.scope.input()).1, steps),
            Root::InputAll => self.walk(self.input_all()?, steps),
            Root::Variables => match self.first_key(steps)? {
                Some((name, rest)) => {
                    let found = self
                        .scope
                        .variable(&name)
                        .map_or(Operand::Undefined, Operand::Owned);
                    self.walk(found, rest)
                }
                None => Ok(Operand::Owned(self.scope.variables())),
            },
            Root::Env => match self.first_key(steps)? {
                Some((name, rest)) => {
                    let found = self.scope.env(&name).map_or(Operand::Undefined, Operand::Owned);
                    self.walk(found, rest)
                }
                None => Ok(Operand::Undefined),
            },
            Root::Nodes => match self.first_key(steps)? {
                Some((name, rest)) => match self.scope.find(&name) {
                    Some(node) => self.node(node, rest),
                    None => Ok(Operand::Undefined),
                },
                None => self.nodes(),
            },
            Root::Now => self.moment(&moment::iso(self.scope.now_millis()), steps),
            Root::Today => self.moment(&moment::date(self.scope.now_millis()), steps),
            Root::Missing => Ok(Operand::Undefined),
        }
    }

    fn moment(&self, text: &str, steps: &'a [Step]) -> Found<'a> {
        self.walk(Operand::Text(Cow::Owned(text.to_owned())), steps)
    }

    /// The name that the first step gives, and the other steps.
    fn first_key(&self, steps: &'a [Step]) -> Result<Option<(Cow<'a, str>, &'a [Step])>, Fault> {
        let Some((first, rest)) = steps.split_first() else {
            return Ok(None);
        };
        let name = match first {
            Step::Key(key) => Cow::Borrowed(&**key),
            Step::Index(index) => Cow::Owned(index.to_string()),
            Step::Computed(key) => Cow::Owned(self.eval(key)?.view().to_text()),
        };
        Ok(Some((name, rest)))
    }

    /// `.json` of something that has no such entry is the thing itself.
    fn input(&self, value: ValueRef<'a>, steps: &'a [Step]) -> Found<'a> {
        let rest = match steps.split_first() {
            Some((Step::Key(key), rest)) if &**key == "json" && value.get("json").is_none() => rest,
            _ => steps,
        };
        self.walk(Operand::Ref(value), rest)
    }

    fn input_all(&self) -> Found<'a> {
        let input = self.scope.input();
        let mut out = Vec::new();
        let written = Writer::new(&mut out).list(|list| {
            let mut add = |item: ValueRef<'_>| {
                if item.get("json").is_some() {
                    list.value(item)
                } else {
                    list.map(|map| map.entry("json", |w| w.value(item)))
                }
            };
            match input.as_list() {
                Some(items) => items.iter().try_for_each(add),
                None => add(input),
            }
        });
        written
            .and_then(|()| owned(out))
            .map(Operand::Owned)
            .map_err(|error| unfit(&error, 0))
    }

    fn node(&self, node: NodeRef, steps: &'a [Step]) -> Found<'a> {
        let view = self.scope.node(node).unwrap_or(NodeView {
            status: "pending",
            output: ValueRef::NULL,
            error: None,
        });
        let Some((first, rest)) = steps.split_first() else {
            return Ok(Operand::Node(view));
        };
        let found = match first {
            Step::Key(key) => property(Operand::Node(view), key),
            Step::Index(place) => index(Operand::Ref(view.output), *place),
            Step::Computed(_) => self.step(Operand::Node(view), first)?,
        };
        self.walk(found, rest)
    }

    /// Every node that has run, by its id.
    fn nodes(&self) -> Found<'a> {
        let mut out = Vec::new();
        let written = Writer::new(&mut out).map(|map| {
            for (id, node) in self.scope.nodes() {
                if let Some(view) = self.scope.node(node) {
                    map.entry(&id, |w| write_node(view, w))?;
                }
            }
            Ok(())
        });
        written
            .and_then(|()| owned(out))
            .map(Operand::Owned)
            .map_err(|error| unfit(&error, 0))
    }

    #[inline]
    fn walk(&self, mut value: Operand<'a>, steps: &'a [Step]) -> Found<'a> {
        for step in steps {
            value = self.step(value, step)?;
        }
        Ok(value)
    }

    #[inline]
    fn step(&self, value: Operand<'a>, step: &'a Step) -> Found<'a> {
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

/// The first and the last of a list; of anything else, itself.
fn ends(value: ValueRef<'_>) -> (ValueRef<'_>, ValueRef<'_>) {
    match value.as_list() {
        Some(list) => {
            let last = list.len().checked_sub(1).and_then(|last| list.get(last));
            (
                list.get(0).unwrap_or(ValueRef::NULL),
                last.unwrap_or(ValueRef::NULL),
            )
        }
        None => (value, value),
    }
}
