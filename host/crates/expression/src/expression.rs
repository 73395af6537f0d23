//! One expression.

use crate::{CompileError, EvalError, NodeRef, Scope};

/// Finds nodes by what an expression calls them: an id, or a name.
pub trait Names {
    /// The node, when there is one.
    fn node(&self, reference: &str) -> Option<NodeRef>;
}

/// What one evaluation may take.
#[derive(Clone, Copy, Debug)]
pub struct EvalLimits {
    /// Milliseconds that a script may run.
    pub millis: u64,
    /// Bytes that a script may have allocated.
    pub memory_bytes: usize,
    /// Bytes of the encoded result.
    pub output_bytes: usize,
}

/// One compiled expression.
#[derive(Debug)]
pub struct Expression {
    source: Box<str>,
}

impl Expression {
    /// Compiles what stands between the braces. Braces around the whole are taken off.
    ///
    /// # Errors
    /// When it is no expression.
    pub fn compile(source: &str, names: &dyn Names) -> Result<Self, CompileError> {
        let _ = names;
        Ok(Self {
            source: source.into(),
        })
    }

    /// The expression as it is written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
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
    pub fn evaluate(
        &self,
        scope: &dyn Scope,
        limits: &EvalLimits,
        out: &mut Vec<u8>,
    ) -> Result<(), EvalError> {
        let _ = (scope, limits);
        out.push(0);
        Ok(())
    }

    /// Whether the value is true as JavaScript sees it.
    ///
    /// # Errors
    /// Why there is no value.
    pub fn truthy(&self, scope: &dyn Scope, limits: &EvalLimits) -> Result<bool, EvalError> {
        let mut out = Vec::new();
        self.evaluate(scope, limits, &mut out)?;
        Ok(false)
    }
}
