//! What the expressions of a node see, and what an executing node may ask of its workflow.

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use patchbay_expression::{EvalError, NodeRef, NodeView, Scope};
use plugin_api::value::{Value, ValueRef};

use crate::Failure;
use crate::failure::Class;
use crate::frame::{Frame, Owner};
use crate::port::Callbacks;
use crate::record::Done;

/// The code of a failure that an expression caused.
pub(crate) const EXPRESSION_FAILED: &str = "EXPRESSION_FAILED";

/// One evaluation.
pub(crate) struct NodeScope<'f> {
    frame: &'f Frame,
    node: u32,
    bindings: Option<ValueRef<'f>>,
    /// The node's own result, before others see it.
    own: Option<&'f Done>,
    input: OnceCell<Value>,
    now: OnceCell<i64>,
}

impl<'f> NodeScope<'f> {
    pub(crate) const fn new(frame: &'f Frame, node: u32) -> Self {
        Self {
            frame,
            node,
            bindings: None,
            own: None,
            input: OnceCell::new(),
            now: OnceCell::new(),
        }
    }

    pub(crate) const fn bound(mut self, bindings: ValueRef<'f>) -> Self {
        self.bindings = Some(bindings);
        self
    }

    pub(crate) const fn after(mut self, own: &'f Done) -> Self {
        self.own = Some(own);
        self
    }
}

fn outer(mut frame: &Frame, up: u16) -> Option<&Frame> {
    for _ in 0..up {
        match &frame.owner {
            Owner::Round { parent, .. } => frame = parent,
            Owner::Run => return None,
        }
    }
    Some(frame)
}

impl Scope for NodeScope<'_> {
    fn json(&self) -> ValueRef<'_> {
        self.frame.run.trigger.as_ref()
    }

    fn input(&self) -> ValueRef<'_> {
        self.input.get_or_init(|| self.frame.arrived(self.node)).as_ref()
    }

    fn node(&self, node: NodeRef) -> Option<NodeView<'_>> {
        let done = match self.own {
            Some(own) if node.up == 0 && node.index == self.node => own,
            _ => outer(self.frame, node.up)?.done(node.index)?,
        };
        Some(NodeView {
            status: done.status.as_str(),
            output: done.output(),
            error: done
                .failure()
                .map(|failure| (failure.error_code(), &*failure.message)),
        })
    }

    fn find(&self, name: &str) -> Option<NodeRef> {
        let (mut frame, mut up) = (self.frame, 0);
        loop {
            if let Some(index) = frame.prepared.find(name) {
                return Some(NodeRef { up, index });
            }
            match &frame.owner {
                Owner::Round { parent, .. } => (frame, up) = (parent, up + 1),
                Owner::Run => return None,
            }
        }
    }

    fn nodes(&self) -> Vec<(String, NodeRef)> {
        let nodes = (0_u32..).zip(&self.frame.prepared.plan().nodes);
        nodes
            .filter(|(index, _)| self.frame.done(*index).is_some())
            .map(|(index, node)| (node.id.as_str().to_owned(), NodeRef { up: 0, index }))
            .collect()
    }

    fn context(&self) -> ValueRef<'_> {
        self.frame.run.context.as_ref()
    }

    fn variable(&self, name: &str) -> Option<Value> {
        self.frame.run.hold()?.board().get(name)
    }

    fn variables(&self) -> Value {
        self.frame
            .run
            .hold()
            .map_or_else(Value::null, |hold| hold.board().all())
    }

    fn workflow(&self) -> ValueRef<'_> {
        self.frame.prepared.plan().about.as_ref()
    }

    fn env(&self, name: &str) -> Option<Value> {
        self.frame.run.shop.host.env(name)
    }

    fn now_millis(&self) -> i64 {
        *self.now.get_or_init(|| {
            let millis = self.frame.run.shop.clock.wall().0;
            i64::try_from(millis).unwrap_or(i64::MAX)
        })
    }

    fn binding(&self, name: &str) -> Option<ValueRef<'_>> {
        if let Some(bound) = self.bindings.and_then(|bindings| bindings.get(name)) {
            return Some(bound);
        }
        let mut frame = self.frame;
        loop {
            if let Some(bound) = frame
                .bindings
                .as_ref()
                .and_then(|bindings| bindings.as_ref().get(name))
            {
                return Some(bound);
            }
            match &frame.owner {
                Owner::Round { parent, .. } => frame = parent,
                Owner::Run => return None,
            }
        }
    }

    fn tenant(&self) -> &str {
        self.frame.run.tenant.as_str()
    }
}

/// What a node that runs on this thread may ask.
pub(crate) struct Asking<'f> {
    pub(crate) frame: &'f Frame,
    pub(crate) node: u32,
    pub(crate) selected: AtomicU64,
}

/// What a polled node may ask.
pub(crate) struct AskingLater {
    pub(crate) frame: Arc<Frame>,
    pub(crate) node: u32,
    pub(crate) selected: Arc<AtomicU64>,
}

impl Callbacks for Asking<'_> {
    fn inputs(&self, input: u32) -> Option<Value> {
        self.frame.inputs(self.node, input)
    }

    fn select_output(&self, output: u32) {
        select(&self.selected, output);
    }

    fn evaluate(&self, expression: &str, bindings: ValueRef<'_>) -> Result<Value, Failure> {
        evaluate(self.frame, self.node, expression, bindings)
    }

    fn render(&self, template: ValueRef<'_>, bindings: ValueRef<'_>) -> Result<Value, Failure> {
        render(self.frame, self.node, template, bindings)
    }
}

impl Callbacks for AskingLater {
    fn inputs(&self, input: u32) -> Option<Value> {
        self.frame.inputs(self.node, input)
    }

    fn select_output(&self, output: u32) {
        select(&self.selected, output);
    }

    fn evaluate(&self, expression: &str, bindings: ValueRef<'_>) -> Result<Value, Failure> {
        evaluate(&self.frame, self.node, expression, bindings)
    }

    fn render(&self, template: ValueRef<'_>, bindings: ValueRef<'_>) -> Result<Value, Failure> {
        render(&self.frame, self.node, template, bindings)
    }
}

/// Outputs from 63 on are one: naming one of them names them all.
fn select(selected: &AtomicU64, output: u32) {
    selected.fetch_or(1 << output.min(63), Ordering::Relaxed);
}

fn evaluate(frame: &Frame, node: u32, source: &str, bindings: ValueRef<'_>) -> Result<Value, Failure> {
    let expression = frame.prepared.expression(source).map_err(|error| wrong(&error))?;
    let scope = NodeScope::new(frame, node).bound(bindings);
    let mut out = Vec::new();
    let limits = &frame.run.shop.config.expressions;
    expression
        .evaluate(&scope, limits, &mut out)
        .map_err(|error| threw(&error))?;
    Ok(ValueRef::assume_valid(&out).to_value())
}

fn render(frame: &Frame, node: u32, source: ValueRef<'_>, bindings: ValueRef<'_>) -> Result<Value, Failure> {
    let template = frame
        .prepared
        .template(source)
        .map_err(|errors| errors.first().map_or_else(nothing, wrong))?;
    let scope = NodeScope::new(frame, node).bound(bindings);
    let mut out = Vec::new();
    let limits = &frame.run.shop.config.expressions;
    template
        .render(&scope, limits, &mut out)
        .map_err(|error| threw(&error))?;
    Ok(ValueRef::assume_valid(&out).to_value())
}

fn nothing() -> Failure {
    Failure::new(Class::ExecutionError, "a template could not be compiled")
}

fn wrong(error: &patchbay_expression::CompileError) -> Failure {
    Failure {
        code: EXPRESSION_FAILED.into(),
        ..Failure::new(Class::ExecutionError, error.to_string())
    }
}

/// The failure of a node whose expression gave no value.
pub(crate) fn threw(error: &EvalError) -> Failure {
    let place = match error.pointer.as_str() {
        "" => String::new(),
        pointer => format!(" (parameter {pointer})"),
    };
    Failure {
        code: EXPRESSION_FAILED.into(),
        ..Failure::new(Class::ExecutionError, format!("{error}{place}"))
    }
}
