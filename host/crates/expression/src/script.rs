//! Invariant: what a script reads of the scope is found before it runs, by its text; the engine gets these values as
//! arguments and nothing else.
//!
//! `$json.data.filter(item => item.owner === $context.user.id)` becomes a function of two arguments,
//! `$json.data` and `$context.user.id`, and only those two are turned into JavaScript values.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ast::{Expr, Step};
use crate::lexer::{Ending, Flaw, Kind, Token, lex};
use crate::literal::read_literal;
use crate::primary::input_call;
use crate::pulse::pulses;
use crate::resolve::{Resolver, tool};

/// An expression for the engine.
#[derive(Debug)]
pub(crate) struct Script {
    /// Tells compiled functions apart in the caches of the threads.
    pub(crate) id: u64,
    /// The expression as it is written.
    pub(crate) source: Box<str>,
    /// The source of a function of `arguments`.
    pub(crate) function: Box<str>,
    /// Where copied pieces of the source begin: in the body of the function, and in the source.
    pub(crate) pieces: Box<[(usize, usize)]>,
    /// The body of the function, which is a line of its own.
    pub(crate) body: Box<str>,
    /// What it reads.
    pub(crate) arguments: Box<[Expr]>,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Words that would let code run when no evaluation does, or have no meaning here.
const REFUSED: [&str; 4] = ["import", "await", "async", "extends"];

/// Words of the language, and what contexts have.
#[rustfmt::skip]
const WORDS: [&str; 83] = [
    "this", "null", "true", "false", "undefined", "NaN", "Infinity", "typeof", "void", "in", "of", "instanceof", "new",
    "delete", "return", "throw", "if", "else", "for", "while", "do", "break", "continue", "switch", "case", "default",
    "try", "catch", "finally", "yield", "function", "let", "const", "var", "class", "extends", "super", "static", "get",
    "set", "with", "debugger", "arguments", "globalThis", "Object", "Array", "String", "Number", "Boolean", "Symbol",
    "Math", "JSON", "Date", "RegExp", "Map", "Set", "WeakMap", "WeakSet", "Promise", "Reflect", "Iterator",
    "Error", "AggregateError", "EvalError", "InternalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError",
    "URIError", "parseInt", "parseFloat", "isNaN", "isFinite", "encodeURI", "encodeURIComponent", "decodeURI",
    "decodeURIComponent", "escape", "unescape", "eval", "Function", "enum",
];

/// Finds what an expression reads, and makes a function of it.
pub(crate) fn analyse(source: &str, tokens: &[Token], resolver: &mut Resolver<'_>) -> Result<Script, Flaw> {
    let mut analysis = Analysis {
        source,
        resolver,
        declared: HashSet::new(),
        binds: false,
        known: Vec::new(),
        arguments: Vec::new(),
        body: String::with_capacity(source.len() + 64),
        copied: 0,
        pieces: Vec::new(),
    };
    analysis.declare(tokens)?;
    analysis.rewrite(tokens)?;
    analysis.copy_to(source.len());
    let parameters: Vec<String> = (0..analysis.arguments.len()).map(parameter).collect();
    // The expression begins a line of its own, the second.
    let function = format!(
        "(function({}){{\"use strict\";return (\n{}\n)}})",
        parameters.join(","),
        analysis.body
    );
    Ok(Script {
        id: NEXT.fetch_add(1, Ordering::Relaxed),
        source: source.into(),
        function: function.into(),
        pieces: analysis.pieces.into(),
        body: analysis.body.into(),
        arguments: analysis.arguments.into(),
    })
}

/// Roots never begin with two dollar signs, so a parameter is taken for one by nobody.
fn parameter(index: usize) -> String {
    format!("$${index}")
}

struct Analysis<'s, 'r, 'n> {
    source: &'s str,
    resolver: &'r mut Resolver<'n>,
    /// Names that the expression binds itself, wherever it does.
    declared: HashSet<&'s str>,
    /// Whether it has statements that bind names in more ways than are looked at here.
    binds: bool,
    /// Source of each argument.
    known: Vec<String>,
    arguments: Vec<Expr>,
    body: String,
    copied: usize,
    pieces: Vec<(usize, usize)>,
}

impl<'s> Analysis<'s, '_, '_> {
    fn text(&self, token: Token) -> &'s str {
        self.source.get(token.start..token.end).unwrap_or_default()
    }

    fn copy_to(&mut self, end: usize) {
        self.pieces.push((self.body.len(), self.copied));
        self.body
            .push_str(self.source.get(self.copied..end).unwrap_or_default());
        self.copied = end;
    }

    /// Runs over the expressions within a template literal.
    fn nested(
        &mut self,
        token: Token,
        mut each: impl FnMut(&mut Self, &[Token]) -> Result<(), Flaw>,
    ) -> Result<(), Flaw> {
        let mut at = token.start + 1;
        while at < token.end {
            let rest = self.source.get(at..token.end).unwrap_or_default();
            if rest.starts_with('\\') {
                at += 1 + rest.chars().nth(1).map_or(0, char::len_utf8);
            } else if rest.starts_with("${") {
                let inner = lex(self.source, at + 2, Ending::Brace)?;
                each(self, &inner.tokens)?;
                at = inner.end + 1;
            } else {
                at += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
        Ok(())
    }

    /// Collects the names of parameters and variables.
    fn declare(&mut self, tokens: &[Token]) -> Result<(), Flaw> {
        let mut open: Vec<usize> = Vec::new();
        let mut last_group = None;
        for (index, token) in tokens.iter().enumerate() {
            match (token.kind, self.text(*token)) {
                (Kind::Template, _) => self.nested(*token, Self::declare)?,
                (Kind::Punct("("), _) => open.push(index),
                (Kind::Punct(")"), _) => last_group = open.pop().map(|start| (start, index)),
                (Kind::Punct("=>"), _) => {
                    let group = match (last_group, index.checked_sub(1)) {
                        (Some((start, end)), Some(before)) if end == before => start..end,
                        (_, Some(before)) => before..index,
                        _ => continue,
                    };
                    self.declare_all(tokens.get(group).unwrap_or_default());
                }
                (Kind::Name, "let" | "const" | "var") => {
                    self.binds = true;
                    let rest = tokens.get(index + 1..).unwrap_or_default();
                    let end = rest
                        .iter()
                        .position(|t| matches!(self.text(*t), "=" | ";" | "of" | "in"))
                        .unwrap_or(rest.len());
                    self.declare_all(rest.get(..end).unwrap_or_default());
                }
                (Kind::Name, "function" | "catch" | "class") => {
                    self.binds = true;
                    let rest = tokens.get(index + 1..).unwrap_or_default();
                    let end = rest
                        .iter()
                        .position(|t| matches!(t.kind, Kind::Punct(")" | "{")))
                        .unwrap_or(rest.len());
                    self.declare_all(rest.get(..end).unwrap_or_default());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes every name among tokens, but what stands after `=`: that is a value that a parameter has by default.
    fn declare_all(&mut self, tokens: &[Token]) {
        let mut before = None;
        for token in tokens {
            if token.kind == Kind::Name && !matches!(before, Some("=" | "." | "?.")) {
                let name = self.text(*token);
                self.declared.insert(name);
            }
            before = Some(self.text(*token));
        }
    }

    /// Copies the source, with arguments in the place of the paths that lead into the scope.
    fn rewrite(&mut self, tokens: &[Token]) -> Result<(), Flaw> {
        let mut open: Vec<&str> = Vec::new();
        let pulses = pulses(self.source, tokens);
        let mut pulses = pulses.iter().peekable();
        let mut index = 0;
        while let Some(token) = tokens.get(index).copied() {
            while let Some((at, pulse)) = pulses.next_if(|(at, _)| *at <= token.start) {
                self.copy_to(*at);
                self.body.push_str(pulse);
            }
            let before = index.checked_sub(1).and_then(|i| tokens.get(i)).map(|t| t.kind);
            index += 1;
            match token.kind {
                Kind::Punct(bracket @ ("(" | "[" | "{")) => open.push(bracket),
                Kind::Punct(")" | "]" | "}") => {
                    open.pop();
                }
                Kind::Template => self.nested(token, Self::rewrite)?,
                Kind::Name if !matches!(before, Some(Kind::Punct("." | "?." | "#"))) => {
                    let name = self.text(token);
                    if REFUSED.contains(&name) {
                        return Err(Flaw::new(token.start, format!("`{name}` is not for expressions")));
                    }
                    if name.starts_with("$$") {
                        return Err(Flaw::new(token.start, "names do not begin with two dollar signs"));
                    }
                    let next = tokens.get(index).map(|t| t.kind);
                    let in_braces = open.last() == Some(&"{");
                    let begins = in_braces && matches!(before, Some(Kind::Punct("{" | ",")));
                    let is_key = begins && next == Some(Kind::Punct(":"));
                    if is_key || self.declared.contains(name) {
                        continue;
                    }
                    if name == "$utils" {
                        self.check_tool(tokens.get(index..).unwrap_or_default(), token)?;
                    } else if self.resolver.is_root(name) {
                        let rest = tokens.get(index..).unwrap_or_default();
                        let shorthand = begins && matches!(next, Some(Kind::Punct("}" | ",")));
                        index += self.argument(token, rest, shorthand);
                    } else if !self.binds && !WORDS.contains(&name) {
                        // A method of an object literal, or the name of an accessor or a loop.
                        let names = begins && next == Some(Kind::Punct("("));
                        let labelled =
                            next == Some(Kind::Punct(":")) && !matches!(before, Some(Kind::Punct("?")));
                        if !names && !labelled && before != Some(Kind::Name) {
                            return Err(Flaw::new(token.start, format!("`{name}` is not defined")));
                        }
                    }
                }
                Kind::Number if self.text(token).ends_with('n') => {
                    return Err(Flaw::new(token.start, "big integers are not for expressions"));
                }
                _ => {}
            }
        }
        for (at, pulse) in pulses {
            self.copy_to(*at);
            self.body.push_str(pulse);
        }
        Ok(())
    }

    /// `$utils` has functions and nothing else.
    fn check_tool(&self, rest: &[Token], at: Token) -> Result<(), Flaw> {
        match rest {
            [dot, name, ..] if matches!(dot.kind, Kind::Punct("." | "?.")) => {
                tool(self.text(*name), name.start).map(|_| ())
            }
            _ => Err(Flaw::new(
                at.start,
                "`$utils` needs the name of a function after it",
            )),
        }
    }

    /// Puts an argument in the place of a path; says how many tokens the path has beyond its root.
    fn argument(&mut self, root: Token, rest: &[Token], shorthand: bool) -> usize {
        let name = self.text(root);
        let special = if name == "$input" {
            input_call(self.source, rest)
        } else {
            None
        };
        let skipped = if special.is_some() { 4 } else { 0 };
        let (steps, taken) = self.steps(rest.get(skipped..).unwrap_or_default());
        let taken = taken + skipped;
        let end = match taken.checked_sub(1).and_then(|last| rest.get(last)) {
            Some(last) => last.end,
            None => root.end,
        };
        let written = self.source.get(root.start..end).unwrap_or_default();
        let index = match self.known.iter().position(|known| known == written) {
            Some(index) => index,
            None => {
                let path = match special {
                    Some(special) => Expr::Path(special, steps.into()),
                    None => self.resolver.path(name, steps),
                };
                self.known.push(written.to_owned());
                self.arguments.push(path);
                self.arguments.len() - 1
            }
        };
        self.copy_to(root.start);
        if shorthand {
            self.body.push_str(name);
            self.body.push(':');
        }
        self.pieces.push((self.body.len(), root.start));
        self.body.push_str(&parameter(index));
        self.copied = end;
        taken
    }

    /// The steps whose keys are known, but not a method that is called.
    fn steps(&self, rest: &[Token]) -> (Vec<Step>, usize) {
        let (mut steps, mut taken) = (Vec::new(), 0);
        loop {
            let rest = rest.get(taken..).unwrap_or_default();
            let (step, length) = match rest {
                [dot, name, ..] if matches!(dot.kind, Kind::Punct("." | "?.")) && name.kind == Kind::Name => {
                    (Some(Step::Key(self.text(*name).into())), 2)
                }
                [dot, open, key, close, ..]
                    if dot.kind == Kind::Punct("?.")
                        && open.kind == Kind::Punct("[")
                        && close.kind == Kind::Punct("]") =>
                {
                    (self.fixed(*key), 4)
                }
                [open, key, close, ..] if open.kind == Kind::Punct("[") && close.kind == Kind::Punct("]") => {
                    (self.fixed(*key), 3)
                }
                _ => (None, 0),
            };
            let called = rest
                .get(length)
                .is_some_and(|next| matches!(next.kind, Kind::Punct("(") | Kind::Template));
            match step {
                Some(step) if !called => {
                    steps.push(step);
                    taken += length;
                }
                _ => return (steps, taken),
            }
        }
    }

    fn fixed(&self, key: Token) -> Option<Step> {
        if !matches!(key.kind, Kind::Text | Kind::Number) {
            return None;
        }
        match read_literal(key, self.text(key))? {
            Expr::Text(key) => Some(Step::Key(key)),
            Expr::Int(index) => usize::try_from(index).ok().map(Step::Index),
            _ => None,
        }
    }
}
