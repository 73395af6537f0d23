//! Invariant: what a list node does with an item is decided by that item, its place and, when reducing, the result so
//! far.

use std::borrow::Cow;

use plugin_api::error::code;
use plugin_api::prelude::*;

use crate::any::{Outcome, shown, truthy};

/// What an expression sees of a list.
#[derive(Clone, Copy)]
pub(crate) struct Here<'v> {
    pub(crate) item: ValueRef<'v>,
    pub(crate) index: usize,
    /// The result so far.
    pub(crate) acc: Option<ValueRef<'v>>,
}

impl<'v> Here<'v> {
    pub(crate) fn at(index: usize, item: ValueRef<'v>) -> Self {
        Self {
            item,
            index,
            acc: None,
        }
    }

    /// The value of an expression; `parameter` is where it is from.
    pub(crate) fn evaluate(self, expression: &str, parameter: &str, ctx: &Ctx<'_>) -> NodeResult<Value> {
        self.bound(parameter, ctx, |bindings| ctx.evaluate(expression, bindings))
    }

    /// The value of a template: an expression, or any value with `{{ }}` in its texts.
    pub(crate) fn render(self, template: ValueRef<'_>, parameter: &str, ctx: &Ctx<'_>) -> NodeResult<Value> {
        match template.as_str() {
            Some(text) if !text.contains("{{") => self.evaluate(text, parameter, ctx),
            _ => self.bound(parameter, ctx, |bindings| ctx.render(template, bindings)),
        }
    }

    /// Whether a condition holds: a text is an expression, any other value is looked at as it is.
    pub(crate) fn holds(self, condition: ValueRef<'_>, parameter: &str, ctx: &Ctx<'_>) -> NodeResult<bool> {
        match condition.as_str() {
            Some(expression) => Ok(truthy(self.evaluate(expression, parameter, ctx)?.as_ref())),
            None => Ok(truthy(condition)),
        }
    }

    /// What an item has under `by`: an expression if it has a `$`, else a path of names and places with dots between.
    pub(crate) fn by(self, by: Option<&str>, ctx: &Ctx<'_>) -> NodeResult<Outcome<'v>> {
        match by {
            None => Ok(Outcome::Lent(self.item)),
            Some(expression) if expression.contains('$') => {
                Ok(Outcome::Made(self.evaluate(expression, "by", ctx)?))
            }
            Some(path) => Ok(Outcome::Lent(field(self.item, path))),
        }
    }

    fn bound(
        self,
        parameter: &str,
        ctx: &Ctx<'_>,
        work: impl FnOnce(&[(&str, ValueRef<'_>)]) -> NodeResult<Value>,
    ) -> NodeResult<Value> {
        // A long list is a long time.
        ctx.check()?;
        let index = Value::from(i64::try_from(self.index).unwrap_or(i64::MAX));
        let result = match self.acc {
            None => work(&[("item", self.item), ("index", index.as_ref())]),
            Some(acc) => work(&[("item", self.item), ("index", index.as_ref()), ("acc", acc)]),
        };
        result.map_err(|mut error| {
            error.message = match &*error.code {
                // An end that came from outside is no fault of the expression.
                code::CANCELLED | code::TIMEOUT => return error,
                code::UNSUPPORTED => {
                    format!("parameter `{parameter}`: an expression needs a workflow").into()
                }
                _ => format!("parameter `{parameter}`, item {}: {}", self.index, error.message).into(),
            };
            error
        })
    }
}

/// What `by` says: a template that looks at no item is filled in once, and gives a path.
pub(crate) fn meant<'a>(by: Option<&'a str>, ctx: &Ctx<'_>) -> NodeResult<Option<Cow<'a, str>>> {
    let Some(text) = by else { return Ok(None) };
    let looks = text.contains("$item") || text.contains("$index");
    if looks || !text.contains("{{") {
        return Ok(Some(text.into()));
    }
    let rendered = ctx.render(Value::from(text).as_ref(), &[])?;
    let rendered = rendered.as_ref();
    if rendered.is_null() {
        return Ok(None);
    }
    let wrong = || NodeError::invalid("by", format_args!("gives {}, which is no field", shown(rendered)));
    Ok(Some(rendered.as_str().ok_or_else(wrong)?.to_owned().into()))
}

/// The value at a path such as `user.tags.0`; null where it leads nowhere.
pub(crate) fn field<'v>(value: ValueRef<'v>, path: &str) -> ValueRef<'v> {
    // A name with dots in it is found, too.
    if let Some(found) = value.get(path) {
        return found;
    }
    let mut found = value;
    for part in path.split('.') {
        let next = match found.as_list() {
            Some(list) => part.parse().ok().and_then(|place| list.get(place)),
            None => found.get(part),
        };
        let Some(next) = next else { return ValueRef::NULL };
        found = next;
    }
    found
}

/// The name of a group; items whose values have the same name belong together.
pub(crate) fn group_name(value: ValueRef<'_>) -> Cow<'_, str> {
    if value.is_null() {
        return Cow::Borrowed("null");
    }
    crate::text::text_or_json(value)
}
