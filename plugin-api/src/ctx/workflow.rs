//! What a node of a workflow may ask: its inputs and outputs, the run's variables as a whole, expressions.
//!
//! Invariant: a host that lacks one of these says so (`UNSUPPORTED`), and so does a host that runs the node outside a
//! workflow; a node that cannot do without says `needs: "1.2"` in `export_plugin!`.

use crate::abi::{evaluation, store};
use crate::value::{Value, ValueRef};
use crate::{Ctx, NodeError, NodeResult};

impl Ctx<'_> {
    /// All variables of the run, as a map in the order in which they were first set.
    ///
    /// # Errors
    /// `UNSUPPORTED` on a host older than contract 1.2; when the host refuses.
    pub fn variables(&self) -> NodeResult<Value> {
        self.raw.list(store::VARIABLES)
    }

    /// Sets a variable to `value` (`None` removes it) when it is `expected` (`None`: not there), in one step beside
    /// everybody else who writes it. `false` when it is another; nothing has changed then.
    ///
    /// # Errors
    /// `UNSUPPORTED` on a host older than contract 1.2; when the host refuses.
    pub fn replace_variable(
        &self,
        name: &str,
        expected: Option<ValueRef<'_>>,
        value: Option<ValueRef<'_>>,
    ) -> NodeResult<bool> {
        self.raw.replace(store::VARIABLES, name, expected, value)
    }

    /// Makes a variable's next value from the one it has (`None`: not there), and gives both. No other writer comes
    /// between: `update` is called again when one did, so it should do nothing else.
    ///
    /// ```
    /// # use plugin_api::prelude::*;
    /// # fn count(ctx: &Ctx<'_>) -> NodeResult<()> {
    /// let (old, new) = ctx.update_variable("count", |count| {
    ///     let count = count.and_then(|count| count.as_i64()).unwrap_or(0);
    ///     Ok(Some(Value::from(count + 1)))
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `UNSUPPORTED` on a host older than contract 1.2; the error of `update`; `CANCELLED` or `TIMEOUT` when the call
    /// should be over; when the host refuses.
    pub fn update_variable(
        &self,
        name: &str,
        update: impl FnMut(Option<ValueRef<'_>>) -> NodeResult<Option<Value>>,
    ) -> NodeResult<(Option<Value>, Option<Value>)> {
        self.updated(store::VARIABLES, name, update)
    }

    /// The first value that arrived at an input of this workflow node; `None` when nothing did.
    ///
    /// # Errors
    /// `UNSUPPORTED` outside a workflow, and on a host older than contract 1.2.
    pub fn input(&self, index: u32) -> NodeResult<Option<Value>> {
        let arrived = self.raw.input(index)?;
        Ok(arrived.and_then(|values| Some(values.as_ref().at(0)?.to_value())))
    }

    /// All values that arrived at an input of this workflow node, in the order of the edges.
    ///
    /// # Errors
    /// `UNSUPPORTED` outside a workflow, and on a host older than contract 1.2.
    pub fn inputs(&self, index: u32) -> NodeResult<Vec<Value>> {
        let arrived = self.raw.input(index)?;
        let values = arrived.as_ref().and_then(|values| values.as_ref().as_list());
        Ok(values.map_or_else(Vec::new, |values| {
            values.iter().map(|value| value.to_value()).collect()
        }))
    }

    /// Has this workflow node leave by the output of that number, beside those selected before in this call. A node
    /// that selects none leaves by all of them.
    ///
    /// # Errors
    /// `UNSUPPORTED` outside a workflow, and on a host older than contract 1.2.
    pub fn select_output(&self, output: u32) -> NodeResult<()> {
        self.raw.select_output(output)
    }

    /// Evaluates an expression such as `$item.age > 18`, bare or within `{{ }}`, as the workflow evaluates its own. The
    /// binding `item` is seen as `$item`.
    ///
    /// # Errors
    /// What is wrong with the expression; `UNSUPPORTED` outside a workflow, and on a host older than contract 1.2.
    pub fn evaluate(&self, expression: &str, bindings: &[(&str, ValueRef<'_>)]) -> NodeResult<Value> {
        let source = Value::from(expression);
        self.evaluated(evaluation::EXPRESSION, source.as_ref(), bindings)
    }

    /// Fills in every `{{ }}` in a value's texts, at any depth, as the workflow does with its own parameters. A text
    /// that is one expression and nothing else becomes what the expression gives, of whatever kind.
    ///
    /// # Errors
    /// What is wrong with an expression; `UNSUPPORTED` outside a workflow, and on a host older than contract 1.2.
    pub fn render(&self, template: ValueRef<'_>, bindings: &[(&str, ValueRef<'_>)]) -> NodeResult<Value> {
        self.evaluated(evaluation::TEMPLATE, template, bindings)
    }

    fn evaluated(
        &self,
        kind: u32,
        source: ValueRef<'_>,
        bindings: &[(&str, ValueRef<'_>)],
    ) -> NodeResult<Value> {
        let bindings = Value::from_pairs(bindings.iter().copied()).map_err(NodeError::from)?;
        self.raw.evaluate(kind, source, bindings.as_ref())
    }
}
