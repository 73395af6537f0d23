//! A value with expressions in its texts.

use plugin_api::value::{Value, ValueRef};

use crate::{CompileError, EvalError, EvalLimits, Names, NodeRef, Scope};

/// A compiled template: a value whose texts may hold expressions, at any depth.
#[derive(Debug)]
pub struct Template {
    source: Value,
}

impl Template {
    /// Compiles a value.
    ///
    /// # Errors
    /// Everything in it that is no expression.
    pub fn compile(value: ValueRef<'_>, names: &dyn Names) -> Result<Self, Vec<CompileError>> {
        let _ = names;
        Ok(Self {
            source: value.to_value(),
        })
    }

    /// The value as it is written.
    #[must_use]
    pub fn source(&self) -> ValueRef<'_> {
        self.source.as_ref()
    }

    /// The value, when there is no expression in it.
    #[must_use]
    pub fn fixed(&self) -> Option<ValueRef<'_>> {
        Some(self.source.as_ref())
    }

    /// Where expressions give values, as JSON pointers.
    #[must_use]
    pub fn open(&self) -> &[String] {
        &[]
    }

    /// The nodes it reads, each once.
    #[must_use]
    pub fn nodes(&self) -> &[NodeRef] {
        &[]
    }

    /// Names of nodes it reads that are not there, each once.
    #[must_use]
    pub fn unknown_nodes(&self) -> &[Box<str>] {
        &[]
    }

    /// Writes the encoded value at the end of `out`, which is left as it was when there is none.
    ///
    /// # Errors
    /// Why there is none.
    pub fn render(&self, scope: &dyn Scope, limits: &EvalLimits, out: &mut Vec<u8>) -> Result<(), EvalError> {
        let _ = (scope, limits);
        out.extend_from_slice(self.source.as_bytes());
        Ok(())
    }
}
