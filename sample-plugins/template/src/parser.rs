//! Templates. Invariant: reading takes time linear in the template, but for its nesting, which is bounded; a program that
//! was made only leads to places within itself.

use std::collections::HashMap;

use crate::block::Open;
use crate::lexer::{Lexer, Mistake, Tag, Word};
use crate::program::{Op, Program};

/// What becomes of lines that have nothing but a block or a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    Stay,
    Go,
}

/// A name that the template gave a value.
#[derive(Debug)]
pub(crate) struct Binding {
    slot: usize,
    /// The loop that it belongs to, by how many are open.
    pub(crate) scope: usize,
    /// The branch of an `if` in which it gets its value first.
    branch: usize,
}

/// Reads a template.
pub(crate) struct Parser<'v> {
    source: &'v str,
    lines: Lines,
    pub(crate) program: Program<'v>,
    /// How deep an expression is.
    pub(crate) depth: usize,
    pub(crate) open: Vec<Open>,
    pub(crate) bindings: HashMap<&'v str, Vec<Binding>>,
    /// The names of each loop that is open.
    pub(crate) scopes: Vec<Vec<&'v str>>,
    /// The branches that are open, from the outside in. The first one is the template.
    pub(crate) branches: Vec<usize>,
    /// The number of branches so far.
    pub(crate) branched: usize,
}

/// Reads a template.
pub(crate) fn read(source: &str, lines: Lines) -> Result<Program<'_>, Mistake> {
    let parser = Parser {
        source,
        lines,
        program: Program::default(),
        depth: 0,
        open: Vec::new(),
        bindings: HashMap::new(),
        scopes: vec![Vec::new()],
        branches: vec![0],
        branched: 0,
    };
    parser.template()
}

impl<'v> Parser<'v> {
    fn template(mut self) -> Result<Program<'v>, Mistake> {
        let (mut from, mut trim) = (0, false);
        loop {
            let (start, sign) = self.next_tag(from);
            let text = self.source.get(from..start).unwrap_or_default();
            let text = if trim { text.trim_start() } else { text };
            let Some(sign) = sign else {
                self.write(text, start);
                break;
            };
            let behind = start + 2;
            let trims = self
                .source
                .get(behind..)
                .is_some_and(|rest| rest.starts_with('-'));
            let text = if trims { text.trim_end() } else { text };
            let written = self.write(text, start);
            let behind = behind + usize::from(trims);
            let end;
            (end, trim) = match sign {
                '#' => self.comment(start, behind)?,
                '{' => self.printed(behind, Tag::Value)?,
                '=' => self.printed(behind, Tag::Plain)?,
                _ => self.block(start, behind)?,
            };
            from = end;
            if matches!(sign, '%' | '#') && self.lines == Lines::Go {
                from = self.line_goes(start, end, written);
            }
        }
        match self.open.pop() {
            None => Ok(self.program),
            Some(Open::If { at, .. }) => {
                Mistake::at(at, "the `if` is never closed: `{% endif %}` is missing")
            }
            Some(Open::For { at, .. }) => {
                Mistake::at(at, "the `for` is never closed: `{% endfor %}` is missing")
            }
        }
    }

    /// Where the next tag begins, and the character behind its brace.
    fn next_tag(&self, from: usize) -> (usize, Option<char>) {
        let bytes = self.source.as_bytes();
        let pairs = bytes.windows(2).enumerate().skip(from);
        let tag = |(at, pair): (usize, &[u8])| match pair {
            [b'{', sign @ (b'{' | b'%' | b'#' | b'=')] => Some((at, Some(char::from(*sign)))),
            _ => None,
        };
        pairs
            .map(tag)
            .find_map(|found| found)
            .unwrap_or((bytes.len(), None))
    }

    fn write(&mut self, text: &'v str, at: usize) -> Option<usize> {
        (!text.is_empty()).then(|| self.emit(Op::Write(text), at))
    }

    /// Takes away what is left of the line of a block that has nothing else on it; gives where the text goes on.
    fn line_goes(&mut self, start: usize, end: usize, written: Option<usize>) -> usize {
        let blank = |text: &str| text.chars().all(|c| matches!(c, ' ' | '\t' | '\r'));
        let after = self.source.get(end..).unwrap_or_default();
        let (line, length) = match after.split_once('\n') {
            Some((line, _)) => (line, line.len() + 1),
            None => (after, after.len()),
        };
        let before = self.source.get(..start).unwrap_or_default();
        let before = before.rsplit_once('\n').map_or(before, |(_, line)| line);
        if !blank(line) || !blank(before) {
            return end;
        }
        if let Some((Op::Write(text), _)) = written.and_then(|written| self.program.ops.get_mut(written)) {
            *text = text.strip_suffix(before).unwrap_or(text);
        }
        end + length
    }

    fn comment(&self, start: usize, behind: usize) -> Result<(usize, bool), Mistake> {
        let rest = self.source.get(behind..).unwrap_or_default();
        match rest.find("#}") {
            Some(at) => Ok((
                behind + at + 2,
                rest.get(..at).is_some_and(|text| text.ends_with('-')),
            )),
            None => Mistake::at(start, "the comment is never closed: `#}` is missing"),
        }
    }

    fn printed(&mut self, behind: usize, tag: Tag) -> Result<(usize, bool), Mistake> {
        let mut lexer = Lexer::new(self.source, behind, tag);
        let at = lexer.skip_blanks();
        self.expression(&mut lexer)?;
        self.emit(Op::Print, at);
        Self::end(&mut lexer)
    }

    /// The end of a tag.
    fn end(lexer: &mut Lexer<'v>) -> Result<(usize, bool), Mistake> {
        let at = lexer.skip_blanks();
        match lexer.next()? {
            Word::End { trim } => Ok((lexer.at(), trim)),
            other => Mistake::at(
                at,
                format!("expected the end of the tag, found {}", other.shown()),
            ),
        }
    }

    fn block(&mut self, start: usize, behind: usize) -> Result<(usize, bool), Mistake> {
        let mut lexer = Lexer::new(self.source, behind, Tag::Block);
        let at = lexer.skip_blanks();
        let word = lexer.next()?;
        match word {
            Word::Name("if") => self.begin_if(&mut lexer, start)?,
            Word::Name("elif" | "elseif") => self.other_branch(&mut lexer, at)?,
            Word::Name("else") => self.last_branch(at)?,
            Word::Name("endif") => self.end_if(at)?,
            Word::Name("for") => self.begin_for(&mut lexer, start)?,
            Word::Name("endfor") => self.end_for(at)?,
            Word::Name("set") => self.set(&mut lexer)?,
            Word::Name("raw") => {
                let (from, trim) = Self::end(&mut lexer)?;
                return self.raw(start, from, trim);
            }
            other => {
                let what = other.shown();
                return Mistake::at(
                    at,
                    format!("{what} is no block; there are if, elif, else, for, set and raw"),
                );
            }
        }
        Self::end(&mut lexer)
    }

    /// What is written as it stands.
    fn raw(&mut self, start: usize, from: usize, trim: bool) -> Result<(usize, bool), Mistake> {
        let rest = self.source.get(from..).unwrap_or_default();
        for (at, _) in rest.match_indices("{%") {
            let behind = from + at + 2;
            let trims = self
                .source
                .get(behind..)
                .is_some_and(|rest| rest.starts_with('-'));
            let mut lexer = Lexer::new(self.source, behind + usize::from(trims), Tag::Block);
            if lexer.next() != Ok(Word::Name("endraw")) {
                continue;
            }
            let text = rest.get(..at).unwrap_or_default();
            let text = if trim { text.trim_start() } else { text };
            let text = if trims { text.trim_end() } else { text };
            self.write(text, start);
            return Self::end(&mut lexer);
        }
        Mistake::at(start, "the `raw` is never closed: `{% endraw %}` is missing")
    }

    pub(crate) fn emit(&mut self, op: Op<'v>, at: usize) -> usize {
        self.program.ops.push((op, at));
        self.program.ops.len() - 1
    }

    /// Has an operation that goes on later go on at what comes next.
    pub(crate) fn leads_here(&mut self, from: usize) {
        let here = self.program.ops.len();
        if let Some((Op::And(by) | Op::Or(by) | Op::Unless(by) | Op::Skip(by), _)) =
            self.program.ops.get_mut(from)
        {
            *by = here.saturating_sub(from + 1);
        }
    }

    /// The slot of a name of the innermost loop.
    pub(crate) fn bind(&mut self, name: &'v str) -> usize {
        let scope = self.scopes.len();
        let branch = self.branches.last().copied().unwrap_or_default();
        let bindings = self.bindings.entry(name).or_default();
        if let Some(binding) = bindings.last_mut().filter(|binding| binding.scope == scope) {
            if !self.branches.contains(&binding.branch) {
                binding.branch = branch;
            }
            return binding.slot;
        }
        let slot = self.program.slots;
        self.program.slots += 1;
        bindings.push(Binding { slot, scope, branch });
        if let Some(names) = self.scopes.last_mut() {
            names.push(name);
        }
        slot
    }

    pub(crate) fn in_loop(&self) -> bool {
        let named = self.bindings.get("loop").map(Vec::as_slice).unwrap_or_default();
        self.scopes.len() > 1 && named.is_empty()
    }

    /// Leaves a variable; gives the number of its use if it may be one of the data.
    pub(crate) fn load(&mut self, name: &'v str, at: usize) -> Option<usize> {
        let bindings = self.bindings.get(name).map(Vec::as_slice).unwrap_or_default();
        let certain = bindings
            .iter()
            .any(|binding| self.branches.contains(&binding.branch));
        let slots = bindings.iter().rev().map(|binding| binding.slot).collect();
        self.emit(Op::Load { name, slots }, at);
        if certain {
            return None;
        }
        self.program.uses.push(vec![name]);
        Some(self.program.uses.len() - 1)
    }

    /// Adds to the use of a variable what is asked of it.
    pub(crate) fn used(&mut self, path: Option<usize>, name: &'v str) {
        if let Some(path) = path.and_then(|path| self.program.uses.get_mut(path)) {
            path.push(name);
        }
    }
}
