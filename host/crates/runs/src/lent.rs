//! What a run lends to its nodes, as the dispatcher wants it.
//!
//! Invariant: a node that asked for anything but its parameters is known to have done so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use patchbay_dispatch::NodeScope;
use patchbay_executor::{Callbacks, Failure};
use plugin_api::NodeError;
use plugin_api::value::{Value, ValueRef};

/// Whether a workflow has what its nodes are given and answer kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// It has.
    Kept,
    /// It has not, or not of every run.
    NotKept,
}

/// A run's callbacks, and whether the node used them, or anything else beside its parameters.
pub(crate) struct Watched<'c> {
    callbacks: &'c dyn Callbacks,
    contents: Contents,
    asked: AtomicBool,
}

impl<'c> Watched<'c> {
    pub(crate) const fn new(callbacks: &'c dyn Callbacks, contents: Contents) -> Self {
        Self {
            callbacks,
            contents,
            asked: AtomicBool::new(false),
        }
    }

    /// Whether the node's result may come of more than its parameters.
    pub(crate) fn has_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    fn asked(&self) -> Lent<'_> {
        self.touched();
        Lent(self.callbacks, self.contents)
    }
}

impl NodeScope for Watched<'_> {
    fn inputs(&self, index: u32) -> Option<Value> {
        self.asked().inputs(index)
    }

    fn select_output(&self, output: u32) {
        self.asked().select_output(output);
    }

    fn evaluate(&self, expression: &str, bindings: ValueRef<'_>) -> Result<Value, NodeError> {
        self.asked().evaluate(expression, bindings)
    }

    fn render(&self, template: ValueRef<'_>, bindings: ValueRef<'_>) -> Result<Value, NodeError> {
        self.asked().render(template, bindings)
    }

    fn touched(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    fn keeps_contents(&self) -> bool {
        self.contents == Contents::Kept
    }
}

/// A run's callbacks, as the dispatcher lends them to a node.
pub(crate) struct Lent<'c>(pub(crate) &'c dyn Callbacks, pub(crate) Contents);

/// The same for nodes that are polled.
pub(crate) struct Shared(pub(crate) Arc<dyn Callbacks>, pub(crate) Contents);

macro_rules! lend {
    ($of:ty) => {
        impl NodeScope for $of {
            fn inputs(&self, index: u32) -> Option<Value> {
                self.0.inputs(index)
            }

            fn select_output(&self, output: u32) {
                self.0.select_output(output);
            }

            fn evaluate(&self, expression: &str, bindings: ValueRef<'_>) -> Result<Value, NodeError> {
                self.0
                    .evaluate(expression, bindings)
                    .map_err(|failure| told(&failure))
            }

            fn render(&self, template: ValueRef<'_>, bindings: ValueRef<'_>) -> Result<Value, NodeError> {
                self.0
                    .render(template, bindings)
                    .map_err(|failure| told(&failure))
            }

            fn keeps_contents(&self) -> bool {
                self.1 == Contents::Kept
            }
        }
    };
}

lend!(Lent<'_>);
lend!(Shared);

fn told(failure: &Failure) -> NodeError {
    NodeError::with_code(failure.error_code().to_owned(), failure.message.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Callbacks for Nothing {
        fn inputs(&self, _: u32) -> Option<Value> {
            None
        }

        fn select_output(&self, _: u32) {}

        fn evaluate(&self, _: &str, _: ValueRef<'_>) -> Result<Value, Failure> {
            Ok(Value::null())
        }

        fn render(&self, _: ValueRef<'_>, _: ValueRef<'_>) -> Result<Value, Failure> {
            Ok(Value::null())
        }
    }

    #[test]
    fn whatever_a_node_asks_for_is_noticed() {
        let asks: [fn(&Watched<'_>); 5] = [
            |scope| drop(scope.inputs(0)),
            |scope| scope.select_output(1),
            |scope| drop(scope.evaluate("1", ValueRef::NULL)),
            |scope| drop(scope.render(ValueRef::NULL, ValueRef::NULL)),
            |scope| scope.touched(),
        ];
        for ask in asks {
            let scope = Watched::new(&Nothing, Contents::Kept);
            assert!(!scope.has_asked());
            ask(&scope);
            assert!(scope.has_asked());
        }
    }
}
