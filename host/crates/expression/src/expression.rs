//! Invariant: whether an expression is compiled or is a script is decided once, when it is compiled.

use plugin_api::value::{ValueRef, Writer};

use crate::ast::Expr;
use crate::eval::{Evaluation, unfit};
use crate::fault::Fault;
use crate::lexer::{Ending, Flaw, Lexed, lex};
use crate::operand::{Operand, View};
use crate::parser::{Stop, parse};
use crate::resolve::{Bare, Resolver};
use crate::script::{Script, analyse};
use crate::{CompileError, EvalError, NodeRef, Scope, engine};

/// Bytes of an expression.
const MAX_SOURCE: usize = 64 * 1024;

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
    plan: Plan,
    nodes: Box<[NodeRef]>,
    unknown: Box<[Box<str>]>,
    bindings: Box<[&'static str]>,
}

/// How an expression is evaluated.
#[derive(Debug)]
enum Plan {
    Tree(Expr),
    Script(Script),
}

impl Expression {
    /// Compiles what stands between the braces. Braces around the whole are taken off.
    ///
    /// # Errors
    /// When it is no expression.
    pub fn compile(source: &str, names: &dyn Names) -> Result<Self, CompileError> {
        Self::compile_as(without_braces(source), names, Bare::Allowed)
    }

    pub(crate) fn compile_as(source: &str, names: &dyn Names, bare: Bare) -> Result<Self, CompileError> {
        let mut resolver = Resolver::new(names, bare);
        let plan = plan(source, &mut resolver).map_err(|flaw| flaw.into_error(source))?;
        Ok(Self {
            source: source.into(),
            plan,
            nodes: resolver.nodes.into(),
            unknown: resolver.unknown.into(),
            bindings: resolver.bindings.into(),
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
        &self.nodes
    }

    /// Names of nodes it reads that are not there, each once.
    #[must_use]
    pub fn unknown_nodes(&self) -> &[Box<str>] {
        &self.unknown
    }

    /// The variables of callbacks that it reads, each once, without the dollar sign.
    #[must_use]
    pub fn bindings(&self) -> &[&'static str] {
        &self.bindings
    }

    /// Whether it needs the script engine.
    #[must_use]
    pub fn is_script(&self) -> bool {
        matches!(self.plan, Plan::Script(_))
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
        self.write(scope, limits, Writer::new(out)).map(|_| ())
    }

    /// Writes the encoded value, and says about how large it is.
    pub(crate) fn write(
        &self,
        scope: &dyn Scope,
        limits: &EvalLimits,
        writer: Writer<'_, Vec<u8>>,
    ) -> Result<usize, EvalError> {
        let result = match &self.plan {
            Plan::Tree(expr) => Evaluation { scope, limits }.eval(expr).and_then(|value| {
                finite(&value, expr)?;
                let size = value.size();
                if size > limits.output_bytes {
                    return Err(Fault::size(0, limits.output_bytes));
                }
                value.write(writer).map_err(|error| unfit(&error, 0))?;
                Ok(size)
            }),
            Plan::Script(script) => {
                let mut out = Vec::new();
                run(script, scope, limits, &mut out).and_then(|()| {
                    let value = ValueRef::assume_valid(&out);
                    writer.value(value).map_err(|error| unfit(&error, 0))?;
                    Ok(out.len())
                })
            }
        };
        result.map_err(|fault| fault.into_error(&self.source))
    }

    pub(crate) fn too_large(&self, limits: &EvalLimits) -> EvalError {
        Fault::size(0, limits.output_bytes).into_error(&self.source)
    }

    /// Whether the value is true as JavaScript sees it.
    ///
    /// # Errors
    /// Why there is no value.
    pub fn truthy(&self, scope: &dyn Scope, limits: &EvalLimits) -> Result<bool, EvalError> {
        self.value(scope, limits, |value| value.view().truthy())
    }

    /// Shows the value, which is not written anywhere.
    pub(crate) fn value<T>(
        &self,
        scope: &dyn Scope,
        limits: &EvalLimits,
        show: impl FnOnce(&Operand<'_>) -> T,
    ) -> Result<T, EvalError> {
        let result = match &self.plan {
            Plan::Tree(expr) => Evaluation { scope, limits }.eval(expr).map(|value| show(&value)),
            Plan::Script(script) => {
                let mut out = Vec::new();
                run(script, scope, limits, &mut out)
                    .map(|()| show(&Operand::Ref(ValueRef::assume_valid(&out))))
            }
        };
        result.map_err(|fault| fault.into_error(&self.source))
    }
}

fn plan(source: &str, resolver: &mut Resolver<'_>) -> Result<Plan, Flaw> {
    if source.len() > MAX_SOURCE {
        return Err(Flaw::new(
            0,
            format!("an expression has at most {MAX_SOURCE} bytes"),
        ));
    }
    let Lexed { tokens, end } = lex(source, 0, Ending::Source)?;
    if tokens.is_empty() {
        return Err(Flaw::new(0, "the expression is empty"));
    }
    match parse(source, &tokens, end, resolver) {
        Ok(expr) => Ok(Plan::Tree(expr)),
        Err(Stop::Wrong(flaw)) => Err(flaw),
        Err(Stop::Script(flaw)) => {
            // What the parser found before it gave up is found again.
            resolver.forget();
            let script = analyse(source, &tokens, resolver)?;
            // Where the engine does not say where, the place at which the grammar ended is the best there is.
            engine::check(&script).map_err(|found| {
                if found.at == 0 {
                    Flaw { at: flaw.at, ..found }
                } else {
                    found
                }
            })?;
            Ok(Plan::Script(script))
        }
    }
}

fn run(script: &Script, scope: &dyn Scope, limits: &EvalLimits, out: &mut Vec<u8>) -> Result<(), Fault> {
    let evaluation = Evaluation { scope, limits };
    let arguments: Result<Vec<_>, _> = script
        .arguments
        .iter()
        .map(|path| evaluation.eval(path))
        .collect();
    engine::run(
        script,
        scope.tenant(),
        &arguments?,
        scope.now_millis(),
        limits,
        out,
    )
}

/// A number that is none is a wrong result; the message says what made it.
fn finite(value: &Operand<'_>, expr: &Expr) -> Result<(), Fault> {
    let View::Float(number) = value.view() else {
        return Ok(());
    };
    if number.is_finite() {
        return Ok(());
    }
    let what = if number.is_nan() {
        "not a number (NaN)"
    } else {
        "infinite"
    };
    let (by, at) = match expr {
        Expr::Binary(operator, _, at) => (format!(" of `{}`", operator.sign()), *at),
        _ => (String::new(), 0),
    };
    Err(Fault::failed(at, format!("the result{by} is {what}")))
}

/// `{{ x }}` is `x`.
fn without_braces(source: &str) -> &str {
    let trimmed = source.trim();
    let inner = trimmed.strip_prefix("{{").and_then(|rest| {
        let lexed = lex(trimmed, 2, Ending::Braces).ok()?;
        (lexed.end + 2 == trimmed.len())
            .then(|| rest.get(..lexed.end - 2))
            .flatten()
    });
    inner.map_or(source, str::trim)
}
