//! Invariant: what the host evaluates for an entry sees its value and key, and its failure names the parameter and the
//! key.

use plugin_api::prelude::*;

/// Evaluates something for each entry, until the caller gives up.
pub(crate) struct Callback<'c> {
    /// The name of the parameter that says what.
    pub(crate) parameter: &'static str,
    pub(crate) ctx: &'c Ctx<'c>,
}

impl Callback<'_> {
    /// Evaluates an expression.
    pub(crate) fn evaluate(&self, expression: &str, (key, value): (&str, ValueRef<'_>)) -> NodeResult<Value> {
        self.ctx.check()?;
        let name = Value::from(key);
        let result = self
            .ctx
            .evaluate(expression, &[("value", value), ("key", name.as_ref())]);
        result.map_err(|error| self.failed(key, error))
    }

    /// Fills in a template.
    pub(crate) fn render(
        &self,
        template: ValueRef<'_>,
        (key, value): (&str, ValueRef<'_>),
    ) -> NodeResult<Value> {
        self.ctx.check()?;
        let name = Value::from(key);
        let result = self
            .ctx
            .render(template, &[("value", value), ("key", name.as_ref())]);
        result.map_err(|error| self.failed(key, error))
    }

    fn failed(&self, key: &str, mut error: NodeError) -> NodeError {
        let key: String = key.chars().take(40).collect();
        let message = format!(
            "parameter `{}`, for key `{key}`: {}",
            self.parameter, error.message
        );
        error.message = message.into();
        error
    }
}
