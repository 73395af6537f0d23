//! Invariant: what a list node does with an item is decided by that item, its place and, when reducing, the result so
//! far.

use std::borrow::Cow;

use plugin_api::prelude::*;
use plugin_api::reading::{Callback, Outcome, Place, excerpt, field};

/// The value of a template: an expression, or any value with `{{ }}` in its texts.
pub(crate) fn made(callback: &Callback<'_>, template: ValueRef<'_>, place: Place<'_>) -> NodeResult<Value> {
    match template.as_str() {
        Some(text) if !text.contains("{{") => callback.evaluate(text, place),
        _ => callback.render(template, place),
    }
}

/// What an item has under `by`: an expression if it has a `$`, else a path of names and places with dots between.
pub(crate) fn by<'v>(
    by: Option<&str>,
    index: usize,
    item: ValueRef<'v>,
    ctx: &Ctx<'_>,
) -> NodeResult<Outcome<'v>> {
    match by {
        None => Ok(Outcome::Lent(item)),
        Some(expression) if expression.contains('$') => {
            let callback = Callback::new("by", ctx);
            Ok(Outcome::Made(
                callback.evaluate(expression, Place::item(index, item))?,
            ))
        }
        Some(path) => Ok(Outcome::Lent(field(item, path).unwrap_or(ValueRef::NULL))),
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
    let wrong = || {
        NodeError::invalid(
            "by",
            format_args!("gives {}, which is no field", excerpt(rendered)),
        )
    };
    Ok(Some(rendered.as_str().ok_or_else(wrong)?.to_owned().into()))
}
