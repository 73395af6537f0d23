//! Expressions `{{ ... }}` and templates of workflows: compiled once, evaluated over a run.
//!
//! Invariant: an expression reads what its [`Scope`] shows it and nothing else, and ends: paths and operators are
//! finite by construction, JavaScript has limits on time and memory and no way to the outside.
#![forbid(unsafe_code)]

mod error;
mod expression;
mod scope;
mod template;

pub use error::{CompileError, EvalError, EvalErrorKind};
pub use expression::{EvalLimits, Expression, Names};
pub use scope::{NodeRef, NodeView, Scope};
pub use template::Template;
