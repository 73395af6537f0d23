//! Invariant: what the host evaluates for an item sees that item and its position, and its failure names the parameter
//! and the position.

use plugin_api::prelude::*;

/// Evaluates something for each item, until the caller gives up.
pub(crate) struct Callback<'c> {
    /// The name of the parameter that says what.
    parameter: &'static str,
    ctx: &'c Ctx<'c>,
}

impl<'c> Callback<'c> {
    pub(crate) const fn new(parameter: &'static str, ctx: &'c Ctx<'c>) -> Self {
        Self { parameter, ctx }
    }

    /// Evaluates an expression, with `$acc` where the node accumulates.
    pub(crate) fn evaluate(
        &self,
        expression: &str,
        (index, item): (usize, ValueRef<'_>),
        acc: Option<ValueRef<'_>>,
    ) -> NodeResult<Value> {
        self.ctx.check()?;
        let position = position(index);
        let here = [("item", item), ("index", position.as_ref())];
        let result = match acc {
            Some(acc) => {
                let [item, index] = here;
                self.ctx.evaluate(expression, &[("acc", acc), item, index])
            }
            None => self.ctx.evaluate(expression, &here),
        };
        result.map_err(|error| self.failed(index, error))
    }

    /// Fills in a template.
    pub(crate) fn render(
        &self,
        template: ValueRef<'_>,
        index: usize,
        item: ValueRef<'_>,
    ) -> NodeResult<Value> {
        self.ctx.check()?;
        let position = position(index);
        let result = self
            .ctx
            .render(template, &[("item", item), ("index", position.as_ref())]);
        result.map_err(|error| self.failed(index, error))
    }

    fn failed(&self, index: usize, mut error: NodeError) -> NodeError {
        let message = format!(
            "parameter `{}`, for item {index}: {}",
            self.parameter, error.message
        );
        error.message = message.into();
        error
    }
}

fn position(index: usize) -> Value {
    i64::try_from(index).unwrap_or(i64::MAX).into()
}
