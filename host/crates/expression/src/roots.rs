//! Invariant: a root that the scope has nothing for gives `Undefined`, and so does everything below it.

use std::borrow::Cow;

use plugin_api::value::{ValueRef, Writer};

use crate::ast::{Root, Step};
use crate::eval::{Evaluation, Found, unfit};
use crate::fault::Fault;
use crate::operand::{Operand, owned, write_node};
use crate::path::{index, property};
use crate::{NodeRef, NodeView, moment};

/// The name that the first step gives, and the other steps.
type Head<'a> = (Cow<'a, str>, &'a [Step]);

impl<'a> Evaluation<'a> {
    #[inline]
    pub(crate) fn path(&self, root: Root, steps: &'a [Step]) -> Found<'a> {
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
    fn first_key(&self, steps: &'a [Step]) -> Result<Option<Head<'a>>, Fault> {
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
