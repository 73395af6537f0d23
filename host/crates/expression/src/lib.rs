//! Expressions `{{ ... }}` and templates of workflows: compiled once, evaluated over a run.
//!
//! Invariant: an expression reads what its [`Scope`] shows it and nothing else, and ends: paths and operators are
//! finite by construction, JavaScript has limits on time and memory and no way to the outside.
//!
//! ```text
//! text --lexer--> tokens --parser--> tree ------------------------> Operand --> encoded value
//!                        \--script--> function of the paths it reads --engine--/
//! ```
//!
//! # What is JavaScript
//!
//! An expression means what it means in JavaScript. Paths, literals, operators, and the usual calls (`Math.max`,
//! `JSON.stringify`, `.includes`, ...) are compiled here and need no engine; everything else runs in an embedded one.
//! Which of the two is decided when the expression is compiled, and a test holds the two to the same answers.
//!
//! # What differs
//!
//! * A path whose middle is missing is `undefined`, where JavaScript throws. A method of nothing is an error. In a script
//!   this holds for paths that begin at a root: `$json.a.b.filter(...)` reads `$json.a.b` as here.
//! * `undefined` is null in results, also as an entry of a map. NaN and infinity in a result are errors.
//! * In a text of a template null and what is missing are `null`, lists and maps are JSON.
//! * `===` compares lists and maps by their contents in what is compiled, by identity in scripts.
//! * Maps keep their order. Integers keep their 64 bits while they are only passed on; calculating with them, and
//!   scripts, make them numbers as JavaScript has them. Bytes are base64 text.
//! * `__proto__`, `constructor` and `prototype` lead nowhere.
//! * Scripts are strict; their intrinsics are frozen; there is no `eval`, `Function`, `Proxy`, `BigInt`, typed array,
//!   promise or `async`. `Date` and `$now` read the scope's clock, in scripts, too. Half a surrogate pair becomes U+FFFD.
//!   Methods of lists are for lists of up to five million items.
//! * A name with a dollar sign is a root everywhere, unless the expression binds it itself somewhere (`$x => ...`).
//!
//! # Roots
//!
//! `$json`, `$input` (`.item`, `.first()`, `.last()`, `.all()`, and `.json` of each), `$context`, `$steps`, `$state`,
//! `$nodes`, `$node`, `$<id>` of a node, `$workflow`, `$vars`, `$variables`, `$env`, `$now` (ISO text), `$today`
//! (`2026-01-31`), `$utils`, and the variables of callbacks `$item $index $acc $value $key $array`, which an
//! [`Expression`] may write without the dollar sign. A node has `output`, `json` and `data` (all the output), `status`,
//! `success`, `error`, `errorCode`; any other name is looked for in its output. A text of a [`Template`] that reads a
//! variable of a callback which is not bound stays as it is written: the node will evaluate it for each item.
//!
//! # Cost
//!
//! A script looks at its clock whenever something may repeat, and built-in functions do before they work on much; one
//! built-in call on as much as the memory limit allows is what the time limit can be overrun by.
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
mod primary;
mod pulse;
mod resolve;
mod roots;
mod scope;
mod script;
mod template;
mod toolbox;
mod watch;

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
