//! Invariant: what these nodes fail with is what they were told, and when they fail depends on nothing but their
//! parameters and the calls before in the same run.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{Any, Flag, Whole};

/// Nodes of runs that are counted at the same time; the one that came first makes room.
const MOST_COUNTS: usize = 10_000;

/// The longest code.
const MAX_CODE: usize = 128;

/// The version of the saved form.
const FORMAT: u32 = 1;

#[parameters]
pub(crate) struct Fail<'a> {
    /// The error's code.
    #[serde(default)]
    #[schemars(extend("default" = "EXECUTION_ERROR"), length(max = 128))]
    code: Option<&'a str>,
    /// The error's message.
    #[serde(default)]
    #[schemars(extend("default" = "failed as told"), length(max = 10_000))]
    message: Option<&'a str>,
    /// An HTTP-like status, which retry policies look at.
    #[serde(default, alias = "status")]
    #[schemars(range(min = 100, max = 599))]
    status_code: Option<Whole>,
    /// Whether the error says of itself that trying again helps.
    #[serde(default)]
    retryable: Option<Flag>,
    /// False makes it pass after all.
    #[serde(default)]
    #[schemars(extend("default" = true))]
    when: Option<Flag>,
}

/// Nothing failed.
#[output]
pub(crate) struct Unfailed {
    /// False.
    failed: bool,
}

/// Fails with the code, status and message it is given.
#[node(
    id = "test.fail",
    effect = "pure",
    tags = ["test", "error"],
    example(title = "not now", input = r#"{"when": false}"#, output = r#"{"failed": false}"#),
    example(
        title = "another time",
        input = r#"{"code": "TIMEOUT", "statusCode": 504, "when": false}"#,
        output = r#"{"failed": false}"#
    )
)]
pub(crate) fn fail(input: Fail<'_>) -> NodeResult<Unfailed> {
    let error = error(
        input.code,
        input.status_code,
        input.message.unwrap_or("failed as told").to_owned(),
    )?;
    if input.when == Some(Flag(false)) {
        return Ok(Unfailed { failed: false });
    }
    Err(match input.retryable {
        Some(retryable) => error.retryable(retryable.0),
        None => error,
    })
}

#[parameters]
pub(crate) struct Attempt<'a> {
    /// How often it fails before it succeeds.
    #[serde(default)]
    #[schemars(extend("default" = 1), range(min = 0))]
    failures: Option<Whole>,
    /// The error's code.
    #[serde(default)]
    #[schemars(extend("default" = "EXECUTION_ERROR"), length(max = 128))]
    code: Option<&'a str>,
    /// An HTTP-like status, which retry policies look at.
    #[serde(default, alias = "status")]
    #[schemars(range(min = 100, max = 599))]
    status_code: Option<Whole>,
    /// What it gives when it succeeds.
    #[serde(default)]
    result: Any<'a>,
}

/// What came of it at last.
#[output]
pub(crate) struct Success {
    /// The result that was asked for.
    result: Value,
    /// The calls so far, this one included.
    attempts: u64,
}

/// Calls counted by run and node.
#[derive(Debug, Default)]
pub(crate) struct Flaky(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    of: HashMap<String, u64>,
    /// The keys in the order in which they came.
    order: VecDeque<String>,
}

impl Counts {
    fn next(&mut self, key: String) -> u64 {
        if let Some(count) = self.of.get_mut(&key) {
            *count += 1;
            return *count;
        }
        if self.of.len() >= MOST_COUNTS
            && let Some(first) = self.order.pop_front()
        {
            self.of.remove(&first);
        }
        self.order.push_back(key.clone());
        self.of.insert(key, 1);
        1
    }
}

/// The counts as one version hands them to the next.
#[state]
struct Saved {
    format: u32,
    counts: Vec<(String, u64)>,
}

/// Fails a number of times and then succeeds, counted for each node of a run: for trying out retries and recovery.
#[node(
    id = "test.flaky",
    effect = "effectful",
    tags = ["test", "error", "retry"],
    example(
        title = "no failure",
        input = r#"{"failures": 0, "result": "ok"}"#,
        output = r#"{"result": "ok", "attempts": 1}"#
    ),
    example(title = "no result", input = r#"{"failures": 0}"#, output = r#"{"result": null, "attempts": 1}"#)
)]
impl Node for Flaky {
    type Config = ();
    type Input<'a> = Attempt<'a>;
    type Output = Success;

    fn create((): (), _ctx: &Ctx<'_>) -> NodeResult<Self> {
        Ok(Self::default())
    }

    fn execute(&self, input: Attempt<'_>, ctx: &Ctx<'_>) -> NodeResult<Success> {
        let failures = input.failures.unwrap_or(Whole(1)).count("failures")? as u64;
        // A wrong parameter is no attempt.
        let mut error = error(input.code, input.status_code, String::new())?;
        let (run, node) = (ctx.run(), ctx.node());
        // The length keeps names apart that run into each other.
        let attempts = self.counts(|counts| counts.next(format!("{}:{run}{node}", run.len())));
        if attempts <= failures {
            error.message = format!("flaky failure {attempts}").into();
            return Err(error);
        }
        Ok(Success {
            result: input.result.0.to_value(),
            attempts,
        })
    }

    fn save_state(&self) -> NodeResult<Option<Value>> {
        self.counts(|counts| {
            if counts.of.is_empty() {
                return Ok(None);
            }
            let in_order = counts
                .order
                .iter()
                .map(|key| (key.clone(), counts.of.get(key).copied().unwrap_or(0)));
            Ok(Some(Value::from_serialize(&Saved {
                format: FORMAT,
                counts: in_order.collect(),
            })?))
        })
    }

    fn load_state(&mut self, _from_version: &str, state: ValueRef<'_>) -> NodeResult<()> {
        let saved: Saved = plugin_api::value::decode(state)?;
        if saved.format != FORMAT {
            let why = format!("the saved counts have format {}, not {FORMAT}", saved.format);
            return Err(NodeError::new(why));
        }
        let mut counts = Counts::default();
        let over = saved.counts.len().saturating_sub(MOST_COUNTS);
        for (key, count) in saved.counts.into_iter().skip(over) {
            if counts.of.insert(key.clone(), count).is_none() {
                counts.order.push_back(key);
            }
        }
        self.counts(|own| *own = counts);
        Ok(())
    }
}

impl Flaky {
    fn counts<T>(&self, work: impl FnOnce(&mut Counts) -> T) -> T {
        // A count is whole between any two steps, so a panic elsewhere leaves nothing half done.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn error(code: Option<&str>, status: Option<Whole>, message: String) -> NodeResult<NodeError> {
    let code = code.unwrap_or(code::EXECUTION_ERROR);
    if code.is_empty() || code.len() > MAX_CODE {
        return Err(NodeError::invalid(
            "code",
            format_args!("must have from 1 to {MAX_CODE} bytes"),
        ));
    }
    let error = NodeError::with_code(code.to_owned(), message);
    match status {
        None => Ok(error),
        Some(status) => Ok(error.status(status.within("statusCode", 100..=599)? as u16)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_that_came_first_makes_room() {
        let mut counts = Counts::default();
        for number in 0..=MOST_COUNTS {
            assert_eq!(counts.next(number.to_string()), 1);
        }
        assert_eq!((counts.of.len(), counts.order.len()), (MOST_COUNTS, MOST_COUNTS));
        assert_eq!((counts.next("1".into()), counts.next("0".into())), (2, 1));
    }
}
