//! Invariant: what the grammar here takes means the same as in JavaScript; everything else is left to the engine.

use crate::ast::{Binary, Expr, Logic, MAX_DEPTH, MAX_NESTING, MethodCall, Step, Unary};
use crate::calls::Method;
use crate::lexer::{Flaw, Kind, Token};
use crate::resolve::Resolver;

/// Why there is no tree.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The grammar has no such thing; the engine may.
    Script(Flaw),
    /// It is wrong, whoever reads it.
    Wrong(Flaw),
}

pub(crate) type Parsed<T> = Result<T, Stop>;

/// A tree and how deep it is.
pub(crate) struct Tree {
    pub(crate) expr: Expr,
    pub(crate) depth: usize,
}

pub(crate) struct Parser<'s, 'r, 'n> {
    pub(crate) source: &'s str,
    pub(crate) tokens: &'s [Token],
    pub(crate) at: usize,
    pub(crate) end: usize,
    pub(crate) depth: usize,
    pub(crate) resolver: &'r mut Resolver<'n>,
}

/// Parses a whole expression.
pub(crate) fn parse(source: &str, tokens: &[Token], end: usize, resolver: &mut Resolver<'_>) -> Parsed<Expr> {
    parse_nested(source, tokens, end, 0, resolver).map(|tree| tree.expr)
}

pub(crate) fn parse_nested(
    source: &str,
    tokens: &[Token],
    end: usize,
    depth: usize,
    resolver: &mut Resolver<'_>,
) -> Parsed<Tree> {
    let mut parser = Parser {
        source,
        tokens,
        at: 0,
        end,
        depth,
        resolver,
    };
    let tree = parser.choice()?;
    if parser.at < tokens.len() {
        return Err(parser.unexpected());
    }
    Ok(tree)
}

/// How tightly a binary operator binds, and what it is.
fn binary(text: &str) -> Option<(u8, Operator)> {
    Some(match text {
        "??" => (1, Operator::Logic(Logic::Coalesce)),
        "||" => (1, Operator::Logic(Logic::Or)),
        "&&" => (2, Operator::Logic(Logic::And)),
        "==" => (3, Operator::Binary(Binary::Equal)),
        "!=" => (3, Operator::Binary(Binary::NotEqual)),
        "===" => (3, Operator::Binary(Binary::Same)),
        "!==" => (3, Operator::Binary(Binary::NotSame)),
        "<" => (4, Operator::Binary(Binary::Less)),
        "<=" => (4, Operator::Binary(Binary::LessEqual)),
        ">" => (4, Operator::Binary(Binary::Greater)),
        ">=" => (4, Operator::Binary(Binary::GreaterEqual)),
        "in" => (4, Operator::Binary(Binary::In)),
        "+" => (5, Operator::Binary(Binary::Add)),
        "-" => (5, Operator::Binary(Binary::Sub)),
        "*" => (6, Operator::Binary(Binary::Mul)),
        "/" => (6, Operator::Binary(Binary::Div)),
        "%" => (6, Operator::Binary(Binary::Rem)),
        _ => return None,
    })
}

enum Operator {
    Logic(Logic),
    Binary(Binary),
}

impl<'s> Parser<'s, '_, '_> {
    pub(crate) fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    pub(crate) fn text(&self, token: Token) -> &'s str {
        self.source.get(token.start..token.end).unwrap_or_default()
    }

    fn position(&self) -> usize {
        self.peek().map_or(self.end, |token| token.start)
    }

    pub(crate) fn position_of(&self, index: usize) -> u32 {
        let at = self.tokens.get(index).map_or(self.end, |token| token.start);
        u32::try_from(at).unwrap_or_default()
    }

    pub(crate) fn unexpected(&self) -> Stop {
        let message = match self.peek() {
            Some(token) => {
                let text: String = self.text(token).chars().take(40).collect();
                format!("`{text}` is not expected here")
            }
            None => "the expression ends too early".to_owned(),
        };
        Stop::Script(Flaw::new(self.position(), message))
    }

    pub(crate) fn is(&self, wanted: &str) -> bool {
        self.peek()
            .is_some_and(|token| token.kind != Kind::Text && self.text(token) == wanted)
    }

    pub(crate) fn takes(&mut self, wanted: &str) -> bool {
        let found = self.is(wanted);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn expects(&mut self, wanted: &str) -> Parsed<()> {
        if self.takes(wanted) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    pub(crate) fn tree(&self, expr: Expr, depth: usize) -> Parsed<Tree> {
        if depth + self.depth > MAX_DEPTH {
            return Err(self.too_deep());
        }
        Ok(Tree { expr, depth })
    }

    pub(crate) fn too_deep(&self) -> Stop {
        Stop::Wrong(Flaw::new(
            self.position(),
            "the expression is nested too deeply".to_owned(),
        ))
    }

    /// Runs `inner` one level deeper.
    pub(crate) fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_NESTING {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let done = inner(self);
        self.depth -= 1;
        done
    }

    pub(crate) fn choice(&mut self) -> Parsed<Tree> {
        let condition = self.operators(1)?;
        if !self.takes("?") {
            return Ok(condition);
        }
        let then = self.deeper(Self::choice)?;
        self.expects(":")?;
        let other = self.deeper(Self::choice)?;
        let depth = condition.depth.max(then.depth).max(other.depth) + 1;
        self.tree(
            Expr::Choice(Box::new((condition.expr, then.expr, other.expr))),
            depth,
        )
    }

    fn operators(&mut self, least: u8) -> Parsed<Tree> {
        let mut left = self.unary()?;
        // `??` beside `||` or `&&` needs brackets.
        let mut coalesces = None;
        while let Some(token) = self.peek().filter(|token| token.kind != Kind::Text) {
            let Some((binds, operator)) = binary(self.text(token)).filter(|(binds, _)| *binds >= least)
            else {
                break;
            };
            if let Operator::Logic(logic) = &operator {
                let coalesce = *logic == Logic::Coalesce;
                if coalesces.is_some_and(|before| before != coalesce) {
                    return Err(self.unexpected());
                }
                coalesces = Some(coalesce);
            }
            let at = self.position_of(self.at);
            self.at += 1;
            let right = self.deeper(|parser| parser.operators(binds + 1))?;
            if coalesces == Some(true) && self.ends_in_bare_and(at, self.at) {
                return Err(self.unexpected());
            }
            let depth = left.depth.max(right.depth) + 1;
            let sides = Box::new((left.expr, right.expr));
            let expr = match operator {
                Operator::Logic(logic) => Expr::Logic(logic, sides),
                Operator::Binary(binary) => Expr::Binary(binary, sides, at),
            };
            left = self.tree(expr, depth)?;
        }
        Ok(left)
    }

    /// Whether `&&` stands between two places outside of brackets.
    fn ends_in_bare_and(&self, from: u32, to: usize) -> bool {
        let mut open = 0_usize;
        self.tokens
            .iter()
            .take(to)
            .filter(|token| token.start >= from as usize)
            .any(|token| {
                match token.kind {
                    Kind::Punct("(" | "[" | "{") => open += 1,
                    Kind::Punct(")" | "]" | "}") => open = open.saturating_sub(1),
                    _ => {}
                }
                open == 0 && token.kind == Kind::Punct("&&")
            })
    }

    /// `**` binds to the right, and tighter than an operator before its left side may.
    fn unary(&mut self) -> Parsed<Tree> {
        let base = self.operand()?;
        if !self.is("**") {
            return Ok(base);
        }
        let at = self.position_of(self.at);
        self.at += 1;
        let exponent = self.deeper(Self::unary)?;
        let depth = base.depth.max(exponent.depth) + 1;
        self.tree(
            Expr::Binary(Binary::Pow, Box::new((base.expr, exponent.expr)), at),
            depth,
        )
    }

    /// A value, and the operators before it.
    fn operand(&mut self) -> Parsed<Tree> {
        let operator = match self.peek() {
            Some(token) if token.kind != Kind::Text => match self.text(token) {
                "!" => Some(Unary::Not),
                "-" => Some(Unary::Minus),
                "+" => Some(Unary::Plus),
                "typeof" => Some(Unary::Typeof),
                "void" => Some(Unary::Void),
                _ => None,
            },
            _ => None,
        };
        if let Some(operator) = operator {
            self.at += 1;
            let inner = self.deeper(Self::operand)?;
            // `-x ** 2` is refused by JavaScript.
            if self.is("**") {
                return Err(self.unexpected());
            }
            return self.tree(Expr::Unary(operator, Box::new(inner.expr)), inner.depth + 1);
        }
        self.postfix()
    }

    /// A value, and what is read from it and called on it.
    fn postfix(&mut self) -> Parsed<Tree> {
        let mut tree = self.primary()?;
        loop {
            let (steps, deepest) = self.steps()?;
            if !steps.is_empty() {
                let depth = tree.depth.max(deepest) + 1;
                tree = self.tree(Expr::Member(Box::new(tree.expr), steps.into()), depth)?;
            }
            let Some((method, optional)) = self.method()? else {
                return Ok(tree);
            };
            let at = self.position_of(self.at);
            self.at += 1;
            let (arguments, deepest) = self.arguments()?;
            if !method.takes(arguments.len()) {
                return Err(self.unexpected());
            }
            let depth = tree.depth.max(deepest) + 1;
            let call = MethodCall {
                method,
                receiver: tree.expr,
                arguments,
                at,
                optional,
            };
            tree = self.tree(Expr::Method(Box::new(call)), depth)?;
            // The rest of an optional chain is skipped with it; that is the engine's to say.
            if optional && (self.is(".") || self.is("[") || self.is("?.")) {
                return Err(self.unexpected());
            }
        }
    }

    /// `.name(` or `?.name(`, read up to the name.
    fn method(&mut self) -> Parsed<Option<(Method, bool)>> {
        let optional = self.is("?.");
        if !optional && !self.is(".") {
            if self.is("(") || self.peek().is_some_and(|token| token.kind == Kind::Template) {
                return Err(self.unexpected());
            }
            return Ok(None);
        }
        let name = self.tokens.get(self.at + 1).map(|token| self.text(*token));
        match name.and_then(Method::named) {
            Some(method) => {
                self.at += 1;
                Ok(Some((method, optional)))
            }
            None => Err(self.unexpected()),
        }
    }

    /// The steps of a path, up to a method that is called; the result has their depth, too.
    pub(crate) fn steps(&mut self) -> Parsed<(Vec<Step>, usize)> {
        let (mut steps, mut deepest) = (Vec::new(), 0);
        loop {
            let start = self.at;
            let dotted = self.takes(".");
            let optional = !dotted && self.takes("?.");
            if (optional || !dotted) && self.takes("[") {
                let key = self.deeper(Self::choice)?;
                self.expects("]")?;
                deepest = deepest.max(key.depth);
                steps.push(as_step(key.expr));
                continue;
            }
            if !dotted && !optional {
                return Ok((steps, deepest));
            }
            let Some(name) = self.peek().filter(|token| token.kind == Kind::Name) else {
                return Err(self.unexpected());
            };
            let called = self
                .tokens
                .get(self.at + 1)
                .is_some_and(|next| matches!(next.kind, Kind::Punct("(") | Kind::Template));
            if called {
                self.at = start;
                return Ok((steps, deepest));
            }
            self.at += 1;
            steps.push(Step::Key(self.text(name).into()));
        }
    }

    pub(crate) fn arguments(&mut self) -> Parsed<(Box<[Expr]>, usize)> {
        self.expects("(")?;
        self.sequence(")")
    }

    /// Values with commas between them, up to a bracket.
    pub(crate) fn sequence(&mut self, closing: &str) -> Parsed<(Box<[Expr]>, usize)> {
        let (mut items, mut deepest) = (Vec::new(), 0);
        while !self.takes(closing) {
            if !items.is_empty() {
                self.expects(",")?;
                if self.takes(closing) {
                    break;
                }
            }
            let item = self.deeper(Self::choice)?;
            deepest = deepest.max(item.depth);
            items.push(item.expr);
        }
        Ok((items.into(), deepest))
    }
}

/// A step whose key is known.
fn as_step(key: Expr) -> Step {
    match key {
        Expr::Text(key) => Step::Key(key),
        Expr::Int(index) => match usize::try_from(index) {
            Ok(index) => Step::Index(index),
            Err(_) => Step::Computed(Expr::Int(index)),
        },
        key => Step::Computed(key),
    }
}
