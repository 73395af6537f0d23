//! Why an expression cannot be compiled, or gave no value.

/// An expression that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {position} of `{expression}`")]
pub struct CompileError {
    /// The expression, as it is written between the braces; cut after 200 characters.
    pub expression: String,
    /// Where, in characters from 1.
    pub position: usize,
    /// What is wrong.
    pub message: String,
    /// Where in the template, as a JSON pointer; empty for an expression alone.
    pub pointer: String,
}

/// What kept an expression from giving a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalErrorKind {
    /// It failed by itself: a script threw, a function does not exist, an operand does not fit.
    Failed,
    /// It took too long.
    Time,
    /// It took too much memory, or gave too much.
    Size,
}

/// An expression that gave no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {position} of `{expression}`")]
pub struct EvalError {
    /// What kept it.
    pub kind: EvalErrorKind,
    /// The expression, as it is written between the braces; cut after 200 characters.
    pub expression: String,
    /// Where, in characters from 1; 1 when that is not known.
    pub position: usize,
    /// What happened.
    pub message: String,
    /// Where in the template, as a JSON pointer; empty for an expression alone.
    pub pointer: String,
}
