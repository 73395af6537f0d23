//! Invariant: a tree is at most [`MAX_DEPTH`] deep, so walking it by recursion is safe on any thread.

use crate::NodeRef;
use crate::calls::{Function, Method};

/// How deep a tree may be; a chain of operators is as deep as it is long.
pub(crate) const MAX_DEPTH: usize = 200;

/// How deep brackets, choices and the like may be nested in the source, where each level costs the parser several
/// calls.
pub(crate) const MAX_NESTING: usize = 64;

/// A compiled expression that needs no engine.
#[derive(Debug)]
pub(crate) enum Expr {
    Undefined,
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
    /// A root of the scope, and the way down from it.
    Path(Root, Box<[Step]>),
    /// The way down from a value.
    Member(Box<Expr>, Box<[Step]>),
    Unary(Unary, Box<Expr>),
    Binary(Binary, Box<(Expr, Expr)>, u32),
    Logic(Logic, Box<(Expr, Expr)>),
    /// Condition, then, else.
    Choice(Box<(Expr, Expr, Expr)>),
    /// Pieces of a template literal.
    Join(Box<[Expr]>),
    List(Box<[Expr]>),
    Map(Box<[(Key, Expr)]>),
    Call(Function, Box<[Expr]>, u32),
    Method(Box<MethodCall>),
}

/// A method of a value, called.
#[derive(Debug)]
pub(crate) struct MethodCall {
    pub(crate) method: Method,
    pub(crate) receiver: Expr,
    pub(crate) arguments: Box<[Expr]>,
    pub(crate) at: u32,
    /// `?.`: nothing gives nothing.
    pub(crate) optional: bool,
}

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    Json,
    Input,
    /// `$input.item`: the property, or what arrived.
    InputItem,
    /// `$input.first()`.
    InputFirst,
    /// `$input.last()`.
    InputLast,
    /// `$input.all()`.
    InputAll,
    Context,
    Variables,
    Node(NodeRef),
    /// All nodes; a first step finds one.
    Nodes,
    Workflow,
    Env,
    Now,
    Today,
    Binding(&'static str),
    /// Nothing.
    Missing,
}

/// One step of a path.
#[derive(Debug)]
pub(crate) enum Step {
    Key(Box<str>),
    Index(usize),
    Computed(Expr),
}

/// A key of an object literal.
#[derive(Debug)]
pub(crate) enum Key {
    Fixed(Box<str>),
    Computed(Expr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Not,
    Minus,
    Plus,
    Typeof,
    Void,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Pow,
    Equal,
    NotEqual,
    Same,
    NotSame,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logic {
    And,
    Or,
    Coalesce,
}

impl Binary {
    /// How it is written.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Rem => "%",
            Self::Pow => "**",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Same => "===",
            Self::NotSame => "!==",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::In => "in",
        }
    }
}
