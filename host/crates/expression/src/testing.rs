//! A scope made of JSON, for tests.

use plugin_api::value::{Value, ValueRef};

use crate::{EvalError, EvalLimits, Expression, Names, NodeRef, NodeView, Scope, Template};

/// Enough for every honest expression, and little enough for hostile ones to end soon.
pub(crate) const LIMITS: EvalLimits = EvalLimits {
    millis: 300,
    memory_bytes: 16 << 20,
    output_bytes: 1 << 20,
};

pub(crate) struct Run {
    pub(crate) json: Value,
    pub(crate) input: Value,
    pub(crate) context: Value,
    pub(crate) variables: Value,
    pub(crate) bindings: Value,
    pub(crate) tenant: String,
    workflow: Value,
    nodes: Vec<(&'static str, &'static str, Value)>,
}

pub(crate) fn value(json: &str) -> Value {
    Value::from_json(json).unwrap()
}

impl Default for Run {
    fn default() -> Self {
        Self {
            json: value(
                r#"{"n": 5, "s": "x", "f": 1.5, "t": true, "z": null, "list": [3, 1, 2], "tags": ["x", "y"],
                    "user": {"name": "Ada", "id": "u1"}, "o": {"a": 1}, "big": 9007199254740993, "text": "Grüße 😀",
                    "with-dash": 1, "items": [{"k": "a", "v": 1}, {"k": "b", "v": 2}, {"k": "a", "v": 3}], "1": "one",
                    "empty": "", "constructor": "own", "__proto__": "own"}"#,
            ),
            input: value(r#"{"x": 1, "deep": {"y": 2}}"#),
            context: value(
                r#"{"tenantId": "acme", "userId": "u1", "user": {"id": "u1", "level": 3}, "executionId": "e1"}"#,
            ),
            variables: value(r#"{"x": 7, "o": {"p": [1, 2]}}"#),
            bindings: value("{}"),
            tenant: "acme".to_owned(),
            workflow: value(r#"{"id": "w1", "name": "Flow", "active": true}"#),
            nodes: vec![
                (
                    "a",
                    "Node A",
                    value(r#"{"result": "ONE", "list": [1, {"k": 2}]}"#),
                ),
                ("with-dash", "Dashed", value(r#"{"result": [1, 2, 3]}"#)),
                ("failed", "Failed", Value::null()),
                ("later", "Later", Value::null()),
            ],
        }
    }
}

impl Names for Run {
    fn node(&self, reference: &str) -> Option<NodeRef> {
        let place = self
            .nodes
            .iter()
            .position(|(id, name, _)| *id == reference || *name == reference)?;
        Some(NodeRef {
            up: 0,
            index: u32::try_from(place).unwrap(),
        })
    }
}

impl Scope for Run {
    fn json(&self) -> ValueRef<'_> {
        self.json.as_ref()
    }
    fn input(&self) -> ValueRef<'_> {
        self.input.as_ref()
    }
    fn node(&self, node: NodeRef) -> Option<NodeView<'_>> {
        let (id, _, output) = &self.nodes[node.index as usize];
        let error = (*id == "failed").then_some(("TIMEOUT", "took too long"));
        let status = if error.is_some() { "error" } else { "success" };
        (*id != "later").then(|| NodeView {
            status,
            output: output.as_ref(),
            error,
        })
    }
    fn find(&self, name: &str) -> Option<NodeRef> {
        Names::node(self, name)
    }
    fn nodes(&self) -> Vec<(String, NodeRef)> {
        let ids = self
            .nodes
            .iter()
            .map(|(id, ..)| ((*id).to_owned(), Names::node(self, id).unwrap()));
        ids.collect()
    }
    fn context(&self) -> ValueRef<'_> {
        self.context.as_ref()
    }
    fn variable(&self, name: &str) -> Option<Value> {
        self.variables.as_ref().get(name).map(|value| value.to_value())
    }
    fn variables(&self) -> Value {
        self.variables.clone()
    }
    fn workflow(&self) -> ValueRef<'_> {
        self.workflow.as_ref()
    }
    fn env(&self, name: &str) -> Option<Value> {
        (name == "APP_URL").then(|| Value::from("http://app"))
    }
    fn now_millis(&self) -> i64 {
        1_767_225_599_999
    }
    fn binding(&self, name: &str) -> Option<ValueRef<'_>> {
        self.bindings.as_ref().get(name)
    }
    fn tenant(&self) -> &str {
        &self.tenant
    }
}

impl Run {
    /// The value of an expression, as JSON.
    pub(crate) fn eval(&self, source: &str) -> Result<String, EvalError> {
        let expression =
            Expression::compile(source, self).unwrap_or_else(|error| panic!("{source}: {error}"));
        self.evaluate(&expression)
    }

    pub(crate) fn evaluate(&self, expression: &Expression) -> Result<String, EvalError> {
        let mut out = vec![42];
        let done = expression.evaluate(self, &LIMITS, &mut out);
        assert_eq!(out[0], 42);
        if done.is_err() {
            assert_eq!(out.len(), 1, "a failure leaves the output as it was");
        }
        done.map(|()| ValueRef::parse(&out[1..]).unwrap().to_json())
    }

    /// The rendered template, as JSON.
    pub(crate) fn render(&self, template: &str) -> Result<String, EvalError> {
        let template = value(template);
        let template = Template::compile(template.as_ref(), self).unwrap();
        let mut out = Vec::new();
        template.render(self, &LIMITS, &mut out)?;
        Ok(ValueRef::parse(&out).unwrap().to_json())
    }
}
