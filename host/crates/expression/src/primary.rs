//! Invariant: every value that operators work on begins here: literals, names, calls by name, lists, maps, templates.

use crate::ast::{Expr, Key, MAX_NESTING, Root};
use crate::calls::Function;
use crate::lexer::{Ending, Kind, Token, lex};
use crate::literal::{read_literal, read_text};
use crate::parser::{Parsed, Parser, Stop, Tree, parse_nested};
use crate::resolve::tool;

impl Parser<'_, '_, '_> {
    pub(crate) fn primary(&mut self) -> Parsed<Tree> {
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
        if name == "$input"
            && let Some(root) = self.input_call()
        {
            let (steps, deepest) = self.steps()?;
            return self.tree(Expr::Path(root, steps.into()), deepest + 1);
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
        if self.is(".")
            && let Some(member) = self.tokens.get(self.at + 1)
        {
            name = format!("{name}.{}", self.text(*member));
            self.at += 2;
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
