//! Invariant: what the host evaluates for an item sees that item and its place, and its failure names the parameter and
//! the place.

use std::fmt;

use super::truthy;
use crate::error::code;
use crate::value::{Value, ValueRef};
use crate::{Ctx, NodeResult};

/// What an expression sees.
#[derive(Clone, Copy, Debug)]
pub enum Place<'v> {
    /// An item of a list: `$item` and `$index`, and `$acc` while reducing.
    Item {
        /// The position.
        index: usize,
        /// The item.
        item: ValueRef<'v>,
        /// The result so far.
        acc: Option<ValueRef<'v>>,
    },
    /// An entry of a map: `$key` and `$value`.
    Entry {
        /// The key.
        key: &'v str,
        /// The value under it.
        value: ValueRef<'v>,
    },
}

impl<'v> Place<'v> {
    /// An item of a list.
    #[must_use]
    pub const fn item(index: usize, item: ValueRef<'v>) -> Self {
        Self::Item {
            index,
            item,
            acc: None,
        }
    }

    /// An item of a list that is reduced, with the result so far.
    #[must_use]
    pub const fn reducing(index: usize, item: ValueRef<'v>, acc: ValueRef<'v>) -> Self {
        Self::Item {
            index,
            item,
            acc: Some(acc),
        }
    }

    /// An entry of a map.
    #[must_use]
    pub const fn entry(key: &'v str, value: ValueRef<'v>) -> Self {
        Self::Entry { key, value }
    }

    fn bind<T>(self, work: impl FnOnce(&[(&str, ValueRef<'_>)]) -> T) -> T {
        match self {
            Self::Item { index, item, acc } => {
                let index = Value::from(i64::try_from(index).unwrap_or(i64::MAX));
                let (item, index) = (("item", item), ("index", index.as_ref()));
                match acc {
                    Some(acc) => work(&[("acc", acc), item, index]),
                    None => work(&[item, index]),
                }
            }
            Self::Entry { key, value } => {
                let key = Value::from(key);
                work(&[("value", value), ("key", key.as_ref())])
            }
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item { index, .. } => write!(f, "item {index}"),
            Self::Entry { key, .. } => {
                let key: String = key.chars().take(40).collect();
                write!(f, "key `{key}`")
            }
        }
    }
}

/// Evaluates a parameter for each item of a list or entry of a map, until the caller gives up.
#[derive(Clone, Copy, Debug)]
pub struct Callback<'c> {
    parameter: &'c str,
    ctx: &'c Ctx<'c>,
}

impl<'c> Callback<'c> {
    /// For the parameter of that name.
    #[must_use]
    pub const fn new(parameter: &'c str, ctx: &'c Ctx<'c>) -> Self {
        Self { parameter, ctx }
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// When it fails, when the node runs outside a workflow, or when the call should be over.
    pub fn evaluate(&self, expression: &str, place: Place<'_>) -> NodeResult<Value> {
        self.at(place, |bindings| self.ctx.evaluate(expression, bindings))
    }

    /// The value of a template: any value with `{{ }}` in its texts.
    ///
    /// # Errors
    /// When an expression in it fails, when the node runs outside a workflow, or when the call should be over.
    pub fn render(&self, template: ValueRef<'_>, place: Place<'_>) -> NodeResult<Value> {
        self.at(place, |bindings| self.ctx.render(template, bindings))
    }

    /// Whether a condition holds: a text is an expression, any other value is looked at as JavaScript does.
    ///
    /// # Errors
    /// As [`Callback::evaluate`].
    pub fn holds(&self, condition: ValueRef<'_>, place: Place<'_>) -> NodeResult<bool> {
        match condition.as_str() {
            Some(expression) => Ok(truthy(self.evaluate(expression, place)?.as_ref())),
            None => Ok(truthy(condition)),
        }
    }

    fn at(
        &self,
        place: Place<'_>,
        work: impl FnOnce(&[(&str, ValueRef<'_>)]) -> NodeResult<Value>,
    ) -> NodeResult<Value> {
        // A long list is a long time.
        self.ctx.check()?;
        let parameter = self.parameter;
        place.bind(work).map_err(|mut error| {
            error.message = match &*error.code {
                // An end that came from outside is no fault of the expression.
                code::CANCELLED | code::TIMEOUT => return error,
                code::UNSUPPORTED => {
                    format!("parameter `{parameter}`: an expression needs a workflow").into()
                }
                _ => format!("parameter `{parameter}`, for {place}: {}", error.message).into(),
            };
            error
        })
    }
}
