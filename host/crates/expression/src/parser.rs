//! Invariant: what the grammar here takes means the same as in JavaScript; everything else is left to the engine.

use crate::ast::{Binary, Expr, Key, Logic, MAX_DEPTH, MAX_NESTING, MethodCall, Root, Step, Unary};
use crate::calls::{Function, Method};
use crate::lexer::{Ending, Flaw, Kind, Token, lex};
use crate::literal::{read_literal, read_text};
use crate::resolve::{Resolver, tool};

/// Why there is no tree.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The grammar has no such thing; the engine may.
    Script(Flaw),
    /// It is wrong, whoever reads it.
    Wrong(Flaw),
}

type Parsed<T> = Result<T, Stop>;

/// A tree and how deep it is.
struct Tree {
    expr: Expr,
    depth: usize,
}

pub(crate) struct Parser<'s, 'r, 'n> {
    source: &'s str,
    tokens: &'s [Token],
    at: usize,
    end: usize,
    depth: usize,
    resolver: &'r mut Resolver<'n>,
}

/// Parses a whole expression.
pub(crate) fn parse(source: &str, tokens: &[Token], end: usize, resolver: &mut Resolver<'_>) -> Parsed<Expr> {
    parse_nested(source, tokens, end, 0, resolver).map(|tree| tree.expr)
}

fn parse_nested(
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
    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    fn text(&self, token: Token) -> &'s str {
        self.source.get(token.start..token.end).unwrap_or_default()
    }

    fn position(&self) -> usize {
        self.peek().map_or(self.end, |token| token.start)
    }

    fn position_of(&self, index: usize) -> u32 {
        let at = self.tokens.get(index).map_or(self.end, |token| token.start);
        u32::try_from(at).unwrap_or_default()
    }

    fn unexpected(&self) -> Stop {
        let message = match self.peek() {
            Some(token) => {
                let text: String = self.text(token).chars().take(40).collect();
                format!("`{text}` is not expected here")
            }
            None => "the expression ends too early".to_owned(),
        };
        Stop::Script(Flaw::new(self.position(), message))
    }

    fn is(&self, wanted: &str) -> bool {
        self.peek()
            .is_some_and(|token| token.kind != Kind::Text && self.text(token) == wanted)
    }

    fn takes(&mut self, wanted: &str) -> bool {
        let found = self.is(wanted);
        self.at += usize::from(found);
        found
    }

    fn expects(&mut self, wanted: &str) -> Parsed<()> {
        if self.takes(wanted) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn tree(&self, expr: Expr, depth: usize) -> Parsed<Tree> {
        if depth + self.depth > MAX_DEPTH {
            return Err(self.too_deep());
        }
        Ok(Tree { expr, depth })
    }

    fn too_deep(&self) -> Stop {
        Stop::Wrong(Flaw::new(
            self.position(),
            "the expression is nested too deeply".to_owned(),
        ))
    }

    /// Runs `inner` one level deeper.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_NESTING {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let done = inner(self);
        self.depth -= 1;
        done
    }

    fn choice(&mut self) -> Parsed<Tree> {
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
    fn steps(&mut self) -> Parsed<(Vec<Step>, usize)> {
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

    fn arguments(&mut self) -> Parsed<(Box<[Expr]>, usize)> {
        self.expects("(")?;
        self.sequence(")")
    }

    /// Values with commas between them, up to a bracket.
    fn sequence(&mut self, closing: &str) -> Parsed<(Box<[Expr]>, usize)> {
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

    fn primary(&mut self) -> Parsed<Tree> {
        let Some(token) = self.peek() else {
            return Err(self.unexpected());
        };
        let text = self.text(token);
        match token.kind {
            Kind::Number | Kind::Text => {
                let literal = read_literal(token, text).ok_or_else(|| self.unexpected())?;
                self.at += 1;
                self.tree(literal, 1)
            }
            Kind::Template => self.template(token),
            Kind::Name => self.name(text),
            Kind::Punct("(") => {
                self.at += 1;
                let inner = self.deeper(Self::choice)?;
                self.expects(")")?;
                Ok(inner)
            }
            Kind::Punct("[") => {
                self.at += 1;
                let (items, deepest) = self.sequence("]")?;
                self.tree(Expr::List(items), deepest + 1)
            }
            Kind::Punct("{") => {
                self.at += 1;
                self.map()
            }
            Kind::Punct(_) | Kind::Regex => Err(self.unexpected()),
        }
    }

    fn name(&mut self, name: &str) -> Parsed<Tree> {
        let constant = match name {
            "true" => Some(Expr::Bool(true)),
            "false" => Some(Expr::Bool(false)),
            "null" => Some(Expr::Null),
            "undefined" => Some(Expr::Undefined),
            "NaN" => Some(Expr::Float(f64::NAN)),
            "Infinity" => Some(Expr::Float(f64::INFINITY)),
            _ => None,
        };
        if let Some(constant) = constant {
            self.at += 1;
            return self.tree(constant, 1);
        }
        if self.is_arrow() {
            return Err(self.unexpected());
        }
        if name == "$utils" {
            return self.tool();
        }
        if self.resolver.is_root(name) {
            self.at += 1;
            return self.root(name);
        }
        self.function()
    }

    fn is_arrow(&self) -> bool {
        self.tokens
            .get(self.at + 1)
            .is_some_and(|next| next.kind == Kind::Punct("=>"))
    }

    fn root(&mut self, name: &str) -> Parsed<Tree> {
        if name == "$input" {
            if let Some(root) = self.input_call() {
                let (steps, deepest) = self.steps()?;
                return self.tree(Expr::Path(root, steps.into()), deepest + 1);
            }
        }
        let (steps, deepest) = self.steps()?;
        let path = self.resolver.path(name, steps);
        self.tree(path, deepest + 1)
    }

    /// `.first()`, `.last()` or `.all()` after `$input`.
    fn input_call(&mut self) -> Option<Root> {
        let root = input_call(self.source, self.tokens.get(self.at..)?)?;
        self.at += 4;
        Some(root)
    }

    /// `$utils.name(...)`.
    fn tool(&mut self) -> Parsed<Tree> {
        let at = self.position_of(self.at);
        self.at += 1;
        self.expects(".")?;
        let Some(token) = self.peek() else {
            return Err(self.unexpected());
        };
        let tool = tool(self.text(token), token.start).map_err(Stop::Wrong)?;
        self.at += 1;
        let (arguments, deepest) = self.arguments()?;
        self.tree(Expr::Call(Function::Tool(tool), arguments, at), deepest + 1)
    }

    /// `Math.max(...)`, `Number(...)` and the others; `Math` and its like are nothing by themselves.
    fn function(&mut self) -> Parsed<Tree> {
        let start = self.at;
        let at = self.position_of(start);
        let mut name = self
            .peek()
            .map(|token| self.text(token))
            .unwrap_or_default()
            .to_owned();
        self.at += 1;
        if self.is(".") {
            if let Some(member) = self.tokens.get(self.at + 1) {
                name = format!("{name}.{}", self.text(*member));
                self.at += 2;
            }
        }
        let function = if self.is("(") {
            Function::named(&name)
        } else {
            None
        };
        let Some(function) = function else {
            self.at = start;
            return Err(self.unexpected());
        };
        let (arguments, deepest) = self.arguments()?;
        if !function.takes(arguments.len()) {
            return Err(self.unexpected());
        }
        self.tree(Expr::Call(function, arguments, at), deepest + 1)
    }

    fn map(&mut self) -> Parsed<Tree> {
        let (mut entries, mut deepest) = (Vec::new(), 0);
        while !self.takes("}") {
            if !entries.is_empty() {
                self.expects(",")?;
                if self.takes("}") {
                    break;
                }
            }
            let Some(token) = self.peek() else {
                return Err(self.unexpected());
            };
            let key = match token.kind {
                Kind::Name => Key::Fixed(self.text(token).into()),
                Kind::Text => match read_text(self.text(token)) {
                    Some(text) => Key::Fixed(text.into()),
                    None => return Err(self.unexpected()),
                },
                Kind::Punct("[") => {
                    self.at += 1;
                    let key = self.deeper(Self::choice)?;
                    deepest = deepest.max(key.depth);
                    if !self.is("]") {
                        return Err(self.unexpected());
                    }
                    Key::Computed(key.expr)
                }
                _ => return Err(self.unexpected()),
            };
            // A prototype in a literal is the engine's to refuse or to give.
            if matches!(&key, Key::Fixed(key) if &**key == "__proto__") {
                return Err(self.unexpected());
            }
            self.at += 1;
            self.expects(":")?;
            let value = self.deeper(Self::choice)?;
            deepest = deepest.max(value.depth);
            entries.push((key, value.expr));
        }
        self.tree(Expr::Map(entries.into()), deepest + 1)
    }

    fn template(&mut self, token: Token) -> Parsed<Tree> {
        self.at += 1;
        let (mut pieces, mut deepest) = (Vec::new(), 0);
        let mut at = token.start + 1;
        let last = token.end - 1;
        loop {
            let rest = self.source.get(at..last).unwrap_or_default();
            let Some(literal) = template_text(rest) else {
                return Err(self.unexpected());
            };
            if literal > 0 {
                let raw = rest.get(..literal).unwrap_or_default().replace("\r\n", "\n");
                match read_text(&format!("`{raw}`")) {
                    Some(text) => pieces.push(Expr::Text(text.into())),
                    None => return Err(self.unexpected()),
                }
            }
            at += literal;
            if at >= last {
                return self.tree(Expr::Join(pieces.into()), deepest + 1);
            }
            let inner = lex(self.source, at + 2, Ending::Brace).map_err(Stop::Wrong)?;
            if self.depth >= MAX_NESTING {
                return Err(self.too_deep());
            }
            let tree = parse_nested(
                self.source,
                &inner.tokens,
                inner.end,
                self.depth + 1,
                self.resolver,
            )?;
            deepest = deepest.max(tree.depth);
            pieces.push(tree.expr);
            at = inner.end + 1;
        }
    }
}

/// How many bytes of a template literal are text.
fn template_text(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next()?;
            }
            '$' if rest.get(at + 1..)?.starts_with('{') => return Some(at),
            _ => {}
        }
    }
    Some(rest.len())
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

/// What `.first()`, `.last()` or `.all()` after `$input` means.
pub(crate) fn input_call(source: &str, tokens: &[Token]) -> Option<Root> {
    let [dot, name, open, close, ..] = tokens else {
        return None;
    };
    let shape = (dot.kind, open.kind, close.kind);
    if shape != (Kind::Punct("."), Kind::Punct("("), Kind::Punct(")")) {
        return None;
    }
    match source.get(name.start..name.end)? {
        "first" => Some(Root::InputFirst),
        "last" => Some(Root::InputLast),
        "all" => Some(Root::InputAll),
        _ => None,
    }
}
