//! Expressions. Invariant: what calls itself counts how deep, so an expression that goes too deep is refused.

use std::borrow::Cow;

use crate::check::Check;
use crate::datum::{Datum, Words};
use crate::filter::Filter;
use crate::lexer::{Lexer, Mistake, Word};
use crate::operator::Operator;
use crate::parser::Parser;
use crate::program::{Op, Round};

/// How deep parentheses, lists, signs and the like may lie in one another.
const MAX_DEPTH: usize = 32;

const COMPARISONS: [(&str, Operator); 6] = [
    ("==", Operator::Equal),
    ("!=", Operator::Unequal),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("<", Operator::Less),
    (">", Operator::More),
];

const SUMS: [(&str, Operator); 2] = [("+", Operator::Add), ("-", Operator::Subtract)];

const PRODUCTS: [(&str, Operator); 4] = [
    ("*", Operator::Multiply),
    ("//", Operator::DivideWhole),
    ("/", Operator::Divide),
    ("%", Operator::Rest),
];

type Read = Result<(), Mistake>;

impl<'v> Parser<'v> {
    /// An expression, with all its operators. Those that bind least come first here.
    pub(crate) fn expression(&mut self, lexer: &mut Lexer<'v>) -> Read {
        self.deeper(lexer, |parser, lexer| {
            let start = parser.program.ops.len();
            parser.any(lexer)?;
            let at = lexer.skip_blanks();
            if !lexer.takes_name("if")? {
                return Ok(());
            }
            // The condition stands behind the value, and has to be looked at before it.
            let value = parser.program.ops.split_off(start);
            parser.any(lexer)?;
            parser.emit(Op::Unless(value.len() + 1), at);
            parser.program.ops.extend(value);
            let skip = parser.emit(Op::Skip(0), at);
            if lexer.takes_name("else")? {
                parser.expression(lexer)?;
            } else {
                parser.emit(Op::Constant(Datum::Null), at);
            }
            parser.leads_here(skip);
            Ok(())
        })
    }

    fn deeper(
        &mut self,
        lexer: &mut Lexer<'v>,
        read: impl FnOnce(&mut Self, &mut Lexer<'v>) -> Read,
    ) -> Read {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Mistake::at(
                lexer.at(),
                format!("an expression goes no deeper than {MAX_DEPTH} levels"),
            );
        }
        read(self, lexer)?;
        self.depth -= 1;
        Ok(())
    }

    fn any(&mut self, lexer: &mut Lexer<'v>) -> Read {
        self.all(lexer)?;
        loop {
            let at = lexer.skip_blanks();
            if !lexer.takes_name("or")? {
                return Ok(());
            }
            let or = self.emit(Op::Or(0), at);
            self.all(lexer)?;
            self.leads_here(or);
        }
    }

    fn all(&mut self, lexer: &mut Lexer<'v>) -> Read {
        self.not(lexer)?;
        loop {
            let at = lexer.skip_blanks();
            if !lexer.takes_name("and")? {
                return Ok(());
            }
            let and = self.emit(Op::And(0), at);
            self.not(lexer)?;
            self.leads_here(and);
        }
    }

    fn not(&mut self, lexer: &mut Lexer<'v>) -> Read {
        let at = lexer.skip_blanks();
        if lexer.takes_name("not")? {
            self.deeper(lexer, Self::not)?;
            self.emit(Op::Not, at);
            return Ok(());
        }
        self.comparison(lexer)
    }

    fn comparison(&mut self, lexer: &mut Lexer<'v>) -> Read {
        self.joined(lexer)?;
        let at = lexer.skip_blanks();
        let Some((operator, negated)) = Self::compares(lexer)? else {
            return Ok(());
        };
        self.joined(lexer)?;
        self.emit(Op::Operate(operator), at);
        if negated {
            self.emit(Op::Not, at);
        }
        let at = lexer.skip_blanks();
        match Self::compares(lexer)? {
            None => Ok(()),
            Some(_) => Mistake::at(
                at,
                "comparisons are not chained: put an `and` between two of them",
            ),
        }
    }

    fn compares(lexer: &mut Lexer<'v>) -> Result<Option<(Operator, bool)>, Mistake> {
        for (sign, operator) in COMPARISONS {
            if lexer.takes(sign)? {
                return Ok(Some((operator, false)));
            }
        }
        if lexer.takes_name("in")? {
            return Ok(Some((Operator::In, false)));
        }
        let mut ahead = lexer.clone();
        if ahead.takes_name("not")? && ahead.takes_name("in")? {
            *lexer = ahead;
            return Ok(Some((Operator::In, true)));
        }
        Ok(None)
    }

    fn joined(&mut self, lexer: &mut Lexer<'v>) -> Read {
        self.row(lexer, &[("~", Operator::Join)], |parser, lexer| {
            parser.row(lexer, &SUMS, |parser, lexer| {
                parser.row(lexer, &PRODUCTS, |parser, lexer| parser.signed(lexer, true))
            })
        })
    }

    /// Operands with operators of one kind between them, from left to right.
    fn row(
        &mut self,
        lexer: &mut Lexer<'v>,
        operators: &[(&str, Operator)],
        operand: impl Fn(&mut Self, &mut Lexer<'v>) -> Read,
    ) -> Read {
        operand(self, lexer)?;
        'next: loop {
            let at = lexer.skip_blanks();
            for (sign, operator) in operators {
                if lexer.takes(sign)? {
                    operand(self, lexer)?;
                    self.emit(Op::Operate(*operator), at);
                    continue 'next;
                }
            }
            return Ok(());
        }
    }

    /// A value, perhaps with a minus before it; filters come behind that.
    fn signed(&mut self, lexer: &mut Lexer<'v>, filtered: bool) -> Read {
        let at = lexer.skip_blanks();
        if lexer.takes("-")? {
            self.deeper(lexer, |parser, lexer| parser.signed(lexer, false))?;
            self.emit(Op::Negate, at);
        } else {
            self.value(lexer)?;
        }
        if filtered { self.filters(lexer) } else { Ok(()) }
    }

    fn value(&mut self, lexer: &mut Lexer<'v>) -> Read {
        let at = lexer.skip_blanks();
        let word = lexer.next()?;
        let mut path = None;
        let constant = match word {
            Word::Whole(number) => Datum::Whole(number),
            Word::Float(number) => Datum::Float(number),
            Word::Text(text) => constant(text),
            Word::Name("true" | "True") => Datum::Flag(true),
            Word::Name("false" | "False") => Datum::Flag(false),
            Word::Name("none" | "None" | "null") => Datum::Null,
            Word::Name("range") if *lexer.peek()? == Word::Sign("(") => {
                let arguments = self.arguments(lexer)?;
                if !(1..=2).contains(&arguments) {
                    return Mistake::at(at, "`range` takes one or two arguments");
                }
                self.emit(Op::Range { arguments }, at);
                return self.entries(lexer, at, None);
            }
            Word::Name("loop") if self.in_loop() => {
                lexer.expect(".")?;
                let at = lexer.skip_blanks();
                let round = match lexer.next()? {
                    Word::Name(name) => Round::named(name),
                    _ => None,
                };
                let Some(round) = round else {
                    return Mistake::at(at, "a loop knows its index, index0, first, last and length");
                };
                self.emit(Op::Round(round), at);
                return Ok(());
            }
            Word::Name("and" | "or" | "not" | "in" | "is" | "if" | "else") | Word::End { .. } => {
                return Mistake::at(at, format!("expected a value, found {}", word.shown()));
            }
            Word::Name(name) => {
                path = self.load(name, at);
                return self.entries(lexer, at, path);
            }
            Word::Sign("(") => {
                self.expression(lexer)?;
                lexer.expect(")")?;
                return self.entries(lexer, at, None);
            }
            Word::Sign("[") => {
                let items = self.listed(lexer, "]")?;
                self.emit(Op::List(items), at);
                return self.entries(lexer, at, None);
            }
            Word::Sign(_) => return Mistake::at(at, format!("expected a value, found {}", word.shown())),
        };
        self.emit(Op::Constant(constant), at);
        self.entries(lexer, at, path)
    }

    /// What is asked of a value with `.` and `[ ]`; `path` is the use of a variable that this is of.
    fn entries(&mut self, lexer: &mut Lexer<'v>, start: usize, mut path: Option<usize>) -> Read {
        loop {
            let at = lexer.skip_blanks();
            if lexer.takes(".")? {
                let at = lexer.skip_blanks();
                let Word::Name(name) = lexer.next()? else {
                    return Mistake::at(
                        at,
                        "expected a name behind the dot; `[0]` is an item, `[\"a b\"]` an entry",
                    );
                };
                self.used(path, name);
                let said = lexer.said(start, lexer.at());
                self.emit(
                    Op::Entry {
                        key: Datum::lent(name),
                        said,
                    },
                    at,
                );
            } else if lexer.takes("[")? {
                self.expression(lexer)?;
                lexer.expect("]")?;
                path = None;
                let said = lexer.said(start, lexer.at());
                self.emit(Op::EntryOf { said }, at);
            } else if *lexer.peek()? == Word::Sign("(") {
                return Mistake::at(
                    at,
                    "there are no functions here but `range`; filters stand behind a `|`",
                );
            } else {
                return Ok(());
            }
        }
    }

    /// Filters and questions, one behind the other.
    fn filters(&mut self, lexer: &mut Lexer<'v>) -> Read {
        loop {
            let at = lexer.skip_blanks();
            if lexer.takes("|")? {
                self.filter(lexer)?;
            } else if lexer.takes_name("is")? {
                self.check(lexer, at)?;
            } else {
                return Ok(());
            }
        }
    }

    fn filter(&mut self, lexer: &mut Lexer<'v>) -> Read {
        let at = lexer.skip_blanks();
        let word = lexer.next()?;
        let filter = match word {
            Word::Name(name) => Filter::named(name),
            _ => None,
        };
        let Some(filter) = filter else {
            let known = Filter::names();
            return Mistake::at(at, format!("{} is no filter; there are {known}", word.shown()));
        };
        let arguments = self.arguments(lexer)?;
        let (least, most) = filter.arguments;
        if !(least..=most).contains(&arguments) {
            let (name, takes) = (filter.name, filter.takes());
            return Mistake::at(
                at,
                format!("the filter `{name}` takes {takes}, and has {arguments} here"),
            );
        }
        self.emit(Op::Filter { filter, arguments }, at);
        Ok(())
    }

    fn check(&mut self, lexer: &mut Lexer<'v>, at: usize) -> Read {
        let negated = lexer.takes_name("not")?;
        let here = lexer.skip_blanks();
        let word = lexer.next()?;
        let check = match word {
            Word::Name(name) => Check::named(name),
            _ => None,
        };
        let Some(check) = check else {
            let known = Check::names();
            return Mistake::at(
                here,
                format!("nothing can be asked with {}; there are {known}", word.shown()),
            );
        };
        let arguments = if check.arguments == 1 && *lexer.peek()? != Word::Sign("(") {
            self.deeper(lexer, |parser, lexer| parser.signed(lexer, false))?;
            1
        } else {
            self.arguments(lexer)?
        };
        if arguments != check.arguments {
            let (name, wanted) = (check.name, check.arguments);
            return Mistake::at(
                here,
                format!("`is {name}` takes {wanted} arguments, and has {arguments} here"),
            );
        }
        self.emit(
            Op::Check {
                check,
                arguments,
                negated,
            },
            at,
        );
        Ok(())
    }

    /// Values in parentheses; none where there are no parentheses.
    fn arguments(&mut self, lexer: &mut Lexer<'v>) -> Result<usize, Mistake> {
        if lexer.takes("(")? {
            self.listed(lexer, ")")
        } else {
            Ok(0)
        }
    }

    /// Values with commas between them, up to the sign that ends them.
    fn listed(&mut self, lexer: &mut Lexer<'v>, end: &str) -> Result<usize, Mistake> {
        let mut count = 0;
        while !lexer.takes(end)? {
            if count > 0 {
                lexer.expect(",")?;
                if lexer.takes(end)? {
                    break;
                }
            }
            self.expression(lexer)?;
            let at = lexer.skip_blanks();
            if lexer.takes("=")? {
                return Mistake::at(at, "arguments have no names here");
            }
            count += 1;
        }
        Ok(count)
    }
}

fn constant(text: Cow<'_, str>) -> Datum<'_> {
    match text {
        Cow::Borrowed(text) => Datum::lent(text),
        Cow::Owned(text) => Datum::Text(Words::Made(text.into())),
    }
}
