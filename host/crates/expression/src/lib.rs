//! Expressions `{{ ... }}` and templates of workflows: compiled once, evaluated over a run.
//!
//! Invariant: an expression reads what its [`Scope`] shows it and nothing else, and ends: paths and operators are
//! finite by construction, JavaScript has limits on time and memory and no way to the outside.
#![forbid(unsafe_code)]

mod ast;
mod calls;
mod convert;
mod engine;
mod error;
mod eval;
mod exception;
mod expression;
mod fault;
mod json;
mod lexer;
mod literal;
mod moment;
mod number;
mod operand;
mod parser;
mod path;
mod resolve;
mod scope;
mod script;
mod template;
mod toolbox;

pub use error::{CompileError, EvalError, EvalErrorKind};
pub use expression::{EvalLimits, Expression, Names};
pub use scope::{NodeRef, NodeView, Scope};
pub use template::Template;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_property;
#[cfg(test)]
mod tests_script;
#[cfg(test)]
mod tests_template;
