//! Invariant: what is fixed in a template is encoded once, when it is compiled, and only copied when it is rendered.

use plugin_api::value::{MapWriter, Value, ValueError, ValueRef, Writer};

use crate::json::write_json;
use crate::lexer::{Ending, Flaw, lex};
use crate::operand::{Operand, View, stopped};
use crate::resolve::Bare;
use crate::{CompileError, EvalError, EvalErrorKind, EvalLimits, Expression, Names, NodeRef, Scope};

/// A compiled template: a value whose texts may hold expressions, at any depth.
#[derive(Debug)]
pub struct Template {
    source: Value,
    /// `None` when there is no expression.
    part: Option<Part>,
    open: Vec<String>,
    nodes: Vec<NodeRef>,
    unknown: Vec<Box<str>>,
}

/// A value within a template.
#[derive(Debug)]
enum Part {
    Fixed(Value),
    Open(Open),
    List(Vec<Part>),
    Map(Vec<(Box<str>, Part)>),
}

/// A text with expressions.
#[derive(Debug)]
struct Open {
    pointer: String,
    source: Box<str>,
    content: Content,
    /// Variables of callbacks: without them the text stays as it is written.
    bindings: Vec<&'static str>,
}

#[derive(Debug)]
enum Content {
    /// Exactly one expression, whose value keeps its type.
    Whole(Expression),
    Text(Vec<Piece>),
}

#[derive(Debug)]
enum Piece {
    Fixed(Box<str>),
    Expression(Expression),
}

impl Template {
    /// Compiles a value.
    ///
    /// # Errors
    /// Everything in it that is no expression.
    pub fn compile(value: ValueRef<'_>, names: &dyn Names) -> Result<Self, Vec<CompileError>> {
        let mut compiler = Compiler {
            names,
            pointer: String::new(),
            errors: Vec::new(),
            open: Vec::new(),
            nodes: Vec::new(),
            unknown: Vec::new(),
        };
        let part = compiler.part(value);
        if !compiler.errors.is_empty() {
            return Err(compiler.errors);
        }
        Ok(Self {
            source: value.to_value(),
            part,
            open: compiler.open,
            nodes: compiler.nodes,
            unknown: compiler.unknown,
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
        match self.part {
            None => Some(self.source.as_ref()),
            Some(_) => None,
        }
    }

    /// Where expressions give values, as JSON pointers.
    #[must_use]
    pub fn open(&self) -> &[String] {
        &self.open
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

    /// Writes the encoded value at the end of `out`, which is left as it was when there is none.
    ///
    /// # Errors
    /// Why there is none.
    pub fn render(&self, scope: &dyn Scope, limits: &EvalLimits, out: &mut Vec<u8>) -> Result<(), EvalError> {
        self.render_keeping(&[], scope, limits, out)
    }

    /// As [`render`](Self::render), with the values under these keys of the outermost map left as they are written: they
    /// are expressions that somebody else evaluates.
    ///
    /// # Errors
    /// Why there is no value.
    pub fn render_keeping(
        &self,
        kept: &[Box<str>],
        scope: &dyn Scope,
        limits: &EvalLimits,
        out: &mut Vec<u8>,
    ) -> Result<(), EvalError> {
        let Some(part) = &self.part else {
            out.extend_from_slice(self.source.as_bytes());
            return Ok(());
        };
        let mut rendering = Rendering {
            scope,
            limits,
            left: limits.output_bytes,
            error: None,
        };
        let written = match part {
            Part::Map(parts) if !kept.is_empty() => Writer::new(out).map(|map| {
                parts.iter().try_for_each(|(key, part)| {
                    let as_written = kept
                        .contains(key)
                        .then(|| self.source.as_ref().get(key))
                        .flatten();
                    map.entry(key, |writer| match as_written {
                        Some(value) => writer.value(value),
                        None => rendering.part(part, writer),
                    })
                })
            }),
            part => rendering.part(part, Writer::new(out)),
        };
        written.map_err(|error| {
            rendering.error.take().unwrap_or_else(|| EvalError {
                kind: EvalErrorKind::Failed,
                expression: String::new(),
                position: 1,
                message: format!("the rendered value is no value: {error}"),
                pointer: String::new(),
            })
        })
    }
}

struct Compiler<'n> {
    names: &'n dyn Names,
    pointer: String,
    errors: Vec<CompileError>,
    open: Vec<String>,
    nodes: Vec<NodeRef>,
    unknown: Vec<Box<str>>,
}

impl Compiler<'_> {
    /// The part that a value is; `None` when nothing in it is open.
    fn part(&mut self, value: ValueRef<'_>) -> Option<Part> {
        match View::from(value) {
            View::Text(text) => self.text(text),
            View::List(list) => {
                let parts: Vec<_> = list
                    .iter()
                    .enumerate()
                    .map(|(index, item)| (item, self.below(&index.to_string(), item)))
                    .collect();
                let is_open = parts.iter().any(|(_, part)| part.is_some());
                is_open.then(|| Part::List(parts.into_iter().map(filled).collect()))
            }
            View::Map(map) => {
                let parts: Vec<_> = map
                    .iter()
                    .map(|(key, value)| (key, (value, self.below(key, value))))
                    .collect();
                let is_open = parts.iter().any(|(_, (_, part))| part.is_some());
                is_open.then(|| {
                    Part::Map(
                        parts
                            .into_iter()
                            .map(|(key, part)| (key.into(), filled(part)))
                            .collect(),
                    )
                })
            }
            _ => None,
        }
    }

    fn below(&mut self, key: &str, value: ValueRef<'_>) -> Option<Part> {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        let part = self.part(value);
        self.pointer.truncate(length);
        part
    }

    fn text(&mut self, text: &str) -> Option<Part> {
        let spans = match spans(text) {
            Ok(spans) => spans,
            Err((flaw, from)) => {
                // The position counts from the beginning of the expression that is not closed.
                let flaw = Flaw::new(flaw.at.saturating_sub(from), flaw.message);
                self.fail(flaw.into_error(text.get(from..).unwrap_or_default()));
                return None;
            }
        };
        if spans.is_empty() {
            return None;
        }
        let (mut pieces, mut bindings) = (Vec::new(), Vec::new());
        let mut at = 0;
        for (start, end) in &spans {
            if let Some(fixed) = text.get(at..*start).filter(|fixed| !fixed.is_empty()) {
                pieces.push(Piece::Fixed(fixed.into()));
            }
            at = *end;
            let inner = text.get(start + 2..end - 2).unwrap_or_default().trim();
            match Expression::compile_as(inner, self.names, Bare::Refused) {
                Ok(expression) => {
                    self.note(&expression, &mut bindings);
                    pieces.push(Piece::Expression(expression));
                }
                Err(error) => self.fail(error),
            }
        }
        if let Some(fixed) = text.get(at..).filter(|fixed| !fixed.is_empty()) {
            pieces.push(Piece::Fixed(fixed.into()));
        }
        self.open.push(self.pointer.clone());
        let is_blank = |piece: &Piece| matches!(piece, Piece::Fixed(fixed) if fixed.trim().is_empty());
        let content = match pieces.iter().filter(|piece| !is_blank(piece)).count() {
            1 if spans.len() == 1 => match pieces.into_iter().find(|piece| !is_blank(piece)) {
                Some(Piece::Expression(expression)) => Content::Whole(expression),
                _ => return None,
            },
            _ => Content::Text(pieces),
        };
        Some(Part::Open(Open {
            pointer: self.pointer.clone(),
            source: text.into(),
            content,
            bindings,
        }))
    }

    fn fail(&mut self, mut error: CompileError) {
        error.pointer.clone_from(&self.pointer);
        self.errors.push(error);
    }

    fn note(&mut self, expression: &Expression, bindings: &mut Vec<&'static str>) {
        add(expression.nodes(), &mut self.nodes);
        add(expression.unknown_nodes(), &mut self.unknown);
        add(expression.bindings(), bindings);
    }
}

fn add<T: Clone + PartialEq>(found: &[T], all: &mut Vec<T>) {
    for one in found {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
}

fn filled((value, part): (ValueRef<'_>, Option<Part>)) -> Part {
    part.unwrap_or_else(|| Part::Fixed(value.to_value()))
}

/// Where the expressions of a text are, braces included. Braces that nothing closes are text.
fn spans(text: &str) -> Result<Vec<(usize, usize)>, (Flaw, usize)> {
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find("{{")) {
        let start = at + found;
        match lex(text, start + 2, Ending::Braces) {
            Ok(lexed) => at = lexed.end + 2,
            Err(_) if !text.get(start..).unwrap_or_default().contains("}}") => break,
            Err(flaw) => return Err((flaw, start)),
        }
        spans.push((start, at));
    }
    Ok(spans)
}

struct Rendering<'r> {
    scope: &'r dyn Scope,
    limits: &'r EvalLimits,
    /// Bytes that expressions may still give.
    left: usize,
    error: Option<EvalError>,
}

impl Rendering<'_> {
    fn part(&mut self, part: &Part, writer: Writer<'_, Vec<u8>>) -> Result<(), ValueError> {
        match part {
            Part::Fixed(value) => writer.value(value.as_ref()),
            Part::Open(open) => self.open(open, writer),
            Part::List(parts) => writer.list(|list| {
                parts
                    .iter()
                    .try_for_each(|part| list.item(|w| self.part(part, w)))
            }),
            Part::Map(parts) => writer.map(|map: &mut MapWriter<'_, Vec<u8>>| {
                parts
                    .iter()
                    .try_for_each(|(key, part)| map.entry(key, |w| self.part(part, w)))
            }),
        }
    }

    fn open(&mut self, open: &Open, writer: Writer<'_, Vec<u8>>) -> Result<(), ValueError> {
        let is_unbound = |name: &&'static str| self.scope.binding(name).is_none();
        if open.bindings.iter().any(is_unbound) {
            return writer.str(&open.source);
        }
        match &open.content {
            Content::Whole(expression) => {
                let limits = EvalLimits {
                    output_bytes: self.left,
                    ..*self.limits
                };
                match expression.write(self.scope, &limits, writer) {
                    Ok(size) => {
                        self.left = self.left.saturating_sub(size);
                        Ok(())
                    }
                    Err(error) => self.fail(error, open),
                }
            }
            Content::Text(pieces) => {
                let mut text = String::with_capacity(open.source.len());
                for piece in pieces {
                    match piece {
                        Piece::Fixed(fixed) => text.push_str(fixed),
                        Piece::Expression(expression) => {
                            let before = text.len();
                            let shown =
                                expression.value(self.scope, self.limits, |value| show(value, &mut text));
                            if let Err(error) = shown {
                                return self.fail(error, open);
                            }
                            match self.left.checked_sub(text.len() - before) {
                                Some(left) => self.left = left,
                                None => {
                                    let error = expression.too_large(self.limits);
                                    return self.fail(error, open);
                                }
                            }
                        }
                    }
                }
                writer.str(&text)
            }
        }
    }

    fn fail(&mut self, mut error: EvalError, open: &Open) -> Result<(), ValueError> {
        error.pointer.clone_from(&open.pointer);
        self.error = Some(error);
        Err(stopped())
    }
}

/// Appends a value to a text: nothing is `null`, lists and maps are JSON.
fn show(value: &Operand<'_>, out: &mut String) {
    match value.view() {
        View::Undefined => out.push_str("null"),
        view if view.is_object() => write_json(view, out),
        view => view.write_text(out),
    }
}
